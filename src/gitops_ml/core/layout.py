"""Names of files and folders: of a project, of ``build/`` and of a bundle."""

# What the last run left, and what 'mlops package' makes of its bundle.
BUILD = "build"
BUNDLE = "bundle"
ARCHIVE = "bundle.tar.gz"
CHALLENGER = "challenger.skops"
QUARANTINE = "quarantine.parquet"
REPORT = "report.md"
REPORT_PAGE = "report.html"
# The champion lies in champion/: model.json tells its version, bundle/ is what is deployed.
CHAMPION = "champion"
STATE = "model.json"
# The files of the base branch that a change is held against lie here, if anywhere.
BASE = "base"
# What a bundle holds.
MANIFEST = "MANIFEST.json"
CARD = "model_card.md"
MODEL = "model.skops"
CODE = "code"
# The packages that a project, or a bundle, is made with; the library has a list of its own, with its wheel.
REQUIREMENTS = "requirements.txt"
VENDOR = "vendor"

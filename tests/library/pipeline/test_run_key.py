"""The run key: it changes with everything that can change a model, and with nothing else."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from gitops_ml.core.errors import LifecycleError
from gitops_ml.core.settings import read_settings
from gitops_ml.pipeline import run_key as runkey

PARAMS = """\
problem: regression
data: {source: data/*.csv, target: price, id: house, time: sold}
split: {by: time, test_period: 60 days}
train: {metric: mae, seed: 1}
evaluate: {metrics: [mae, r2]}
"""
LOCK = """\
# written by hand
version: 1
files:
  - {path: data/a.csv, sha256: aaaa, rows: 3}
  - {path: data/b.csv, sha256: bbbb, rows: 4}
"""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of a few lines, with a copy of this package as its source."""
    package = tmp_path / "src" / "house"
    shutil.copytree(runkey.PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(runkey, "PACKAGE", package)
    contents = {
        "params.yaml": PARAMS,
        "data.lock": LOCK,
        "requirements.txt": "numpy==2.4.6\n",
        "data/a.csv": "",
        "model_cards/ethics.md": "None.\n",
    }
    for name, text in contents.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def key(root: Path) -> str:
    """Return the run key of a project."""
    return runkey.compute_run_key(read_settings(root / "params.yaml"), root)


def fingerprint(root: Path) -> str:
    """Return the fingerprint of a project."""
    return runkey.compute_fingerprint(read_settings(root / "params.yaml"), root, key(root), None)


def replace(root: Path, name: str, old: str, new: str) -> None:
    """Change a file of a project; an empty ``old`` adds ``new`` at the end."""
    path = root / name
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    assert old in text
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace(old, new) if old else text + new, encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("data.lock", "bbbb", "cccc"),
        ("data.lock", "  - {path: data/b.csv, sha256: bbbb, rows: 4}\n", ""),
        ("requirements.txt", "2.4.6", "2.4.7"),
        ("params.yaml", "regression", "classification"),
        ("params.yaml", "seed: 1", "seed: 2"),
        ("params.yaml", "metric: mae", "metric: r2"),
        ("params.yaml", "60 days", "30 days"),
        ("params.yaml", "time: sold", "time: sold, window: 90 days"),
        ("params.yaml", "time: sold", "time: sold, group: street"),
        *[(f"src/house/{name}.py", "", "# changed\n") for name in ("schema", "features", "models")],
        *[(f"src/house/pipeline/{name}.py", "", "# changed\n") for name in runkey.STAGES],
        ("src/house/transformers/text.py", "", "# new\n"),
    ],
)
def test_run_key_changes_with_what_can_change_a_model(house: Path, name: str, old: str, new: str) -> None:
    """Data, tuning, source, libraries: another model, another key."""
    before = key(house)

    replace(house, name, old, new)

    assert before != key(house)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("README.md", "", "New.\n"),
        ("docs/how.md", "", "New.\n"),
        ("tests/test_models.py", "", "# new\n"),
        ("src/house/__init__.py", "", "# changed\n"),
        ("src/house/cli.py", "", "# changed\n"),
        ("src/house/commands/stages.py", "", "# new\n"),
        ("src/house/console.py", "", "# changed\n"),
        ("src/house/serving/app.py", "", "# new\n"),
        ("src/house/monitoring/drift.py", "", "# new\n"),
        ("src/house/pipeline/report.py", "", "# changed\n"),
        ("src/house/__pycache__/models.pyc", "", "new"),
        ("requirements.txt", "", "    # via pandas\n"),
        ("data.lock", "# written by hand\n", ""),
        ("params.yaml", "", "# a comment\n"),
        ("params.yaml", "{metric: mae, seed: 1}", "{seed: 1, metric: mae, folds: 3}"),
        ("params.yaml", "time: sold", "time: sold, max_age: 30 days"),
        ("params.yaml", "[mae, r2]", "[mae]"),
        ("params.yaml", "", "gates: {margin: 2%}\n"),
        ("params.yaml", "", "track: {experiment: houses}\n"),
    ],
)
def test_run_key_stays_with_what_changes_no_model(house: Path, name: str, old: str, new: str) -> None:
    """Reports, tests, other stages, notation and defaults that are spelled out cost no training."""
    before = key(house)

    replace(house, name, old, new)

    assert before == key(house)


def test_run_key_does_not_depend_on_line_endings(house: Path) -> None:
    """A checkout on Windows has the same key."""
    before = key(house)

    for path in house.rglob("*.*"):
        if path.suffix in {".py", ".txt", ".yaml", ".lock"}:
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    assert before == key(house)


def test_run_key_changes_with_python(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another minor version of Python may make another model."""
    before = key(house)

    monkeypatch.setattr(runkey, "PYTHON", "3.99")

    assert before != key(house)


def test_run_key_follows_a_metric_beside_the_package(house: Path) -> None:
    """A metric that selects the challenger counts, wherever the project keeps it."""
    replace(house, "params.yaml", "metric: mae", "metric: costs:weekly")
    replace(house, "params.yaml", "[mae, r2]", "[costs:weekly]")
    replace(house, "src/costs.py", "", "# new\n")
    before = key(house)

    replace(house, "src/costs.py", "", "# changed\n")

    assert before != key(house)


def test_every_stage_that_counts_exists() -> None:
    """A stage that is renamed must not fall out of the run key."""
    missing = [name for name in runkey.STAGES if not (runkey.PACKAGE / "pipeline" / f"{name}.py").is_file()]

    assert [] == missing


def test_no_module_behind_a_stage_is_forgotten() -> None:
    """What a stage imports counts as well, apart from modules known to leave models alone."""
    neutral = {"errors", "lock", "plausibility", "progress", "records", "settings"}
    imported = set()
    for name in runkey.STAGES:
        text = (runkey.PACKAGE / "pipeline" / f"{name}.py").read_text(encoding="utf-8")
        imported.update(re.findall(r"^ *from \.(\w+) import", text, flags=re.MULTILINE))

    assert imported - neutral <= set(runkey.STAGES)


@pytest.mark.parametrize("name", ["data.lock", "requirements.txt"])
def test_missing_file_is_named(house: Path, name: str) -> None:
    """Without the data lock or the library lock there is no key, and one sentence says so."""
    (house / name).unlink()

    with pytest.raises(LifecycleError, match=f"{name} is missing.*run '"):
        key(house)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("data.lock", "rows: 4", "rows: 5"),
        ("data/c.csv", "", "waits to be accepted"),
        ("params.yaml", "[mae, r2]", "[mae]"),
        ("params.yaml", "", "gates: {margin: 2%}\n"),
        ("src/house/pipeline/report.py", "", "# changed\n"),
        ("src/house/pipeline/templates/new.html", "", "<p>\n"),
        ("model_cards/ethics.md", "None", "Much"),
    ],
)
def test_fingerprint_changes_with_what_changes_an_output(house: Path, name: str, old: str, new: str) -> None:
    """What leaves the model alone may change the report: that asks for a new run, not for training."""
    before, key_before = fingerprint(house), key(house)

    replace(house, name, old, new)

    assert key_before == key(house)
    assert before != fingerprint(house)


def test_fingerprint_stays_with_docs_and_tests(house: Path) -> None:
    """What no output shows asks for nothing."""
    before = fingerprint(house)

    replace(house, "docs/how.md", "", "New.\n")
    replace(house, "tests/test_models.py", "", "# new\n")

    assert before == fingerprint(house)

"""The run key: it changes with everything that can change a model, and with nothing else."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from gitops_ml.core import project
from gitops_ml.core.errors import LifecycleError
from gitops_ml.core.settings import read_settings
from gitops_ml.pipeline import run_key

PARAMS = """\
problem: regression
data: {source: data/*.csv, target: price, id: house, time: sold}
split: {by: time, test_period: 60 days}
train: {metric: mae, seed: 1}
evaluate: {metrics: [mae, r2]}
"""
STAGES = [("data", "loading"), ("contract", "schema"), ("metrics", "builtin"), ("training", "train")]
LOCK = """\
# written by hand
version: 1
files:
  - {path: data/a.csv, sha256: aaaa, rows: 3}
  - {path: data/b.csv, sha256: bbbb, rows: 4}
"""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of a few lines, with a copy of this library beside it."""
    library = tmp_path / "library"
    shutil.copytree(run_key.LIBRARY, library, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(run_key, "LIBRARY", library)
    monkeypatch.setattr(project, "_chosen", None)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    contents = {
        "params.yaml": PARAMS,
        "data.lock": LOCK,
        "requirements.txt": "numpy==2.4.6\n",
        "data/a.csv": "",
        "model_cards/ethics.md": "None.\n",
        "pyproject.toml": '[tool.gitops-ml]\npackage = "house"\n',
        **{f"src/house/{name}.py": "" for name in ("__init__", "schema", "features", "models")},
    }
    for name, text in contents.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def key(root: Path) -> str:
    """Return the run key of a project."""
    return run_key.compute_run_key(read_settings(root / "params.yaml"), root)


def fingerprint(root: Path) -> str:
    """Return the fingerprint of a project."""
    return run_key.compute_fingerprint(read_settings(root / "params.yaml"), root, key(root), None)


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
        ("src/house/__init__.py", "", "# changed\n"),
        *[(f"library/{room}/{name}.py", "", "# changed\n") for room, name in STAGES],
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
        ("library/__init__.py", "0.1.0", "0.2.0"),
        ("library/cli/app.py", "", "# changed\n"),
        ("library/core/records.py", "", "# changed\n"),
        ("library/serving/app.py", "", "# changed\n"),
        ("library/monitoring/service.py", "", "# changed\n"),
        ("library/report/markdown.py", "", "# changed\n"),
        ("vendor/requirements.txt", "", "gitops-ml==0.2.0\n"),
        ("src/house/__pycache__/models.pyc", "", "new"),
        ("requirements.txt", "", "    # via pandas\n"),
        ("data.lock", "# written by hand\n", ""),
        ("params.yaml", "", "# a comment\n"),
        ("params.yaml", "{metric: mae, seed: 1}", "{seed: 1, metric: mae, folds: 3}"),
        ("params.yaml", "time: sold", "time: sold, max_age: 30 days"),
        ("params.yaml", "[mae, r2]", "[mae]"),
        ("params.yaml", "", "gates: {margin: 2%}\n"),
        ("params.yaml", "", "track: {experiment: houses}\n"),
        ("params.yaml", "", "gates: {policies: [policies:fair]}\n"),
        ("params.yaml", "", "report: {sections: [sections:prices]}\n"),
        ("src/policies.py", "", "def fair(context): ...\n"),
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

    monkeypatch.setattr(run_key, "PYTHON", "3.99")

    assert before != key(house)


def test_run_key_follows_a_metric_beside_the_package(house: Path) -> None:
    """A metric that selects the challenger counts, wherever the project keeps it."""
    replace(house, "params.yaml", "metric: mae", "metric: costs:weekly")
    replace(house, "params.yaml", "[mae, r2]", "[costs:weekly]")
    replace(house, "src/costs.py", "", "# new\n")
    before = key(house)

    replace(house, "src/costs.py", "", "# changed\n")

    assert before != key(house)


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
        ("library/report/markdown.py", "", "# changed\n"),
        ("library/report/templates/new.html", "", "<p>\n"),
        ("model_cards/ethics.md", "None", "Much"),
        ("params.yaml", "", "gates: {policies: [policies:fair]}\n"),
        ("src/policies.py", "", "def fair(context): ...\n"),
        ("src/rules/limits.json", "", "{}"),
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

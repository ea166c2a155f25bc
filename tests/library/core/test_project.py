"""The project at hand is found by its ``pyproject.toml``, and known by its contract and its candidates."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sklearn.dummy import DummyClassifier

from gitops_ml.bundle.bundle import use_code
from gitops_ml.core import project
from gitops_ml.core.errors import LifecycleError

PYPROJECT = '[tool.gitops-ml]\npackage = "{name}"\n'
SCHEMA = """
import pandera.pandas as pa
class Contract(pa.DataFrameModel):
    size: int
"""
MODELS = """
from sklearn.dummy import DummyClassifier
def candidates(seed):
    return {"dull": DummyClassifier(random_state=seed)}
def baseline():
    return DummyClassifier()
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project whose package is ``cows``; it is the current folder, and nothing else is chosen."""
    write(tmp_path / "pyproject.toml", PYPROJECT.format(name="cows"))
    write(tmp_path / "src/cows/__init__.py", "")
    write(tmp_path / "src/cows/schema.py", SCHEMA)
    write(tmp_path / "src/cows/models.py", MODELS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(project, "_chosen", None)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", sys.dont_write_bytecode)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def write(path: Path, content: str) -> None:
    """Write a file, its folder included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def test_the_package_is_the_one_that_pyproject_names(root: Path) -> None:
    """It lies in src/, installed or not."""
    assert "cows" == project.name_package()
    assert root / "src/cows" == project.find_folder()


def test_its_modules_are_listed(root: Path) -> None:
    """Those of folders below it, too, in order; no compiled ones."""
    write(root / "src/cows/milk/__init__.py", "")
    write(root / "src/cows/__pycache__/models.py", "")
    names = [path.relative_to(root / "src/cows").as_posix() for path in project.list_modules()]
    assert ["__init__.py", "milk/__init__.py", "models.py", "schema.py"] == names


def test_contract_candidates_and_baseline_are_the_package_s(root: Path) -> None:
    """They are all that the library knows of it."""
    assert ["size"] == list(project.load_contract().columns)
    assert 7 == project.load_candidates()(7)["dull"].random_state
    assert isinstance(project.load_baseline(), DummyClassifier)


def test_a_folder_that_is_no_project(root: Path) -> None:
    """The sentence says where a project would begin."""
    (root / "pyproject.toml").unlink()
    with pytest.raises(LifecycleError, match=r"pyproject\.toml is missing; run mlops in the folder of a"):
        project.name_package()


@pytest.mark.parametrize(
    ("content", "came"),
    [
        ('[project]\nname = "cows"\n', "None"),
        ("[tool.gitops-ml]\n", "None"),
        (PYPROJECT.format(name="black cows"), "'black cows'"),
        ("[tool.gitops-ml]\npackage = 7\n", "7"),
    ],
)
def test_a_pyproject_that_names_no_package(root: Path, content: str, came: str) -> None:
    """The table is missing, or its value is no name: the sentence says what came."""
    write(root / "pyproject.toml", content)
    with pytest.raises(LifecycleError, match=rf"\[tool\.gitops-ml\] package is {came}; expected the name of"):
        project.name_package()


def test_a_pyproject_that_is_no_toml(root: Path) -> None:
    """The sentence says what was expected."""
    write(root / "pyproject.toml", "[tool")
    with pytest.raises(LifecycleError, match=r"pyproject\.toml: expected TOML, but Expected ']'"):
        project.name_package()


def test_a_package_that_is_not_there(root: Path) -> None:
    """A name that was changed in one place only."""
    write(root / "pyproject.toml", PYPROJECT.format(name="bulls"))
    with pytest.raises(LifecycleError, match=r"src/bulls is missing, which pyproject\.toml names"):
        project.find_folder()


def test_a_package_without_a_contract(root: Path) -> None:
    """The sentence says which file is missing, and what it is for."""
    (root / "src/cows/schema.py").unlink()
    with pytest.raises(
        LifecycleError, match=r"cows/schema\.py is missing; a project defines its schema there"
    ):
        project.load_contract()


@pytest.mark.parametrize(
    ("path", "reference"),
    [
        ("src/policies.py", "policies:fair"),
        ("src/cows/policies.py", "cows.policies:fair"),
        ("src/rules/__init__.py", "rules:fair"),
    ],
)
def test_a_function_beside_the_package_or_in_it(root: Path, path: str, reference: str) -> None:
    """A team keeps what the settings name where it likes."""
    write(root / path, "def fair():\n    return 'yes'\n")
    assert "yes" == project.find_function(reference, "gates.policies")()


def test_a_function_of_an_installed_package(root: Path) -> None:
    """Such as one that several projects share."""
    assert 3 == project.find_function("operator:add", "gates.policies")(1, 2)


@pytest.mark.parametrize(
    ("reference", "missing"),
    [
        ("policies:fair", "there is no module 'policies'"),
        ("cows.policies:fair", r"there is no module 'cows\.policies'"),
        (":fair", "there is no module ''"),
        ("cows.models:fair", r"'cows\.models' has no function 'fair'"),
        ("cows.models", r"'cows\.models' has no function ''"),
        ("cows.models:__name__", r"'cows\.models' has no function '__name__'"),
    ],
)
def test_a_function_that_is_not_there(root: Path, reference: str, missing: str) -> None:
    """The sentence says in which setting it was named."""
    with pytest.raises(LifecycleError, match=rf"^gates\.policies names '{reference}', but {missing}\.$"):
        project.find_function(reference, "gates.policies")


def test_a_module_that_cannot_be_imported_is_a_bug(root: Path) -> None:
    """What it misses itself is not said to be missing from the settings."""
    write(root / "src/policies.py", "import no_such_thing\n")
    with pytest.raises(ModuleNotFoundError, match="no_such_thing"):
        project.find_function("policies:fair", "gates.policies")


def test_the_package_of_a_bundle_wins_over_the_current_folder(root: Path, tmp_path: Path) -> None:
    """A process that speaks for a bundle has its package, wherever it was started."""
    write(tmp_path / "bundle/code/bulls/__init__.py", "")
    write(tmp_path / "bundle/code/bulls/schema.py", SCHEMA.replace("size", "weight"))
    use_code(tmp_path / "bundle")
    assert ("bulls", tmp_path / "bundle/code/bulls") == (project.name_package(), project.find_folder())
    assert ["weight"] == list(project.load_contract().columns)


def test_the_code_of_a_bundle_wins_over_the_project_s(root: Path, tmp_path: Path) -> None:
    """Also where both packages have one name: a champion runs with the code that it was made with."""
    assert "cows" == project.name_package()
    write(tmp_path / "bundle/code/cows/__init__.py", "")
    write(tmp_path / "bundle/code/cows/schema.py", SCHEMA.replace("size", "weight"))
    use_code(tmp_path / "bundle")
    assert ["weight"] == list(project.load_contract().columns)

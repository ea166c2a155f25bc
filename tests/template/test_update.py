"""A project takes over a new version of the template, and keeps what its team has changed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import gitops_ml
from baking import Bake, Lend, attempt, call, find_uv_first
from rehearsal.bake import commit
from rehearsal.older import VERSION, build_older
from rehearsal.surroundings import tool
from rehearsal.vendor import FOLDER, pin_wheel

# What the team has changed since the project was made: their four files, and a workflow.
CHANGES = {
    "params.yaml": ("seed: 2013", "seed: 7"),
    "src/flight_delays/schema.py": ("ge=20, le=900", "ge=20, le=950"),
    "src/flight_delays/features.py": ("RARE = 20", "RARE = 25"),
    "src/flight_delays/models.py": ("max_iter=500", "max_iter=600"),
    ".github/workflows/monitor.yml": ("17 5 * * *", "23 4 * * *"),
}
# What the template has changed.
TRAIN = ".github/workflows/train.yml"
BEFORE, NOW = "timeout-minutes: 59", "timeout-minutes: 60"


@pytest.fixture(scope="module")
def repository(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two versions of the template, the first of them tagged, each with its version of the library."""
    root = tmp_path_factory.mktemp("repository") / "template"
    shutil.copytree(template, root)
    vendor = root / FOLDER
    shutil.rmtree(vendor)
    vendor.mkdir()
    wheel = build_older(tmp_path_factory.mktemp("older"))
    shutil.copy(wheel, vendor)
    (vendor / "requirements.txt").write_text(pin_wheel(wheel))
    replace(root / vendor.parent / TRAIN, NOW, BEFORE)
    commit(root, "The version before")
    git(root, "tag", "before")
    shutil.rmtree(vendor)
    shutil.copytree(template, root, dirs_exist_ok=True)
    commit(root, "The version of now")
    return root


@pytest.fixture
def project(repository: Path, tmp_path: Path) -> Path:
    """A project made from the version before, with changes of its team."""
    words = ["create", str(repository), "--no-input", "--checkout", "before", "--output-dir", str(tmp_path)]
    call(tmp_path, tool("cruft"), *words, HOME=str(tmp_path))
    project = tmp_path / "flight-delays"
    commit(project, "Bake the project")
    for name, (old, new) in CHANGES.items():
        replace(project / name, old, new)
    commit(project, "Make it ours")
    return project


def replace(path: Path, old: str, new: str) -> None:
    """Change a file in one place."""
    text = path.read_text(encoding="utf-8")
    assert 1 == text.count(old)
    path.write_text(text.replace(old, new), encoding="utf-8")


def git(folder: Path, *words: str) -> str:
    """Run Git and return what it says."""
    ended = subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True)
    return ended.stdout.strip()


def update(project: Path) -> subprocess.CompletedProcess[str]:
    """Run ``make update``."""
    return attempt(project, "make", "update", PATH=find_uv_first(), HOME=str(project.parent))


def set_up(project: Path, environment: Path) -> None:
    """Give a project an environment of its own, like another one but for the library."""
    shutil.copytree(environment, project / ".venv", symlinks=True, copy_function=link)
    (project / ".venv/ready").unlink()
    call(project, "make", "setup", PATH=find_uv_first())


def link(source: str, target: str) -> None:
    """Put a file in a second place, without a copy of its content."""
    Path(target).hardlink_to(source)


def test_an_update_replaces_the_library_and_keeps_what_is_ours(project: Path, bake: Bake, lend: Lend) -> None:
    """The wheel and the template's change come, the team's changes stay, and all passes."""
    like_it = bake()
    lend(like_it)
    set_up(project, like_it / ".venv")
    assert f"gitops-ml {VERSION}\n" == call(project, ".venv/bin/mlops", "--version").stdout

    updated = update(project)

    assert 0 == updated.returncode, updated.stdout + updated.stderr
    wheels = [path.name for path in project.glob("vendor/*.whl")]
    assert [f"gitops_ml-{gitops_ml.__version__}-py3-none-any.whl"] == wheels
    assert NOW in (project / TRAIN).read_text()
    for name, (_, new) in CHANGES.items():
        assert new in (project / name).read_text()
    commit(project, "Update")
    call(project, "make", "check", "test", PATH=find_uv_first())
    call(project, ".venv/bin/mlops", "validate")
    assert f"gitops-ml {gitops_ml.__version__}\n" == call(project, ".venv/bin/mlops", "--version").stdout


def test_a_conflict_is_named_and_fails(project: Path) -> None:
    """Where the template's change meets one of the team's, a person has to decide."""
    replace(project / TRAIN, BEFORE, "timeout-minutes: 10")
    commit(project, "Wait no longer than ten minutes")

    updated = update(project)

    assert 0 != updated.returncode
    assert f"the update is in conflict with changes of yours in: {TRAIN}" in updated.stderr


def test_changes_that_are_not_committed_are_left_alone(project: Path) -> None:
    """An update is a change of its own."""
    replace(project / TRAIN, BEFORE, "timeout-minutes: 10")

    updated = update(project)

    assert 0 != updated.returncode
    assert "there are changes that are not committed" in updated.stderr
    assert f"M {TRAIN}" == git(project, "status", "--porcelain")


def test_a_project_that_cruft_does_not_know(project: Path) -> None:
    """A project that cookiecutter has baked is told how to let cruft know its template."""
    (project / ".cruft.json").unlink()
    commit(project, "Forget the template")

    updated = update(project)

    assert 0 != updated.returncode
    assert ".cruft.json is missing, which names the template; write it with 'uvx cruft link" in updated.stderr

"""A project takes over a new version of the template, and keeps what its team has changed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import gitops_ml
from rehearsal.bake import clean_environment, commit, copy_template
from rehearsal.older import VERSION, build_older
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
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with two versions of the template, tagged, each with its version of the library."""
    root = copy_template(tmp_path_factory.mktemp("template"))
    now = tmp_path_factory.mktemp("now") / "template"
    shutil.copytree(root, now)
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
    shutil.copytree(now, root, dirs_exist_ok=True)
    commit(root, "The version of now")
    return root


@pytest.fixture
def project(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project made from the version before, with changes of its team."""
    monkeypatch.setenv("UV_PYTHON", sys.executable)
    cruft = [sys.executable, "-m", "cruft", "create", str(template), "--no-input", "--checkout", "before"]
    subprocess.run(
        [*cruft, "--output-dir", str(tmp_path)], env=clean_environment(), check=True, capture_output=True
    )
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


def make(project: Path, *targets: str) -> subprocess.CompletedProcess[str]:
    """Run make in a project, with this environment's uv."""
    environment = clean_environment()
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    return subprocess.run(
        ["make", *targets],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def test_an_update_replaces_the_library_and_keeps_what_is_ours(project: Path) -> None:
    """The wheel and the template's change come, the team's changes stay, and all passes."""
    assert [f"gitops_ml-{VERSION}-py3-none-any.whl"] == [path.name for path in project.glob("vendor/*.whl")]

    updated = make(project, "update")

    assert 0 == updated.returncode, updated.stdout + updated.stderr
    wheels = [path.name for path in project.glob("vendor/*.whl")]
    assert [f"gitops_ml-{gitops_ml.__version__}-py3-none-any.whl"] == wheels
    assert NOW in (project / TRAIN).read_text()
    for name, (_, new) in CHANGES.items():
        assert new in (project / name).read_text()
    commit(project, "Update")
    proven = make(project, "check", "test", "run")
    assert 0 == proven.returncode, proven.stdout + proven.stderr
    version = subprocess.run([".venv/bin/mlops", "--version"], cwd=project, capture_output=True, text=True)
    assert f"gitops-ml {gitops_ml.__version__}\n" == version.stdout


def test_a_conflict_is_named_and_fails(project: Path) -> None:
    """Where the template's change meets one of the team's, a person has to decide."""
    replace(project / TRAIN, BEFORE, "timeout-minutes: 10")
    commit(project, "Wait no longer than ten minutes")

    updated = make(project, "update")

    assert 0 != updated.returncode
    assert f"the update is in conflict with changes of yours in: {TRAIN}" in updated.stderr


def test_changes_that_are_not_committed_are_left_alone(project: Path) -> None:
    """An update is a change of its own."""
    replace(project / TRAIN, BEFORE, "timeout-minutes: 10")

    updated = make(project, "update")

    assert 0 != updated.returncode
    assert "there are changes that are not committed" in updated.stderr
    assert f"M {TRAIN}" == git(project, "status", "--porcelain")

"""A bake passes its own checks and tests the first time, and goes from data to a report."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from rehearsal.bake import PROBLEMS, clean_environment, commit, refresh
from rehearsal.gallery import CARDS

# Tests of a bake that have nothing to do with what is predicted: once is enough.
INDIFFERENT = """
interruption isolation manifests monitoring_markdown monitoring_page package promotion prose registry
resampling revision runkey sbom serving_process site smoke sources store
"""
OUTPUTS = """
bundle challenger.skops changes.json comparison.json evaluation.json model_card.md report.html report.md
run.json training.json validation.json
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to bake into, again and again; its environment is made once and stays."""
    return tmp_path_factory.mktemp("project") / "flight-delays"


@pytest.fixture(scope="module", params=PROBLEMS)
def baked(project: Path, request: pytest.FixtureRequest) -> Path:
    """The default project for one problem, committed, with nothing done to it."""
    refresh(project, problem=request.param)
    commit(project, f"Bake a {request.param} project")
    return project


def call(folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command with no terminal, expect success, and return what it said."""
    environment = {**clean_environment(), "UV_PYTHON": sys.executable, **variables}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return done


@pytest.mark.parametrize("baked", PROBLEMS[1:], indirect=True)
def test_checks(baked: Path) -> None:
    """Linter, formatter, type checker and workflow audit find nothing in a fresh bake.

    Of the first problem, the workflow ``checks`` finds that out in test_workflows.py.
    """
    call(baked, "make", "check")


def test_tests(baked: Path) -> None:
    """A fresh bake passes its own tests, none skipped, and leaves nothing that Git would commit."""
    left_out = [] if find_problem(baked) == PROBLEMS[0] else INDIFFERENT.split()
    assert [] == [name for name in left_out if not (baked / f"tests/test_{name}.py").is_file()]
    ignored = " ".join(f"--ignore=tests/test_{name}.py" for name in left_out)
    said = call(baked, "make", "test", PYTEST_ADDOPTS=ignored).stdout
    assert " passed" in said.splitlines()[-1]
    # One test needs PostgreSQL, which `make test` installs where it may.
    postgres = shutil.which("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    assert not postgres or "skipped" not in said.splitlines()[-1]
    assert "" == call(baked, "git", "status", "--porcelain").stdout


def test_run(baked: Path) -> None:
    """``mlops run`` leaves all its outputs, beats the baseline, and breaks no gate."""
    call(baked, "make", "run")
    build = baked / "build"
    assert OUTPUTS.split() == sorted(path.name for path in build.iterdir())
    comparison = json.loads((build / "comparison.json").read_text(encoding="utf-8"))
    assert "better" == comparison["verdict"]
    assert [] == [gate for gate in comparison["gates"] if not gate["passed"]]
    assert "" == call(baked, "git", "status", "--porcelain").stdout


def test_second_run_is_reused(baked: Path) -> None:
    """A second run changes no byte of the build."""
    before = digest_files(baked / "build")
    call(baked, "make", "run")
    assert before == digest_files(baked / "build")


def test_two_fresh_clones_agree(baked: Path, tmp_path: Path) -> None:
    """Two clones of one commit have the same run key and predict the same, to the byte."""
    first = baked / "build"
    call(tmp_path, "git", "clone", "--quiet", str(baked), "clone")
    environment = {**clean_environment(), "PYTHONPATH": str(tmp_path / "clone" / "src")}
    command = [str(baked / ".venv" / "bin" / "mlops"), "run"]
    done = subprocess.run(command, cwd=tmp_path / "clone", env=environment, capture_output=True, text=True)
    assert 0 == done.returncode, done.stderr
    second = tmp_path / "clone" / "build"
    assert read_run_key(first) == read_run_key(second)
    for name in ("challenger.skops", "bundle/golden.json"):
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_gallery_is_current(baked: Path) -> None:
    """The committed card is that of the model which this template makes."""
    card = (CARDS / f"flight-delays-{find_problem(baked)}.md").read_text(encoding="utf-8")
    key = read_run_key(baked / "build")
    # The key depends on the minor version of Python: one made with another version has another key.
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert key in card or f"| Python | {python}." not in card, "run `make gallery` and commit model_cards/"


def find_problem(project: Path) -> str:
    """Return what a project predicts."""
    settings = (project / "params.yaml").read_text(encoding="utf-8")
    [problem] = [problem for problem in PROBLEMS if f"problem: {problem}" in settings]
    return problem


def read_run_key(build: Path) -> str:
    """Return the run key of a finished run."""
    return str(json.loads((build / "run.json").read_text(encoding="utf-8"))["run_key"])


def digest_files(folder: Path) -> dict[str, str]:
    """Return the digest of every file below a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in files}

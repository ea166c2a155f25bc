"""A bake passes its own checks and tests the first time, and goes from data to a report."""

from __future__ import annotations

import json
import os
import re
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from baking import Bake, Lend, call
from rehearsal.bake import PROBLEMS, commit, refresh
from rehearsal.gallery import CARDS

OUTPUTS = """
bundle challenger.skops changes.json comparison.json evaluation.json model_card.md report.html report.md
run.json training.json validation.json
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to bake into, again and again."""
    return tmp_path_factory.mktemp("project") / "flight-delays"


@pytest.fixture(scope="module", params=PROBLEMS)
def baked(project: Path, lend: Lend, request: pytest.FixtureRequest) -> Path:
    """The default project for one problem, committed, with nothing done to it but its set-up."""
    refresh(project, problem=request.param)
    commit(project, f"Bake a {request.param} project")
    lend(project)
    return project


@pytest.mark.parametrize("baked", PROBLEMS[1:], indirect=True)
def test_checks(baked: Path) -> None:
    """Linter, formatter, type checker and workflow audit find nothing in a fresh bake.

    Of the first problem, the workflow ``checks`` finds that out in test_workflows.py.
    """
    call(baked, "make", "check")


def test_tests(baked: Path) -> None:
    """A fresh bake passes its own tests, none skipped, and leaves nothing that Git would commit."""
    last = call(baked, "make", "test").stdout.splitlines()[-1]
    assert " passed" in last
    assert "skipped" not in last
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
    call(tmp_path / "clone", str(baked / ".venv/bin/mlops"), "run")
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


def test_set_up_without_uv(bake: Bake) -> None:
    """On a machine without uv, a bake's own Makefile brings it, in the version that it names."""
    project = bake()
    folders = os.environ["PATH"].split(os.pathsep)
    path = os.pathsep.join(folder for folder in folders if not (Path(folder) / "uv").exists())
    call(project, "make", ".venv/bin/uv", PATH=path)
    [version] = re.findall(r"^UV_VERSION := (.*)$", (project / "Makefile").read_text(), re.MULTILINE)
    assert ["uv", version] == call(project, ".venv/bin/uv", "--version").stdout.split()[:2]


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

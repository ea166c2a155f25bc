"""Baking over a project keeps what is its own, and happens only when needed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from baking import list_files
from rehearsal import demo
from rehearsal.bake import bake, commit, copy_template, list_template, refresh


def test_refresh_twice(tmp_path: Path) -> None:
    """Nothing is baked while template and answers are those of the last time."""
    project = tmp_path / "flight-delays"
    assert [True, False, True, False] == [
        refresh(project, problem="classification"),
        refresh(project, problem="classification"),
        refresh(project, problem="regression"),
        refresh(project, problem="regression"),
    ]


def test_refresh_keeps_what_the_project_made(tmp_path: Path) -> None:
    """Environment, build and runs stay; files that are no longer baked go."""
    project = tmp_path / "flight-delays"
    refresh(project)
    for kept in (".venv/ready", "build/report.md", "mlflow.db"):
        (project / kept).parent.mkdir(exist_ok=True)
        (project / kept).write_text("mine")
    (project / "src" / "old.py").write_text("")
    refresh(project, problem="regression")
    assert ["mine"] * 3 == [
        (project / kept).read_text() for kept in (".venv/ready", "build/report.md", "mlflow.db")
    ]
    assert not (project / "src" / "old.py").exists()


def test_demo_refuses_an_unknown_problem(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A typo in PROBLEM is one sentence, and nothing is baked."""
    monkeypatch.setenv("PROBLEM", "clasification")
    assert 1 == demo.main([])
    assert (
        "Error: PROBLEM is 'clasification', expected classification or regression.\n"
        == capsys.readouterr().err
    )


def test_bake_leaves_nothing_else(tmp_path: Path) -> None:
    """No configuration, replay file or copy of the template lies about afterwards."""
    bake(copy_template(tmp_path / "template"), tmp_path / "out")
    assert ["flight-delays"] == [path.name for path in (tmp_path / "out").iterdir()]


def test_template_from_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Git's knowledge, as in an unpacked archive, the template is all files there are."""
    expected = list_template()
    copy_template(tmp_path)
    monkeypatch.setattr("rehearsal.bake.ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert expected == list_template()


def test_commit_needs_no_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which nobody has set up Git can commit a bake."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "file").write_text("")
    commit(tmp_path / "project", "First")
    commit(tmp_path / "project", "Second")
    log = subprocess.run(
        ["git", "log", "--format=%s"], cwd=tmp_path / "project", check=True, capture_output=True, text=True
    )
    assert ["Second", "First"] == log.stdout.split()
    assert ["file"] == [name for name in list_files(tmp_path / "project") if not name.startswith(".git/")]

"""Tests of how the current commit is found."""

from __future__ import annotations

import subprocess
from pathlib import Path

from gitops_ml.core.git import Revision, read_revision


def git(root: Path, *arguments: str) -> str:
    """Run Git with an identity of its own."""
    identity = ["-c", "user.name=Test", "-c", "user.email=test@localhost"]
    answer = subprocess.run(
        ["git", *identity, *arguments], cwd=root, check=True, capture_output=True, text=True
    )
    return answer.stdout.strip()


def test_no_repository_has_no_commit(tmp_path: Path) -> None:
    """A project outside Git still runs."""
    assert Revision(None, dirty=False) == read_revision(tmp_path)


def test_a_repository_without_commits_has_none(tmp_path: Path) -> None:
    """Neither does one that was just made."""
    git(tmp_path, "init")

    assert Revision(None, dirty=False) == read_revision(tmp_path)


def test_a_changed_file_makes_it_dirty(tmp_path: Path) -> None:
    """Tracked files count, others do not."""
    (tmp_path / "a").write_text("1")
    git(tmp_path, "init")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-m", "one")
    (tmp_path / "untracked").touch()
    clean = read_revision(tmp_path)
    (tmp_path / "a").write_text("2")

    assert Revision(git(tmp_path, "rev-parse", "HEAD"), dirty=False) == clean
    assert clean._replace(dirty=True) == read_revision(tmp_path)

"""Tests of how the current commit is found."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gitops_ml.core.errors import LifecycleError
from gitops_ml.core.git import GitError, Revision, list_blobs, read_files, read_revision, run_git


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


def test_files_of_commits_are_read_in_order(tmp_path: Path) -> None:
    """One that is missing is empty, and does not shift the others."""
    git(tmp_path, "init")
    for name, text in {"a": "1\n", "b": ""}.items():
        (tmp_path / name).write_text(text)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "one")

    assert [b"1\n", b"", b"", b"1\n"] == read_files(tmp_path, ["HEAD:a", "HEAD:b", "HEAD:c", "HEAD:./a"])


def test_a_failure_says_what_git_says(tmp_path: Path) -> None:
    """The line with the problem, and none of the advice around it."""
    git(tmp_path, "init")

    with pytest.raises(GitError, match=r"^git fetch failed: 'nowhere' does not") as raised:
        run_git(tmp_path, "fetch", "nowhere", "main")

    assert "fetch" == raised.value.verb
    assert "Could not read from remote repository" in raised.value.stderr


def test_git_may_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run needs none; what does need it says so."""
    monkeypatch.setenv("PATH", str(tmp_path))

    assert Revision(None, dirty=False) == read_revision(tmp_path)
    with pytest.raises(LifecycleError, match="git is not installed"):
        run_git(tmp_path, "status")


def test_blobs_of_a_commit(tmp_path: Path) -> None:
    """What is committed counts, below the named folders, whatever lies there by now."""
    assert {} == list_blobs(tmp_path, "a")
    for name in ("a/deep/é x", "b/one", "c"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("test\n")
    git(tmp_path, "init")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "-m", "one")
    (tmp_path / "b/one").write_text("2")

    blob = "9daeafb9864cf43055ae93beb0afd6c7d144bfa4"
    assert {"a/deep/é x": blob, "b/one": blob} == list_blobs(tmp_path, "a", "b", "missing")

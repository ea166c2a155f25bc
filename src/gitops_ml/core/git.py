"""The ``git`` command line: what it says of the project, and running it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from .errors import LifecycleError


class GitError(LifecycleError):
    """Git could not do what it was asked to.

    Parameters
    ----------
    verb : str
        Such as ``push``.
    stderr : str
        What Git says about it, in English.
    """

    def __init__(self, verb: str, stderr: str) -> None:
        self.verb, self.stderr = verb, stderr
        lines = stderr.splitlines() or ["it said nothing"]
        # Advice may come before and after the line that says what is wrong.
        wrong = [line for line in lines if line.startswith(("fatal: ", "error: "))] or lines[-1:]
        self.reason = wrong[0].removeprefix("fatal: ").removeprefix("error: ")
        super().__init__(f"git {verb} failed: {self.reason}")


class Revision(NamedTuple):
    """The commit that is checked out, and whether tracked files differ from it."""

    commit: str | None
    dirty: bool


class Commit(NamedTuple):
    """A commit of a log."""

    sha: str
    time: str
    """ISO 8601."""
    subject: str


def read_revision(root: Path) -> Revision:
    """Return the current commit; without Git or a commit there is none."""
    try:
        commit = ask_git(root, "rev-parse", "--verify", "--quiet", "HEAD")
        changed = ask_git(root, "status", "--porcelain", "--untracked-files=no")
    except LifecycleError:
        return Revision(None, dirty=False)
    return Revision(commit, dirty=bool(changed))


def list_blobs(root: Path, *folders: str) -> dict[str, str]:
    """Return what the current commit holds below folders: paths, and Git's hashes of their contents.

    Parameters
    ----------
    root : Path
    *folders : str
        From the top of the repository. Without Git or a commit there is nothing in them.
    """
    try:
        listed = ask_git(root, "ls-tree", "-r", "-z", "--full-tree", "HEAD", "--", *folders)
    except LifecycleError:
        return {}
    entries = (line.split("\t", 1) for line in listed.split("\0") if line)
    return {path: facts.split()[2] for facts, path in entries}


def list_commits(root: Path, start: str, *paths: str) -> list[Commit]:
    """Return the commits that changed paths, up to ``start``, the newest first.

    A path is one of the project's, or begins with ``:(top)`` where it is one of the repository's.
    """
    log = ask_git(root, "log", "--first-parent", "--format=%H%x00%cI%x00%s", start, "--", *paths)
    return [Commit(*line.split("\0", 2)) for line in log.split("\n") if line]


def read_files(root: Path, places: Sequence[str]) -> list[bytes]:
    """Return files of commits, each by ``COMMIT:PATH``; empty where there is no such file."""
    asked = "".join(f"{place}\n" for place in places)
    return list(_split(run_git(root, "cat-file", "--batch", stdin=asked.encode())))


def is_shallow(root: Path) -> bool:
    """Return whether a clone lacks older commits."""
    return ask_git(root, "rev-parse", "--is-shallow-repository") == "true"


def ask_git(root: Path, *words: str, stdin: bytes = b"", **variables: str) -> str:
    """Run Git as ``run_git`` does, and return its answer as text without the last line break."""
    return run_git(root, *words, stdin=stdin, **variables).decode("utf-8", "replace").strip()


def run_git(root: Path, *words: str, stdin: bytes = b"", **variables: str) -> bytes:
    """Run Git in a folder, and return its standard output.

    Parameters
    ----------
    root : Path
    *words : str
        Verb and arguments.
    stdin : bytes
    **variables : str
        Added to the environment.

    Raises
    ------
    GitError
        If it exits with another status than 0.
    LifecycleError
        If Git is not installed.
    """
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", **variables}
    command = ["git", *words]
    try:
        ended = subprocess.run(
            command, cwd=root, env=environment, input=stdin, capture_output=True, check=False
        )
    except FileNotFoundError:
        raise LifecycleError("git is not installed; install it, and run the same command again.") from None
    if ended.returncode:
        raise GitError(words[0], ended.stderr.decode("utf-8", "replace"))
    return ended.stdout


def _split(output: bytes) -> Iterator[bytes]:
    """Yield the files that ``git cat-file --batch`` wrote one after the other; nothing for a missing one."""
    while output:
        head, _, output = output.partition(b"\n")
        size = None if head.endswith(b" missing") else int(head.split()[-1])
        yield output[: size or 0]
        output = output if size is None else output[size + 1 :]

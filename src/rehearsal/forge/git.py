"""Questions to a bare Git repository."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# Who makes merge commits, as on GitHub.
IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in {"NAME": "GitHub", "EMAIL": "noreply@localhost"}.items()
}
FORMAT = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B"


class GitError(Exception):
    """Git said no."""


@dataclass(frozen=True)
class Commit:
    """A commit, as its log shows it."""

    sha: str
    tree: str
    parents: list[str]
    author: tuple[str, str, str]
    """Name, address and time."""
    committer: tuple[str, str, str]
    message: str


@dataclass(frozen=True)
class Entry:
    """A file or folder of a tree."""

    kind: str
    """``blob``, ``tree`` or ``commit`` (a submodule)."""
    mode: str
    sha: str
    size: int
    path: str


@dataclass(frozen=True)
class Change:
    """What two commits make of a file."""

    path: str
    blob: str | None
    status: str
    additions: int
    deletions: int


def git(repository: Path, *words: str) -> str:
    """Run Git in a repository and return what it prints.

    Raises
    ------
    GitError
        If Git fails.
    """
    return read(repository, *words).decode("utf-8", "replace").rstrip("\n")


def write(repository: Path, *words: str, text: str) -> str:
    """Run Git in a repository on a text and return what it prints."""
    return _run(repository, words, text.encode()).decode().strip()


def read(repository: Path, *words: str) -> bytes:
    """Run Git in a repository and return what it prints, byte for byte."""
    return _run(repository, words, None)


def _run(repository: Path, words: Sequence[str], given: bytes | None) -> bytes:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    surroundings = {**kept, **IDENTITY, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", "-c", "safe.directory=*", *words]
    ended = subprocess.run(command, cwd=repository, env=surroundings, input=given, capture_output=True)
    if ended.returncode:
        raise GitError(ended.stderr.decode("utf-8", "replace").strip() or f"git {words[0]} failed")
    return ended.stdout


def create(repository: Path) -> None:
    """Make an empty bare repository whose default branch is main."""
    repository.mkdir(parents=True)
    git(repository, "init", "--quiet", "--bare", "--initial-branch", "main")
    # A run may be repeated when its branch has gone elsewhere.
    git(repository, "config", "uploadpack.allowAnySHA1InWant", "true")


def resolve(repository: Path, name: str) -> str | None:
    """Return the commit that a branch, tag, full reference or sha names."""
    for candidate in (f"refs/heads/{name}", f"refs/tags/{name}", name):
        words = ("--verify", "--quiet", "--end-of-options", f"{candidate}^{{commit}}")
        try:
            return git(repository, "rev-parse", *words)
        except GitError:
            continue
    return None


def references(repository: Path, prefix: str) -> dict[str, str]:
    """Return the references below a prefix, such as ``refs/heads/``, and what they point at."""
    lines = git(repository, "for-each-ref", "--format=%(refname) %(objectname)", prefix).splitlines()
    return dict(line.split(" ", 1) for line in lines if line)


def show_commit(repository: Path, sha: str) -> Commit:
    """Return a commit."""
    text = git(repository, "show", "--no-patch", f"--format={FORMAT}", sha)
    found, tree, parents, *people, message = text.split("\0", 9)
    return Commit(
        sha=found,
        tree=tree,
        parents=parents.split(),
        author=(people[0], people[1], people[2]),
        committer=(people[3], people[4], people[5]),
        message=message.strip("\n"),
    )


def find_entry(repository: Path, commit: str, path: str) -> Entry | None:
    """Return what lies at a path, or nothing."""
    if not path:
        return Entry("tree", "040000", git(repository, "rev-parse", f"{commit}^{{tree}}"), 0, "")
    entries = _entries(repository, commit, "--", path)
    return entries[0] if entries else None


def list_folder(repository: Path, commit: str, path: str) -> list[Entry]:
    """Return what lies in a folder."""
    return _entries(repository, commit, "--", *([f"{path}/"] if path else []))


def list_tree(repository: Path, commit: str) -> list[Entry]:
    """Return all that a commit holds, folders included."""
    return _entries(repository, "-r", "-t", commit)


def _entries(repository: Path, *words: str) -> list[Entry]:
    listed = git(repository, "--literal-pathspecs", "ls-tree", "-z", "--long", *words)
    parts = [line.split("\t", 1) for line in listed.split("\0") if line]
    return [
        Entry(kind, mode, sha, 0 if size == "-" else int(size), path)
        for (mode, kind, sha, size), path in ((head.split(), path) for head, path in parts)
    ]


def read_blob(repository: Path, sha: str) -> bytes:
    """Return the content of a file."""
    return read(repository, "cat-file", "blob", sha)


def merge_base(repository: Path, one: str, other: str) -> str | None:
    """Return the commit from which two others went apart."""
    try:
        return git(repository, "merge-base", one, other)
    except GitError:
        return None


def count_commits(repository: Path, base: str, head: str) -> int:
    """Return how many commits a head has that its base has not."""
    return int(git(repository, "rev-list", "--count", f"{base}..{head}"))


def list_commits(repository: Path, base: str, head: str) -> list[str]:
    """Return the commits that a head has and its base has not, the oldest first."""
    return git(repository, "rev-list", "--reverse", f"{base}..{head}").split()


def merge(repository: Path, base: str, head: str, message: str) -> str | None:
    """Merge two commits without touching a branch; return the merge, or nothing if they conflict."""
    try:
        tree = git(repository, "merge-tree", "--write-tree", base, head).splitlines()[0]
    except GitError:
        return None
    return git(repository, "commit-tree", tree, "-p", base, "-p", head, "-m", message)


def list_changes(repository: Path, base: str, head: str) -> list[Change]:
    """Return the files that differ between the point where two commits went apart and the second."""
    names = {"A": "added", "D": "removed", "M": "modified", "T": "changed"}
    raw = _fields(repository, "--raw", "--no-abbrev", base, head)
    counts = _fields(repository, "--numstat", base, head)
    numbers = {path: (plus, minus) for plus, minus, path in (line.split("\t", 2) for line in counts)}
    changes = []
    for facts, path in zip(raw[::2], raw[1::2], strict=True):
        *_, blob, letter = facts.split()
        plus, minus = (int(number) if number != "-" else 0 for number in numbers[path])
        kept = None if letter == "D" else blob
        changes.append(Change(path, kept, names[letter[0]], plus, minus))
    return changes


def _fields(repository: Path, *words: str) -> list[str]:
    *options, base, head = words
    printed = git(repository, "diff", "-z", "--no-renames", *options, f"{base}...{head}")
    return [field for field in printed.split("\0") if field]

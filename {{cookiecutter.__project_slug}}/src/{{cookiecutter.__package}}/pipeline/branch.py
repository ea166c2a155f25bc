"""The branch ``production`` as Git keeps it: read, and written one commit at a time.

Two kinds of commits are on it. A deployment says what runs. A look at production changes only what
lies below ``monitoring/``; it leaves everything else as it is, and a deployment leaves
``monitoring/`` as it is.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from .errors import LifecycleError

BRANCH = "production"
REFERENCE = f"refs/heads/{BRANCH}"
MONITORING = "monitoring"
# Whatever changes none of this is no deployment. The project may lie below the top of its repository.
DEPLOYED = ("--", ":(top)", f":(top,exclude){MONITORING}")
FIELDS = "%H%x00%cI%x00%s"
# A branch that moves under our hands so often is being written by something that has gone wrong.
TRIES = 3


class MovedError(LifecycleError):
    """The branch is not where it was when it was read."""


def fetch_tip(root: Path, remote: str) -> str | None:
    """Return the newest commit of the branch, fetched; None where there is no such branch.

    Parameters
    ----------
    root : Path
        The project, a Git repository.
    remote : str
        Name or address of the repository that has the branch.

    Raises
    ------
    LifecycleError
        If the repository cannot be asked.
    """
    heads = dict(line.split("\t")[::-1] for line in ask(root, "ls-remote", remote, REFERENCE).splitlines())
    if REFERENCE not in heads:
        return None
    ask(root, "fetch", "--quiet", "--no-tags", remote, REFERENCE)
    return heads[REFERENCE]


def list_deployments(root: Path, tip: str) -> list[tuple[str, str, str]]:
    """Return sha, time and subject of the commits that are deployments, the newest first."""
    lines = ask(root, "log", "--first-parent", f"--format={FIELDS}", tip, *DEPLOYED).split("\n")
    commits = [line.split("\0", 2) for line in lines if line]
    return [(sha, time, subject) for sha, time, subject in commits]


def commit_deployment(
    root: Path, remote: str, tree: str, subject: str, running: str | None, files: Mapping[str, bytes]
) -> None:
    """Let the branch hold a tree and some files, and ``monitoring/`` as it is, in one commit.

    Looks that were written since the branch was read are kept; they do not stop a deployment.

    Parameters
    ----------
    root, remote
        As for ``fetch_tip``.
    tree : str
        What there is besides ``files``, as Git names a tree; empty for nothing.
    subject : str
        Of the commit.
    running : str or None
        The newest deployment that is expected there; None where nothing was ever deployed.
    files : mapping of str to bytes
        Content by path.

    Raises
    ------
    LifecycleError
        If another deployment came first, or the branch may not be written; then it is as it was.
    """
    wanted = write_tree(root, tree, files)

    def extend(tip: str | None) -> str:
        deployments = list_deployments(root, tip) if tip else []
        if running != (deployments[0][0] if deployments else None):
            raise LifecycleError(f"Branch {BRANCH} has moved since it was read; run the same command again.")
        return _keep_monitoring(root, wanted, tip) if tip else wanted

    commit(root, remote, subject, extend)


def commit(root: Path, remote: str, subject: str, extend: Callable[[str | None], str]) -> None:
    """Add one commit to the branch; where it moves meanwhile, do it again on top.

    Parameters
    ----------
    root, remote
        As for ``fetch_tip``.
    subject : str
        Of the commit.
    extend : callable
        Takes the newest commit, or None, and returns the tree that shall come next.

    Raises
    ------
    LifecycleError
        If the branch moves again and again or may not be written; then it is as others left it.
    """
    for attempt in range(TRIES):
        tip = fetch_tip(root, remote)
        sha = ask(root, "commit-tree", extend(tip), *(["-p", tip] if tip else []), "-m", subject)
        lease = f"--force-with-lease={REFERENCE}:{tip or ''}"
        try:
            ask(root, "push", "--quiet", "--no-verify", lease, remote, f"{sha}:{REFERENCE}")
            return
        except MovedError:
            if attempt + 1 == TRIES:
                raise


def write_tree(root: Path, tree: str, files: Mapping[str, bytes]) -> str:
    """Return a tree with some files in it, put there or replaced; the tree may be empty text."""
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        index = str(Path(folder) / "index")
        if tree:
            ask(root, "read-tree", tree, GIT_INDEX_FILE=index)
        for path, content in files.items():
            blob = ask(root, "hash-object", "-w", "--stdin", given=content)
            ask(root, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", GIT_INDEX_FILE=index)
        return ask(root, "write-tree", GIT_INDEX_FILE=index)


def _keep_monitoring(root: Path, tree: str, tip: str) -> str:
    """Return a tree whose ``monitoring/`` is that of a commit."""
    mine, theirs = (_list_entries(root, source) for source in (tree, tip))
    mine.pop(MONITORING, None)
    entries = mine | {name: entry for name, entry in theirs.items() if name == MONITORING}
    return ask(root, "mktree", "-z", given="".join(f"{entry}\0" for entry in entries.values()).encode())


def _list_entries(root: Path, tree: str) -> dict[str, str]:
    entries = run(root, "ls-tree", "-z", "--full-tree", tree).decode("utf-8", "surrogateescape")
    return {entry.partition("\t")[2]: entry for entry in entries.split("\0") if entry}


def read_blob(root: Path, tip: str, path: str) -> bytes | None:
    """Return the content of a file of a commit; None where it has no such file."""
    if path not in run(root, "ls-tree", "-z", "--full-tree", "--name-only", tip, path).decode().split("\0"):
        return None
    return run(root, "cat-file", "blob", f"{tip}:{path}")


def ask(root: Path, *words: str, given: bytes | None = None, **variables: str) -> str:
    """Run Git and return what it says, in one piece and without the last line break."""
    return run(root, *words, given=given, **variables).decode("utf-8", "replace").strip()


def run(root: Path, *words: str, given: bytes | None = None, **variables: str) -> bytes:
    """Run Git on what is given, with some more variables.

    Raises
    ------
    LifecycleError
        If Git is not there or fails; ``MovedError``, if it is because the branch has moved.
    """
    try:
        ended = subprocess.run(
            ["git", *words],
            cwd=root,
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", **variables},
            input=given or b"",
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise LifecycleError("git is not installed; the branch production needs it.") from None
    if ended.returncode:
        raise _explain(words[0], ended.stderr.decode("utf-8", "replace"))
    return ended.stdout


def _explain(verb: str, said: str) -> LifecycleError:
    lines = [line for line in said.splitlines() if not line.startswith("hint:")] or ["it said nothing"]
    if verb == "push" and any(why in said for why in ("stale info", "fetch first", "already exists")):
        return MovedError(f"Branch {BRANCH} has moved since it was read; run the same command again.")
    return LifecycleError(
        f"git {verb} failed for branch {BRANCH}: {lines[-1].removeprefix('fatal: ').removeprefix('error: ')}"
    )

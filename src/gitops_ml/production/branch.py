"""The branch ``production``: what is running, and what ever ran, as Git keeps it."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..core.errors import LifecycleError
from ..core.formatting import name_metric, write_metric
from ..core.layout import STATE
from ..core.records import Estimate, Part, Verdict

BRANCH = "production"
REFERENCE = f"refs/heads/{BRANCH}"
FIELDS = "%H%x00%cI%x00%s"
# What checks of production leave there. It says nothing of what runs, and stays whatever runs.
MONITORING = "monitoring"


class BranchMovedError(LifecycleError):
    """Somebody else has committed to the branch since it was read."""


class NoRemoteError(LifecycleError):
    """There is no such repository, so that nothing can have been deployed to it."""


class Score(Part):
    """How good a model is on rows it has never seen."""

    metric: str
    """The primary one, by scikit-learn's name."""
    estimate: Estimate


class State(BaseModel):
    """``model.json``: the model that is running."""

    # A later version of this file may say more.
    model_config = ConfigDict(extra="ignore", frozen=True)

    version: int = Field(ge=1)
    """Counts up from 1, without gaps."""
    commit: str | None
    """Of main, from which it was built."""
    run_key: str
    bundle_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    """Of ``bundle.tar.gz`` in the release of this version."""
    image: str | None = None
    """Name and digest of the image that serves it."""
    verdict: Verdict
    score: Score | None = None
    """On main's test part, when it was deployed."""


class Deployment(Part):
    """A commit of the branch that changed what runs: from then on, this ran."""

    sha: str
    time: str
    """Of the commit, ISO 8601."""
    subject: str
    state: State


@dataclass(frozen=True)
class Branch:
    """What the branch says."""

    tip: str | None
    """Its newest commit; None where nothing was ever deployed."""
    deployments: list[Deployment]
    """The newest first."""


def read_history(root: Path, remote: str) -> list[Deployment]:
    """Return what runs and what ran, the newest first; nothing where nothing was ever deployed.

    Parameters
    ----------
    root : Path
        The project, a Git repository.
    remote : str
        Name or address of the repository that has the branch.

    Raises
    ------
    NoRemoteError
        If there is no such repository.
    LifecycleError
        If the repository cannot be asked, or what runs is not said in a way that can be read.
    """
    return read_branch(root, remote).deployments


def read_branch(root: Path, remote: str) -> Branch:
    """Return what ran and the newest commit, which may be a check of production; as ``read_history``."""
    tip = fetch_tip(root, remote)
    if tip is None:
        return Branch(tip=None, deployments=[])
    commits = list_commits(root, tip, ":(top)", f":(top,exclude){MONITORING}")
    states = _read_states(root, [sha for sha, _, _ in commits])
    deployments = [
        Deployment(sha=sha, time=time, subject=subject, state=state)
        for (sha, time, subject), state in zip(commits, states, strict=True)
        if state is not None
    ]
    return Branch(tip, deployments)


def fetch_tip(root: Path, remote: str) -> str | None:
    """Return the newest commit of the branch, fetched; None where nothing was ever deployed."""
    heads = dict(line.split("\t")[::-1] for line in _ask(root, "ls-remote", remote, REFERENCE).splitlines())
    if REFERENCE in heads:
        _ask(root, "fetch", "--quiet", "--no-tags", remote, REFERENCE)
    return heads.get(REFERENCE)


def read_files(root: Path, places: Sequence[str]) -> list[bytes]:
    """Return files of commits, each by ``COMMIT:PATH``; empty where there is no such file."""
    asked = "".join(f"{place}\n" for place in places)
    return list(_split(_run(root, "cat-file", "--batch", given=asked.encode())))


def list_commits(root: Path, start: str, *paths: str) -> list[tuple[str, str, str]]:
    """Return commit, time (ISO 8601) and subject of what changed paths up to ``start``, the newest first.

    A path is one of the project's, or begins with ``:(top)`` where it is one of the repository's.
    """
    log = _ask(root, "log", "--first-parent", f"--format={FIELDS}", start, "--", *paths)
    commits = [line.split("\0", 2) for line in log.split("\n") if line]
    return [(sha, time, subject) for sha, time, subject in commits]


def is_shallow(root: Path) -> bool:
    """Tell whether a clone lacks older commits."""
    return _ask(root, "rev-parse", "--is-shallow-repository") == "true"


def describe_deployment(deployment: Deployment) -> str:
    """Say in one line what ran, since when, from which commit, why and how good it was."""
    state = deployment.state
    commit = (state.commit or "unknown")[:12]
    score = state.score
    told = f"  {name_metric(score.metric)} {write_metric(score.metric, score.estimate)}" if score else ""
    why = f"{state.verdict:<13}{commit:<14}{deployment.subject}{told}"
    return f"{deployment.time}  model {state.version:<4}{why}"


def commit_files(
    root: Path, remote: str, files: Mapping[str, bytes], subject: str, parent: str | None
) -> None:
    """Replace all that the branch says of what runs by some files, in one commit.

    Parameters
    ----------
    root, remote
        As for ``read_history``.
    files : mapping of str to bytes
        Content by path.
    subject : str
        Of the commit.
    parent : str or None
        What the branch is expected to be at; None where it does not exist yet. Its checks
        production are kept.

    Raises
    ------
    BranchMovedError
        If the branch has moved in the meantime; then it is as it was.
    LifecycleError
        If it may not be written; then it is as it was.
    """
    _commit(root, remote, [*_store(root, files), *_list_checks(root, parent)], subject, parent)


def commit_state(root: Path, remote: str, commit: str, subject: str, parent: str | None) -> None:
    """Let the branch say of what runs what an earlier commit said; otherwise as ``commit_files``."""
    entries = [*_list_others(root, commit), *_list_checks(root, parent)]
    _commit(root, remote, entries, subject, parent)


def commit_check(root: Path, remote: str, files: Mapping[str, bytes], subject: str, parent: str) -> None:
    """Replace the checks of production by some files; otherwise as ``commit_files``."""
    _commit(root, remote, [*_list_others(root, parent), *_store(root, files)], subject, parent)


def _commit(root: Path, remote: str, entries: Sequence[str], subject: str, parent: str | None) -> None:
    """Let the branch hold these entries, written as ``git ls-tree -r`` does, and nothing else."""
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        index, given = str(Path(folder) / "index"), "\0".join([*entries, ""]).encode()
        _ask(root, "update-index", "-z", "--index-info", given=given, GIT_INDEX_FILE=index)
        tree = _ask(root, "write-tree", GIT_INDEX_FILE=index)
    parents = ["-p", parent] if parent else []
    sha = _ask(root, "commit-tree", tree, *parents, "-m", subject)
    lease = f"--force-with-lease={REFERENCE}:{parent or ''}"
    _ask(root, "push", "--quiet", "--no-verify", lease, remote, f"{sha}:{REFERENCE}")


def _store(root: Path, files: Mapping[str, bytes]) -> list[str]:
    """Put files into the repository's store, and return their entries."""
    blobs = {path: _ask(root, "hash-object", "-w", "--stdin", given=files[path]) for path in files}
    return [f"100644 blob {blob}\t{path}" for path, blob in blobs.items()]


def _list_checks(root: Path, commit: str | None) -> list[str]:
    return [entry for entry in _list_entries(root, commit) if _is_check(entry)] if commit else []


def _list_others(root: Path, commit: str) -> list[str]:
    return [entry for entry in _list_entries(root, commit) if not _is_check(entry)]


def _list_entries(root: Path, commit: str) -> list[str]:
    """Return the files of a commit, as Git writes them: mode, type, digest, and path after a tab."""
    return _ask(root, "ls-tree", "-r", "-z", "--full-tree", commit).split("\0")[:-1]


def _is_check(entry: str) -> bool:
    return entry.partition("\t")[2].startswith(f"{MONITORING}/")


def _read_states(root: Path, commits: list[str]) -> list[State | None]:
    """Return what each commit says of the model; None where an older one cannot be read."""
    states = [_read_state(content) for content in read_files(root, [f"{sha}:{STATE}" for sha in commits])]
    if states[:1] == [None]:
        raise LifecycleError(
            f"{STATE} of branch {BRANCH} does not say what is running; "
            f"repair it with 'git revert {commits[0][:12]}' on that branch."
        )
    return states


def _split(answer: bytes) -> Iterator[bytes]:
    """Yield the files that ``git cat-file --batch`` wrote one after the other; nothing for a missing one."""
    while answer:
        head, _, answer = answer.partition(b"\n")
        size = None if head.endswith(b" missing") else int(head.split()[-1])
        yield answer[: size or 0]
        answer = answer if size is None else answer[size + 1 :]


def _read_state(content: bytes) -> State | None:
    try:
        return State.model_validate_json(content)
    except ValidationError:
        return None


def _ask(root: Path, *words: str, given: bytes | None = None, **variables: str) -> str:
    """Run Git and return what it says, in one piece and without the last line break."""
    return _run(root, *words, given=given, **variables).decode("utf-8", "replace").strip()


def _run(root: Path, *words: str, given: bytes | None = None, **variables: str) -> bytes:
    """Run Git on what is given, with some more variables."""
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
        raise _explain(words, ended.stderr.decode("utf-8", "replace"))
    return ended.stdout


def _explain(words: Sequence[str], said: str) -> LifecycleError:
    verb, missing = words[0], re.search("'(.*)' does not appear to be a git repository", said)
    if missing and missing[1] in words:
        return NoRemoteError(
            f"There is no repository '{missing[1]}' that would have the branch {BRANCH}; "
            "add the remote with 'git remote add', or name another with --remote."
        )
    lines = [line for line in said.splitlines() if not line.startswith("hint:")] or ["it said nothing"]
    if verb == "push" and ("stale info" in said or "fetch first" in said or "already exists" in said):
        return BranchMovedError(f"Branch {BRANCH} has moved since it was read; run the same command again.")
    reason = lines[-1].removeprefix("fatal: ").removeprefix("error: ")
    return LifecycleError(f"git {verb} failed for branch {BRANCH}: {reason}")

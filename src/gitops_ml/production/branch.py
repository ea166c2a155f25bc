"""The branch ``production``: what is running, and what ever ran, as Git keeps it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..core.errors import LifecycleError
from ..core.formatting import name_metric, write_metric
from ..core.git import GitError, ask_git, list_commits, read_files
from ..core.layout import STATE
from ..core.records import Estimate, Part, Verdict

BRANCH = "production"
REFERENCE = f"refs/heads/{BRANCH}"
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
    """The branch as it was read."""

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
    states = _read_states(root, [commit.sha for commit in commits])
    deployments = [
        Deployment(**commit._asdict(), state=state)
        for commit, state in zip(commits, states, strict=True)
        if state is not None
    ]
    return Branch(tip, deployments)


def fetch_tip(root: Path, remote: str) -> str | None:
    """Return the newest commit of the branch, fetched; None where nothing was ever deployed."""
    with _explain_errors(remote):
        found = ask_git(root, "ls-remote", remote, REFERENCE).splitlines()
        heads = dict(line.split("\t")[::-1] for line in found)
        if REFERENCE in heads:
            ask_git(root, "fetch", "--quiet", "--no-tags", remote, REFERENCE)
        return heads.get(REFERENCE)


def describe_deployment(deployment: Deployment) -> str:
    """Say in one line what ran, since when, with which verdict, from which commit, and its score."""
    state = deployment.state
    commit = (state.commit or "unknown")[:12]
    score = state.score
    metric = f"  {name_metric(score.metric)} {write_metric(score.metric, score.estimate)}" if score else ""
    origin = f"{state.verdict:<13}{commit:<14}{deployment.subject}"
    return f"{deployment.time}  model {state.version:<4}{origin}{metric}"


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
        What the branch is expected to be at; None where it does not exist yet. Its checks of
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
    """Push a commit of exactly these entries, which are written as ``git ls-tree -r`` does."""
    with _explain_errors(remote), tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        index, lines = str(Path(folder) / "index"), "\0".join([*entries, ""]).encode()
        ask_git(root, "update-index", "-z", "--index-info", stdin=lines, GIT_INDEX_FILE=index)
        tree = ask_git(root, "write-tree", GIT_INDEX_FILE=index)
        parents = ["-p", parent] if parent else []
        sha = ask_git(root, "commit-tree", tree, *parents, "-m", subject)
        lease = f"--force-with-lease={REFERENCE}:{parent or ''}"
        ask_git(root, "push", "--quiet", "--no-verify", lease, remote, f"{sha}:{REFERENCE}")


def _store(root: Path, files: Mapping[str, bytes]) -> list[str]:
    """Write files as Git objects, and return their entries."""
    blobs = {path: ask_git(root, "hash-object", "-w", "--stdin", stdin=files[path]) for path in files}
    return [f"100644 blob {blob}\t{path}" for path, blob in blobs.items()]


def _list_checks(root: Path, commit: str | None) -> list[str]:
    return [entry for entry in _list_entries(root, commit) if _is_check(entry)] if commit else []


def _list_others(root: Path, commit: str) -> list[str]:
    return [entry for entry in _list_entries(root, commit) if not _is_check(entry)]


def _list_entries(root: Path, commit: str) -> list[str]:
    """Return the entries of a commit: mode, type, digest, and path after a tab."""
    return ask_git(root, "ls-tree", "-r", "-z", "--full-tree", commit).split("\0")[:-1]


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


def _read_state(content: bytes) -> State | None:
    try:
        return State.model_validate_json(content)
    except ValidationError:
        return None


@contextmanager
def _explain_errors(remote: str) -> Iterator[None]:
    """Say what an error of Git means for the branch."""
    try:
        yield
    except GitError as error:
        raise _explain(error, remote) from None


def _explain(error: GitError, remote: str) -> LifecycleError:
    said = error.stderr
    if f"'{remote}' does not appear to be a git repository" in said:
        return NoRemoteError(
            f"There is no repository '{remote}' that would have the branch {BRANCH}; "
            "add the remote with 'git remote add', or name another with --remote."
        )
    if error.verb == "push" and any(sign in said for sign in ("stale info", "fetch first", "already exists")):
        return BranchMovedError(f"Branch {BRANCH} has moved since it was read; run the same command again.")
    return LifecycleError(f"git {error.verb} failed for branch {BRANCH}: {error.reason}")

"""The branch ``production``: what is running, and what ever ran, as Git keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .branch import BRANCH, fetch_tip, list_deployments, run
from .champion import STATE
from .errors import LifecycleError
from .records import Estimate, Part, Verdict
from .wording import name_metric, write_metric


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
    """One commit of the branch: from then on, this ran."""

    sha: str
    time: str
    """Of the commit, ISO 8601."""
    subject: str
    state: State


def read_history(root: Path, remote: str) -> list[Deployment]:
    """Return what runs and what ran, the newest first; nothing where nothing was ever deployed.

    Looks at production are commits of the branch too; they change nothing that runs, and are left out.

    Parameters
    ----------
    root : Path
        The project, a Git repository.
    remote : str
        Name or address of the repository that has the branch.

    Raises
    ------
    LifecycleError
        If the repository cannot be asked, or what runs is not said in a way that can be read.
    """
    tip = fetch_tip(root, remote)
    commits = list_deployments(root, tip) if tip else []
    if not commits:
        return []
    states = _read_states(root, [sha for sha, _, _ in commits])
    return [
        Deployment(sha=sha, time=time, subject=subject, state=state)
        for (sha, time, subject), state in zip(commits, states, strict=True)
        if state is not None
    ]


def describe_deployment(deployment: Deployment) -> str:
    """Say in one line what ran, since when, from which commit, why and how good it was."""
    state = deployment.state
    commit = (state.commit or "unknown")[:12]
    score = state.score
    told = f"  {name_metric(score.metric)} {write_metric(score.metric, score.estimate)}" if score else ""
    why = f"{state.verdict:<13}{commit:<14}{deployment.subject}{told}"
    return f"{deployment.time}  model {state.version:<4}{why}"


def _read_states(root: Path, commits: list[str]) -> list[State | None]:
    """Return what each commit says of the model; None where an older one cannot be read."""
    asked = "".join(f"{sha}:{STATE}\n" for sha in commits)
    answer = run(root, "cat-file", "--batch", given=asked.encode())
    states = [_read_state(content) for content in _split(answer)]
    if states[0] is None:
        raise LifecycleError(
            f"{STATE} of branch {BRANCH} does not say what is running; "
            f"repair it with 'git revert {commits[0][:12]}' on that branch."
        )
    return states


def _split(answer: bytes) -> Iterator[bytes]:
    """Yield the files that ``git cat-file --batch`` wrote one after the other; nothing for a missing one."""
    while answer:
        head, _, answer = answer.partition(b"\n")
        size = 0 if head.endswith(b" missing") else int(head.split()[-1]) + 1
        yield answer[:size]
        answer = answer[size:]


def _read_state(content: bytes) -> State | None:
    try:
        return State.model_validate_json(content)
    except ValidationError:
        return None

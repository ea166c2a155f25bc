"""What happened on the forge, as the runner is told of it: GitHub's event payloads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import git
from .records import Record
from .repository import Repository
from .required import Shape, complete
from .shapes import number_of, show_pull, show_repository, show_run, show_user

if TYPE_CHECKING:
    from .forge import Forge

NOTHING = "0" * 40


@dataclass(frozen=True)
class Event:
    """Something that may start workflows."""

    name: str
    repository: str
    actor: str
    checkout: str
    """The commit whose workflows are looked at, and which they run on."""
    head_sha: str
    """The commit that the checks are set on."""
    head_branch: str
    head_repository: str
    payload: dict[str, Any]
    workflow: str | None = None
    """The path of the only workflow that is meant."""

    @property
    def from_fork(self) -> bool:
        """Whether somebody else's code is to run."""
        return self.head_repository != self.repository


def push(forge: Forge, repository: Repository, branch: str, before: str | None, actor: str) -> None:
    """Tell of new commits on a branch."""
    after = repository.head(branch)
    assert after is not None
    commit = git.show_commit(repository.path, after)
    head = {"id": after, "message": commit.message, "timestamp": commit.committer[2]}
    payload = {
        "ref": f"refs/heads/{branch}",
        "before": before or NOTHING,
        "after": after,
        "created": before is None,
        "deleted": False,
        "forced": False,
        "head_commit": head,
        "commits": [head],
        "pusher": {"name": actor},
        **_common(repository, actor),
    }
    name = repository.name
    forge.events.append(Event("push", name, actor, after, after, branch, name, payload))


def pull_request(forge: Forge, repository: Repository, pull: Record, action: str, actor: str) -> None:
    """Tell that something happened to a pull request; one with conflicts starts nothing."""
    if pull["merge_commit_sha"] is None:
        return
    payload = {
        "action": action,
        "number": pull["number"],
        "pull_request": show_pull(repository, forge.repository(pull["head"]["repository"]), pull),
        **_common(repository, actor),
    }
    head = pull["head"]
    event = Event(
        "pull_request",
        repository.name,
        actor,
        pull["merge_commit_sha"],
        pull["head_sha"],
        head["branch"],
        head["repository"],
        payload,
    )
    forge.events.append(event)


def workflow_dispatch(
    forge: Forge, repository: Repository, path: str, branch: str, inputs: dict[str, Any], actor: str
) -> None:
    """Tell that somebody wants a workflow to run on a branch."""
    sha = repository.head(branch)
    assert sha is not None
    payload = {
        "ref": f"refs/heads/{branch}",
        "inputs": inputs,
        "workflow": path,
        **_common(repository, actor),
    }
    name = repository.name
    forge.events.append(Event("workflow_dispatch", name, actor, sha, sha, branch, name, payload, path))


def workflow_run(forge: Forge, repository: Repository, run: Record, action: str) -> Event:
    """Return the news about a run, to which workflows of the default branch may listen."""
    branch = repository.default_branch
    sha = repository.head(branch)
    assert sha is not None
    payload = {
        "action": action,
        "workflow_run": show_run(repository, forge.repository(run["head_repository"]), run),
        "workflow": complete("workflow", run, id=number_of(run["path"])),
        **_common(repository, run["actor"]),
    }
    name = repository.name
    return Event("workflow_run", name, run["actor"], sha, sha, branch, name, payload)


def _common(repository: Repository, actor: str) -> Shape:
    return {"repository": show_repository(repository), "sender": show_user(actor)}

"""GitHub's JSON for what the forge shows in several places.

What a workflow, ``gh``, CML or the rehearsal reads is filled in; other required fields are empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from . import git
from .merging import find_obstacle
from .records import Record
from .repository import Repository
from .required import Shape, complete


@dataclass(frozen=True)
class Addresses:
    """Where things are found on the forge."""

    server: str

    @property
    def api(self) -> str:
        """The address of the REST interface."""
        return f"{self.server}/api/v3"

    def repository(self, name: str) -> str:
        """Return the address of a repository in the REST interface."""
        return f"{self.api}/repos/{name}"


def number_of(text: str) -> int:
    """Return an id that is always the same for a text."""
    return int(sha256(text.encode()).hexdigest()[:12], 16)


def show_user(login: str) -> Shape:
    """Return a person or a bot."""
    kind = "Bot" if login.endswith("[bot]") else "User"
    return complete("simple-user", login=login, id=number_of(login), type=kind)


def show_author(repository: Repository, login: str) -> Shape:
    """Return who wrote something, and what the repository is to them."""
    association = "OWNER" if login == repository.owner else "NONE"
    return {"user": show_user(login), "author_association": association}


def show_repository(repository: Repository) -> Shape:
    """Return a repository, in full wherever it is named."""
    owner, _, name = repository.name.partition("/")
    fork = repository.record["parent"] is not None
    seen = {"name": name, "owner": show_user(owner), "fork": fork, "visibility": "public"}
    return complete("full-repository", repository.record, **seen)


def show_commit(commit: git.Commit) -> Shape:
    """Return a commit."""
    told = {
        "author": _show_person(commit.author),
        "committer": _show_person(commit.committer),
        "message": commit.message,
        "tree": {"sha": commit.tree},
    }
    parents = [{"sha": sha, "url": ""} for sha in commit.parents]
    return complete("commit", sha=commit.sha, commit=told, parents=parents)


def _show_person(person: tuple[str, str, str]) -> Shape:
    return dict(zip(("name", "email", "date"), person, strict=True))


def show_short_pull(repository: Repository, source: Repository, pull: Record) -> Shape:
    """Return a pull request as it stands in a list; ``source`` has its branch."""
    return complete("pull-request-simple", pull, **_show_known(repository, source, pull))


def show_pull(repository: Repository, source: Repository, pull: Record) -> Shape:
    """Return a pull request in full."""
    mergeable = None if pull["state"] == "closed" else pull["merge_commit_sha"] is not None
    changes = git.list_changes(repository.path, pull["base_sha"], pull["head_sha"])
    return complete(
        "pull-request",
        pull,
        **_show_known(repository, source, pull),
        merged=pull["merged_at"] is not None,
        merged_by=show_user(pull["merged_by"]) if pull["merged_by"] else None,
        mergeable=mergeable,
        mergeable_state=_find_state(repository, pull, mergeable),
        comments=count_comments(repository, pull),
        commits=git.count_commits(repository.path, pull["base_sha"], pull["head_sha"]),
        additions=sum(change.additions for change in changes),
        deletions=sum(change.deletions for change in changes),
        changed_files=len(changes),
    )


def _show_known(repository: Repository, source: Repository, pull: Record) -> Shape:
    return {
        **show_author(repository, pull["login"]),
        "draft": pull["draft"],
        "head": _show_end(source, pull["head"]["branch"], pull["head_sha"]),
        "base": _show_end(repository, pull["base"], pull["base_sha"]),
    }


def _show_end(repository: Repository, branch: str, sha: str) -> Shape:
    owner = repository.owner
    shown = {"user": show_user(owner), "repo": show_repository(repository)}
    return {"label": f"{owner}:{branch}", "ref": branch, "sha": sha, **shown}


def _find_state(repository: Repository, pull: Record, mergeable: bool | None) -> str:
    if mergeable is None:
        return "unknown"
    if not mergeable:
        return "dirty"
    return "blocked" if find_obstacle(repository, pull) else "clean"


def count_comments(repository: Repository, issue: Record) -> int:
    """Return how many comments an issue or a pull request has."""
    return sum(record["issue"] == issue["number"] for record in repository.list("comments"))


def show_run(repository: Repository, source: Repository, run: Record) -> Shape:
    """Return a run of a workflow; ``source`` has the branch it runs on."""
    commit = git.show_commit(repository.path, run["head_sha"])
    author, committer = _show_person(commit.author), _show_person(commit.committer)
    head = {"id": commit.sha, "tree_id": commit.tree, "message": commit.message}
    return complete(
        "workflow-run",
        run,
        name=run["name"],
        workflow_id=number_of(run["path"]),
        run_attempt=run["run_attempt"],
        run_started_at=run["run_started_at"],
        actor=show_user(run["actor"]),
        pull_requests=_show_pulls(repository, run),
        head_commit={**head, "timestamp": committer["date"], "author": author, "committer": committer},
        repository=show_repository(repository),
        head_repository=show_repository(source),
    )


def _show_pulls(repository: Repository, run: Record) -> list[Shape]:
    """Return the open pull requests of a run's branch; GitHub names none of a fork's."""
    head = {"repository": repository.name, "branch": run["head_branch"]}
    if run["head_repository"] != repository.name:
        return []
    pulls = [pull for pull in repository.list("pulls") if pull["state"] == "open" and pull["head"] == head]
    return [
        complete(
            "pull-request-minimal",
            id=pull["id"],
            number=pull["number"],
            head={"ref": pull["head"]["branch"], "sha": pull["head_sha"]},
            base={"ref": pull["base"], "sha": pull["base_sha"]},
        )
        for pull in pulls
    ]

"""GitHub's JSON for pull requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import git
from .merging import find_obstacle
from .records import Record
from .repository import Repository
from .shapes import Addresses, Shape, node, show_repository, show_user

if TYPE_CHECKING:
    from .forge import Forge

# What GitHub links to, by the name of the link.
LINKS = {
    "self": "pulls/{n}",
    "issue": "issues/{n}",
    "comments": "issues/{n}/comments",
    "review_comments": "pulls/{n}/comments",
    "review_comment": "pulls/comments{{/number}}",
    "commits": "pulls/{n}/commits",
    "statuses": "statuses/{sha}",
}


def show_short_pull(forge: Forge, repository: Repository, pull: Record) -> Shape:
    """Return a pull request as it stands in a list."""
    at = forge.addresses
    page = f"{at.server}/{repository.name}/pull/{pull['number']}"
    links = _links(at, repository, pull)
    owner = pull["login"] == repository.owner
    head = forge.repository(pull["head"]["repository"])
    kept = ("id", "number", "title", "body", "state", "draft", "created_at", "updated_at", "closed_at")
    return {
        **{key: pull[key] for key in (*kept, "merged_at", "merge_commit_sha")},
        "node_id": node("PR", pull["id"]),
        **{f"{name}_url": url for name, url in links.items() if name != "self"},
        "url": links["self"],
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "user": show_user(at, pull["login"]),
        "locked": False,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "labels": [],
        "milestone": None,
        "auto_merge": None,
        "author_association": "OWNER" if owner else "NONE",
        "head": _show_end(at, head, pull["head"]["branch"], pull["head_sha"]),
        "base": _show_end(at, repository, pull["base"], pull["base_sha"]),
        "_links": {name: {"href": url} for name, url in {**links, "html": page}.items()},
    }


def show_pull(forge: Forge, repository: Repository, pull: Record) -> Shape:
    """Return a pull request in full."""
    merged = pull["merged_at"] is not None
    mergeable = None if pull["state"] == "closed" else pull["merge_commit_sha"] is not None
    comments = sum(record["issue"] == pull["number"] for record in repository.list("comments"))
    return {
        **show_short_pull(forge, repository, pull),
        "merged": merged,
        "mergeable": mergeable,
        "mergeable_state": _find_state(repository, pull, mergeable),
        "merged_by": show_user(forge.addresses, pull["merged_by"]) if merged else None,
        "rebaseable": False,
        "maintainer_can_modify": False,
        "comments": comments,
        "review_comments": 0,
        **_count(repository, pull),
    }


def _find_state(repository: Repository, pull: Record, mergeable: bool | None) -> str:
    if mergeable is None:
        return "unknown"
    if not mergeable:
        return "dirty"
    return "blocked" if find_obstacle(repository, pull) else "clean"


def _count(repository: Repository, pull: Record) -> Shape:
    ends = pull["base_sha"], pull["head_sha"]
    changes = git.list_changes(repository.path, *ends)
    return {
        "commits": git.count_commits(repository.path, *ends),
        "additions": sum(change.additions for change in changes),
        "deletions": sum(change.deletions for change in changes),
        "changed_files": len(changes),
    }


def _links(at: Addresses, repository: Repository, pull: Record) -> dict[str, str]:
    url = at.repository(repository.name)
    facts = {"n": pull["number"], "sha": pull["head_sha"]}
    return {name: f"{url}/{path.format(**facts)}" for name, path in LINKS.items()}


def _show_end(at: Addresses, repository: Repository, branch: str, sha: str) -> Shape:
    return {
        "label": f"{repository.owner}:{branch}",
        "ref": branch,
        "sha": sha,
        "user": show_user(at, repository.owner),
        "repo": show_repository(at, repository.record),
    }

"""The state of pull requests: what they point at, whether they can be merged, and the merge itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import git
from .errors import ApiError
from .records import Record, now
from .repository import Repository

if TYPE_CHECKING:
    from .forge import Forge

# What counts as passed where a check is required.
PASSED = {"success", "neutral", "skipped"}


def refresh(forge: Forge, repository: Repository, pull: Record) -> Record:
    """Look where an open pull request's branches are now; keep ``refs/pull/N/head`` and ``/merge``."""
    if pull["state"] != "open":
        return pull
    head = forge.repository(pull["head"]["repository"]).head(pull["head"]["branch"]) or pull.get("head_sha")
    base = repository.head(pull["base"])
    if head is None or base is None or (head, base) == (pull.get("head_sha"), pull.get("base_sha")):
        return pull
    merge = _prepare(forge, repository, pull, base, head)
    facts = {"head_sha": head, "base_sha": base, "merge_commit_sha": merge}
    return repository.change("pulls", pull["number"], **facts)


def _prepare(forge: Forge, repository: Repository, pull: Record, base: str, head: str) -> str | None:
    number = pull["number"]
    origin = forge.repository(pull["head"]["repository"]).path
    git.git(repository.path, "fetch", "--quiet", "--no-tags", str(origin), f"+{head}:refs/pull/{number}/head")
    merge = git.merge(repository.path, base, head, f"Merge {head} into {base}")
    if merge is None:
        git.git(repository.path, "update-ref", "-d", f"refs/pull/{number}/merge")
    else:
        git.git(repository.path, "update-ref", f"refs/pull/{number}/merge", merge)
    return merge


def latest_checks(repository: Repository, sha: str) -> list[Record]:
    """Return the newest check of each name on a commit."""
    checks = {check["name"]: check for check in repository.list("checks") if check["head_sha"] == sha}
    return sorted(checks.values(), key=lambda check: int(check["id"]))


def find_obstacle(repository: Repository, pull: Record) -> str | None:
    """Return why a pull request cannot be merged, in GitHub's words."""
    checks = {check["name"]: check for check in latest_checks(repository, pull["head_sha"])}
    for name in repository.record["required_checks"]:
        check = checks.get(name)
        if check is None or check["status"] != "completed":
            return f'Required status check "{name}" is expected.'
        if check["conclusion"] not in PASSED:
            return f'Required status check "{name}" is failing.'
    return None


def merge(repository: Repository, pull: Record, login: str, title: str | None) -> Record:
    """Merge a pull request into its base branch.

    Raises
    ------
    ApiError
        If it is closed, conflicts, or a required check is missing or red.
    """
    if pull["state"] != "open" or pull["merge_commit_sha"] is None:
        raise ApiError(405, "Pull Request is not mergeable")
    obstacle = find_obstacle(repository, pull)
    if obstacle is not None:
        raise ApiError(405, obstacle)
    number = pull["number"]
    source = f"{pull['head']['repository'].split('/')[0]}/{pull['head']['branch']}"
    subject = title or f"Merge pull request #{number} from {source}\n\n{pull['title']}"
    sha = git.merge(repository.path, pull["base_sha"], pull["head_sha"], subject)
    assert sha is not None
    git.git(repository.path, "update-ref", f"refs/heads/{pull['base']}", sha, pull["base_sha"])
    facts = {"state": "closed", "merged_at": now(), "closed_at": now(), "merged_by": login}
    return repository.change("pulls", number, merge_commit_sha=sha, **facts)

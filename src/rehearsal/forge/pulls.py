"""Routes: pull requests."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response

from . import events, git
from .errors import ApiError, invalid, not_accessible, not_found
from .merging import merge, refresh
from .paging import cut_page
from .records import Record, now
from .repository import Repository
from .required import Shape, complete
from .shapes import show_commit, show_pull, show_short_pull
from .visit import Body, Visit, needs

router = APIRouter()
Reader = Annotated[Visit, needs("read", "pull-requests")]
Member = Annotated[Visit, needs("take part", "pull-requests")]


@router.get("/pulls")
def list_pulls(visit: Reader, state: str = "open", head: str = "", base: str = "") -> list[Shape]:
    """Show pull requests, the newest first; ``head`` is ``OWNER:BRANCH``."""
    found = [
        pull
        for pull in reversed(visit.repository.list("pulls"))
        if state in (pull["state"], "all")
        and (":" not in head or head == _label(pull))
        and (not base or base == pull["base"])
    ]
    shown = cut_page(visit.request, visit.response, found)
    return [show_short_pull(visit.repository, _source(visit, pull), _fresh(visit, pull)) for pull in shown]


def _source(visit: Visit, pull: Record) -> Repository:
    return visit.forge.repository(pull["head"]["repository"])


def _label(pull: Record) -> str:
    return f"{pull['head']['repository'].split('/')[0]}:{pull['head']['branch']}"


@router.post("/pulls", status_code=201)
def create_pull(visit: Member, body: Body) -> Shape:
    """Open a pull request; ``head`` is a branch, or ``OWNER:BRANCH`` for one of a fork."""
    _demand_setting(visit)
    if visit.token.rights is None:  # what a job pushes starts nothing
        visit.forge.notice_pushes(visit.token.login)  # those came before
    owner, _, branch = str(body.get("head", "")).rpartition(":")
    source = _find_source(visit, owner or visit.repository.owner)
    base, title = str(body.get("base", "")), str(body.get("title", ""))
    _check_branches(visit.repository, source, branch, base)
    if not title:
        raise invalid("PullRequest", "title", "missing_field")
    record = {
        "title": title,
        "body": body.get("body"),
        "login": visit.token.login,
        "state": "open",
        "draft": bool(body.get("draft", False)),
        "head": {"repository": source.name, "branch": branch},
        "base": base,
        "closed_at": None,
        "merged_at": None,
        "merged_by": None,
        "merge_commit_sha": None,
    }
    if any(_same(record, pull) for pull in visit.repository.list("pulls")):
        message = f"A pull request already exists for {owner or visit.repository.owner}:{branch}."
        raise invalid("PullRequest", "head", "custom", message)
    pull = visit.repository.records.add_numbered(visit.repository.name, "pulls", record)
    pull = refresh(visit.forge, visit.repository, pull)
    _announce(visit, "opened", pull)
    return _show(visit, pull)


def _demand_setting(visit: Visit) -> None:
    if visit.token.rights is not None and not visit.repository.record["workflows_open_pulls"]:
        raise ApiError(403, "GitHub Actions is not permitted to create or approve pull requests.")


def _find_source(visit: Visit, owner: str) -> Repository:
    for repository in visit.forge.repositories():
        family = {repository.name, repository.record["parent"]}
        if repository.owner == owner and visit.repository.name in family:
            return repository
    raise invalid("PullRequest", "head", "invalid")


def _check_branches(repository: Repository, source: Repository, branch: str, base: str) -> None:
    head, onto = source.head(branch), repository.head(base)
    if head is None:
        raise invalid("PullRequest", "head", "invalid")
    if onto is None:
        raise invalid("PullRequest", "base", "invalid")
    if head == onto:
        message = f"No commits between {base} and {branch}"
        raise invalid("PullRequest", "head", "custom", message)


def _same(record: Record, pull: Record) -> bool:
    return pull["state"] == "open" and all(pull[key] == record[key] for key in ("head", "base"))


@router.get("/pulls/{number}")
def get_pull(visit: Reader, number: int) -> Shape:
    """Show a pull request in full."""
    return _show(visit, _find(visit, number))


@router.patch("/pulls/{number}")
def update_pull(visit: Member, number: int, body: Body) -> Shape:
    """Change title or text, close or open again; for its author and the repository's owner."""
    pull = _find(visit, number)
    _demand_own(visit, pull)
    values = {key: body[key] for key in ("title", "body", "state", "base") if key in body}
    state = values.get("state", pull["state"])
    if state not in ("open", "closed"):
        raise invalid("PullRequest", "state", "invalid")
    if state != pull["state"] and pull["merged_at"] is not None:
        raise invalid(
            "PullRequest", "state", "custom", "state cannot be changed. The pull request is merged."
        )
    action = {"open": "reopened", "closed": "closed"}[state] if state != pull["state"] else "edited"
    closed = now() if state == "closed" else None
    pull = visit.repository.change("pulls", number, **values, closed_at=closed)
    pull = refresh(visit.forge, visit.repository, pull)
    _announce(visit, action, pull)
    return _show(visit, pull)


def _demand_own(visit: Visit, pull: Record) -> None:
    own = pull["login"] == visit.token.login
    if not own and not visit.token.allows(visit.repository.name, "write", "pull-requests"):
        raise not_accessible()


@router.put("/pulls/{number}/merge")
def merge_pull(visit: Annotated[Visit, needs("write", "contents")], number: int, body: Body) -> Shape:
    """Merge, unless a required check is missing or red."""
    pull = _find(visit, number)
    if body.get("sha", pull["head_sha"]) != pull["head_sha"]:
        raise ApiError(409, "Head branch was modified. Review and try the merge again.")
    pull = merge(visit.repository, pull, visit.token.login, body.get("commit_title"))
    if visit.token.rights is None:
        visit.forge.notice_pushes(visit.token.login)
    _announce(visit, "closed", pull)
    return {"sha": pull["merge_commit_sha"], "merged": True, "message": "Pull Request successfully merged"}


@router.get("/pulls/{number}/merge")
def ask_merged(visit: Reader, number: int) -> Response:
    """Answer 204 if the pull request has been merged, else 404."""
    if _find(visit, number)["merged_at"] is None:
        raise not_found()
    return Response(status_code=204)


@router.get("/pulls/{number}/commits")
def list_commits(visit: Reader, number: int) -> list[Shape]:
    """Show the commits of a pull request, the oldest first."""
    pull, path = _find(visit, number), visit.repository.path
    shas = cut_page(visit.request, visit.response, git.list_commits(path, *_ends(pull)))
    return [show_commit(git.show_commit(path, sha)) for sha in shas]


@router.get("/pulls/{number}/files")
def list_files(visit: Reader, number: int) -> list[Shape]:
    """Show what a pull request changes."""
    pull = _find(visit, number)
    changes = cut_page(visit.request, visit.response, git.list_changes(visit.repository.path, *_ends(pull)))
    return [_show_change(change) for change in changes]


def _ends(pull: Record) -> tuple[str, str]:
    return pull["base_sha"], pull["head_sha"]


def _show_change(change: git.Change) -> Shape:
    lines = {"additions": change.additions, "deletions": change.deletions}
    total = change.additions + change.deletions
    known = {"filename": change.path, "sha": change.blob, "status": change.status, "changes": total}
    return complete("diff-entry", **known, **lines)


def _show(visit: Visit, pull: Record) -> Shape:
    return show_pull(visit.repository, _source(visit, pull), pull)


def _find(visit: Visit, number: int) -> Record:
    return _fresh(visit, visit.find("pulls", number))


def _fresh(visit: Visit, pull: Record) -> Record:
    return refresh(visit.forge, visit.repository, pull)


def _announce(visit: Visit, action: str, pull: Record) -> None:
    """Tell the runner, unless a job's token did it: that starts nothing, on GitHub either."""
    if visit.token.rights is None:
        events.pull_request(visit.forge, visit.repository, pull, action, visit.token.login)

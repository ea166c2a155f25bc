"""Routes: issues."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter

from .errors import invalid, not_accessible
from .paging import cut_page
from .records import Record, now
from .required import Shape, complete
from .shapes import count_comments, show_author
from .visit import Body, Visit, needs

router = APIRouter()
Reader = Annotated[Visit, needs("read", "issues")]
Member = Annotated[Visit, needs("take part", "issues")]
# GitHub's own limit, in characters.
LONGEST = 65536
REASONS = ("completed", "not_planned", "duplicate", None)


@router.get("/issues")
def list_issues(visit: Reader, state: str = "open", labels: str = "", creator: str = "") -> list[Shape]:
    """Show issues, the newest first; ``labels`` are names with commas, all of which an issue has.

    GitHub lists pull requests among them; here they are not.
    """
    wanted = {label for label in labels.split(",") if label}
    found = [
        issue
        for issue in reversed(visit.repository.list("issues"))
        if state in (issue["state"], "all")
        and wanted <= set(issue["labels"])
        and creator in ("", issue["login"])
    ]
    return [_show(visit, issue) for issue in cut_page(visit.request, visit.response, found)]


@router.post("/issues", status_code=201)
def create_issue(visit: Member, body: Body) -> Shape:
    """Open an issue; labels are made where they do not exist, by those who may write."""
    values = _read(body)
    if "title" not in values:
        raise invalid("Issue", "title", "missing_field")
    labels = body.get("labels", []) if _may_write(visit) else []
    record = {
        "body": None,
        **values,
        "login": visit.token.login,
        "labels": [str(label) for label in labels],
        "state": "open",
        "state_reason": None,
        "closed_at": None,
    }
    return _show(visit, visit.repository.records.add_numbered(visit.repository.name, "issues", record))


@router.get("/issues/{number}")
def get_issue(visit: Reader, number: int) -> Shape:
    """Show an issue."""
    return _show(visit, visit.find("issues", number))


@router.patch("/issues/{number}")
def update_issue(visit: Member, number: int, body: Body) -> Shape:
    """Change title or text, close or open again; for its author and those who may write."""
    issue = visit.find("issues", number)
    if issue["login"] != visit.token.login and not _may_write(visit):
        raise not_accessible()
    values = _read(body)
    state = str(values.get("state", issue["state"]))
    if state != issue["state"]:
        values["closed_at"] = now() if state == "closed" else None
        values.setdefault("state_reason", "completed" if state == "closed" else "reopened")
    return _show(visit, visit.repository.change("issues", number, **values))


def _read(body: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {
        key: body[key] for key in ("title", "body", "state", "state_reason") if key in body
    }
    if "title" in values and not str(values["title"]).strip():
        raise invalid("Issue", "title", "missing_field")
    if len(values.get("body") or "") > LONGEST:
        message = f"body is too long (maximum is {LONGEST} characters)"
        raise invalid("Issue", "body", "custom", message)
    if values.get("state", "open") not in ("open", "closed"):
        raise invalid("Issue", "state", "invalid")
    if values.get("state_reason") not in REASONS:
        raise invalid("Issue", "state_reason", "invalid")
    return values


def _may_write(visit: Visit) -> bool:
    return visit.token.allows(visit.repository.name, "write", "issues")


def _show(visit: Visit, issue: Record) -> Shape:
    return complete(
        "issue",
        issue,
        **show_author(visit.repository, issue["login"]),
        body=issue["body"],
        state_reason=issue["state_reason"],
        labels=[{"name": name} for name in issue["labels"]],
        comments=count_comments(visit.repository, issue),
    )

"""Routes: comments on issues and pull requests, the only place where a report is read."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from .errors import invalid, not_accessible, not_found
from .paging import cut_page
from .records import Record
from .required import Shape, complete
from .shapes import show_author
from .visit import Anyone, Body, Visit

router = APIRouter()
# GitHub's own limit, in characters.
LONGEST = 65536


@router.get("/issues/{number}/comments")
def list_comments(visit: Anyone, number: int) -> list[Shape]:
    """Show the comments of an issue or pull request, the oldest first."""
    _demand(visit, "read", number)
    comments = [record for record in visit.repository.list("comments") if record["issue"] == number]
    return [_show(visit, record) for record in cut_page(visit.request, visit.response, comments)]


@router.post("/issues/{number}/comments", status_code=201)
def create_comment(visit: Anyone, number: int, body: Body) -> Shape:
    """Say something about an issue or pull request."""
    _demand(visit, "take part", number)
    record = {"issue": number, "login": visit.token.login, "body": _read_text(body)}
    return _show(visit, visit.repository.add("comments", record))


@router.get("/issues/comments/{key}")
def get_comment(visit: Anyone, key: int) -> Shape:
    """Show a comment."""
    record = visit.find("comments", key)
    _demand(visit, "read", record["issue"])
    return _show(visit, record)


@router.patch("/issues/comments/{key}")
def update_comment(visit: Anyone, key: int, body: Body) -> Shape:
    """Write a comment anew; people may do that to their own, and to all in their own repository."""
    _demand_change(visit, visit.find("comments", key))
    return _show(visit, visit.repository.change("comments", key, body=_read_text(body)))


@router.delete("/issues/comments/{key}", status_code=204)
def delete_comment(visit: Anyone, key: int) -> Response:
    """Remove a comment."""
    _demand_change(visit, visit.find("comments", key))
    visit.repository.remove("comments", key)
    return Response(status_code=204)


def _read_text(body: dict[str, Any]) -> str:
    text = body.get("body")
    if not isinstance(text, str) or not text.strip():
        raise invalid("IssueComment", "body", "missing_field")
    if len(text) > LONGEST:
        message = f"body is too long (maximum is {LONGEST} characters)"
        raise invalid("IssueComment", "body", "custom", message)
    return text


def _demand(visit: Visit, level: Any, number: int) -> None:
    """Comments of a pull request are open to either of two rights."""
    kinds = {kind for kind in ("pulls", "issues") if _is(visit, kind, number)}
    visit.demand(level, "issues", *(["pull-requests"] if "pulls" in kinds else []))
    if not kinds:
        raise not_found()


def _is(visit: Visit, kind: str, number: int) -> bool:
    try:
        visit.repository.get(kind, number)
    except KeyError:
        return False
    return True


def _demand_change(visit: Visit, record: Record) -> None:
    _demand(visit, "take part", record["issue"])
    own = record["login"] == visit.token.login
    if not own and not visit.token.allows(visit.repository.name, "write", "issues", "pull-requests"):
        raise not_accessible()


def _show(visit: Visit, record: Record) -> Shape:
    kind = "pull" if _is(visit, "pulls", record["issue"]) else "issues"
    page = f"{visit.at.server}/{visit.repository.name}/{kind}/{record['issue']}"
    return complete(
        "issue-comment",
        record,
        **show_author(visit.repository, record["login"]),
        body=record["body"],
        html_url=f"{page}#issuecomment-{record['id']}",
    )

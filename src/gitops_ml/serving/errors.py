"""Request errors: the answers other than 200, and what was wrong."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict

# More problems than this are not listed: an answer must not outgrow its request.
MAX_PROBLEMS = 1000
MAX_TEXT = 80


class Problem(BaseModel):
    """One thing that is wrong with a request, and its place."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    row: int | None
    """Position of the record, from 0; null where the whole body is meant."""
    column: str | None
    """Null where the whole record is meant."""
    expected: str
    came: str
    """As JSON has it, shortened."""


class ErrorBody(BaseModel):
    """What is answered to a request that is not predicted."""

    detail: str


class ProblemsBody(ErrorBody):
    """What is answered to a request that breaks the contract."""

    problems: list[Problem]


class RequestError(Exception):
    """An answer other than 200.

    Parameters
    ----------
    status : int
        Of HTTP.
    body : ErrorBody or str
        Or its ``detail``, one sentence for whoever sent the request.
    headers : dict of str to str
    """

    def __init__(self, status: int, body: ErrorBody | str, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = ErrorBody(detail=body) if isinstance(body, str) else body
        self.headers = headers or {}


def reject_records(problems: list[Problem]) -> RequestError:
    """Return the error of a request whose records are not as the contract wants them."""
    told = problems[:MAX_PROBLEMS]
    count = "1 problem" if len(told) == 1 else f"{len(told)} problems"
    more = " or more" if len(problems) > len(told) else ""
    return RequestError(422, ProblemsBody(detail=f"The request has {count}{more}.", problems=told))


def reject_body(expected: str, came: Any) -> RequestError:
    """Return the error of a body that cannot be read as records."""
    return reject_records([Problem(row=None, column=None, expected=expected, came=show(came))])


def show(value: Any) -> str:
    """Return a value as JSON has it, on one short line."""
    try:
        # Long values are cut before they are written, so that showing one costs little.
        text = orjson.dumps(value[: MAX_TEXT + 1] if isinstance(value, str | list) else value).decode()
    except (TypeError, ValueError):
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"

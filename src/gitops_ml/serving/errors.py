"""Requests that are not answered with a prediction, and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

# More problems than this are counted, not listed: an answer must not outgrow its request.
MAX_PROBLEMS = 1000
MAX_TEXT = 80


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a request, and its place."""

    row: int | None
    """Position of the record, from 0; None where the whole body is meant."""
    column: str | None
    """None where the whole record is meant."""
    expected: str
    came: str
    """As JSON would have it, shortened."""


@dataclass
class Refusal(Exception):  # noqa: N818, it is an answer, not a mistake of the service
    """An answer other than 200; ``detail`` is one sentence for whoever sent the request."""

    status: int
    detail: str
    problems: list[Problem] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """Return the body of the answer."""
        if not self.problems:
            return {"detail": self.detail}
        listed = [asdict(problem) for problem in self.problems[:MAX_PROBLEMS]]
        return {"detail": self.detail, "count": len(self.problems), "problems": listed}


def refuse_rows(problems: list[Problem]) -> Refusal:
    """Return the refusal of a request whose records are not as the contract wants them."""
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return Refusal(422, f"The request has {count}.", problems)


def refuse_body(expected: str, came: Any) -> Refusal:
    """Return the refusal of a body that cannot be read as records."""
    return refuse_rows([Problem(None, None, expected, show(came))])


def show(value: Any) -> str:
    """Return a value as JSON has it, on one short line."""
    try:
        # Long values are cut before they are written, so that showing one costs little.
        text = orjson.dumps(value[: MAX_TEXT + 1] if isinstance(value, str | list) else value).decode()
    except (TypeError, ValueError):
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"

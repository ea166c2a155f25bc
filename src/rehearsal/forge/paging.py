"""Long lists, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from fastapi import Request, Response

Item = TypeVar("Item")
DEFAULT = 30
MOST = 100


def cut_page(request: Request, response: Response, items: Sequence[Item]) -> Sequence[Item]:
    """Return the items of the page that was asked for, and name its neighbours in a ``Link`` header."""
    size = min(_number(request, "per_page", DEFAULT), MOST)
    page = _number(request, "page", 1)
    last = max(1, -(-len(items) // size))
    links = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
    shown = [
        f'<{request.url.include_query_params(page=number)}>; rel="{name}"'
        for name, number in links.items()
        if (number < page if name in ("prev", "first") else page < number) and 1 <= number <= last
    ]
    if shown:
        response.headers["Link"] = ", ".join(shown)
    return items[(page - 1) * size : page * size]


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and int(text) > 0 else default

"""Markdown of a team's own, as a part of the report that leaves the rest of it whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

# HTML that the comment on a pull request shows as such; see neutralise_report.py of the project.
_TAG = re.compile(r"<(/?)(details|summary|sub|code)>|<br>")
_END = "the paragraph after it"


def find_problem(markdown: str) -> str | None:
    """Return in a few words why Markdown cannot stand in the report, None where it can.

    It may leave nothing open, neither a block nor an HTML element: what follows would become a part of
    it. Of HTML, only what folds and small print is shown in a comment.
    """
    tokens = _make_parser().parse(f"{markdown}\n\n{_END}\n")
    if tokens[-1].level != 0 or len(tokens) < 2 or tokens[-2].content != _END:
        return "it leaves a block of code or HTML open"
    opened: list[str] = []
    for html in _list_html(tokens):
        if "<" in _TAG.sub("", html):
            return "of HTML, only <details>, <summary>, <sub>, <code> and <br> without attributes are shown"
        for closing, tag in _TAG.findall(html):
            if tag and not closing:
                opened.append(tag)
            elif tag and (not opened or opened.pop() != tag):
                return f"</{tag}> closes nothing"
    return f"it leaves <{opened[-1]}> open" if opened else None


def cut(markdown: str, length: int) -> str:
    """Return as much of sound Markdown as fits into ``length`` characters and is sound by itself."""
    while len(markdown) > length or find_problem(markdown):
        # At the end of a line, which a table allows; what is open then began after an empty line.
        end = "\n" if len(markdown) > length else "\n\n"
        markdown = markdown[: length + 1].rpartition(end)[0]
    return markdown


def _list_html(tokens: Iterable[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type in ("html_block", "html_inline"):
            yield token.content
        yield from _list_html(token.children or [])


@cache
def _make_parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

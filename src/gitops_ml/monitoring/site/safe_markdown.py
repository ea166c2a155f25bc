"""Markdown that people wrote, as sanitised HTML: nothing in it runs, and nothing is loaded."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from ...report.safe_html import sanitise_html

_FRONT = re.compile(r"\A---\n.*?^---\n", re.DOTALL | re.MULTILINE)
_ALERT = re.compile(r"<blockquote>\n<p>\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*")
_TABLE = re.compile(r"<table>.*?</table>", re.DOTALL)
_PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
# An image keeps its text alone: to show it would ask the network.
_PARSER.add_render_rule("image", lambda _, tokens, place, *rest: str(escape(tokens[place].content)))


def render_prose(text: str) -> Markup:
    """Return GitHub's Markdown as HTML that is safe to show, whoever wrote it; front matter is left out."""
    html = _PARSER.render(_FRONT.sub("", text))
    html = _ALERT.sub(lambda found: f'<blockquote class="alert {found[1].lower()}">\n<p>', html)
    html = _TABLE.sub(r'<div class="scroll">\g<0></div>', html)
    return sanitise_html(html)  # last, so that nothing is trusted that was made before


def read_title(text: str) -> str:
    """Return the first heading of a text as it was written; nothing where there is none."""
    found = re.search(r"^# +(.+)$", _FRONT.sub("", text), re.MULTILINE)
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", found[1]).strip() if found else ""

"""Markdown that people wrote, as HTML in which nothing of it can run or load anything."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markupsafe import Markup, escape

# HTML that a model card may hold: what folds, and small print. All other HTML is shown as text.
_TAGS = re.compile(r"&lt;(/?(?:details|summary|sub|sup)|br)&gt;")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FRONT = re.compile(r"\A---\n.*?^---\n", re.DOTALL | re.MULTILINE)
_ALERT = re.compile(r"\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*")


class Renderer(RendererHTML):
    """Renders as CommonMark asks for, but for images, raw HTML, links and tables."""

    def image(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Return an image's text alone: to show it would ask the network."""
        return str(escape(tokens[idx].content))

    def html_block(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Return raw HTML as text, but for what folds."""
        text = str(escape(_COMMENT.sub("", tokens[idx].content)))
        return _TAGS.sub(r"<\1>", text)

    html_inline = html_block

    def link_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Link to other sites alone: what a card names beside itself is not here."""
        target = str(tokens[idx].attrs.get("href", ""))
        if not target.startswith(("https://", "http://", "mailto:")):
            return "<a>"
        return f'<a href="{escape(target)}" rel="nofollow noopener noreferrer">'

    def table_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Give each table a box of its own to scroll in."""
        return '<div class="scroll"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """End the box too."""
        return "</table></div>\n"


def render_prose(text: str) -> Markup:
    """Return GitHub's Markdown as HTML; front matter is left out.

    Of what the text holds only words, links and plain structure are left, whoever wrote it.
    """
    return Markup(_make_parser().render(_FRONT.sub("", text)))


def read_title(text: str) -> str:
    """Return the first heading of a text as it was written; nothing where there is none."""
    found = re.search(r"^# +(.+)$", _FRONT.sub("", text), re.MULTILINE)
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", found[1]).strip() if found else ""


def _mark_alerts(state: StateCore) -> None:
    """Let quotes that begin with a word such as ``[!WARNING]`` look like the alerts they are."""
    for quote, _, inline in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        found = _ALERT.match(inline.content) if inline.type == "inline" else None
        if quote.type != "blockquote_open" or found is None:
            continue
        quote.attrSet("class", f"alert {found[1].lower()}")
        inline.content = inline.content[found.end() :]


@cache
def _make_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True}, renderer_cls=Renderer)
    parser.enable(["table", "strikethrough"])
    parser.core.ruler.before("inline", "alerts", _mark_alerts)
    return parser

"""HTML and Markdown of a team's own as HTML in which nothing runs and nothing is loaded."""

from __future__ import annotations

import re
from functools import cache

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

_CELL = {"style", "colspan", "rowspan"}
# How an address may begin: a page in the artifact has no neighbours, and loads nothing from outside.
_ADDRESSES = {"href": r"(?i)https?://|mailto:", "src": r"data:image/", "cite": r"(?i)https?://"}
_CLASSES = {"blockquote": {"alert", "note", "tip", "important", "warning", "caution"}, "div": {"scroll"}}
_ATTRIBUTES = nh3.ALLOWED_ATTRIBUTES | {"th": _CELL | {"scope"}, "td": _CELL, "details": {"open"}}


def sanitise_html(html: str) -> Markup:
    """Return HTML without scripts, styles, forms and requests; images stay if they are in the page."""
    return Markup(
        nh3.clean(
            html,
            attributes=_ATTRIBUTES,
            attribute_filter=_keep_attribute,
            allowed_classes=_CLASSES,
            filter_style_properties={"text-align"},
            url_schemes={"http", "https", "mailto", "data"},
        )
    )


def render_markdown(text: str) -> Markup:
    """Return CommonMark with tables as sanitised HTML."""
    return sanitise_html(_make_parser().render(text))


def _keep_attribute(tag: str, attribute: str, value: str) -> str | None:
    return value if re.match(_ADDRESSES.get(attribute, ""), value) else None


@cache
def _make_parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

"""Comments as GitHub shows them: its Markdown, its alerts, its allow-list of HTML.

The sanitiser comes twice. First, so that what is sought afterwards is never part of an attribute;
last, so that nothing is trusted that was made in between.
"""

from __future__ import annotations

import html
import re

import cmarkgfm
import nh3
from cmarkgfm.cmark import Options
from markupsafe import Markup

# In comments GitHub keeps line breaks. Raw HTML passes here, since the sanitiser comes after.
OPTIONS = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_GITHUB_PRE_LANG | Options.CMARK_OPT_HARDBREAKS

ALERTS = ("note", "tip", "important", "warning", "caution")
_ALERT = re.compile(rf"<blockquote>\n<p>\[!({'|'.join(ALERTS)})\](?:<br>\n|(?=</p>))", re.IGNORECASE)
_CHART = re.compile(r'<pre lang="mermaid"><code>(.*?)</code></pre>', re.DOTALL)
_TABLE = re.compile(r"<(/?)table>")
_HEADING = re.compile(r"<h([1-6])[^>]*>(.*?)</h\1>", re.DOTALL)
# Shown until the chart is drawn, and for ever where it cannot be.
CHART_NOTE = "A chart, here as its text. It is drawn where JavaScript runs and Mermaid is installed."

# https://github.com/gjtorikian/html-pipeline names what GitHub lets through.
TAGS = (
    "a abbr b bdo blockquote br caption cite code dd del details dfn div dl dt em figcaption figure "
    "h1 h2 h3 h4 h5 h6 hr i img input ins kbd li mark ol p pre q rp rt ruby s samp small span strike "
    "strong sub summary sup table tbody td tfoot th thead time tr tt ul var wbr"
)
SIDES = {"left", "center", "right"}
# An image keeps its text alone: to show it would ask the network.
ATTRIBUTES = {
    "a": {"href", "title"},
    "abbr": {"title"},
    "details": {"open"},
    "img": {"alt"},
    "input": {"checked"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "time": {"datetime"},
}
VALUES: dict[str, dict[str, set[str]]] = {
    "input": {"disabled": {""}},
    "pre": {"lang": {"mermaid"}},
    **{tag: {"align": SIDES} for tag in ("div", "h1", "h2", "h3", "h4", "h5", "h6", "p", "td", "th")},
}
CLASSES = {
    "blockquote": {"alert", *ALERTS},
    "div": {"scroll"},
    "figure": {"chart"},
    "p": {"alert-title"},
}
CLEANER = nh3.Cleaner(
    tags=set(TAGS.split()),
    attributes=ATTRIBUTES,
    tag_attribute_values=VALUES,
    # One only: the sanitiser sets several in an order that changes from run to run.
    set_tag_attribute_values={"input": {"type": "checkbox"}},
    allowed_classes=CLASSES,
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="nofollow noopener noreferrer",
)


def render_markdown(text: str) -> Markup:
    """Return a comment as HTML that is safe to show, whoever wrote it."""
    known = text.encode("utf-8", "replace").decode("utf-8")
    rendered = CLEANER.clean(cmarkgfm.github_flavored_markdown_to_html(known, OPTIONS))
    for step in (_mark_alerts, _mark_charts, _box_tables):
        rendered = step(rendered)
    return Markup(CLEANER.clean(rendered))


def find_heading(text: str) -> str:
    """Return the first heading of a comment as plain text, or nothing where there is none."""
    found = _HEADING.search(render_markdown(text))
    return html.unescape(re.sub(r"<[^>]+>", "", found[2])).strip() if found else ""


def _mark_alerts(rendered: str) -> str:
    def mark(found: re.Match[str]) -> str:
        kind = found[1].lower()
        title = f'<p class="alert-title">{kind.capitalize()}</p>'
        return f'<blockquote class="alert {kind}">\n{title}\n<p>'

    return _ALERT.sub(mark, rendered)


def _mark_charts(rendered: str) -> str:
    figure = rf'<figure class="chart"><figcaption>{CHART_NOTE}</figcaption><pre>\1</pre></figure>'
    return _CHART.sub(figure, rendered)


def _box_tables(rendered: str) -> str:
    """Give each table a box of its own to scroll in."""
    return _TABLE.sub(lambda found: "</table></div>" if found[1] else '<div class="scroll"><table>', rendered)

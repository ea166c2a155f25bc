"""HTML of a team's own stands in the report's page without running or loading anything."""

from __future__ import annotations

import pytest

from gitops_ml.report.safe_html import render_markdown, sanitise_html
from reader import Reader

HOSTILE = """
<script>alert(1)</script><style>body { display: none }</style><iframe src="https://evil.example"></iframe>
<img src="https://evil.example/a" onerror="alert(2)"><img src="x"><img src=" data:text/html,x">
<a href="javascript:alert(3)">a</a><a href="data:text/html,x">b</a><a href=" data:text/html,x">c</a>
<a href="../../etc/passwd" onclick="alert(4)">d</a>
<form action="https://evil.example"><input autofocus></form>
<svg onload="alert(5)"><a xlink:href="javascript:alert(6)">x</a></svg><object data="https://evil.example">
<div style="position: fixed; background: url(https://evil.example)" id="gates" class="verdict">e</div>
<td style="background: url(https://evil.example)">f</td></section></main>
<blockquote cite="javascript:alert(7)">
"""


@pytest.mark.parametrize("render", [sanitise_html, render_markdown])
def test_nothing_runs_and_nothing_is_loaded(render: object) -> None:
    """Neither from HTML nor from HTML in Markdown."""
    assert callable(render)
    page = Reader(str(render(HOSTILE)))
    assert [] == page.addresses
    assert not page.tags & {"script", "style", "iframe", "form", "input", "svg", "object", "section", "main"}
    assert page.attributes <= {"rel", "class"}
    assert "verdict" not in sanitise_html(HOSTILE)
    assert [] == page.open


def test_what_shows_data_is_kept() -> None:
    """Tables with their alignment, folds, links to other sites, and images that are in the page."""
    html = (
        '<table><thead><tr><th scope="col">a</th></tr></thead><tbody><tr><td style="text-align:right" '
        'colspan="2">1</td></tr></tbody></table><details open=""><summary>b</summary>c</details>'
        '<img src="data:image/png;base64,AA==" alt="d">'
    )
    assert set(Reader(html).order) == set(Reader(str(sanitise_html(html))).order)
    assert "text-align:right" in sanitise_html(html)
    assert ["data:image/png;base64,AA=="] == Reader(str(sanitise_html(html))).addresses
    link = '<a href="https://a.example" rel="noopener noreferrer">e</a>'
    assert link == sanitise_html('<a href="https://a.example">e</a>')


def test_markdown_has_tables() -> None:
    """Aligned as they are in the comment."""
    html = render_markdown("| a | b |\n| :-- | --: |\n| 1 | 2 |")
    assert '<td style="text-align:right">2</td>' in html

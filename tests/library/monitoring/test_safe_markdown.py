"""Markdown that people wrote becomes HTML in which nothing runs."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ml.monitoring.site.safe_markdown import read_title, render_prose
from reader import Reader

HOSTILE = """\
---
model_name: </title><script>
---

# <b>Flight</b> \\& <script>alert(1)</script> [delays](javascript:alert(2))

<script>alert(3)</script>
<style>body { display: none }</style>

<details open onclick="alert(4)"><summary>fold</summary>
<img src="https://evil.example/a" onerror="alert(5)"> ![alt](https://evil.example/b)

[local](../../etc/passwd) [data](data:text/html,x) <https://evil.example/?a"b> [x]: javascript:alert(6)

<iframe src="https://evil.example"></iframe> <a href="javascript:alert(7)" onclick="alert(8)">seven</a>
<form action="https://evil.example"><input autofocus onfocus="alert(9)"></form>
<svg onload="alert(10)"><a xlink:href="javascript:alert(11)">x</a></svg>

| <b onclick="alert(12)">a</b> |
| :-- |
| `</code><script>alert(13)</script>` |

```html
</code></pre><script>alert(14)</script>
```

<!-- <img src=x> --> <!--> <img src=x onerror=alert(15)> <!
"""
PIECES = [
    "<",
    ">",
    "</",
    "/>",
    "<details>",
    "<summary",
    "<sub>",
    "<br",
    " onclick=x",
    ' href="',
    "javascript:x",
]
PIECES += [
    '"',
    "'",
    "`",
    "```\n",
    "\n",
    "\n\n",
    "    ",
    "> ",
    "[!NOTE]",
    "[a](",
    ")",
    "[",
    "]",
    "![",
    "<script>",
]
PIECES += [
    "<https://a.b",
    "<!--",
    "-->",
    "&lt;",
    "&#60;",
    "\\",
    "*",
    "https://a.b",
    "- ",
    "# ",
    "svg",
    "| a |\n| - |",
]
INLINE = {"em", "strong", "s", "br", "hr", "ul", "ol", "li", "blockquote", "details", "summary", "sub"}
HARMLESS = {
    "h1",
    "h2",
    "p",
    "b",
    "img",
    "a",
    "div",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "code",
    "pre",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**a** ~~b~~ `c`", "<p><strong>a</strong> <s>b</s> <code>c</code></p>\n"),
        ("> [!WARNING]\n> **hot**", '<blockquote class="alert warning">\n<p><strong>hot</strong></p>\n'),
        ("> [!note]\n> x", "<blockquote>\n<p>[!note]\nx</p>\n"),
        ("| a |\n| - |\n| b |", '<div class="scroll"><table>\n<thead>\n<tr>\n<th>a</th>'),
        (
            "<details>\n<summary> more </summary>\n\n*b*\n\n</details>",
            "<details>\n<summary> more </summary>\n<p><em>b</em></p>\n</details>",
        ),
        (
            "[a](https://b.org)",
            '<p><a href="https://b.org" rel="noopener noreferrer">a</a></p>',
        ),
        ("---\na: 1\n---\n\nb", "<p>b</p>\n"),
        ("<!-- nobody reads this -->", ""),
    ],
)
def test_a_card_is_shown_as_github_shows_it(text: str, expected: str) -> None:
    """Alerts, folds, tables and links are what they are there; front matter and comments are not shown."""
    assert render_prose(text).startswith(expected)


def test_hostile_card_is_harmless() -> None:
    """Only words, links to other sites and plain structure are left of whatever somebody wrote."""
    html = str(render_prose(HOSTILE))
    reader = Reader(html)
    assert HARMLESS >= reader.tags - {"details", "summary"}
    assert {"href", "rel", "class", "style", "open"} >= reader.attributes
    assert {"text-align:left"} == set(re.findall(r'style="([^"]*)"', html))
    assert all(address.startswith("https://") for address in reader.addresses)
    assert not re.search(r"alert\((3|5)\)|display", reader.text)
    assert "alt" in reader.text
    assert "</code><script>alert(13)</script>" in reader.text


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
@settings(max_examples=200, deadline=None)
def test_no_combination_of_pieces_is_harmful(text: str) -> None:
    """However markup is cut and put together, no unknown element, attribute or address comes out."""
    for tag, attributes in re.findall(r"<([^\s>]*)([^>]*)>", str(render_prose(text))):
        assert tag.strip("/") in HARMLESS | INLINE
        assert re.fullmatch(r'( (class|rel)="[\w -]*"| href="https://[^"]*"| /)*', attributes)


def test_card_cannot_break_the_page_around_it() -> None:
    """What nobody closed is closed; what was never opened is closed by nobody."""
    assert "<details>\n<p>a</p>\n</details>" == render_prose("<details>\n\na")
    assert "<div>\n<p>a</p>\n</div>" == render_prose("</details></main><div>\n\na")


def test_title_is_the_first_heading() -> None:
    """Front matter is no heading; what was escaped for Markdown is read as it was meant."""
    assert "Delays / \\ now" == read_title("---\n# no\na: 1\n---\n\ntext\n\n# Delays \\/ \\\\ now\n\n# b")
    assert "" == read_title("no heading")

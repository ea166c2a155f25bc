"""Markdown of a team's own stands in the report without a consequence for what follows."""

from __future__ import annotations

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ml.report.fragment import cut, find_problem

TABLE = "| Carrier | Late |\n| :-- | --: |\n" + "\n".join(f"| {name} | 10 % |" for name in "abcdefgh")
FOLD = "<details><summary>More</summary>\n\nIt was *hot*.\n\n</details>"
CODE = "```python\nx = '<b>'\n\ny = 1\n```"
PIECES = [
    "```",
    "~~~",
    "<details>",
    "</details>",
    "<sub>",
    "</sub>",
    "<!--",
    "-->",
    "<br>",
    "<pre>",
    "<?",
    "<",
]
PIECES += ["<", "<![CDATA[", "\n", "\n\n", "    ", "> ", "- ", "1. ", "`", "|", "\\", "[a]: ", "x"]


def to_html(markdown: str) -> str:
    """Return what GitHub's own Markdown makes of it, raw HTML included."""
    html: str = cmarkgfm.github_flavored_markdown_to_html(markdown, options=Options.CMARK_OPT_UNSAFE)
    return html


@pytest.mark.parametrize(
    "markdown",
    ["", "Text.", TABLE, FOLD, CODE, "- a\n- b", "> a", "x<br>y<sub>z</sub>", "<https://a.example>", "1 < 2"],
)
def test_sound_markdown_has_no_problem(markdown: str) -> None:
    """Tables, folds, lists and blocks of code."""
    assert find_problem(markdown) is None


@pytest.mark.parametrize(
    ("markdown", "problem"),
    [
        ("```\nx = 1", "leaves a block of code or HTML open"),
        ("~~~~\nx = 1\n~~~", "leaves a block of code or HTML open"),
        ("<!-- x", "leaves a block of code or HTML open"),
        ("<pre>\nx", "leaves a block of code or HTML open"),
        ("<details><summary>x</summary>\n\ny", "leaves <details> open"),
        ("x <sub>y", "leaves <sub> open"),
        ("<details><summary>x</details></summary>", "</details> closes nothing"),
        ("</details>", "</details> closes nothing"),
        ("<details open>\n\nx\n\n</details>", "of HTML, only <details>"),
        ("x <b>y</b>", "of HTML, only <details>"),
        ("<!-- x -->", "of HTML, only <details>"),
        ("<img src='https://a.example'>", "of HTML, only <details>"),
    ],
)
def test_what_would_swallow_the_rest_is_told(markdown: str, problem: str) -> None:
    """And HTML that the comment would show as text."""
    found = find_problem(markdown)
    assert found is not None
    assert problem in found


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(PIECES),
        max_size=12,
    ).map("".join)
)
def test_what_follows_sound_markdown_is_a_paragraph_of_its_own(markdown: str) -> None:
    """In GitHub's own Markdown."""
    if find_problem(markdown) is None:
        html = to_html(f"{markdown}\n\nThe rest.\n")
        assert html.endswith("<p>The rest.</p>\n")
        assert html.count("<details>") == html.count("</details>")


def test_what_fits_is_kept() -> None:
    """To the last character."""
    assert TABLE == cut(TABLE, len(TABLE))


def test_a_table_is_cut_between_its_rows() -> None:
    """What is left is a table."""
    short = cut(TABLE, len(TABLE) - 1)
    assert TABLE.rpartition("\n")[0] == short
    assert to_html(short).count("<tr>") == 8


@pytest.mark.parametrize("block", [FOLD, CODE])
def test_a_block_that_does_not_fit_is_left_out(block: str) -> None:
    """Half of it would be left open."""
    assert "Before." == cut(f"Before.\n\n{block}", 9 + len(block) - 2).strip()


def test_one_long_line_is_left_out() -> None:
    """No line is torn apart."""
    assert "" == cut("x" * 100, 50)

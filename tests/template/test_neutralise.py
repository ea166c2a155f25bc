"""Nothing in the text of a report acts, whoever wrote it, and a genuine report looks as before."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ml.report.fragment import find_problem
from rendering import JOINER, MARKDOWN, OWN, SCRIPT, find_harm, load_script, look, render

REPORTS = [Path(__file__).parent / "reports" / f"{name}.md" for name in ("better", "worse")]


script = load_script()
Neutralise = Callable[[bytes], str]

WHOLE_WATERMARK = '![](https://cml.dev/watermark.png#0123abc "CML watermark model report")'
LOOK = '"themeVariables": {"xyChart": {"plotColorPalette": "#2f81f7, #8b949e"}}'
CHART = f"""```mermaid
%%{{init: {{"xyChart": {{"width": 640, "height": 320}}, {LOOK}}}}}%%
xychart-beta horizontal
x-axis ["a", "b"]
bar [1, 2]
```
"""
ATTACKS = [
    "@octocat @org/team a@b.example mailto:a@b.example",
    "&#64;octocat &commat;octocat &#x40;octocat &#X40octocat &#064;octocat &#64octocat",
    "<p>\n&#64octocat &#x40octocat\n</p>",
    "<details>\n&#64octocat\n</details>",
    r"\@octocat @\octocat \#1 www\.example.com http:\/\/example.com http\://example.com GH\-1",
    "#1 #12. owner/repo#3 GH-4 gh-5 &#35;6 #&#49; &num;7 &#35;&#56;",
    "https://example.com ftp://example.com HTTP://EXAMPLE.COM www.example.com WWW.example.com",
    "h&#116;tps://example.com https&#58;//example.com https&colon;//example.com https:&#47;/example.com",
    "ww&#119;.example.com www&#46;example.com www&period;example.com",
    "<https://example.com> <a@b.example> <HTTPS://example.com>",
    "[text](https://example.com) [text](<https://example.com>) [text](http:example.com)",
    "[text][name] [name][] [name]\n\n[name]: https://example.com",
    "[text][name]\n\n[name]:\nhttp:example.com\n",
    "> [name]: /path\n\n[name]",
    "![](https://example.com/a.png) ![text][name]\n\n[name]: data:image/png;base64,AAAA",
    WHOLE_WATERMARK,
    "text[^1]\n\n[^1]: a note that moves to the end",
    "- [ ] a box\n- [x] another",
    "```\nnever closed @octocat <b>",
    "~~~~\nnever closed",
    "   ```text\nnever closed",
    "> ```\nnever closed",
    "- ```\n  never closed",
    "</details></details>\n\n</blockquote></div>",
    "<details>\n<details>\n<summary>",
    "<det<details>ails><su<sub>b> <<sub>b> <b<sub>> <img <sub>src=x>",
    "<summary><b></summary> <summary>**</summary>",
    "<!-- never closed",
    "<!doctype html><?php <![CDATA[ <!ELEMENT",
    "<script>alert(1)</script><style>*{display:none}</style><iframe src=x>",
    '<img src=x onerror="alert(1)"><a href="https://example.com">x</a><svg/onload=x>',
    '<details open ontoggle="x"><sub title="x"><br/ ><br\nclear=x><code\n>',
    "<DETAILS><Sub><BR>",
    "<div\n<p\n<pre>\n\n<table>",
    "&lt;b&gt; &amp;lt;b&amp;gt; &amp;#64;octocat",
    "Title\n===\nanother\n---\n\n    indented @octocat",
    '```mermaid\ngraph TD\nclick A href "https://example.com"\n```',
    "```mermaid\n%%{init: {}}%%\nxychart-beta\n```",
    "```mermaid \nxychart-beta\n```\n~~~ mermaid\ngraph\n~~~",
    "```mer&#109;aid\ngraph TD\n```\n\n```\\mermaid\ngraph\n```",
    "````mermaid\ngraph\n````\n```geojson\n{}\n```\n```math\nx\n```\n> ```stl\n",
    "$$x$$ $`x`$",
    "\u202eredrum\u202c \u2066x\u2069 &#8238;redrum &#x202E;x &rlm;x &#0;",
    "nul\0 in <\0b> and @\0octocat and bell\a and escape\x1b[31m",
    "line\rline\r\n\u2028line\x0b\x0cline\x85line",
    "<\u200bb> @\ufeffoctocat @\u2060octocat h\ufefftps:/\ufeff/example.com",
    "| a | b |\n| --- | --- |\n| @octocat | <b> |\n| [x](y) | #1 |",
    "# heading #1\n* list\n  * list @octocat\n\n***\n1) one",
    "\\<b> \\![](x) \\[x](y) \\\\[x](y)",
]
BYTES = [b"\xff\xfe\x00@\xc3", b"\x89PNG\r\n\x1a\n\0\0\0", b"PK\x03\x04", b"", b"\xed\xa0\x80@a", b"\xe2\x81"]
PIECES = sorted({piece for attack in ATTACKS for piece in re.findall(r"\w+|\s|[^\w\s]+", attack)})
HOSTILE = st.lists(st.sampled_from(PIECES) | st.sampled_from(ATTACKS) | st.text(max_size=3), max_size=12).map(
    "".join
)


@pytest.mark.parametrize("attack", [*(text.encode() for text in ATTACKS), *BYTES])
def test_attacks(attack: bytes) -> None:
    """Each of these once worked somewhere, and does nothing here."""
    assert [] == find_harm(script.neutralise_own(attack), OWN)
    assert [] == find_harm(script.neutralise_fork(attack), MARKDOWN)


@settings(max_examples=150, deadline=None)
@given(HOSTILE)
def test_own_text_is_harmless(text: str) -> None:
    """Whatever a branch of the repository writes, only bare folds and small print are left of HTML."""
    assert [] == find_harm(script.neutralise_own(text.encode()), OWN)


@settings(max_examples=150, deadline=None)
@given(HOSTILE)
def test_text_of_a_fork_is_harmless(text: str) -> None:
    """Whatever a fork writes, no HTML is left of it, and the fold around it ends where it should."""
    harmless = script.neutralise_fork(text.encode())
    assert [] == find_harm(harmless, MARKDOWN)
    html = render(f"<details><summary>Fork</summary>\n\n{harmless}\n\n</details>\n\nAfter\n")
    assert (1, 1) == (html.count("<details"), html.count("</details"))
    assert html.endswith("</details>\n<p>After</p>\n")


@settings(max_examples=100, deadline=None)
@given(HOSTILE)
def test_harmless_text_stays(text: str) -> None:
    """What is harmless is left as it is, so nothing is broken up twice."""
    once = script.neutralise_own(text.encode())
    assert once == script.neutralise_own(once.encode())


@pytest.mark.parametrize("neutralise", [script.neutralise_own, script.neutralise_fork])
@pytest.mark.parametrize(
    "piece",
    [
        "x",
        "a\n",
        "@",
        "`",
        "<",
        "<summary>",
        "#1",
        "&#1",
        "![](",
        "[",
        "\n",
        "%%{",
        "$",
        "www.",
        "é\n",
        "``` a\n",
    ],
)
def test_length(neutralise: Neutralise, piece: str) -> None:
    """However long a text is, what is left fits, ends with a whole line, and says that it was cut."""
    text = neutralise(piece.encode() * (1_100_000 // len(piece)))
    assert len(text) <= script.LIMIT
    assert text.startswith(script.CUT)
    assert piece.count("\n") * 50_000 <= len(text)


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.stem)
def test_genuine_reports(path: Path) -> None:
    """A genuine report looks as before; a fork's has its folds open."""
    report = path.read_text(encoding="utf-8").partition("![](")[0]
    own, fork = script.neutralise_own(report.encode()), script.neutralise_fork(report.encode())
    assert render(report) == render(own).replace(JOINER, "")
    assert look(report) == look(fork)


def test_own_drawings() -> None:
    """A chart of our own template is drawn; any other drawing is shown as text."""
    assert script.neutralise_own(CHART.encode()) == CHART
    other = CHART.replace("xychart-beta horizontal", "graph TD")
    assert "language-mermaid" not in render(script.neutralise_own(other.encode()))
    settings_within = CHART.replace("bar", '%%{init: {"theme": "dark"}}%%\nbar')
    assert "%%{init: {" not in script.neutralise_own(settings_within.encode()).split("xychart-beta")[1]


def test_program(tmp_path: Path) -> None:
    """As a program it reads bytes and writes text, and needs nothing but Python."""
    for origin, expected in (("own", f"caf\ufffd @{JOINER}a\n"), ("fork", f"> caf\ufffd @{JOINER}a\n>")):
        command = [sys.executable, "-I", "-S", str(SCRIPT), origin]
        ended = subprocess.run(command, input=b"caf\xe9 @a\n", cwd=tmp_path, capture_output=True, check=True)
        assert expected == ended.stdout.decode()


@pytest.mark.parametrize(
    "tag", ["details", "summary", "sub", "code", "b", "sup", "kbd", "p", "div", "table", "a"]
)
def test_a_section_of_a_team_may_hold_the_html_that_is_shown(tag: str) -> None:
    """The library refuses other HTML, which the script would turn into text."""
    section = f"One <{tag}>two</{tag}> three.\n"
    assert (find_problem(section) is None) == (section == script.neutralise_own(section.encode()))

"""The page shows each pull request as GitHub would, works offline, and runs nothing that a comment says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from baking import list_files
from browsing import MERMAID, NEEDED, Elements, browse, listen, measure
from rehearsal.diff import parse_diff
from rehearsal.markdown import find_heading, render_markdown
from rehearsal.page import find_verdict, render_page
from rehearsal.story import Check, Comment, Event, Story, read_story, write_story
from storybook import BOT, FEATURES, tell_better, tell_fork, tell_story

HOSTILE = """\
# <b>Look</b> at [me](https://example.org "title")

<script>alert(1)</script><style>body { display: none }</style>
<img src="x" onerror="alert(2)"><svg onload="alert(3)"><circle r="9"/></svg>
<a href="javascript:alert(4)" onclick="alert(5)">four</a> [five](javascript:alert(6)) [six](data:text/html,x)
<iframe src="ORIGIN/frame"></iframe><object data="ORIGIN/object"></object><embed src="ORIGIN/embed">
<form action="ORIGIN/form"><button>send</button></form><base href="ORIGIN">
<link rel="stylesheet" href="ORIGIN/css">
<meta http-equiv="refresh" content="0; url=ORIGIN/meta"><video src="ORIGIN/video" autoplay></video>
<p style="position: fixed; inset: 0; background: url(ORIGIN/p)" class="comment" id="pull-requests">seven</p>
<a title="<table><img src=x onerror=alert(8)>" href="https://example.org">eight</a>
![picture](ORIGIN/picture.png) <picture><source srcset="ORIGIN/set.png"><img src="ORIGIN/img.png"></picture>
</div></section></article></main><h1>outside</h1><input type="text" autofocus onfocus="alert(9)">

```mermaid
%%{init: {"securityLevel": "loose", "htmlLabels": true, "themeCSS": "* { background: url(ORIGIN/theme) }"}}%%
flowchart LR
A["<img src=x onerror=alert(10)>"] --> B["<script>alert(11)</script><b>bold</b>"]
click A href "javascript:alert(12)"
click B call alert(13)
```

```mermaid
flowchart LR
C@{ img: "ORIGIN/node.png", label: "node", w: 60, h: 60 }
```

```mermaid
</code></pre><script>alert(14)</script>
```
"""


def with_comment(body: str) -> Story:
    """Return a story with one pull request, and on it one comment by the workflow."""
    return Story("flight-delays", [], [replace(tell_better(), comments=[Comment(BOT, body)])])


def read_page(story: Story, folder: Path) -> str:
    """Return the page of a story, without charts."""
    return render_page(story, folder, None).read_text(encoding="utf-8")


def test_a_story_is_kept(tmp_path: Path) -> None:
    """What was written is what is read, whatever the characters."""
    write_story(tell_story(), tmp_path / "story.json")
    assert tell_story() == read_story(tmp_path / "story.json")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"project": "a", "events": [{}], "pull_requests": []}'])
def test_another_file_is_no_story(text: str, tmp_path: Path) -> None:
    """A file that holds something else is named in one sentence that helps."""
    path = tmp_path / "story.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"story\.json holds no story .* rehearse again"):
        read_story(path)


def test_same_story_same_bytes(tmp_path: Path) -> None:
    """A page depends on its story alone, and rendering it anew leaves nothing of the last time."""
    page = render_page(tell_story(), tmp_path / "one", None)
    (tmp_path / "mermaid.js").write_text("")
    render_page(with_comment("# Hi"), tmp_path / "two", tmp_path / "mermaid.js")
    assert page.read_bytes() == render_page(tell_story(), tmp_path / "two", None).read_bytes()
    assert ["index.html"] == list_files(tmp_path / "two")


def test_timeline_leads_to_pull_requests(tmp_path: Path) -> None:
    """Each pull request has an anchor, and is linked from the list and from what happened to it."""
    events = [Event(61, "a scene", "opened #1 & not #7, a<b> or color #123456", "✅")]
    page = read_page(replace(tell_story(), events=events), tmp_path)
    elements = Elements(page)
    assert [1] * 4 == [elements.count("article", "id", f"pr-{number}") for number in range(1, 5)]
    assert 'opened <a href="#pr-1">#1</a> &amp; not #7, a&lt;b&gt; or color #123456' in page
    assert 3 == elements.count("a", "href", "#pr-1")  # in the list, in the timeline, at its title
    assert "1:01" in elements.text


def test_issue_is_told_in_full(tmp_path: Path) -> None:
    """An issue has an anchor, to which the timeline leads, and its text and comments; pages are linked."""
    events = [Event(61, "a scene", "#5 is open", "")]
    page = read_page(replace(tell_story(), events=events), tmp_path)
    elements = Elements(page)
    assert 1 == elements.count("article", "id", "issue-5")
    assert 3 == elements.count("a", "href", "#issue-5")  # in the list, in the timeline, at its title
    assert 1 == elements.count("a", "href", "monitoring/monitoring.html")
    text = " ".join(elements.text.split())
    assert "Closed github-actions[bot] opened this issue" in text
    assert "mean 61.2 → 38.0" in text
    assert "It is quiet again." in text


def test_pull_request_is_told_in_full(tmp_path: Path) -> None:
    """Title, state, author, branches, commits, checks, changed lines and comments are there."""
    text = " ".join(Elements(read_page(tell_story(), tmp_path)).text.split())
    for told in (
        "Tell the model that midnight is next to midnight",
        "Merged ada merged 2 commits into main from departure-angle",
        "Describe the departure as an angle",
        "All checks have passed 1 skipped, 2 successful checks",
        "Some checks were not successful 1 failing, 1 skipped, 1 successful checks train / gate failure",
        '+ features["departure_sin"] = np.sin(minutes / 1440 * 2 * np.pi)',
        "data/flights-2013-09.parquet new, binary",
        "github-actions bot commented ✅ Better than production",
        "No description provided.",
        "Nice find 👍 Merging.",
    ):
        assert told in text


def test_verdict_is_of_the_workflow_alone() -> None:
    """The verdict beside the title is the first heading of the report; nobody else's heading counts."""
    stranger = Comment("mallory", "### ✅ Better than production")
    pull_request = replace(tell_fork(), comments=[stranger, *tell_fork().comments])
    assert find_verdict(pull_request).startswith("✅ No worse than production: ROC AUC +0.001 [")
    assert "" == find_verdict(replace(tell_fork(), comments=[stranger]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("| a |\n| :-: |\n| 1 |", '<div class="scroll"><table>\n<thead>\n<tr>\n<th align="center">a</th>'),
        ("~~gone~~", "<del>gone</del>"),
        ("www.example.org", '<a href="http://www.example.org" rel="nofollow noopener noreferrer">'),
        ("- [x] done", '<input checked="" disabled="" type="checkbox"> done'),
        ("one\ntwo", "<p>one<br>\ntwo</p>"),
        ("✅ <sub>small</sub>", "<p>✅ <sub>small</sub></p>"),
        (
            "<details open><summary>a</summary>\n\n**b**\n\n</details>",
            "</summary>\n<p><strong>b</strong></p>",
        ),
        (
            "> [!WARNING]\n> hot",
            '<blockquote class="alert warning">\n<p class="alert-title">Warning</p>\n<p>hot',
        ),
        ("> [!note]\n>\n> well", '<p class="alert-title">Note</p>\n<p></p>\n<p>well</p>'),
        ("> [!WARNING] hot", "<blockquote>\n<p>[!WARNING] hot</p>"),
        ("![alt](https://example.org/a.png)", '<p><img alt="alt"></p>'),
        ("```mermaid\na --> b\n```", "<pre>a --&gt; b\n</pre></figure>"),
        ('<a title="<table>" href="http://a.b">c</a>', '<a title="&lt;table&gt;" href="http://a.b" rel='),
        ("a \ud800 b", "<p>a ? b</p>"),
    ],
)
def test_markdown_is_githubs(text: str, expected: str) -> None:
    """Tables, alerts, task lists, charts and folds are shown as GitHub shows them."""
    assert expected in render_markdown(text)


def test_heading_is_plain() -> None:
    """A heading is given as text, whatever was written in it."""
    assert "❌ Worse & <i> `x`" == find_heading("hello\n\n## ❌ **Worse** & &lt;i> <b>`` `x` ``</b>\n\n# no")


def test_deep_comment_is_rendered() -> None:
    """No depth of quotes or elements ends the rehearsal."""
    assert "end" in render_markdown(">" * 2_000 + " end") + render_markdown("<div>" * 13_000 + "end")


def test_hostile_comment_is_harmless(tmp_path: Path) -> None:
    """Of whatever a comment holds only text and links are left, and it stays in its box."""
    elements = Elements(read_page(with_comment(HOSTILE), tmp_path))
    assert [] == elements.list_active()
    assert not [tag for tag, attributes in elements.found if "style" in attributes]
    assert 1 == sum(tag == "style" for tag, _ in elements.found)
    assert 2 == elements.count("section", "class", "comment")  # the description, and the comment
    assert 1 == elements.count("h2", "id", "pull-requests")
    assert "outside" in elements.text.rpartition("All checks have passed")[0]


def test_hostile_story_is_harmless(tmp_path: Path) -> None:
    """Titles, names, branches, diffs and events are text, never HTML."""
    evil = "\"'><script>alert(1)</script>"
    diff = f"diff --git a/{evil} b/{evil}\n--- a/{evil}\n+++ b/{evil}\n@@ -1 +1 @@ {evil}\n-{evil}\n+{evil}\n"
    pull_request = replace(
        tell_better(), title=evil, author=evil, head=evil, base=evil, commits=[evil], diff=diff,
        checks=[Check(evil, "failure")], comments=[Comment(evil, evil), Comment(BOT, f"# {evil}")],
    )  # fmt: skip
    elements = Elements(read_page(Story(evil, [Event(0, evil, evil, evil)], [pull_request]), tmp_path))
    assert [] == elements.list_active()
    assert 20 < elements.text.count("<script>alert(1)</script>")


def test_policy_lets_nothing_out(tmp_path: Path) -> None:
    """The page may run its own two scripts, and load nothing else from anywhere."""
    page = read_page(tell_story(), tmp_path)
    nonce = Elements(page).found[-1][1]["nonce"]
    policy = next(each["content"] for tag, each in Elements(page).found if "http-equiv" in each)
    expected = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    assert expected == policy
    assert page.index("Content-Security-Policy") < page.index("<style>") < page.index("<script")
    assert nonce not in read_page(with_comment(nonce), tmp_path).partition("<body>")[0]


def test_without_mermaid_charts_are_text(tmp_path: Path) -> None:
    """Where mermaid is missing, each chart is its text, with a note."""
    page = read_page(tell_story(), tmp_path)
    assert 6 == page.count("A chart, here as its text.") == page.count("xychart-beta")
    assert "mermaid.min.js" not in page


def test_diff_is_read() -> None:
    """Names, kinds and numbers of lines are those of git, also where a line looks like a header."""
    found = parse_diff(
        "diff --git a/a b.sql b/a b.sql\n--- a/a b.sql\t\n+++ b/a b.sql\t\n@@ -1,2 +1,2 @@\n"
        "--- comment\n+++ more\n rest\f\n\\ No newline at end of file\n@@ -9 +9,0 @@ end\n-last\n"
        "diff --git a/old b/new\nsimilarity index 100%\nrename from old\nrename to new\n"
        "diff --git a/run b/run\nold mode 100644\nnew mode 100755\n"
        "diff --git a/x.bin b/x.bin\nnew file mode 100644\nBinary files /dev/null and b/x.bin differ\n"
        "diff --git a/gone b/gone\ndeleted file mode 100644\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-bye\n"
    )
    assert [
        ("a b.sql", "", 1, 2),
        ("new", "renamed from old", 0, 0),
        ("run", "mode 100755", 0, 0),
        ("x.bin", "new, binary", 0, 0),
        ("gone", "deleted", 0, 1),
    ] == [(file.name, file.note, file.count("added"), file.count("removed")) for file in found]
    assert [
        ("hunk", None, None, "@@ -1,2 +1,2 @@"),
        ("removed", 1, None, "-- comment"),
        ("added", None, 1, "++ more"),
        ("context", 2, 2, "rest\f"),
        ("note", None, None, " No newline at end of file"),
        ("hunk", None, None, "@@ -9 +9,0 @@ end"),
        ("removed", 9, None, "last"),
    ] == [(line.kind, line.old, line.new, line.text) for line in found[0].lines]


def test_long_diff_is_cut(tmp_path: Path) -> None:
    """Of a file with thousands of changed lines the first 400 are shown, and the rest are counted."""
    lines = "".join(f"+line {number}\n" for number in range(5000))
    diff = f"diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -0,0 +1,5000 @@\n{lines}"
    page = read_page(Story("a", [], [replace(tell_better(), diff=diff)]), tmp_path)
    assert "4,601 more lines not shown." in page
    assert "+5000" in page
    assert 399 == page.count('<tr class="added">')


@NEEDED
def test_reports_and_charts_are_drawn(tmp_path: Path) -> None:
    """In a browser each pull request shows its report, and each chart is drawn."""
    page = Elements(browse(render_page(tell_story(), tmp_path / "page", MERMAID), tmp_path / "home"))
    for pull_request in tell_story().pull_requests:
        assert find_verdict(pull_request) in page.text
    assert 6 == page.count("svg", "aria-roledescription", "xychart") == page.count("figure", "class", "drawn")
    assert 0 == page.count("figure", "class", "failed")
    assert "Syntax error" not in page.text


@NEEDED
def test_broken_chart_is_text(tmp_path: Path) -> None:
    """A chart with a mistake in it stays text and says so; the next one is drawn."""
    body = "```mermaid\nxychart-beta\nbar [1, 2\n```\n\n```mermaid\nxychart-beta\nbar [1, 2]\n```\n"
    page = Elements(browse(render_page(with_comment(body), tmp_path / "page", MERMAID), tmp_path / "home"))
    assert 1 == page.count("figure", "class", "failed") == page.count("figure", "class", "drawn")
    assert "This chart cannot be drawn. Its text:" in page.text
    assert "Syntax error" not in page.text


@NEEDED
def test_hostile_comment_runs_and_asks_nothing(tmp_path: Path) -> None:
    """Once everything is drawn nothing active is in the page, and nobody was asked for anything."""
    with listen() as (origin, asked):
        story = with_comment(HOSTILE.replace("ORIGIN", origin))
        page = Elements(browse(render_page(story, tmp_path / "page", MERMAID), tmp_path / "home"))
    assert 1 <= page.count("figure", "class", "drawn")
    assert [] == page.list_active()
    assert [] == asked


@NEEDED
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_sticks_out(width: int, tmp_path: Path) -> None:
    """On a phone and on a wide screen no word, table or chart makes the page wider than its window."""
    word = "w" * 300
    body = f"# {word}\n\n{word} `{word}`\n\n| {word} | b |\n| - | - |\n| `{word}` | c |\n\n```\n{word}\n```\n"
    long = replace(
        tell_better(), title=word, author=word, head=word, base=word, commits=[word], body=body,
        diff=FEATURES + word, checks=[Check(word, "failure")],
        comments=[Comment(BOT, body), *tell_better().comments],
    )  # fmt: skip
    story = Story(word, [Event(5, word, word, "✅")], [long, *tell_story().pull_requests])
    page = render_page(story, tmp_path / "page", MERMAID)
    assert width >= measure(page, width, tmp_path / "home")

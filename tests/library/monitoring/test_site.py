"""``mlops site``: pages about what runs and what ran, from Git alone."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from checks import (
    CARD,
    make_checks,
    make_deployment,
    make_history,
    make_record,
    make_time,
    make_timeline,
)
from gitops_ml.core.records import Estimate
from gitops_ml.monitoring.site.site import GENERATOR, render_site
from gitops_ml.monitoring.site.timeline import Acceptance, order_steps, read_timeline
from gitops_ml.production.branch import Score, commit_check, commit_files, fetch_tip
from reader import Reader
from toys import git, mlops, run

LOCK = "version: 1\nfiles:\n- path: data/a.parquet\n  sha256: ab\n  rows: {rows}\n"
# Too short to be cut.
EVIL = "\"'><script>a</script>"


def read_words(html: str) -> str:
    """Return what there is to read, each element's text apart."""
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL).split())


def find_rows(html: str, heading: str) -> list[str]:
    """Return the text of each row of the first table below a heading."""
    body = html.partition(f">{heading}</h2>")[2].partition("<tbody>")[2].partition("</tbody>")[0]
    return [read_words(row) for row in body.split("</tr>")[:-1]]


def find_chart(html: str, title: str) -> str:
    """Return the drawing with a title."""
    return html.partition(f"<h3>{title}</h3>")[2].partition("</svg>")[0]


def write_state(root: Path, version: int, subject: str) -> None:
    """Commit to production that a version runs."""
    state = make_deployment(version, 0, subject).state
    files = {"model.json": state.model_dump_json(), "model_cards/model_card.md": CARD}
    tip = fetch_tip(root, "origin")
    encoded = {path: text.encode() for path, text in files.items()}
    commit_files(root, "origin", encoded, subject, tip)


def accept(root: Path, rows: int, subject: str) -> None:
    """Commit a lock with so many rows."""
    (root / "data.lock").write_text(LOCK.format(rows=rows))
    git(root, "add", "data.lock")
    git(root, "commit", "--quiet", "--message", subject)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a remote on which nothing was ever deployed; it is the current folder."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    root = tmp_path / "clone"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch", "main")
    git(root, "init", "--quiet", "--bare", "../remote.git")
    git(root, "remote", "add", "origin", "../remote.git")
    monkeypatch.chdir(root)
    return root


def read_pages(folder: Path) -> Mapping[str, str]:
    """Return all files of a site."""
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_pages_are_whole_and_ask_nothing() -> None:
    """Each page is closed in order, runs nothing, and links to pages of the site or inside itself alone."""
    pages = render_site(make_timeline())
    assert {"index.html", "monitoring.html", "model-1.html", "model-2.html", "model-3.html"} == set(pages)
    for html in pages.values():
        reader = Reader(html)
        assert [] == reader.open
        assert len(set(reader.ids)) == len(reader.ids)
        assert "script" not in reader.tags
        assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in html
        assert {*pages, "data:,"} >= set(reader.addresses)


def test_same_timeline_gives_the_same_bytes() -> None:
    """A site that is published anew changes with production alone."""
    assert render_site(make_timeline()) == render_site(make_timeline())


def test_index_says_what_runs() -> None:
    """Version, since when and how, verdict, metric with its interval, commit and image."""
    text = read_words(render_site(make_timeline())["index.html"])
    state = make_history()[0].state
    assert "Model 2 is in production Since 2026-11-09 18:00 UTC, by a rollback." in text
    assert "says “Model 2: its data have moved and it has become worse”" in text
    facts = "Model card Model 2 Verdict better ROC AUC 0.719 [0.704, 0.734] Built from commit"
    assert f"{facts} {str(state.commit)[:12]}" in text
    assert f"Image {state.image}" in text


def test_history_tells_rollbacks() -> None:
    """Each change of what runs has its row: when, what, verdict, metric, and for how long."""
    html = render_site(make_timeline())["index.html"]
    rows = find_rows(html, "Versions")
    assert [
        "2026-11-09 18:00 Model 2 rollback Roll back to model 2 ·",
        "2026-11-04 22:48 Model 3 deployed Deploy model 3 ·",
        "2026-09-18 20:24 Model 2 deployed Deploy model 2 ·",
        "2026-08-18 01:12 Model 1 deployed Deploy model 1 ·",
    ] == [row.partition(" · ")[0] + " ·" for row in rows]
    assert [
        "better 0.719 [0.704, 0.734] runs now",
        "no worse 0.724 [0.709, 0.739] 5 days",
        "better 0.719 [0.704, 0.734] 47 days",
        "better 0.701 [0.686, 0.716] 32 days",
    ] == [row.partition(" · ")[2].partition(" ")[2] for row in rows]


def test_commits_that_change_nothing_of_what_runs_are_no_steps() -> None:
    """Checks are commits too; a way forward after a rollback is no first deployment."""
    history = [
        make_deployment(2, 9, "Check model 2: quiet"),
        make_deployment(2, 8, "Revert a rollback"),
        make_deployment(1, 7, "Check model 1: alarm"),
        make_deployment(1, 6, "Roll back to model 1"),
        make_deployment(2, 5, "Deploy model 2"),
        make_deployment(1, 4, "Deploy model 1"),
    ]
    steps = order_steps(history)
    assert ["brought back", "rolled back", "deployed", "deployed"] == [step.kind for step in steps]
    assert [None, *[make_time(day) for day in (8, 6, 5)]] == [step.until for step in steps]


def test_versions_are_drawn_on_one_scale() -> None:
    """The dot of the best version stands highest, and what runs is marked."""
    cell = find_chart(render_site(make_timeline())["index.html"], "ROC AUC of each version")
    [dots] = re.findall(r'<path class="dot last" d="([^"]+)"', cell)
    heights = [float(dot.split()[1].removesuffix("h0")) for dot in dots.split("M")[1:]]
    assert sorted(heights, reverse=True) == heights
    assert f'<path class="dot last running" d="M50 {heights[1]}h0"/>' in cell


def test_versions_of_another_metric_are_not_compared() -> None:
    """After a change of the primary metric the older versions are listed, with its name, and not drawn."""
    score = Score(metric="f1", estimate=Estimate(value=0.4, low=0.3, high=0.5))
    history = [make_deployment(2, 9, "Deploy"), make_deployment(1, 4, "Deploy", score=score)]
    html = render_site(make_timeline(steps=order_steps(history)))["index.html"]
    assert "0.400 [0.300, 0.500] F1" in find_rows(html, "Versions")[1]
    assert '<p class="axis scaled even"><span>2</span></p>' in html


def test_a_check_at_another_model_says_nothing_of_what_runs() -> None:
    """After a deployment the alarm of the model before is not held against the new one."""
    steps = order_steps([make_deployment(3, 40, "Deploy model 3"), *make_history()[2:]])
    html = render_site(make_timeline(steps=steps))["index.html"]
    assert '<div class="verdict pass">\n<h1>Model 3 is in production</h1>' in html
    assert "Nobody has checked it yet" in html


def test_live_metric_is_held_against_the_version_that_ran() -> None:
    """The dashed line steps where another version came into production."""
    cell = find_chart(render_site(make_timeline())["index.html"], "ROC AUC, live against test")
    [path] = re.findall(r'<path class="rule" d="([^"]+)"', cell)
    heights = re.findall(r"(?:M0 |V)([\d.]+)", path)
    assert 3 == len(heights)
    assert heights[0] == heights[2]
    assert float(heights[1]) < float(heights[0])


def test_data_accepted_over_time() -> None:
    """Rows and files, the newest first, and whether the clone knows all of it."""
    html = render_site(make_timeline())["index.html"]
    assert [
        "2026-10-17 06:00 Accept September a2a2a2a2a2 2 2,500",
        "2026-08-08 06:00 Accept the first flights a1a1a1a1a1 1 1,000",
    ] == find_rows(html, "Data")
    assert "shallow" not in html
    assert "It is a shallow clone" in render_site(make_timeline(shallow=True))["index.html"]


def test_text_of_people_is_escaped() -> None:
    """Subjects of commits, names of metrics and columns, and titles of cards change no element."""
    indexes = []
    for text in (EVIL, "x" * len(EVIL)):
        score = Score(metric=text, estimate=Estimate(value=0.4, low=0.3, high=0.5))
        history = [make_deployment(1, 4, text, score=score, commit=text, image=text, run_key=text)]
        check = make_checks(1)[0].model_copy(
            update={"drift": {"log": {text: (0.5, 0.1)}}, "metrics": {text: (0.5, 0.4, 0.6)}}
        )
        timeline = make_timeline(
            steps=order_steps(history),
            checks=[check],
            cards={1: f"# {text}"},
            accepted=[Acceptance(make_time(0), text, text, 1, 1)],
        )
        pages = render_site(timeline)
        indexes.append(Reader(pages["index.html"]))
        assert "<script" not in pages["model-1.html"]
    evil, plain = indexes
    assert plain.order == evil.order
    assert plain.attributes == evil.attributes
    assert evil.text.count(EVIL) == plain.text.count("x" * len(EVIL)) > 8


def test_nothing_deployed_is_said(clone: Path) -> None:
    """Before the first deployment there is one page, which says so, and shows the data all the same."""
    accept(clone, 1200, "Accept the first flights")
    assert "1 page about production: open site/index.html.\n" == run("site").output
    pages = read_pages(clone / "site")
    assert ["index.html"] == list(pages)
    assert "<h1>Nothing has been deployed yet</h1>" in pages["index.html"]
    assert "1,200" in find_rows(pages["index.html"], "Data")[0]


def test_site_is_made_from_the_branch(clone: Path) -> None:
    """Deployments, cards, checks and the record of the last one are read from the remote's branch."""
    odd = make_checks(1)[0].model_copy(update={"time": "yesterday"})
    checks = "\n".join(
        [*(check.model_dump_json() for check in make_checks(3)), "no check", odd.model_dump_json()]
    )
    write_state(clone, 1, "Deploy model 1")
    write_state(clone, 2, "Deploy model 2")
    monitoring = {
        "monitoring/history.jsonl": checks,
        "monitoring/monitoring.json": make_record().model_dump_json(),
    }
    tip = fetch_tip(clone, "origin")
    encoded = {path: text.encode() for path, text in monitoring.items()}
    commit_check(clone, "origin", encoded, "Check model 2: alarm", str(tip))
    accept(clone, 1000, "Accept")
    (clone / "data.lock").write_text("<<<<<<< half-merged\n")
    git(clone, "commit", "--quiet", "--all", "--message", "Break it")
    accept(clone, 3000, "Accept more")
    timeline = read_timeline(clone, "origin")
    assert [(2, "deployed"), (1, "deployed")] == [
        (step.deployment.state.version, step.kind) for step in timeline.steps
    ]
    assert make_checks(3) == timeline.checks
    assert make_record() == timeline.record
    assert {1: CARD, 2: CARD} == timeline.cards
    assert [1000, 3000] == [one.rows for one in timeline.accepted]
    assert git(clone / "../remote.git", "rev-parse", "production") == timeline.tip
    assert "4 pages about production: open site/index.html.\n" == run("site").output
    assert "Late flights in production" in read_pages(clone / "site")["index.html"]


def test_shallow_clone_is_told(clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout of one commit knows only what its own lock says."""
    accept(clone, 1000, "Accept")
    accept(clone, 2000, "Accept more")
    git(clone, "push", "--quiet", "origin", "main")
    address = f"file://{tmp_path}/remote.git"
    git(tmp_path, "clone", "--quiet", "--depth", "1", "--branch", "main", address, "shallow")
    timeline = read_timeline(tmp_path / "shallow", "origin")
    assert (True, [2000]) == (timeline.shallow, [one.rows for one in timeline.accepted])


def test_an_earlier_site_is_replaced_as_a_whole(clone: Path) -> None:
    """Pages that are no longer true do not stay behind, and nothing is left beside."""
    write_state(clone, 1, "Deploy model 1")
    run("site", "--out", "public/site")
    git(clone, "push", "--quiet", "--delete", "origin", "production")
    run("site", "--out", "public/site")
    assert ["index.html"] == list(read_pages(clone / "public/site"))
    assert ["site"] == [path.name for path in (clone / "public").iterdir()]


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"CNAME": "example.org", "index.html": GENERATOR}, "CNAME"),
        ({"index.html": "<html>mine</html>"}, "index.html"),
        ({"model-1.html": "mine"}, "model-1.html"),
    ],
)
def test_other_folders_are_not_replaced(clone: Path, files: dict[str, str], named: str) -> None:
    """What it did not make is named, and stays."""
    out = clone / "site"
    out.mkdir()
    for name, text in files.items():
        (out / name).write_text(text)
    result = mlops("site")
    assert 1 == result.exit_code
    expected = (
        f"Error: site holds {named}, which 'mlops site' did not make; name another folder with --out.\n"
    )
    assert expected == result.stderr
    assert files == read_pages(out)


def test_a_file_is_not_replaced(clone: Path) -> None:
    """Neither is a file of that name."""
    (clone / "site").write_text("mine")
    assert 1 == mlops("site").exit_code
    assert "mine" == (clone / "site").read_text()


def test_unreachable_remote_changes_nothing(clone: Path) -> None:
    """The site of yesterday stays until there is one of today."""
    run("site")
    before = read_pages(clone / "site")
    shutil.rmtree(clone / "../remote.git")
    assert 1 == mlops("site").exit_code
    assert before == read_pages(clone / "site")

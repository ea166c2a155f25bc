"""The report in Markdown."""

from __future__ import annotations

import re

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from examples import (
    around,
    make_changes,
    make_comparison,
    make_contest,
    make_evaluation,
    make_failure,
    make_records,
    make_run,
    make_settings,
    make_training,
    make_validation,
)
from gitops_ml.core import records as r
from gitops_ml.report.markdown import LIMIT, code, escape, render_report

PROBLEMS = ["binary", "multiclass", "regression"]
NASTY = [
    "a|b",
    "a\\|b",
    "`",
    "``x`` | y",
    "\\",
    "</details><h1>x</h1>",
    "<img src=x onerror=alert(1)>",
    "@octocat",
    "#1",
    "https://evil.example/x?a|b",
    "www.evil.example",
    "a@evil.example",
    "[x](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "a\n\n# b\n\n| c |",
    "*a* _b_ ~~c~~",
    "$x$",
    "<!-- ",
    "&lt;b&gt;",
    "",
    "\u202e\x00",
]


def to_html(markdown: str) -> str:
    """Return what GitHub's own Markdown makes of it, raw HTML included."""
    html: str = cmarkgfm.github_flavored_markdown_to_html(markdown, options=Options.CMARK_OPT_UNSAFE)
    return html


def skeleton(markdown: str) -> list[str]:
    """Return the tags of the HTML in order; code and its element are text."""
    html = re.sub(r"<pre.*?</pre>", "", to_html(markdown), flags=re.DOTALL)
    return re.findall(r"</?(?!code)[a-z]\w*", html)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_verdict_comes_first_then_metrics_gates_data_candidates_and_slices(problem: str) -> None:
    """A busy reviewer reads from the top."""
    report = render_report(make_records(problem), make_settings(problem))
    assert report.startswith("### ✅ Better than the baseline")
    found = [
        report.index(part)
        for part in ("| Metric", "#### Gates", "#### Data", "#### Candidates", "#### Slices")
    ]
    assert sorted(found) == found
    assert report.index("Reproduce: `git checkout 0123456789abcdef") > found[-1]


def test_metrics_carry_intervals_and_say_which_way_is_good() -> None:
    """A number without its interval and direction is no evidence."""
    report = render_report(make_records(), make_settings("binary"))
    assert (
        "| **ROC AUC** ↑ | **0.727 [0.712, 0.742]** | 0.500 [0.490, 0.510] | +0.227 [+0.216, +0.238] |"
        in report
    )
    assert "| Log loss ↓ |" in report


def test_failed_gates_and_failed_candidates_are_named_with_their_reason() -> None:
    """What went wrong is not folded away."""
    gates = [
        r.Gate(name="size", passed=True, evidence="1 MB"),
        r.Gate(name="latency", passed=False, evidence="200 ms"),
    ]
    report = render_report(make_records(comparison=make_comparison("binary", gates=gates)), None)
    assert "| ❌ | latency | 200 ms |\n| ✅ | size | 1 MB |" in report
    assert "| ❌ | `forest` | failed: it took over 300 s | 300.0 |" in report


def test_waiting_files_quarantine_and_findings_are_shown() -> None:
    """A reviewer sees what the data did."""
    report = render_report(make_records(validation=make_validation(quarantined=12)), None)
    assert "1 file not accepted yet: `data/c.parquet`" in report
    assert "**12 rows set aside**" in report
    assert "| ⚠️ | `wind_gust` | mostly present | 3,900 (75.0 %) | `nan` |" in report


def test_unwritten_sections_of_the_card_are_a_warning() -> None:
    """An unfinished card is loud in the report too."""
    report = render_report(make_records(run=make_run(unwritten=["Limitations"])), None)
    assert "> [!WARNING]\n> The model card has sections that nobody has written yet: Limitations." in report


def test_change_of_what_judges_it() -> None:
    """A change of the library's pin, or of a workflow, stands out; many files are counted."""
    one, many = (
        render_report(make_records(changes=r.ChangesRecord(protected=paths)), None)
        for paths in ([".github/workflows/train.yml"], [f"vendor/{number}" for number in range(7)])
    )
    assert "> [!WARNING]\n> This change touches what judges it: .github/workflows/train.yml. A code" in one
    assert "touches what judges it: vendor/0, vendor/1, vendor/2, vendor/3, vendor/4 and 2 more." in many


@pytest.mark.parametrize("stage", ["settings", "validate", "train", "evaluate", "compare"])
def test_failed_run_says_what_happened_and_shows_what_was_reached(stage: str) -> None:
    """Whatever happens, the report says it."""
    records = make_failure(stage)
    report = render_report(records, None)
    assert report.startswith("### ❌ ")
    assert "\n> params.yaml: data.source is 'x', expected a file.\n" in report
    shown = [
        "#### Data" in report,
        "#### Candidates" in report,
        "| Metric |" in report,
        "#### Gates" in report,
    ]
    parts = [records.validation, records.training, records.evaluation, records.comparison]
    assert [part is not None for part in parts] == shown


def test_secrets_in_addresses_are_not_written() -> None:
    """A report is read by more people than a database."""
    settings = make_settings("binary")
    source = "postgresql://me:hunter2@host/db?token=abc"
    data = settings.data.model_copy(update={"source": source, "query": "select 1"})
    report = render_report(make_records(), settings.model_copy(update={"data": data}))
    assert "hunter2" not in report
    assert "token=abc" not in report
    assert "postgresql://me:***@host" in report


def test_report_of_an_endless_run_fits_into_a_comment() -> None:
    """500 slices and 200 findings still make a comment that GitHub accepts, and it says what it left out."""
    long = "very long text, & <b> | " * 40
    finding = r.Finding(level="error", column=long, check=long, count=9, share=0.5, examples=[long] * 5)
    piece = r.SliceResult(column=long, level=long, rows=9, model=around(0.7, 0.1), baseline=around(0.5, 0.1))
    candidate = r.CandidateResult(name="x", status="failed", reason=long)
    records = make_records(
        run=make_run(status="failed", error=long * 1000),
        validation=make_validation(
            findings=[finding] * 200, waiting=[long] * 500, files=make_validation().files * 300
        ),
        training=make_training(
            "binary", candidates=[candidate] * 200, estimator=long * 1000, classes=[long] * 300
        ),
        evaluation=make_evaluation(
            "binary", slices=[piece] * 500, confusion=[[1] * 300] * 300, skipped={"f1": long}
        ),
    )
    report = render_report(records, make_settings("binary"))
    assert len(report) < LIMIT
    assert "more are left out here" in report
    assert to_html(report).count("<details>") == to_html(report).count("</details>")


def poison(text: str) -> r.Records:
    """Return the records of a run in whose every text from outside there is ``text``."""
    finding = r.Finding(level="error", column=text, check=text, count=9, share=0.5, examples=[text, text])
    piece = r.SliceResult(column=text, level=text, rows=9, model=around(0.7, 0.1), baseline=around(0.5, 0.1))
    importance = r.Importance(column=text, mean=0.1, sd=0.01)
    candidate = r.CandidateResult(name=text, status="failed", reason=text)
    return make_records(
        run=make_run(status="failed", error="x" + text),
        validation=make_validation(findings=[finding], waiting=[text], files=[make_validation().files[0]]),
        training=make_training("binary", classes=[text, text], candidates=[candidate], estimator=text),
        evaluation=make_evaluation(
            "binary", slices=[piece] * 7, importances=[importance], skipped={"f1": "x" + text}
        ),
        comparison=make_comparison("binary", gates=[r.Gate(name="x" + text, passed=True, evidence=text)]),
    )


HARMLESS = skeleton(render_report(poison("x"), None))


@pytest.mark.parametrize("text", NASTY)
def test_text_from_data_cannot_change_the_report(text: str) -> None:
    """Pipes, fences, HTML, mentions and links in data are shown, not obeyed."""
    report = render_report(poison(text), None)
    assert HARMLESS == skeleton(report)
    assert "@octocat" not in re.sub(r"<(pre|code).*?</\1>", "", to_html(report), flags=re.DOTALL)


@limits(max_examples=40, deadline=None)
@given(text=st.text(alphabet=st.sampled_from("ab|`\\<>[]()!*_~#@:/.&;\n\t $-=+1'\""), max_size=24))
def test_any_text_from_data_leaves_the_report_whole(text: str) -> None:
    """No mixture of Markdown's own characters breaks out of its place."""
    assert HARMLESS == skeleton(render_report(poison(text), None))


@pytest.mark.parametrize("text", ["a|b", "`a` | b", "\\|", "x < y & z", "__init__", "50 %"])
def test_values_are_shown_as_they_are(text: str) -> None:
    """Escaping must not change what a reader sees."""
    html = to_html(f"| {escape('h')} |\n| - |\n| {code(text)} |\n")
    shown = re.search(r"<td><code>(.*)</code></td>", html)
    assert shown is not None
    plain = shown[1].replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
    assert text == plain


@pytest.mark.parametrize("problem", ["binary", "regression"])
def test_with_a_champion_both_are_shown_side_by_side(problem: str) -> None:
    """Metrics and slices compare challenger and champion; the baseline stays in its gate."""
    records = make_records(problem, comparison=make_contest("better", problem), changes=make_changes())
    report = render_report(records, make_settings(problem))
    assert "| Metric | Challenger | Champion v3 | Better by |" in report
    assert "#### Slices, the greatest loss first" in report
    assert "| Baseline |" not in report
    assert report.index("#### Gates") < report.index("#### What this changes") < report.index("#### Data")


def test_what_changes_is_listed() -> None:
    """Files with rows, drift of new rows, columns, settings, and the card's diff."""
    records = make_records(comparison=make_contest("better"), changes=make_changes())
    report = render_report(records, make_settings("binary"))
    for line in (
        "| `data/a.parquet` | ✏️ changed | 2,700 | 2,600 |",
        "| `data/b.parquet` | ➕ added | 2,500 | 0 |",
        "| `data/old.parquet` | ➖ removed | 0 | 900 |",
        "**The new rows differ** from what champion v3 was trained on in 1 feature: `temp` (PSI 0.310).",
        "| `temp` | ✏️ changed | maximum 120 → 130 |",
        "| `train.seed` | `1` | `2` |",
        "```diff\n@@ -1 +1 @@\n-old\n+new\n```",
    ):
        assert line in report


@pytest.mark.parametrize("text", NASTY)
def test_nothing_in_a_change_acts_as_markdown(text: str) -> None:
    """Names of files, columns and settings are data, too."""
    plain, nasty = (
        make_changes(
            files=[r.FileChange(path=name, change="added", rows=1, rows_before=0)],
            settings=[r.SettingChange(key=name, before=name, after=None)],
            columns=[r.ColumnChange(column=name, change="changed", details=name)],
            drift=[r.Drift(column=name, psi=1.0, moved=True)],
        )
        for name in ("plain", text)
    )
    reports = [
        render_report(make_records(comparison=make_contest("better"), changes=one), make_settings("binary"))
        for one in (plain, nasty)
    ]
    assert skeleton(reports[0]) == skeleton(reports[1])


def test_a_report_of_many_changes_fits() -> None:
    """Long lists are cut, and say so."""
    changes = make_changes(
        files=[
            r.FileChange(path=f"data/{number}-{'x' * 80}.parquet", change="added", rows=1, rows_before=0)
            for number in range(3000)
        ],
        card="+ more\n" * 50_000,
    )
    report = render_report(make_records(changes=changes), make_settings("binary"))
    assert len(report) < LIMIT
    assert "more are left out here" in report

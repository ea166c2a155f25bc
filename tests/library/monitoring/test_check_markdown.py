"""A check of production as the text of an issue."""

from __future__ import annotations

import re

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options

from checks import (
    make_checks,
    make_columns,
    make_empty,
    make_files,
    make_log,
    make_performance,
    make_record,
    poison,
)
from gitops_ml.core.records import Finding
from gitops_ml.monitoring.check import records as m
from gitops_ml.monitoring.check.report import render_markdown
from gitops_ml.report.markdown import LIMIT

EVIL = [
    "<img src=x onerror=alert(1)>",
    "a|b`c`|",
    "@octocat",
    "#1 www.evil.example",
    "[x](https://evil.example)",
    "![x](https://evil.example)",
    "a\n\n# b\n\n- c",
    "*a* _b_ ~~c~~ $x$",
    "</details><!-- ",
]


def skeleton(markdown: str) -> list[str]:
    """Return the tags of the HTML in order; code is text."""
    html = cmarkgfm.github_flavored_markdown_to_html(markdown, options=Options.CMARK_OPT_UNSAFE)
    return re.findall(r"</?(?!code)[a-z]\w*", html)


def test_first_line_says_what_happened() -> None:
    """It is all that a notification shows."""
    first, *_ = render_markdown(make_record(), make_checks()).splitlines()
    assert "### ❌ Model 2: its data have moved and it has become worse" == first


def test_what_moved_has_numbers_and_words() -> None:
    """Each column that has moved has a row, the others are folded."""
    text = render_markdown(make_record(), make_checks())
    shown, _, folded = text.partition("#### The prediction log")[2].partition("<details>")
    assert "| `temp` | 1.00 | 0.11 | mean 56.2 → 38.9 | 0.0 % | 12.0 % |" in shown
    assert "| `humid` | 0.31 | 0.11 | missing 0 % → 3.1 % | 3.1 % from 0.0 % | 0.0 % |" in shown
    assert "new: `HNL`, `SAN`" in shown
    assert "`carrier`" not in shown
    assert "`carrier`" in folded


def test_performance_has_intervals() -> None:
    """Now, on the card, and the difference, all with their intervals."""
    row = "| ❌ | ROC AUC ↑ | 0.688 [0.672, 0.704] | 0.719 [0.703, 0.735] | −0.031 [−0.052, −0.010] |"
    assert row in render_markdown(make_record(), [])


def test_last_checks_are_one_line_of_signs() -> None:
    """Quiet, not yet an alarm, alarm: the newest at the end."""
    assert "🟩🟩🟩🟨🟨🟥" in render_markdown(make_record(), make_checks(24))


def test_next_steps_name_files() -> None:
    """What is to be accepted and what is left out is said by name."""
    text = render_markdown(make_record(), [])
    assert "- To be accepted: `data/flights-2026-10.parquet`\n" in text
    assert "- Left out, as they break the contract: `data/flights-2026-11.parquet`\n" in text


def test_nothing_to_check_at_is_said() -> None:
    """A check of nothing is an answer too."""
    text = render_markdown(make_empty(), [])
    assert text.startswith("### ⚠️ Model 1: there was nothing to check")
    assert "serve.log.url names no folder." in text


def test_same_checks_give_the_same_text() -> None:
    """An issue that is written anew changes with what it tells alone."""
    assert render_markdown(make_record(), make_checks()) == render_markdown(make_record(), make_checks())


@pytest.mark.parametrize("evil", EVIL)
def test_text_from_data_is_no_markup(evil: str) -> None:
    """No name of a column, level or file makes an element, a link, a mention or a row of a table."""

    def render(text: str) -> str:
        dumped = poison(make_record().model_dump(), text, frozenset({"time"}))
        record = m.MonitoringRecord.model_validate(dumped)
        return render_markdown(record.model_copy(update={"skipped": {text: text}}), [])

    assert skeleton(render("x")) == skeleton(render(evil))
    outside_code = re.sub("`[^`]*`", "", render(evil))
    assert not re.search(r"@octocat|(?<!&)#1|www\.evil|://evil", outside_code)


def test_endless_lists_fit_into_an_issue() -> None:
    """GitHub refuses longer texts, whatever the data hold."""
    names = [f"{'column ' * 8}{number}" for number in range(2000)]
    broken = Finding(
        level="error", column="c" * 60, check="k" * 200, count=1, share=0.1, examples=["e" * 60] * 5
    )
    files = [f"data/{'f' * 100}-{number}.parquet" for number in range(1000)]
    data = [
        make_files(columns=make_columns(names), files=files, findings={path: [broken] * 9 for path in files}),
        make_log(columns=make_columns(names), notes=["n" * 400] * 9),
    ]
    slices = make_performance().slices * 1000
    retraining = m.Retraining(due=True, reasons=["r" * 400] * 900, files=files, left_out=files)
    performance = make_performance(slices=slices)
    record = make_record(data=data, performance=performance, retraining=retraining)
    text = render_markdown(record, make_checks(300))
    assert len(text) < LIMIT < 60_000
    assert "more are left out here; all are in `monitoring.json`." in text

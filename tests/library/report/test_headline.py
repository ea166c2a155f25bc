"""The first line of a report."""

from __future__ import annotations

import pytest

from examples import (
    make_champion,
    make_comparison,
    make_contest,
    make_failure,
    make_records,
    make_validation,
)
from gitops_ml.core.records import Gate, Verdict, WaiverResult
from gitops_ml.report.headline import state_verdict, write_headline


def test_headline_of_a_good_run_states_verdict_score_and_that_there_is_no_champion() -> None:
    """The first line is the answer."""
    headline = write_headline(make_records())
    assert ("✅", "Better than the baseline: ROC AUC 0.727 [0.712, 0.742]") == headline[:2]
    assert "no champion yet" in headline.text
    assert "All 3 gates hold." in headline.text


def test_a_better_model_with_a_failing_gate_is_blocked() -> None:
    """The mark follows the gates, not the verdict."""
    gates = [
        Gate(name="latency", passed=False, evidence="200 ms"),
        Gate(name="size", passed=True, evidence="1 MB"),
    ]
    headline = write_headline(make_records(comparison=make_comparison("binary", gates=gates)))
    assert "❌" == headline.mark
    assert headline.title.startswith("Better than the baseline, but 1 gate fails")
    assert "blocks the merge: latency." in headline.text


def test_cannot_tell_is_said_and_comes_with_advice() -> None:
    """Uncertainty is not dressed up."""
    gates = [Gate(name="beats baseline", passed=False, evidence="the interval holds 0")]
    comparison = make_comparison("binary", verdict="cannot tell", gates=gates)
    headline = write_headline(make_records(comparison=comparison))
    assert headline.title.startswith("Cannot tell")
    assert "more rows" in headline.text


def test_broken_contract_is_the_headline() -> None:
    """A failed validation says how many checks failed, not which function raised."""
    finding = make_validation().findings[0].model_copy(update={"level": "error"})
    records = make_failure("train").model_copy(
        update={"validation": make_validation(passed=False, findings=[finding] * 2)}
    )
    assert "The data break the contract: 2 checks failed" == write_headline(records).title


@pytest.mark.parametrize(
    ("verdict", "mark", "title"),
    [
        ("better", "✅", "Better than champion v3: ROC AUC +0.012 [+0.004, +0.020]"),
        ("no worse", "✅", "No worse than champion v3: ROC AUC +0.002 [−0.004, +0.008]"),
        ("worse", "❌", "Worse than champion v3: ROC AUC −0.030 [−0.040, −0.020]"),
        (
            "cannot tell",
            "❌",
            "Cannot tell whether it is as good as champion v3: ROC AUC −0.002 [−0.022, +0.018]",
        ),
    ],
)
def test_the_verdict_on_a_champion_is_told_with_the_difference(
    verdict: Verdict, mark: str, title: str
) -> None:
    """With a champion the question is by how much, and how sure that is."""
    headline = write_headline(make_records(comparison=make_contest(verdict)))
    assert (mark, title) == headline[:2]
    assert "Champion v3 predicted the same rows." in headline.text


def test_rows_that_the_champion_knows_are_counted() -> None:
    """Who reads a comparison must know on how many rows it stands."""
    champion = make_champion("better", rows=1000, known_rows=200)
    headline = write_headline(make_records(comparison=make_contest("better", champion=champion)))
    assert (
        "Champion v3 predicted 1,000 of them; 200 are left out because it was trained on them."
        in headline.text
    )


def test_the_same_model_is_no_comparison() -> None:
    """Production runs it already: its own numbers are shown, and nothing was trained."""
    champion = make_champion("better", same=True, metrics=[], slices=[])
    headline = write_headline(make_records(comparison=make_contest("no worse", champion=champion)))
    assert ("✅", "Nothing that can change the model has changed") == headline[:2]
    assert (
        "Production runs this very model, champion v3: ROC AUC 0.727 [0.712, 0.742]. Nothing was trained."
        in headline.text
    )


def test_an_obstacle_is_named_and_blocks() -> None:
    """What cannot be compared is not guessed."""
    champion = make_champion("better", obstacle="the champion predicts 'x', the challenger 'y'", metrics=[])
    gates = [Gate(name="no worse than champion", passed=False, evidence="cannot be compared")]
    comparison = make_contest("cannot tell", champion=champion, difference=None, gates=gates)
    headline = write_headline(make_records(comparison=comparison))
    assert "❌" == headline.mark
    assert headline.title.startswith("Cannot be compared with champion v3")
    assert "the champion predicts 'x', the challenger 'y'." in headline.text
    assert "gates.waive" in headline.text


def test_a_waiver_is_said_in_the_first_lines() -> None:
    """Merging is possible, but nobody shall overlook why."""
    waiver = WaiverResult(reason="agreed", until="2099-01-01", expired=False)
    gates = [Gate(name="latency", passed=False, evidence="200 ms", waiver=waiver)]
    headline = write_headline(make_records(comparison=make_contest("better", gates=gates)))
    assert "⚠️" == headline.mark
    assert "because of a waiver: latency." in headline.text


def test_without_a_champion_the_verdict_is_on_the_baseline() -> None:
    """The first run has nothing else to be compared with."""
    assert "Better than the baseline" == state_verdict(make_comparison("binary"))

"""Numbers and verdicts in words."""

from __future__ import annotations

import math

import pytest

from {{ cookiecutter.__package }}.pipeline import wording
from {{ cookiecutter.__package }}.pipeline.records import Estimate, Gate

from examples import make_comparison, make_failure, make_records, make_training, make_validation


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.72746, "0.727"),
        (6.183, "6.18"),
        (1234.5, "1,234"),
        (0.00412, "0.00412"),
        (0, "0.000"),
        (-2.5, "\u22122.50"),
    ],
)
def test_numbers_have_three_significant_digits(value: float, text: str) -> None:
    """Scores show three digits that matter, whatever their size."""
    assert text == wording.write_number(value)


def test_what_is_no_number_is_a_dash() -> None:
    """Nobody reads 'nan' in a report."""
    assert [wording.DASH] * 3 == [wording.write_number(value) for value in (None, math.nan, math.inf)]


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0.0 %"), (0.0001, "<0.1 %"), (0.25, "25.0 %"), (0.99999, ">99.9 %"), (1.0, "100.0 %")],
)
def test_shares_do_not_round_to_none_or_all(share: float, text: str) -> None:
    """A few rows are not no rows."""
    assert text == wording.write_share(share)


def test_percentages_differ_by_points() -> None:
    """Seventy points better is not seventy percent better."""
    estimate = Estimate(value=0.0512, low=0.05, high=0.0524)
    assert "5.12 % [5.00, 5.24]" == wording.write_metric("mape", estimate)
    assert "+5.12 points [+5.00, +5.24]" == wording.write_metric("mape", estimate, sign="+")


def test_headline_of_a_good_run_states_verdict_score_and_that_there_is_no_champion() -> None:
    """The first line is the answer."""
    headline = wording.write_headline(make_records())
    assert ("✅", "Better than the baseline: ROC AUC 0.727 [0.712, 0.742]") == headline[:2]
    assert "no champion yet" in headline.text
    assert "All 3 gates hold." in headline.text


def test_a_better_model_with_a_failing_gate_is_blocked() -> None:
    """The mark follows the gates, not the verdict."""
    gates = [
        Gate(name="latency", passed=False, evidence="200 ms"),
        Gate(name="size", passed=True, evidence="1 MB"),
    ]
    headline = wording.write_headline(make_records(comparison=make_comparison("binary", gates=gates)))
    assert "❌" == headline.mark
    assert headline.title.startswith("Better than the baseline, but 1 gate fails")
    assert "blocks the merge: latency." in headline.text


def test_cannot_tell_is_said_and_comes_with_advice() -> None:
    """Uncertainty is not dressed up."""
    gates = [Gate(name="beats baseline", passed=False, evidence="the interval holds 0")]
    comparison = make_comparison("binary", verdict="cannot tell", gates=gates)
    headline = wording.write_headline(make_records(comparison=comparison))
    assert headline.title.startswith("Cannot tell")
    assert "more rows" in headline.text


def test_broken_contract_is_the_headline() -> None:
    """A failed validation says how many checks failed, not which function raised."""
    finding = make_validation().findings[0].model_copy(update={"level": "error"})
    records = make_failure("train").model_copy(
        update={"validation": make_validation(passed=False, findings=[finding] * 2)}
    )
    assert "The data break the contract: 2 checks failed" == wording.write_headline(records).title


def test_worst_slice_comes_first_in_both_directions() -> None:
    """Worst is low for a score and high for an error."""
    assert ["EWR", "JFK", "LGA"] == [piece.level for piece in wording.sort_slices(make_records("binary"))]
    assert ["LGA", "JFK", "EWR"] == [piece.level for piece in wording.sort_slices(make_records("regression"))]


def test_candidates_are_listed_winner_first_and_failed_last() -> None:
    """The order of the table is the order of the result."""
    names = [candidate.name for candidate in wording.sort_candidates(make_training("binary"))]
    assert ["boosting", "linear", "forest"] == names


def test_memory_addresses_are_left_out() -> None:
    """Two runs of one commit print one model."""
    assert " at 0x" not in wording.write_estimator(make_training("binary"))

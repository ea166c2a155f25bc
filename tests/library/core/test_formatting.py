"""Numbers and verdicts in words."""

from __future__ import annotations

import math

import pytest

from examples import make_training
from gitops_ml.core import formatting
from gitops_ml.core.records import Estimate


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
    assert text == formatting.write_number(value)


def test_what_is_no_number_is_a_dash() -> None:
    """Nobody reads 'nan' in a report."""
    assert [formatting.DASH] * 3 == [formatting.write_number(value) for value in (None, math.nan, math.inf)]


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0.0 %"), (0.0001, "<0.1 %"), (0.25, "25.0 %"), (0.99999, ">99.9 %"), (1.0, "100.0 %")],
)
def test_shares_do_not_round_to_none_or_all(share: float, text: str) -> None:
    """A few rows are not no rows."""
    assert text == formatting.write_share(share)


def test_percentages_differ_by_points() -> None:
    """Seventy points better is not seventy percent better."""
    estimate = Estimate(value=0.0512, low=0.05, high=0.0524)
    assert "5.12 % [5.00, 5.24]" == formatting.write_metric("mape", estimate)
    assert "+5.12 points [+5.00, +5.24]" == formatting.write_metric("mape", estimate, sign="+")


def test_memory_addresses_are_left_out() -> None:
    """Two runs of one commit print one model."""
    assert " at 0x" not in formatting.write_estimator(make_training("binary"))

"""Rows are counted in the bins of a profile, whatever chunks they come in."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from gitops_ml.drift import histogram as module
from gitops_ml.drift import profile as profiling
from gitops_ml.drift.histogram import (
    CategoryHistogram,
    Histogram,
    Histograms,
    NumberHistogram,
    count_reference,
    make_histogram,
)
from gitops_ml.drift.profile import CategoryProfile, NumberProfile, ProfileRecord, profile_column

NUMBERS = st.floats(-5, 5) | st.sampled_from([np.nan, np.inf, 0.0, 100.0])
LEVELS = st.sampled_from(["a", "b", "c", "new", "newer"]) | st.none()


def make_profile(rows: pd.DataFrame) -> ProfileRecord:
    features = {str(name): profile_column(column) for name, column in rows.items()}
    score = profiling.profile_numbers(pd.Series(np.linspace(0, 1, 50)))
    target = CategoryProfile(rows=2, missing=0, counts={"False": 1, "True": 1})
    return ProfileRecord(rows=len(rows), features=features, target=target, scores={"True": score})


REFERENCE = pd.DataFrame(
    {
        "number": np.arange(100.0) / 20,
        "level": np.resize(["a", "b", "c"], 100),
        "when": pd.date_range("2024-01-01", periods=100, freq="D"),
    }
)


def take(column: Histogram) -> list[int]:
    return [int(count) for count in column.counts]


def count(profile: NumberProfile | CategoryProfile, values: pd.Series) -> list[int]:
    """Return how many of the values are in each bin of a profile."""
    histogram = make_histogram(profile)
    histogram.add(values)
    return [int(number) for number in histogram.counts]


@limits(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(NUMBERS, LEVELS), min_size=1, max_size=60), st.lists(st.integers(0, 60), max_size=5)
)
def test_chunks_do_not_matter(values: list[tuple[float, str | None]], cuts: list[int]) -> None:
    """Counts, means and names of new levels are those of all rows at once."""
    rows = pd.DataFrame(values, columns=["number", "level"]).astype({"number": float, "level": "str"})
    rows["when"] = pd.date_range("2025-01-01", periods=len(rows), freq="h")
    whole, pieces = (Histograms(make_profile(REFERENCE), time="when") for _ in range(2))
    whole.add(rows)
    bounds = sorted({0, *(min(cut, len(rows)) for cut in cuts), len(rows)})
    for start, stop in pairwise(bounds):
        pieces.add(rows.iloc[start:stop])
    assert (whole.rows, whole.first, whole.last) == (pieces.rows, pieces.first, pieces.last)
    for name in ("number", "level"):
        assert take(whole.columns[name]) == take(pieces.columns[name])
        assert len(rows) == sum(take(whole.columns[name]))
    numbers, parts = whole.columns["number"], pieces.columns["number"]
    levels, others = whole.columns["level"], pieces.columns["level"]
    assert isinstance(numbers, NumberHistogram)
    assert isinstance(parts, NumberHistogram)
    assert isinstance(levels, CategoryHistogram)
    assert isinstance(others, CategoryHistogram)
    assert levels.new == others.new
    if numbers.present:
        assert [numbers.mean, numbers.sd] == pytest.approx([parts.mean, parts.sd], abs=1e-9)


@limits(max_examples=60, deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=80))
def test_a_profile_has_its_own_rows_inside(values: list[float]) -> None:
    """Counted again, the rows of the reference are where its profile has them, none out of range."""
    column = pd.Series(values, dtype=float)
    profile = profiling.profile_numbers(column)
    assert count_reference(profile).tolist() == count(profile, column)
    assert 0 == count_reference(profile)[0] == count_reference(profile)[-2]


def test_numbers_out_of_range_have_bins_of_their_own() -> None:
    """Below, inside, above, no number."""
    profile = profiling.profile_numbers(pd.Series([1.0, 2.0, 3.0]))
    found = count(profile, pd.Series([0.0, 0.5, 1.0, 3.0, 3.1, np.nan, np.inf]))
    assert (2, 2, 1, 2) == (found[0], sum(found[1:-2]), found[-2], found[-1])


def test_mean_and_spread_are_those_of_the_numbers() -> None:
    """Large numbers with a small spread included."""
    values = pd.Series(1e9 + np.random.default_rng(0).normal(size=1000))
    histogram = NumberHistogram(profiling.profile_numbers(values + 1))
    histogram.add(values)
    assert values.mean() == pytest.approx(histogram.mean, abs=1e-5)
    assert values.std(ddof=0) == pytest.approx(histogram.sd, rel=1e-5)


def test_durations_count_in_seconds() -> None:
    """As in the profile."""
    durations = pd.Series(pd.to_timedelta(["1min", "2min", "3min"]))
    profile = profile_column(durations)
    assert isinstance(profile, NumberProfile)
    histogram = NumberHistogram(profile)
    histogram.add(durations)
    assert (120.0, count_reference(profile).tolist()) == (histogram.mean, histogram.counts.tolist())


def test_a_rare_level_is_not_new() -> None:
    """The profile counts it with others, but remembers its name."""
    levels = [f"level{number:03}" for number in range(80) for _ in range(80 - number)]
    profile = profile_column(pd.Series(levels, dtype="str"))
    assert isinstance(profile, CategoryProfile)
    histogram = CategoryHistogram(profile)
    histogram.add(pd.Series(["level079", "level000", "other", None], dtype="str"))
    assert {"other": 1} == histogram.new
    assert [1, 1, 1] == histogram.counts[-3:].tolist()


def test_levels_too_many_to_remember_are_never_new(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the profile does not know all of its levels, an unknown one is no news."""
    monkeypatch.setattr(profiling, "MAX_RARE_LEVELS", 3)
    profile = profile_column(pd.Series([str(number) for number in range(100)], dtype="str"))
    assert isinstance(profile, CategoryProfile)
    histogram = CategoryHistogram(profile)
    histogram.add(pd.Series(["other"], dtype="str"))
    assert ([1, 0, 0], 0) == (histogram.counts[-3:].tolist(), len(histogram.new))


def test_new_levels_are_named_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Free text in a column of levels does not fill the memory; it is counted all the same."""
    monkeypatch.setattr(module, "MAX_NEW_LEVELS", 2)
    profile = profile_column(pd.Series(["a", "b"], dtype="str"))
    assert isinstance(profile, CategoryProfile)
    histogram = CategoryHistogram(profile)
    for text in ("p", "q", "r", "q"):
        histogram.add(pd.Series([text], dtype="str"))
    assert ({"p": 1, "q": 2}, 4) == (histogram.new, histogram.counts[-2])


def test_dates_are_not_counted_and_absent_columns_are_left_out() -> None:
    """New rows are of another time by nature; a log may lack a column."""
    histogram = Histograms(make_profile(REFERENCE), target="y", time="time")
    histogram.add(pd.DataFrame({"number": [1.0], "when": [pd.Timestamp("2024-01-01")], "y": [True]}))
    counted = {name for name, column in histogram.columns.items() if column.counts.any()}
    assert {"number", "y"} == counted
    assert {"number", "level", "y", "score True"} == set(histogram.columns)
    assert histogram.first is None

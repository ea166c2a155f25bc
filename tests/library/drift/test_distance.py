"""Distances of distributions, from their histograms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from gitops_ml.drift.distance import measure_jensen_shannon, measure_psi, measure_wasserstein
from gitops_ml.drift.histogram import NumberHistogram
from gitops_ml.drift.profile import profile_numbers

COUNTS = st.lists(st.integers(0, 1000), min_size=6, max_size=6).filter(any).map(np.array)
SAMPLES = st.lists(st.floats(-100, 100), min_size=2, max_size=50)


@limits(deadline=None)
@given(COUNTS, COUNTS)
def test_distances_of_shares_are_symmetric_and_bounded(one: np.ndarray, other: np.ndarray) -> None:
    """Neither side is the first; Jensen-Shannon ends at 1."""
    psi, distance = float(measure_psi(one, other)), measure_jensen_shannon(one, other)
    assert psi == pytest.approx(float(measure_psi(other, one)))
    assert distance == pytest.approx(measure_jensen_shannon(other, one), abs=1e-7)
    assert psi >= 0
    assert 0 <= distance <= 1 + 1e-9


@limits(deadline=None)
@given(COUNTS, st.integers(1, 50))
def test_equal_shares_have_no_distance(counts: np.ndarray, times: int) -> None:
    """However many rows there are."""
    assert 0 == pytest.approx(float(measure_psi(counts, counts * times)), abs=1e-9)
    assert 0 == pytest.approx(measure_jensen_shannon(counts, counts * times), abs=1e-6)


def test_nothing_in_common_is_the_greatest_distance() -> None:
    """A distance of 1 in base 2."""
    assert 1 == pytest.approx(measure_jensen_shannon(np.array([5, 0]), np.array([0, 9])))


def test_many_samples_are_measured_at_once() -> None:
    """The index of each row is that of the row alone."""
    before, after = np.array([10, 20, 30]), np.random.default_rng(0).integers(1, 50, (4, 3))
    expected = [float(measure_psi(before, row)) for row in after]
    assert expected == pytest.approx(measure_psi(before, after).tolist())


def carry(reference: pd.Series, values: pd.Series) -> float | None:
    histogram = NumberHistogram(profile_numbers(reference))
    histogram.add(values)
    return measure_wasserstein(histogram)


@limits(max_examples=60, deadline=None)
@given(SAMPLES, SAMPLES)
def test_carrying_costs_nothing_or_more(reference: list[float], values: list[float]) -> None:
    """Nothing for the same numbers; nothing can be said without a spread."""
    old, new = pd.Series(reference), pd.Series(values)
    if profile_numbers(old).sd:
        assert 0 == pytest.approx(carry(old, old), abs=1e-9)
        found = carry(old, new)
        assert found is not None
        assert found >= 0
    else:
        assert carry(old, new) is None


@pytest.mark.parametrize(("shift", "scale"), [(1.0, 1.0), (-0.5, 1.0), (0.0, 2.0), (10.0, 1.0)])
def test_carrying_is_about_that_of_the_values_themselves(shift: float, scale: float) -> None:
    """Bins lose little, numbers beyond the range included."""
    rng = np.random.default_rng(3)
    old, new = pd.Series(rng.normal(3, 5, 5000)), pd.Series(rng.normal(3 + 5 * shift, 5 * scale, 3000))
    exact = wasserstein_distance(old, new) / old.std()
    assert exact == pytest.approx(carry(old, new), rel=0.1, abs=0.03)

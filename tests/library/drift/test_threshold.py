"""A threshold of drift is what chance alone reaches in samples of that size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, chi2

from gitops_ml.drift import threshold
from gitops_ml.drift.distance import measure_psi
from gitops_ml.drift.histogram import make_histogram
from gitops_ml.drift.profile import CategoryProfile, NumberProfile, profile_column
from gitops_ml.drift.threshold import find_threshold

RNG = np.random.default_rng(11)
Draw = Callable[[int], pd.Series]


def draw_numbers(n_rows: int) -> pd.Series:
    return pd.Series(np.where(RNG.random(n_rows) < 0.05, np.nan, RNG.lognormal(size=n_rows)))


def draw_levels(n_rows: int) -> pd.Series:
    """Draw levels of which a sample never has all."""
    return pd.Series(RNG.zipf(1.8, n_rows).clip(max=2000).astype(str), dtype="str")


def draw_few_levels(n_rows: int) -> pd.Series:
    return pd.Series(RNG.choice(["a", "b", "c", "d"], n_rows, p=[0.7, 0.2, 0.09, 0.01]), dtype="str")


def profile_of(values: pd.Series) -> NumberProfile | CategoryProfile:
    profile = profile_column(values)
    assert isinstance(profile, NumberProfile | CategoryProfile)
    return profile


@pytest.mark.parametrize("draw", [draw_numbers, draw_levels])
def test_a_threshold_falls_as_samples_grow(draw: Draw) -> None:
    """Large samples scatter less."""
    profile = profile_of(draw(4000))
    thresholds = [find_threshold(profile, n_rows, 0.01) for n_rows in (10, 100, 1000, 10_000)]
    assert sorted(thresholds, reverse=True) == thresholds


def test_a_stricter_level_asks_for_more() -> None:
    """More columns at a time, higher thresholds."""
    profile = profile_of(draw_numbers(4000))
    assert find_threshold(profile, 500, 0.001) > find_threshold(profile, 500, 0.05)


def test_a_small_reference_asks_for_more() -> None:
    """It is a sample itself: a large sample does not make up for it."""
    values = draw_numbers(10_000)
    small, large = profile_of(values[:200]), profile_of(values)
    assert find_threshold(small, 10_000, 0.01) > 5 * find_threshold(large, 10_000, 0.01)


def test_a_threshold_of_large_samples_is_that_of_theory() -> None:
    """The index of samples from the same shares is close to a scaled chi-squared variable."""
    profile = profile_of(pd.Series(RNG.normal(size=50_000)))
    theory = chi2.isf(0.01, df=19) * (1 / 50_000 + 1 / 20_000)
    assert theory == pytest.approx(find_threshold(profile, 20_000, 0.01), rel=0.12)


def test_the_same_question_has_the_same_answer() -> None:
    """A check can be repeated."""
    profile = profile_of(draw_levels(500))
    assert find_threshold(profile, 100, 0.01) == find_threshold(profile, 100, 0.01)


@pytest.mark.parametrize(("n_rows", "reference_rows"), [(30, 300), (300, 300), (300, 3000), (3000, 300)])
@pytest.mark.parametrize(
    ("draw", "allowed"), [(draw_numbers, 0.05), (draw_few_levels, 0.05), (draw_levels, 0.15)]
)
def test_chance_exceeds_a_threshold_as_often_as_it_may(
    draw: Draw, allowed: float, n_rows: int, reference_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reference and sample are drawn anew each time; a long tail of levels is the hard case."""
    monkeypatch.setattr(threshold, "DRAWS", 1000)
    alarms, checks = 0, 80
    for _ in range(checks):
        profile = profile_of(draw(reference_rows))
        histogram = make_histogram(profile)
        histogram.add(draw(n_rows))
        psi = float(measure_psi(histogram.reference, histogram.counts))
        alarms += psi > find_threshold(profile, n_rows, 0.05)
    assert binomtest(alarms, checks, allowed, alternative="greater").pvalue > 0.001

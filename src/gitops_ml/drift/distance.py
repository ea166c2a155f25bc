"""Distances of two distributions, from their histograms: PSI, Jensen-Shannon, Wasserstein."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance

from .histogram import NumberHistogram

# Kept off zero, a bin without rows has a finite weight in the PSI.
MIN_SHARE = 1e-4


def measure_psi(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return the population stability index (PSI) of counts, 0 and up.

    It is the symmetrised Kullback-Leibler divergence (N. Siddiqi, Credit Risk Scorecards, 2006).

    Parameters
    ----------
    before, after : ndarray of shape (..., n_bins)
        Rows in each bin, at least one row each. They broadcast.

    Returns
    -------
    ndarray of shape (...)
        A bin without rows counts as if it had a share of 0.0001.
    """
    return np.asarray(list_psi_terms(before, after).sum(axis=-1))


def list_psi_terms(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return what each bin adds to the PSI, shape (..., n_bins); see `measure_psi`."""
    old, new = to_shares(before), to_shares(after)
    return np.asarray((new - old) * np.log(new / old))


def to_shares(counts: np.ndarray) -> np.ndarray:
    """Return counts of shape (..., n_bins) as shares of their sum, 0.0001 and up."""
    return np.maximum(counts / counts.sum(axis=-1, keepdims=True), MIN_SHARE)


def measure_jensen_shannon(before: np.ndarray, after: np.ndarray) -> float:
    """Return the Jensen-Shannon distance, base 2: 0 for equal shares, 1 for nothing in common.

    It is the square root of the divergence (J. Lin, Divergence measures based on the Shannon
    entropy, 1991).

    Parameters
    ----------
    before, after : ndarray of shape (n_bins,)
        Rows in each bin, at least one row each.
    """
    # Rounding may leave a root of less than nothing where shares are equal.
    return float(np.nan_to_num(jensenshannon(before, after, base=2)))


def measure_wasserstein(histogram: NumberHistogram) -> float | None:
    """Return the Wasserstein distance (earth mover's distance) of a histogram from its profile.

    Rows are taken to lie in the middle of their bins, those of the wide first and last bin within
    the reference's range a third of the way in, as tails thin out. That is exact up to the width of
    the bins. It is never less than the difference of the means, which are exact. Missing values do
    not count.

    Returns
    -------
    float or None
        In standard deviations of the reference, 0 and up; None where that has no spread, or one
        side no number.
    """
    profile = histogram.profile
    if not profile.sd or profile.mean is None or histogram.mean is None:
        return None
    places = _place_bins(histogram)
    distance = wasserstein_distance(places, places, histogram.reference[:-1], histogram.counts[:-1])
    return max(float(distance), abs(histogram.mean - profile.mean)) / profile.sd


def _place_bins(histogram: NumberHistogram) -> np.ndarray:
    """Return one number for each bin that holds numbers, shape (n_bins - 1,)."""
    profile = histogram.profile
    assert profile.minimum is not None
    assert profile.maximum is not None
    least, greatest = min(profile.minimum, histogram.minimum), max(profile.maximum, histogram.maximum)
    edges = np.array([least, profile.minimum, *profile.edges, profile.maximum, greatest])
    way = np.full(len(edges) - 1, 1 / 2)
    way[[1, -2]] = 2 / 3, 1 / 3
    return np.asarray(edges[:-1] + way * np.diff(edges))

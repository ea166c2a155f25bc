"""How far two distributions of one column lie apart, from counts in the same bins."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance

from .bins import lay_out
from .histogram import NumberTally


def measure_jensen_shannon(before: np.ndarray, after: np.ndarray) -> float:
    """Return the Jensen-Shannon distance, base 2: 0 for equal shares, 1 for nothing in common.

    Parameters
    ----------
    before, after : ndarray of shape (n_bins,)
        Rows in each bin, at least one row each.
    """
    # Rounding may leave a root of less than nothing where shares are equal.
    return float(np.nan_to_num(jensenshannon(before, after, base=2)))


def measure_wasserstein(tally: NumberTally) -> float | None:
    """Return how far numbers must be carried to turn one distribution into the other, on average.

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
    profile, before, after = tally.profile, lay_out(tally.profile)[:-1], tally.counts[:-1]
    if not profile.sd or profile.mean is None or tally.mean is None:
        return None
    places = _place_bins(tally)
    least = abs(tally.mean - profile.mean)
    return max(float(wasserstein_distance(places, places, before, after)), least) / profile.sd


def _place_bins(tally: NumberTally) -> np.ndarray:
    """Return one number for each bin that holds numbers, shape (n_bins - 1,)."""
    profile = tally.profile
    assert profile.minimum is not None
    assert profile.maximum is not None
    least, greatest = min(profile.minimum, tally.minimum), max(profile.maximum, tally.maximum)
    edges = np.array([least, profile.minimum, *profile.edges, profile.maximum, greatest])
    way = np.full(len(edges) - 1, 1 / 2)
    way[[1, -2]] = 2 / 3, 1 / 3
    return np.asarray(edges[:-1] + way * np.diff(edges))

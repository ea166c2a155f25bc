"""How far two distributions of one column lie apart, from counts in the same bins."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance

from ..pipeline.bins import lay_out
from .tally import NumberTally


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

    Rows are taken to lie in the middle of their bins, whose outer edges are the least and the
    greatest number: exact up to the width of the bins, which are narrow where rows are many.
    Missing values do not count.

    Returns
    -------
    float or None
        In standard deviations of the reference, 0 and up; None where that has no spread, or one
        side no number.
    """
    profile, before, after = tally.profile, lay_out(tally.profile)[:-1], tally.counts[:-1]
    if not profile.sd or profile.minimum is None or profile.maximum is None or not after.any():
        return None
    least, greatest = min(profile.minimum, tally.minimum), max(profile.maximum, tally.maximum)
    edges = np.array([least, profile.minimum, *profile.edges, profile.maximum, greatest])
    middles = (edges[:-1] + edges[1:]) / 2
    return float(wasserstein_distance(middles, middles, before, after)) / profile.sd

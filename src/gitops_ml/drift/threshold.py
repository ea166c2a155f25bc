"""Thresholds of drift: the quantile of the PSI under sampling noise alone."""

from __future__ import annotations

import numpy as np

from .distance import measure_psi
from .histogram import count_reference
from .profile import CategoryProfile, NumberProfile

DRAWS = 20_000
SEED = 0


def find_threshold(profile: NumberProfile | CategoryProfile, n_rows: int, level: float) -> float:
    """Return the PSI that samples without drift exceed with probability ``level``.

    A parametric bootstrap. The reference is a sample itself, so the true shares are not known:
    they are drawn from their posterior distribution given its counts, a Dirichlet distribution,
    and the rows of the new sample from these shares. What the reference just did not see, such as
    a number outside its range or another level, has the weight that the rule of succession and
    that of Good and Turing give it: a new row lies above the greatest of n with probability
    1 / (n + 1), and is of a new level as often as a row of the reference is the only one of its
    level. (A long tail of rare levels is the hard case: there, samples much larger than the
    reference exceed the threshold up to three times as often.)

    Parameters
    ----------
    profile : NumberProfile or CategoryProfile
        Of the reference, at least one row.
    n_rows : int
        Of the new sample, taken to be independent of each other.
    level : float
        0 to 1. Below about 0.0002 the draws are too few to tell.

    Returns
    -------
    float
        The same for the same arguments: the draws are seeded.

    References
    ----------
    B. Yurdakul, Statistical properties of population stability index (2018). I. J. Good, The
    population frequencies of species and the estimation of population parameters (1953).
    """
    rng = np.random.default_rng(SEED)
    counts, weights = count_reference(profile), _weigh_bins(profile)
    shares = rng.standard_gamma(weights, (DRAWS, len(weights)))
    samples = rng.multinomial(n_rows, shares / shares.sum(axis=1, keepdims=True))
    return float(np.quantile(measure_psi(counts, samples), 1 - level, method="higher"))


def _weigh_bins(profile: NumberProfile | CategoryProfile) -> np.ndarray:
    """Return the parameters of the Dirichlet distribution, shape (n_bins,)."""
    weights = count_reference(profile).astype(float)
    weights[-1] += 1
    if isinstance(profile, CategoryProfile):
        weights[:-1] *= 1 - profile.once / max(1, profile.rows)
        weights[-2] += max(1, profile.once)
    else:
        weights[[0, -2]] += 1
    return weights

"""How far rows lie from the data that a champion was trained on."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency

from ..core.records import Drift
from .bins import Profile, count_values, lay_out
from .profile import DateProfile, NumberProfile, ProfileRecord

# What the credit industry calls a moderate shift (N. Siddiqi, Credit Risk Scorecards, 2006).
MODERATE = 0.1
# Of all features together, this share may look moved by chance.
ERRORS = 0.01
# Kept off zero, a bin without rows has a finite weight.
LEAST = 1e-4


def measure_drift(profile: ProfileRecord, rows: pd.DataFrame) -> list[Drift]:
    """Compare the features of rows with a profile, bin by bin.

    The population stability index is large by chance alone where rows are few (B. Yurdakul,
    Statistical properties of population stability index, 2018). So a feature has moved only if a
    chi-squared test of the same counts says so too, at a level corrected for the number of
    features. Dates are left out, since new rows are of another time by nature.

    Parameters
    ----------
    profile : ProfileRecord
        Of the champion's bundle.
    rows : DataFrame of shape (n_rows, n_columns)
        At least one row.

    Returns
    -------
    list of Drift
        Of features that both have, the farthest first.
    """
    shared = {
        name: one
        for name, one in profile.features.items()
        if name in rows and not isinstance(one, DateProfile)
    }
    found = [_measure_one(name, one, rows[name], len(shared)) for name, one in shared.items()]
    return sorted(found, key=lambda drift: (-drift.psi, drift.column))


def measure_psi(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return the population stability index of counts, 0 and up.

    Parameters
    ----------
    before, after : ndarray of shape (..., n_bins)
        Rows in each bin, at least one row each. They broadcast.

    Returns
    -------
    ndarray of shape (...)
        A bin without rows counts as if it had a share of 0.0001.
    """
    old, new = (np.maximum(counts / counts.sum(axis=-1, keepdims=True), LEAST) for counts in (before, after))
    return np.asarray(((new - old) * np.log(new / old)).sum(axis=-1))


def _measure_one(name: str, profile: Profile, values: pd.Series, n_features: int) -> Drift:
    counts = np.array([lay_out(profile), count_values(profile, values)])
    if isinstance(profile, NumberProfile):
        counts = _open_ends(counts)
    counts = counts[:, counts.sum(axis=0) > 0]
    psi = float(measure_psi(*counts))
    chance = chi2_contingency(counts).pvalue if counts.shape[1] > 1 else 1.0
    return Drift(column=name, psi=psi, moved=bool(psi > MODERATE and chance < ERRORS / n_features))


def _open_ends(counts: np.ndarray) -> np.ndarray:
    """Count what lies outside the range with the bins at its ends: the test needs bins with rows."""
    folded = counts.copy()
    folded[:, 1] += counts[:, 0]
    folded[:, -3] += counts[:, -2]
    return np.delete(folded, [0, -2], axis=1)

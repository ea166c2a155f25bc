"""Drift of the features of a change's new rows, for its report: PSI and a chi-squared test."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency

from ..core.records import Drift
from .distance import measure_psi
from .histogram import NumberHistogram, make_histogram
from .profile import CategoryProfile, DateProfile, NumberProfile, ProfileRecord

# What the credit industry calls a moderate shift (N. Siddiqi, Credit Risk Scorecards, 2006).
MODERATE = 0.1
# Of all features together, this share may look moved by chance.
FALSE_ALARMS = 0.01


def measure_features(profile: ProfileRecord, rows: pd.DataFrame) -> list[Drift]:
    """Return the population stability index (PSI) of each feature against a profile.

    PSI is large by chance alone where rows are few (B. Yurdakul, Statistical properties of
    population stability index, 2018). So a feature has moved only if a chi-squared test of the
    same counts is significant, too, at a level corrected for the number of features (Bonferroni).
    Dates are left out, since new rows are of another time by nature.

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
    level = FALSE_ALARMS / max(1, len(shared))
    found = [_measure_feature(name, one, rows[name], level) for name, one in shared.items()]
    return sorted(found, key=lambda drift: (-drift.psi, drift.column))


def _measure_feature(
    name: str, profile: NumberProfile | CategoryProfile, values: pd.Series, level: float
) -> Drift:
    histogram = make_histogram(profile)
    histogram.add(values)
    counts = np.array([histogram.reference, histogram.counts])
    if isinstance(histogram, NumberHistogram):
        counts = _open_ends(counts)
    counts = counts[:, counts.sum(axis=0) > 0]
    psi = float(measure_psi(*counts))
    chance = chi2_contingency(counts).pvalue if counts.shape[1] > 1 else 1.0
    return Drift(column=name, psi=psi, moved=bool(psi > MODERATE and chance < level))


def _open_ends(counts: np.ndarray) -> np.ndarray:
    """Count what lies outside the range with the bins at its ends: the test needs bins with rows."""
    folded = counts.copy()
    folded[:, 1] += counts[:, 0]
    folded[:, -3] += counts[:, -2]
    return np.delete(folded, [0, -2], axis=1)

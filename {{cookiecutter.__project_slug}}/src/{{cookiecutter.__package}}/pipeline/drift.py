"""How far rows lie from the data that a champion was trained on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency

from .profile import CategoryProfile, DateProfile, NumberProfile, ProfileRecord
from .records import Drift

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


def _measure_one(
    name: str, profile: NumberProfile | CategoryProfile, values: pd.Series, n_features: int
) -> Drift:
    counts = np.array(_count(profile, values))
    counts = counts[:, counts.sum(axis=0) > 0]
    before, after = np.maximum(counts / counts.sum(axis=1, keepdims=True), LEAST)
    psi = float(((after - before) * np.log(after / before)).sum())
    chance = chi2_contingency(counts).pvalue if counts.shape[1] > 1 else 1.0
    return Drift(column=name, psi=psi, moved=bool(psi > MODERATE and chance < ERRORS / n_features))


def _count(profile: NumberProfile | CategoryProfile, values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return how many rows are in each bin, before and now; missing values are a bin of their own."""
    missing = np.array([profile.missing * profile.rows, values.isna().sum()])
    if isinstance(profile, CategoryProfile):
        before, after = _count_levels(profile, values.dropna().map(str).value_counts().to_dict())
    else:
        before, after = np.array(profile.counts), _count_numbers(profile, values)
    return np.append(before, missing[0]), np.append(after, missing[1])


def _count_levels(profile: CategoryProfile, counts: Mapping[str, int]) -> tuple[np.ndarray, np.ndarray]:
    after = [counts.get(level, 0) for level in profile.counts]
    others = sum(counts.values()) - sum(after)
    return np.array([*profile.counts.values(), profile.other]), np.array([*after, others])


def _count_numbers(profile: NumberProfile, values: pd.Series) -> np.ndarray:
    if pd.api.types.is_timedelta64_dtype(values.dtype):
        values = values.dt.total_seconds()
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    places = np.searchsorted(profile.edges, numbers[np.isfinite(numbers)], side="right")
    return np.bincount(places, minlength=len(profile.edges) + 1)

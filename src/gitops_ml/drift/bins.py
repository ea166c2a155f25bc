"""Rows in the bins of a profile, of the profile itself and of any other values of the column.

The bins of numbers are: below the least, the bins of the profile, above the greatest, no number.
Those of categories are: the frequent levels of the profile, its rare levels together, new levels, no
level.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from .profile import CategoryProfile, NumberProfile

Profile = NumberProfile | CategoryProfile
# A level with fewer rows is rare: what happens to its few rows by chance looks like much.
FEW = 5


def lay_out(profile: Profile) -> np.ndarray:
    """Return how many rows of the profile are in each bin, shape (n_bins,), integers."""
    if isinstance(profile, CategoryProfile):
        frequent = [profile.counts[level] for level in list_frequent(profile)]
        known = [*frequent, sum(profile.counts.values()) - sum(frequent) + profile.other, 0]
    else:
        known = [0, *profile.counts, 0]
    return np.array([*known, profile.rows - sum(known)])


def list_frequent(profile: CategoryProfile) -> list[str]:
    """Return the levels that have bins of their own, the most frequent first."""
    return [level for level, count in profile.counts.items() if count >= FEW]


def count_values(profile: Profile, values: pd.Series) -> np.ndarray:
    """Return how many values are in each bin, shape (n_bins,), integers; durations count in seconds."""
    if isinstance(profile, CategoryProfile):
        levels = count_levels(values)
        return place_levels(profile, levels, len(values) - sum(levels.values()))
    return place_numbers(profile, read_numbers(values))


def read_numbers(values: pd.Series) -> np.ndarray:
    """Return a column as floats, shape (n_rows,); NaN where it holds no number."""
    if pd.api.types.is_timedelta64_dtype(values.dtype):
        values = values.dt.total_seconds()
    return np.asarray(pd.to_numeric(values, errors="coerce").to_numpy(dtype=float, na_value=np.nan))


def count_levels(values: pd.Series) -> dict[str, int]:
    """Return how often each level occurs, the most frequent first; missing values are none."""
    counts: dict[str, int] = {}
    for level, count in values.value_counts().items():
        if count:
            counts[str(level)] = counts.get(str(level), 0) + int(count)
    return counts


def place_numbers(profile: NumberProfile, numbers: np.ndarray) -> np.ndarray:
    """Return how many of the numbers are in each bin; what is not finite is no number."""
    finite = numbers[np.isfinite(numbers)]
    places = np.searchsorted(profile.edges, finite, side="right") + 1
    if profile.minimum is not None and profile.maximum is not None:
        places[finite < profile.minimum] = 0
        places[finite > profile.maximum] = len(profile.edges) + 2
    counts = np.bincount(places, minlength=len(profile.edges) + 4)
    counts[-1] = len(numbers) - len(finite)
    return counts


def place_levels(profile: CategoryProfile, levels: Mapping[str, int], missing: int) -> np.ndarray:
    """Return how many rows are in each bin, from how often each level occurs."""
    known = [levels.get(level, 0) for level in list_frequent(profile)]
    new = sum(pick_new(profile, levels).values())
    return np.array([*known, sum(levels.values()) - sum(known) - new, new, missing])


def pick_new(profile: CategoryProfile, levels: Mapping[str, int]) -> dict[str, int]:
    """Return the levels that the profile does not have; none where it does not know all of its own."""
    if profile.rare is None and profile.other:
        return {}
    known = {*profile.counts, *(profile.rare or [])}
    return {level: count for level, count in levels.items() if level not in known}

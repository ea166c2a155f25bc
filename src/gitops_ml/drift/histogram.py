"""Histograms of columns in the bins of a reference profile, filled chunk by chunk.

The bins of numbers are: below the least, the bins of the profile, above the greatest, no number.
Those of categories are: the frequent levels of the profile, its rare levels together, new levels, no
level.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pandas as pd

from .profile import CategoryProfile, DateProfile, NumberProfile, ProfileRecord, to_numbers

# A level with fewer rows is rare: what happens to its few rows by chance looks like much.
MIN_FREQUENT = 5
# New levels of a category that are told apart.
MAX_NEW_LEVELS = 300


class NumberHistogram:
    """Histogram of a numeric column, with its mean and standard deviation.

    Parameters
    ----------
    profile : NumberProfile
    """

    def __init__(self, profile: NumberProfile) -> None:
        self.profile = profile
        self.reference = count_reference(profile)
        """Rows of the profile in each bin, shape (n_bins,), integers."""
        self.counts = np.zeros_like(self.reference)
        """Rows that were added, in the same bins."""
        self.minimum, self.maximum = np.inf, -np.inf
        self._sum, self._sum_of_squares = 0.0, 0.0

    def add(self, values: pd.Series) -> None:
        """Add a chunk of the column; a duration counts in seconds, what is not finite is no number."""
        numbers = to_numbers(values)
        finite = numbers[np.isfinite(numbers)]
        self.counts[-1] += len(numbers) - len(finite)
        if len(finite):
            self.counts += self._bin(finite)
            self.minimum = min(self.minimum, float(finite.min()))
            self.maximum = max(self.maximum, float(finite.max()))
            # Around the mean of the profile, since squares of large numbers lose their last digits.
            deviations = finite - (self.profile.mean or 0.0)
            self._sum += float(deviations.sum())
            self._sum_of_squares += float((deviations**2).sum())

    def _bin(self, numbers: np.ndarray) -> np.ndarray:
        profile = self.profile
        places = np.searchsorted(profile.edges, numbers, side="right") + 1
        if profile.minimum is not None and profile.maximum is not None:
            places[numbers < profile.minimum] = 0
            places[numbers > profile.maximum] = len(self.counts) - 2
        return np.bincount(places, minlength=len(self.counts))

    @property
    def present(self) -> int:
        """Rows with a number."""
        return int(self.counts[:-1].sum())

    @property
    def mean(self) -> float | None:
        """None where there is no number."""
        return (self.profile.mean or 0.0) + self._sum / self.present if self.present else None

    @property
    def sd(self) -> float | None:
        """Standard deviation; None where there is no number."""
        if not self.present:
            return None
        variance = self._sum_of_squares / self.present - (self._sum / self.present) ** 2
        return float(np.sqrt(max(variance, 0.0)))


class CategoryHistogram:
    """Histogram of a categorical column, with the names of levels that its profile does not have.

    Parameters
    ----------
    profile : CategoryProfile
    """

    def __init__(self, profile: CategoryProfile) -> None:
        self.profile = profile
        self.reference = count_reference(profile)
        """Rows of the profile in each bin, shape (n_bins,), integers."""
        self.counts = np.zeros_like(self.reference)
        """Rows that were added, in the same bins."""
        self.new: Counter[str] = Counter()
        """Rows of new levels; where these are many, of those that came first."""

    def add(self, values: pd.Series) -> None:
        """Add a chunk of the column."""
        levels = _count_levels(values)
        frequent = [levels.get(level, 0) for level in list_frequent(self.profile)]
        new, present = self._find_new(levels), sum(levels.values())
        rare = present - sum(frequent) - sum(new.values())
        self.counts += np.array([*frequent, rare, sum(new.values()), len(values) - present])
        for level, count in new.items():
            if level in self.new or len(self.new) < MAX_NEW_LEVELS:
                self.new[level] += count

    def _find_new(self, levels: Mapping[str, int]) -> dict[str, int]:
        """Return the levels that the profile does not have; none where it does not know all of its own."""
        if self.profile.rare is None and self.profile.other:
            return {}
        known = {*self.profile.counts, *(self.profile.rare or [])}
        return {level: count for level, count in levels.items() if level not in known}


Histogram = NumberHistogram | CategoryHistogram


class Histograms:
    """A histogram for each column of a table. It does not matter how the rows are chunked.

    Memory does not grow with the rows.

    Parameters
    ----------
    profile : ProfileRecord
        Of the champion's bundle.
    target : str or None
        Name of the target, where it is counted too.
    time : str or None
        The column that says when a row happened, where there is one.
    """

    def __init__(self, profile: ProfileRecord, target: str | None = None, time: str | None = None) -> None:
        profiles = {**profile.features, **name_scores(profile)}
        if target is not None:
            profiles[target] = profile.target
        self.columns: dict[str, Histogram] = {
            # New rows are of another time by nature.
            name: make_histogram(one)
            for name, one in profiles.items()
            if not isinstance(one, DateProfile)
        }
        self.rows = 0
        self.first: pd.Timestamp | None = None
        self.last: pd.Timestamp | None = None
        self._time = time

    def add(self, frame: pd.DataFrame) -> None:
        """Count some rows.

        Parameters
        ----------
        frame : DataFrame of shape (n_rows, n_columns)
            Columns that the profile does not have are left alone; those that it has may be absent.
        """
        self.rows += len(frame)
        self.add_columns(frame)
        self._add_times(frame)

    def add_columns(self, frame: pd.DataFrame) -> None:
        """Count further columns of rows, or of some of them, that are counted already."""
        for name, histogram in self.columns.items():
            if name in frame:
                histogram.add(frame[name])

    def _add_times(self, frame: pd.DataFrame) -> None:
        times = frame[self._time].dropna() if self._time in frame else None
        if times is None or times.empty or not pd.api.types.is_datetime64_any_dtype(times):
            return
        self.first = times.min() if self.first is None else min(self.first, times.min())
        self.last = times.max() if self.last is None else max(self.last, times.max())


def make_histogram(profile: NumberProfile | CategoryProfile) -> Histogram:
    """Return an empty histogram in the bins of a profile."""
    if isinstance(profile, NumberProfile):
        return NumberHistogram(profile)
    return CategoryHistogram(profile)


def count_reference(profile: NumberProfile | CategoryProfile) -> np.ndarray:
    """Return how many rows of the profile are in each bin, shape (n_bins,), integers."""
    if isinstance(profile, CategoryProfile):
        frequent = [profile.counts[level] for level in list_frequent(profile)]
        known = [*frequent, sum(profile.counts.values()) - sum(frequent) + profile.other, 0]
    else:
        known = [0, *profile.counts, 0]
    return np.array([*known, profile.rows - sum(known)])


def list_frequent(profile: CategoryProfile) -> list[str]:
    """Return the levels that have bins of their own, the most frequent first."""
    return [level for level, count in profile.counts.items() if count >= MIN_FREQUENT]


def name_scores(profile: ProfileRecord) -> dict[str, NumberProfile]:
    """Return the profiles of what the model answers, as columns: ``score CLASS`` or ``prediction``."""
    return {name if name == "prediction" else f"score {name}": one for name, one in profile.scores.items()}


def _count_levels(values: pd.Series) -> dict[str, int]:
    """Return how often each level occurs, the most frequent first; missing values are none."""
    counts: dict[str, int] = {}
    for level, count in values.value_counts().items():
        if count:
            counts[str(level)] = counts.get(str(level), 0) + int(count)
    return counts

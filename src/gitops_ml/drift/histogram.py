"""Rows counted against a profile, chunk by chunk."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from .bins import Profile, count_levels, lay_out, pick_new, place_levels, place_numbers, read_numbers
from .profile import CategoryProfile, DateProfile, NumberProfile, ProfileRecord

# New levels of a category that are told apart.
NAMES = 300


class NumberTally:
    """Numbers of one column, as far as they were added.

    Parameters
    ----------
    profile : NumberProfile
    """

    def __init__(self, profile: NumberProfile) -> None:
        self.profile = profile
        self.counts = np.zeros_like(lay_out(profile))
        self.minimum, self.maximum = np.inf, -np.inf
        self._gap, self._squares = 0.0, 0.0

    def add(self, values: pd.Series) -> None:
        """Add a chunk of the column; a duration counts in seconds."""
        numbers = read_numbers(values)
        self.counts += place_numbers(self.profile, numbers)
        finite = numbers[np.isfinite(numbers)]
        if len(finite):
            self.minimum = min(self.minimum, float(finite.min()))
            self.maximum = max(self.maximum, float(finite.max()))
            # Around the mean of the profile, since squares of large numbers lose their last digits.
            gaps = finite - (self.profile.mean or 0.0)
            self._gap += float(gaps.sum())
            self._squares += float((gaps**2).sum())

    @property
    def present(self) -> int:
        """Rows with a number."""
        return int(self.counts[:-1].sum())

    @property
    def mean(self) -> float | None:
        """None where there is no number."""
        return (self.profile.mean or 0.0) + self._gap / self.present if self.present else None

    @property
    def sd(self) -> float | None:
        """Standard deviation; None where there is no number."""
        if not self.present:
            return None
        return float(np.sqrt(max(self._squares / self.present - (self._gap / self.present) ** 2, 0.0)))


class LevelTally:
    """Levels of one category, as far as they were added.

    Parameters
    ----------
    profile : CategoryProfile
    """

    def __init__(self, profile: CategoryProfile) -> None:
        self.profile = profile
        self.counts = np.zeros_like(lay_out(profile))
        self.new: Counter[str] = Counter()
        """Rows of new levels; where these are many, of those that came first."""

    def add(self, values: pd.Series) -> None:
        """Add a chunk of the column."""
        levels = count_levels(values)
        self.counts += place_levels(self.profile, levels, len(values) - sum(levels.values()))
        for level, count in pick_new(self.profile, levels).items():
            if level in self.new or len(self.new) < NAMES:
                self.new[level] += count


class Tally:
    """Rows counted in the bins of a profile. Counts add up: it does not matter how rows are chunked.

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
        profiles: dict[str, Profile | DateProfile] = {**profile.features, **name_scores(profile)}
        if target is not None:
            profiles[target] = profile.target
        self.columns: dict[str, NumberTally | LevelTally] = {
            name: NumberTally(one) if isinstance(one, NumberProfile) else LevelTally(one)
            for name, one in profiles.items()
            # New rows are of another time by nature.
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
        self.add_more(frame)
        self._add_times(frame)

    def add_more(self, frame: pd.DataFrame) -> None:
        """Count further columns of rows, or of some of them, that are counted already."""
        for name, column in self.columns.items():
            if name in frame:
                column.add(frame[name])

    def _add_times(self, frame: pd.DataFrame) -> None:
        times = frame[self._time].dropna() if self._time in frame else None
        if times is None or times.empty or not pd.api.types.is_datetime64_any_dtype(times):
            return
        self.first = times.min() if self.first is None else min(self.first, times.min())
        self.last = times.max() if self.last is None else max(self.last, times.max())


def name_scores(profile: ProfileRecord) -> dict[str, NumberProfile]:
    """Return the profiles of what the model answers, as columns: ``score CLASS`` or ``prediction``."""
    return {name if name == "prediction" else f"score {name}": one for name, one in profile.scores.items()}

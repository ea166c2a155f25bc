"""Which columns of new rows have moved away from the profile, how far, and in which way."""

from __future__ import annotations

from math import log

import numpy as np

from ..core.formatting import shorten, write_number, write_share
from ..core.records import ColumnDrift
from ..core.settings import MonitorSettings
from .bins import lay_out, list_frequent
from .distance import measure_jensen_shannon, measure_wasserstein
from .histogram import LevelTally, NumberTally, Tally
from .profile import CategoryProfile
from .psi import LEAST, measure_psi
from .threshold import find_threshold

# New levels of a category that are named.
EXAMPLES = 5


def measure_columns(tally: Tally, settings: MonitorSettings, sources: int) -> list[ColumnDrift]:
    """Return how far each column that was counted lies from its profile.

    Parameters
    ----------
    tally : Tally
    settings : MonitorSettings
    sources : int
        How many tallies this look has: chance may mislead it in a share of ``false_alarms`` of the
        looks, and every column of every source gets an equal part of that (Bonferroni).

    Returns
    -------
    list of ColumnDrift
        The farthest first, in units of their thresholds.
    """
    counted = {name: column for name, column in tally.columns.items() if column.counts.any()}
    level = settings.false_alarms / max(1, sources * len(counted))
    found = [_measure_one(name, column, level, settings.min_psi) for name, column in counted.items()]
    return sorted(found, key=lambda drift: (-drift.psi / max(drift.threshold, LEAST), drift.column))


def _measure_one(name: str, tally: NumberTally | LevelTally, level: float, least: float) -> ColumnDrift:
    before, after, rows = lay_out(tally.profile), tally.counts, int(tally.counts.sum())
    psi = float(measure_psi(before, after))
    threshold = max(least, find_threshold(tally.profile, rows, level))
    categories = isinstance(tally, LevelTally)
    return ColumnDrift(
        column=name,
        rows=rows,
        psi=psi,
        jensen_shannon=measure_jensen_shannon(before, after),
        wasserstein=None if isinstance(tally, LevelTally) else measure_wasserstein(tally),
        threshold=threshold,
        moved=psi > threshold,
        missing=after[-1] / rows,
        missing_before=before[-1] / before.sum(),
        new_levels=_name_new(tally) if isinstance(tally, LevelTally) else [],
        outside=(after[-2] if categories else after[0] + after[-2]) / rows,
        change=_describe_change(tally),
    )


def _name_new(tally: LevelTally) -> list[str]:
    return [shorten(level) for level, _ in tally.new.most_common(EXAMPLES)]


def _describe_change(tally: NumberTally | LevelTally) -> str:
    """Say what adds most to the index: one bin, or mean or spread of the numbers."""
    before, after = (
        np.maximum(counts / counts.sum(), LEAST) for counts in (lay_out(tally.profile), tally.counts)
    )
    parts = (after - before) * np.log(after / before)
    place = int(np.argmax(parts))
    name = _name_bin(tally, place)
    if isinstance(tally, NumberTally) and (not name or parts[place] < parts.sum() / 2):
        return _describe_numbers(tally)
    return f"{name} {_write_share(before[place])} → {_write_share(after[place])}"


def _write_share(share: float) -> str:
    return write_share(0.0 if share <= LEAST else share)


def _name_bin(tally: NumberTally | LevelTally, place: int) -> str:
    """Return what people call a bin; nothing for one within the range of numbers."""
    profile = tally.profile
    if isinstance(profile, CategoryProfile):
        named = [f"'{shorten(level)}'" for level in list_frequent(profile)]
        return [*named, "rare levels", "new levels", "missing"][place]
    ends = {0: f"below {write_number(profile.minimum)}", -2: f"above {write_number(profile.maximum)}"}
    ends |= {-1: "missing"}
    return ends.get(place, ends.get(place - len(tally.counts), ""))


def _describe_numbers(tally: NumberTally) -> str:
    """Say how mean or spread changed, whichever did more."""
    profile, mean, sd = tally.profile, tally.mean, tally.sd
    if mean is None or sd is None or profile.mean is None or profile.sd is None:
        return "no numbers before"
    if profile.sd and sd and abs(log(sd / profile.sd)) > abs(mean - profile.mean) / profile.sd:
        return f"sd {write_number(profile.sd)} → {write_number(sd)}"
    return f"mean {write_number(profile.mean)} → {write_number(mean)}"

"""Drift of columns at a check of production: distances, thresholds, and what changed in words."""

from __future__ import annotations

from math import log

import numpy as np

from ..core.formatting import shorten, write_number, write_share
from ..core.records import ColumnDrift
from ..core.settings import MonitorSettings
from .distance import (
    MIN_SHARE,
    list_psi_terms,
    measure_jensen_shannon,
    measure_psi,
    measure_wasserstein,
    to_shares,
)
from .histogram import CategoryHistogram, Histogram, Histograms, NumberHistogram, list_frequent
from .threshold import find_threshold

# New levels of a category that are named.
EXAMPLES = 5


def measure_columns(histograms: Histograms, settings: MonitorSettings, sources: int) -> list[ColumnDrift]:
    """Return the drift of each column that was counted: its distances from the profile, and its threshold.

    Parameters
    ----------
    histograms : Histograms
    settings : MonitorSettings
    sources : int
        How many tables this check has: a share of ``false_alarms`` of the checks may find drift
        where there is none, and every column of every table gets an equal part of that (Bonferroni).

    Returns
    -------
    list of ColumnDrift
        The farthest first, in units of their thresholds.
    """
    counted = {name: one for name, one in histograms.columns.items() if one.counts.any()}
    level = settings.false_alarms / max(1, sources * len(counted))
    found = [_measure_column(name, one, level, settings.min_psi) for name, one in counted.items()]
    return sorted(found, key=lambda drift: (-drift.psi / max(drift.threshold, MIN_SHARE), drift.column))


def _measure_column(name: str, histogram: Histogram, level: float, min_psi: float) -> ColumnDrift:
    before, after = histogram.reference, histogram.counts
    rows = int(after.sum())
    psi = float(measure_psi(before, after))
    threshold = max(min_psi, find_threshold(histogram.profile, rows, level))
    numeric = isinstance(histogram, NumberHistogram)
    return ColumnDrift(
        column=name,
        rows=rows,
        psi=psi,
        jensen_shannon=measure_jensen_shannon(before, after),
        wasserstein=measure_wasserstein(histogram) if isinstance(histogram, NumberHistogram) else None,
        threshold=threshold,
        moved=psi > threshold,
        missing=after[-1] / rows,
        missing_before=before[-1] / before.sum(),
        new_levels=_name_new_levels(histogram) if isinstance(histogram, CategoryHistogram) else [],
        outside=(after[0] + after[-2] if numeric else after[-2]) / rows,
        change=_describe_change(histogram),
    )


def _name_new_levels(histogram: CategoryHistogram) -> list[str]:
    return [shorten(level) for level, _ in histogram.new.most_common(EXAMPLES)]


def _describe_change(histogram: Histogram) -> str:
    """Say what adds most to the PSI: one bin, or mean or spread of the numbers."""
    terms = list_psi_terms(histogram.reference, histogram.counts)
    place = int(np.argmax(terms))
    name = _name_bin(histogram, place)
    if isinstance(histogram, NumberHistogram) and (not name or terms[place] < terms.sum() / 2):
        return _describe_numbers(histogram)
    before, after = (to_shares(counts)[place] for counts in (histogram.reference, histogram.counts))
    return f"{name} {_write_share(before)} → {_write_share(after)}"


def _write_share(share: float) -> str:
    return write_share(0.0 if share <= MIN_SHARE else share)


def _name_bin(histogram: Histogram, place: int) -> str:
    """Return what people call a bin; nothing for one within the range of numbers."""
    if isinstance(histogram, CategoryHistogram):
        frequent = [f"'{shorten(level)}'" for level in list_frequent(histogram.profile)]
        return [*frequent, "rare levels", "new levels", "missing"][place]
    profile, last = histogram.profile, len(histogram.counts) - 1
    ends = {0: f"below {write_number(profile.minimum)}", last - 1: f"above {write_number(profile.maximum)}"}
    return (ends | {last: "missing"}).get(place, "")


def _describe_numbers(histogram: NumberHistogram) -> str:
    """Say how mean or standard deviation changed, whichever did more."""
    profile, mean, sd = histogram.profile, histogram.mean, histogram.sd
    if mean is None or sd is None or profile.mean is None or profile.sd is None:
        return "no numbers before"
    if profile.sd and sd and abs(log(sd / profile.sd)) > abs(mean - profile.mean) / profile.sd:
        return f"sd {write_number(profile.sd)} → {write_number(sd)}"
    return f"mean {write_number(profile.mean)} → {write_number(mean)}"

"""Time series of drift, metrics and service, from the history of checks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple, get_args

from ...core.records import Estimate
from .records import Check, Source, Topic

# Older checks are left out of drawings, in which they would be a pixel wide.
MOST = 60


class Trend(NamedTuple):
    """A number over time, the oldest first."""

    times: list[float]
    """Seconds since 1970, UTC."""
    values: list[float]


class DriftTrend(NamedTuple):
    """How far one column was from what the champion knew, check by check."""

    column: str
    shares: Trend
    """The PSI as a share of its threshold: above 1 the column has moved."""
    psi: float
    threshold: float
    """Of the last check that had this column."""

    @property
    def moved(self) -> bool:
        """Whether it lies apart in the last check that had it."""
        return self.psi > self.threshold


class MetricTrend(NamedTuple):
    """A metric on labelled rows over time, with its interval."""

    name: str
    times: list[float]
    estimates: list[Estimate]


def shorten_history(checks: Sequence[Check]) -> list[Check]:
    """Return the checks that drawings show, the oldest first."""
    return list(checks[-MOST:])


def read_time(text: str) -> float:
    """Return an ISO 8601 time as seconds since 1970; without a time zone it is UTC."""
    time = datetime.fromisoformat(text)
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def write_time(text: str) -> str:
    """Write an ISO 8601 time for people, in UTC: ``2026-11-25 18:00``."""
    return datetime.fromtimestamp(read_time(text), tz=UTC).strftime("%Y-%m-%d %H:%M")


def write_day(seconds: float) -> str:
    """Write the day, in UTC, of a time in seconds since 1970."""
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%d")


def span_checks(checks: Sequence[Check]) -> tuple[float, float]:
    """Return when the first and the last check were; the same time twice where there is only one."""
    times = [read_time(check.time) for check in checks] or [0.0]
    return times[0], times[-1]


def trace_drift(checks: Sequence[Check], source: Source) -> list[DriftTrend]:
    """Return the trend of each column of a source, the one that lies farthest apart now first."""
    found: dict[str, list[tuple[float, float, float]]] = {}
    for check in checks:
        for column, (psi, threshold) in check.drift.get(source, {}).items():
            found.setdefault(column, []).append((read_time(check.time), psi, threshold))
    trends = [_trace_column(column, seen) for column, seen in found.items()]
    return sorted(trends, key=lambda trend: (-trend.shares.values[-1], trend.column))


def trace_metrics(checks: Sequence[Check]) -> list[MetricTrend]:
    """Return the trend of each metric, in the order of the last check that measured any."""
    measured = [check for check in checks if check.metrics]
    names = dict.fromkeys(name for check in reversed(measured) for name in check.metrics)
    return [_trace_metric(measured, name) for name in names]


def trace_service(checks: Sequence[Check], field: str) -> Trend | None:
    """Return the trend of ``requests``, ``failure_rate`` or ``p95_ms``; None where nobody measured it."""
    seen = [(read_time(check.time), getattr(check, field)) for check in checks]
    seen = [(time, value) for time, value in seen if value is not None]
    return Trend([time for time, _ in seen], [float(value) for _, value in seen]) if seen else None


def find_changes(checks: Sequence[Check]) -> list[float]:
    """Return when another model was checked than in the check before."""
    return [read_time(check.time) for before, check in pairwise(checks) if check.model != before.model]


def count_violations(checks: Sequence[Check]) -> dict[Topic, int]:
    """Return how many checks were violated, by topic."""
    topics: tuple[Topic, ...] = get_args(Topic)
    return {topic: sum(check.violated.get(topic, False) for check in checks) for topic in topics}


def _trace_column(column: str, seen: list[tuple[float, float, float]]) -> DriftTrend:
    # A threshold of 0 has no multiples: whatever lies above it counts as twice as far.
    shares = [psi / threshold if threshold > 0 else 2.0 * (psi > 0) for _, psi, threshold in seen]
    _, psi, threshold = seen[-1]
    return DriftTrend(column, Trend([time for time, _, _ in seen], shares), psi, threshold)


def _trace_metric(measured: list[Check], name: str) -> MetricTrend:
    checks = [check for check in measured if name in check.metrics]
    ends = [check.metrics[name] for check in checks]
    estimates = [Estimate(value=value, low=low, high=high) for value, low, high in ends]
    return MetricTrend(name, [read_time(check.time) for check in checks], estimates)

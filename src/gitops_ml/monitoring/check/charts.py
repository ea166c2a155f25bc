"""Trend charts of a history of checks: drift, metrics and service over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, get_args

from markupsafe import Markup

from ...core.formatting import PERCENTAGES, name_metric, shorten, write_metric, write_number, write_share
from ...core.records import Estimate
from ...report import svg
from ...report.svg import Scale, pad
from . import trends
from .records import Check, PerformanceCheck, Source, Topic
from .trends import DriftTrend, MetricTrend, Trend, read_time

# Columns farther apart than this many thresholds are drawn at the upper edge, so that one of them
# does not press all others flat.
TOP = 4.0
SERVICE = {"requests": "Requests", "failure_rate": "Failed", "p95_ms": "95th percentile of the latency"}
STATES = {None: "unseen", False: "quiet", True: "violated"}


class Chart(NamedTuple):
    """A drawing, and the words around it."""

    title: str
    value: str
    """The number of the last check."""
    note: str
    """What it is held against."""
    drawing: Markup
    top: str = ""
    """What the upper edge stands for; empty where it goes without saying."""
    bottom: str = ""
    moved: bool = False
    ticks: Sequence[str] = ()
    """Words below it, from left to right."""


class PairedImportance(NamedTuple):
    """The permutation importance of a column, now and on the test part."""

    column: str
    now: float | None
    before: float | None
    bars: Markup


class Charts(NamedTuple):
    """All drawings of a history."""

    checks: list[Check]
    """Those that are drawn, the oldest first."""
    strips: dict[Topic, Markup]
    """By topic, a cell for each check."""
    counts: dict[Topic, int]
    """By topic, how many of these checks were violated."""
    drift: dict[Source, list[Chart]]
    """The column that lies farthest apart first."""
    metrics: list[Chart]
    service: list[Chart]
    changed: bool
    """Whether another model came into production meanwhile."""


def draw_history(
    checks: Sequence[Check],
    card: Mapping[str, Estimate],
    model: int | None,
    limits: Mapping[str, float | None],
) -> Charts:
    """Draw what a history says.

    Parameters
    ----------
    checks : sequence of Check
        The oldest first.
    card : mapping of str to Estimate
        By metric, what the card of the model has.
    model : int or None
        Version of the model that the card belongs to.
    limits : mapping of str to float or None
        What ``failure_rate`` and ``p95_ms`` of the service may reach.
    """
    shown = trends.shorten_history(checks)
    span, cuts = trends.span_checks(shown), trends.find_changes(shown)
    since = _find_start(shown, model)
    drift = {source: trends.trace_drift(shown, source) for source in get_args(Source)}
    metrics = trends.trace_metrics(shown)
    return Charts(
        checks=shown,
        strips={topic: _draw_strip(shown, topic) for topic in get_args(Topic)},
        counts=trends.count_violations(shown),
        drift={source: [_draw_drift(one, span, cuts) for one in found] for source, found in drift.items()},
        metrics=[_draw_metric(one, span, cuts, card.get(one.name), since) for one in metrics],
        service=[
            _draw_service(trend, field, span, cuts, limits.get(field))
            for field in SERVICE
            if (trend := trends.trace_service(shown, field))
        ],
        changed=bool(cuts),
    )


def pair_importances(performance: PerformanceCheck | None) -> list[PairedImportance]:
    """Return permutation importances now and on the test part, side by side, the greatest first."""
    if performance is None:
        return []
    both = performance.importances, performance.importances_before
    new, old = ({one.column: one.mean for one in importances} for importances in both)
    most = max([*new.values(), *old.values()], default=0.0)
    columns = sorted({*new, *old}, key=lambda name: (-max(new.get(name, 0), old.get(name, 0)), name))
    return [
        PairedImportance(
            name, new.get(name), old.get(name), svg.draw_pair(new.get(name, 0), old.get(name, 0), most)
        )
        for name in columns
    ]


def frame_metric(
    title: str, metric: str, now: Estimate, note: str, scale: Scale, marks: Sequence[str], *ticks: str
) -> Chart:
    """Return a chart of a metric, with its value now and what the upper and the lower edge stand for."""
    value = write_metric(metric, now)
    return Chart(
        title=title,
        value=value,
        note=note,
        drawing=svg.frame(marks, f"{shorten(title)}: {value}"),
        top=write_level(metric, scale.top),
        bottom=write_level(metric, scale.bottom),
        ticks=ticks,
    )


def write_level(metric: str, level: float) -> str:
    """Write how high a metric is, without an interval."""
    percentage = metric in PERCENTAGES
    return f"{write_number(level * 100)} %" if percentage else write_number(level)


def _find_start(checks: Sequence[Check], model: int | None) -> float:
    """Return since when a model has been checked without another one in between."""
    start = trends.span_checks(checks)[1]
    for check in reversed(checks):
        if check.model != model:
            break
        start = read_time(check.time)
    return start


def _draw_strip(checks: Sequence[Check], topic: Topic) -> Markup:
    return svg.frame(svg.draw_cells([STATES[check.violated.get(topic)] for check in checks]))


def _draw_drift(trend: DriftTrend, span: tuple[float, float], cuts: list[float]) -> Chart:
    scale = Scale(*span, bottom=0.0, top=TOP)
    points = list(zip(*trend.shares, strict=True))
    above = [point for point in points if point[1] > 1]
    marks = [
        svg.draw_zone(scale, 1.0),
        svg.draw_cuts(scale, cuts),
        svg.draw_rule(scale, 1.0),
        svg.draw_line(scale, points),
        svg.draw_dots(scale, above, "dot moved"),
        svg.draw_dots(scale, points[-1:], "dot last moved" if trend.moved else "dot last"),
    ]
    label = f"{shorten(trend.column)}: above its threshold in {len(above)} of {len(points)} checks"
    return Chart(
        title=trend.column,
        value=write_number(trend.psi, 2),
        note=f"of {write_number(trend.threshold, 2)}",
        drawing=svg.frame(marks, label),
        moved=trend.moved,
    )


def _draw_metric(
    trend: MetricTrend, span: tuple[float, float], cuts: list[float], card: Estimate | None, since: float
) -> Chart:
    lows, highs = [one.low for one in trend.estimates], [one.high for one in trend.estimates]
    points = [(time, one.value) for time, one in zip(trend.times, trend.estimates, strict=True)]
    scale = Scale(*span, *pad([*lows, *highs, *([card.value] if card else [])]))
    marks = [
        svg.draw_cuts(scale, cuts),
        svg.draw_band(scale, trend.times, lows, highs),
        svg.draw_rule(scale, card.value, since) if card else "",
        svg.draw_line(scale, points),
        svg.draw_dots(scale, points[-1:], "dot last"),
    ]
    note = f"card {write_level(trend.name, card.value)}" if card else ""
    return frame_metric(name_metric(trend.name), trend.name, trend.estimates[-1], note, scale, marks)


def _draw_service(
    trend: Trend, field: str, span: tuple[float, float], cuts: list[float], limit: float | None
) -> Chart:
    points = list(zip(*trend, strict=True))
    scale = Scale(*span, bottom=0.0, top=max(*trend.values, limit or 0.0) * 1.1 or 1.0)
    now = _write_service(field, trend.values[-1])
    marks = [
        svg.draw_cuts(scale, cuts),
        svg.draw_band(scale, trend.times, [0.0] * len(points), trend.values),
        svg.draw_rule(scale, limit) if limit is not None else "",
        svg.draw_line(scale, points),
        svg.draw_dots(scale, points[-1:], "dot last"),
    ]
    return Chart(
        title=SERVICE[field],
        value=now,
        note="" if limit is None else f"limit {_write_service(field, limit)}",
        drawing=svg.frame(marks, f"{SERVICE[field]}: {now} in the last check"),
        top=_write_service(field, scale.top),
        bottom="0",
    )


def _write_service(field: str, value: float) -> str:
    if field == "failure_rate":
        return write_share(value)
    return f"{write_number(value)} ms" if field == "p95_ms" else f"{value:,.0f}"

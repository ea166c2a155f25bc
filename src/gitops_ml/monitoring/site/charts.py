"""The trends of a history, drawn: one small chart for each thing that is watched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, get_args

from markupsafe import Markup

from ...core import formatting as wording
from ...core.records import Estimate, Importance
from ..check.records import Check, Source, Topic
from . import svg as drawing
from . import trends
from .svg import Scale
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


class Reason(NamedTuple):
    """How much the model relies on a column, now and on the test part."""

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


def pair_reasons(now: Sequence[Importance], before: Sequence[Importance]) -> list[Reason]:
    """Return the reasons of a model now and before, side by side, the greatest first."""
    new, old = ({one.column: one.mean for one in importances} for importances in (now, before))
    most = max([*new.values(), *old.values()], default=0.0)
    columns = sorted({*new, *old}, key=lambda name: (-max(new.get(name, 0), old.get(name, 0)), name))
    return [
        Reason(
            name, new.get(name), old.get(name), drawing.draw_pair(new.get(name, 0), old.get(name, 0), most)
        )
        for name in columns
    ]


def pad(values: Sequence[float]) -> tuple[float, float]:
    """Return the range of some values with a little room at both ends."""
    low, high = min(values), max(values)
    room = (high - low or abs(high) or 1.0) * 0.08
    return low - room, high + room


def frame_metric(
    title: str, metric: str, now: Estimate, note: str, scale: Scale, marks: Sequence[str], *ticks: str
) -> Chart:
    """Return a chart of a metric, with its value now and what the upper and the lower edge stand for."""
    value = wording.write_metric(metric, now)
    return Chart(
        title=title,
        value=value,
        note=note,
        drawing=drawing.frame(marks, f"{wording.shorten(title)}: {value}"),
        top=write_level(metric, scale.top),
        bottom=write_level(metric, scale.bottom),
        ticks=ticks,
    )


def write_level(metric: str, level: float) -> str:
    """Write how high a metric is, without an interval."""
    percentage = metric in wording.PERCENTAGES
    return f"{wording.write_number(level * 100)} %" if percentage else wording.write_number(level)


def _find_start(checks: Sequence[Check], model: int | None) -> float:
    """Return since when a model has been checked without another one in between."""
    start = trends.span_checks(checks)[1]
    for check in reversed(checks):
        if check.model != model:
            break
        start = read_time(check.time)
    return start


def _draw_strip(checks: Sequence[Check], topic: Topic) -> Markup:
    return drawing.frame(drawing.draw_cells([STATES[check.violated.get(topic)] for check in checks]))


def _draw_drift(trend: DriftTrend, span: tuple[float, float], cuts: list[float]) -> Chart:
    scale = Scale(*span, bottom=0.0, top=TOP)
    points = list(zip(*trend.shares, strict=True))
    above = [point for point in points if point[1] > 1]
    marks = [
        drawing.draw_zone(scale, 1.0),
        drawing.draw_cuts(scale, cuts),
        drawing.draw_rule(scale, 1.0),
        drawing.draw_line(scale, points),
        drawing.draw_dots(scale, above, "dot moved"),
        drawing.draw_dots(scale, points[-1:], "dot last moved" if trend.moved else "dot last"),
    ]
    label = f"{wording.shorten(trend.column)}: above its threshold in {len(above)} of {len(points)} checks"
    return Chart(
        title=trend.column,
        value=wording.write_number(trend.psi, 2),
        note=f"of {wording.write_number(trend.threshold, 2)}",
        drawing=drawing.frame(marks, label),
        moved=trend.moved,
    )


def _draw_metric(
    trend: MetricTrend, span: tuple[float, float], cuts: list[float], card: Estimate | None, since: float
) -> Chart:
    lows, highs = [one.low for one in trend.estimates], [one.high for one in trend.estimates]
    points = [(time, one.value) for time, one in zip(trend.times, trend.estimates, strict=True)]
    scale = Scale(*span, *pad([*lows, *highs, *([card.value] if card else [])]))
    marks = [
        drawing.draw_cuts(scale, cuts),
        drawing.draw_band(scale, trend.times, lows, highs),
        drawing.draw_rule(scale, card.value, since) if card else "",
        drawing.draw_line(scale, points),
        drawing.draw_dots(scale, points[-1:], "dot last"),
    ]
    note = f"card {write_level(trend.name, card.value)}" if card else ""
    return frame_metric(wording.name_metric(trend.name), trend.name, trend.estimates[-1], note, scale, marks)


def _draw_service(
    trend: Trend, field: str, span: tuple[float, float], cuts: list[float], limit: float | None
) -> Chart:
    points = list(zip(*trend, strict=True))
    scale = Scale(*span, bottom=0.0, top=max(*trend.values, limit or 0.0) * 1.1 or 1.0)
    now = _write_service(field, trend.values[-1])
    marks = [
        drawing.draw_cuts(scale, cuts),
        drawing.draw_band(scale, trend.times, [0.0] * len(points), trend.values),
        drawing.draw_rule(scale, limit) if limit is not None else "",
        drawing.draw_line(scale, points),
        drawing.draw_dots(scale, points[-1:], "dot last"),
    ]
    return Chart(
        title=SERVICE[field],
        value=now,
        note="" if limit is None else f"limit {_write_service(field, limit)}",
        drawing=drawing.frame(marks, f"{SERVICE[field]}: {now} in the last check"),
        top=_write_service(field, scale.top),
        bottom="0",
    )


def _write_service(field: str, value: float) -> str:
    if field == "failure_rate":
        return wording.write_share(value)
    return f"{wording.write_number(value)} ms" if field == "p95_ms" else f"{value:,.0f}"

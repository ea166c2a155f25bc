"""Charts of model versions: test metric by version, deployments, live metric against test metric."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.formatting import name_metric, plural
from ...production.branch import Score, State
from ...report import svg
from ...report.svg import Point, Scale, pad
from ..check.charts import Chart, frame_metric, write_level
from ..check.records import Check
from ..check.trends import MetricTrend, read_time, shorten_history, trace_metrics, write_day
from .timeline import Acceptance, Step

# As many versions have room to be told apart, and so many to be named.
MOST, NAMED = 40, 12
DAY = 86_400.0


def draw_versions(steps: Sequence[Step], checks: Sequence[Check]) -> list[Chart]:
    """Draw the versions of a model.

    Parameters
    ----------
    steps : sequence of Step
        The newest first.
    checks : sequence of Check
        The oldest first.

    Returns
    -------
    list of Chart
        Only of what there is anything to show.
    """
    if not steps:
        return []
    running = steps[0].deployment.state
    ran = _draw_running(steps, checks)
    if running.score is None:
        return [ran]
    metric = running.score.metric
    trend = next((one for one in trace_metrics(shorten_history(checks)) if one.name == metric), None)
    live = [_draw_live_metric(steps, trend)] if trend else []
    return [_draw_scores(steps, running, running.score), ran, *live]


def draw_rows(accepted: Sequence[Acceptance]) -> Chart:
    """Draw how many rows models may be trained on, over time; the oldest acceptance comes first."""
    times = [read_time(one.time) for one in accepted]
    points = [(time, float(one.rows)) for time, one in zip(times, accepted, strict=True)]
    left, right = _span(times)
    scale = Scale(left, right, bottom=0.0, top=max(rows for _, rows in points) * 1.1 or 1.0)
    marks = [svg.draw_steps(scale, points), svg.draw_dots(scale, points)]
    last = accepted[-1]
    return Chart(
        title="Rows accepted for training",
        value=f"{last.rows:,}",
        note=f"of {plural(last.files, 'file')}",
        drawing=svg.frame(marks, f"{last.rows:,} rows at last"),
        top=f"{scale.top:,.0f}",
        bottom="0",
        ticks=_write_ends(times),
    )


def _draw_scores(steps: Sequence[Step], running: State, score: Score) -> Chart:
    """Draw the metric of each version with its interval, side by side."""
    found = {step.deployment.state.version: step.deployment.state.score for step in steps}
    same = {version: one.estimate for version, one in found.items() if one and one.metric == score.metric}
    scores = dict(sorted(same.items())[-MOST:])
    ends = [end for one in scores.values() for end in (one.low, one.high)]
    scale = Scale(-0.5, len(scores) - 0.5, *pad(ends))
    places = {version: float(place) for place, version in enumerate(scores)}
    marks = [
        svg.draw_rule(scale, score.estimate.value),
        svg.draw_stems(scale, [(places[version], one.low, one.high) for version, one in scores.items()]),
        svg.draw_dots(scale, [(places[version], one.value) for version, one in scores.items()], "dot last"),
    ]
    if running.version in places:
        now = [(places[running.version], score.estimate.value)]
        marks.append(svg.draw_dots(scale, now, "dot last running"))
    numbers = [str(version) for version in scores]
    ticks = numbers if len(numbers) <= NAMED else [numbers[0], numbers[-1]]
    title = f"{name_metric(score.metric)} of each version"
    note = f"model {running.version}"
    return frame_metric(title, score.metric, score.estimate, note, scale, marks, *ticks)


def _draw_running(steps: Sequence[Step], checks: Sequence[Check]) -> Chart:
    """Draw which version ran when, until the last thing that is known."""
    oldest = list(reversed(steps))
    starts = [read_time(step.deployment.time) for step in oldest]
    times = [*starts, *(read_time(check.time) for check in checks[-1:])]
    versions = [step.deployment.state.version for step in oldest]
    points = [(time, float(version)) for time, version in zip(starts, versions, strict=True)]
    back = [point for point, step in zip(points, oldest, strict=True) if step.kind == "rolled back"]
    left, right = _span(times)
    scale = Scale(left, right, bottom=min(versions) - 0.5, top=max(versions) + 0.5)
    marks = [
        svg.draw_steps(scale, points),
        svg.draw_dots(scale, points),
        svg.draw_dots(scale, back, "dot last moved"),
    ]
    return Chart(
        title="Which version ran when",
        value=f"model {versions[-1]}",
        note="rollbacks in red" if back else f"since {write_day(starts[-1])}",
        drawing=svg.frame(marks, f"{plural(len(steps), 'change')} of what runs"),
        top=str(max(versions)),
        bottom=str(min(versions)) if min(versions) < max(versions) else "",
        ticks=_write_ends(times),
    )


def _draw_live_metric(steps: Sequence[Step], trend: MetricTrend) -> Chart:
    """Draw a metric on labelled rows beside its value on the test part of the version that ran."""
    left, right = _span(trend.times)
    tested = _list_test_metrics(steps, trend.name, left, right)
    lows, highs = [one.low for one in trend.estimates], [one.high for one in trend.estimates]
    scale = Scale(left, right, *pad([*lows, *highs, *(value for _, value in tested)]))
    points = [(time, one.value) for time, one in zip(trend.times, trend.estimates, strict=True)]
    marks = [
        svg.draw_band(scale, trend.times, lows, highs),
        svg.draw_steps(scale, tested, "rule"),
        svg.draw_line(scale, points),
        svg.draw_dots(scale, points[-1:], "dot last"),
    ]
    title = f"{name_metric(trend.name)}, live against test"
    note = f"test {write_level(trend.name, tested[-1][1])}" if tested else ""
    now, ticks = trend.estimates[-1], _write_ends(trend.times)
    return frame_metric(title, trend.name, now, note, scale, marks, *ticks)


def _list_test_metrics(steps: Sequence[Step], metric: str, left: float, right: float) -> list[Point]:
    """Return the test metric of each version that ran within a span, and since when it ran."""
    return [
        (max(read_time(step.deployment.time), left), score.estimate.value)
        for step in reversed(steps)
        if (score := step.deployment.state.score) is not None
        and score.metric == metric
        and (step.until is None or read_time(step.until) > left)
        and read_time(step.deployment.time) <= right
    ]


def _span(times: Sequence[float]) -> tuple[float, float]:
    """Return the first and the last time, a day apart where they are the same."""
    return (min(times), max(times)) if max(times) > min(times) else (times[0] - DAY, times[0])


def _write_ends(times: Sequence[float]) -> list[str]:
    """Return the first and the last day, or the only one, at the right."""
    first, last = write_day(times[0]), write_day(times[-1])
    return ["" if first == last else first, last]

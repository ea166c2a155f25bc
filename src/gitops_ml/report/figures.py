"""Figures of the report: curves, confusion matrix and permutation importance, as inline SVG."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from markupsafe import Markup

from ..core import formatting
from ..core.records import Curve, EvaluationRecord, Importance, TrainingRecord
from . import svg
from .svg import Box, Point, Scale

WIDTH, HEIGHT = 420, 330
BOX = Box(left=56, top=10, right=408, bottom=284)
# The page has colours for so many curves.
MOST_CURVES = 8
# More columns or classes have no room for their names, or their numbers.
MOST_COLUMNS, MOST_NAMES, MOST_NUMBERS = 15, 14, 8
# Where a plot begins that has names at its left.
LABELS = 126
# How wide a letter is, about.
LETTER = 6.2


class Figure(NamedTuple):
    """One figure of the page."""

    name: str
    title: str
    caption: str
    """What to look for, in one sentence."""
    drawing: Markup
    legend: Sequence[str] = ()
    """What the colours stand for, in their order."""


def draw_figures(evaluation: EvaluationRecord, training: TrainingRecord) -> list[Figure]:
    """Draw all figures that the record of an evaluation has points for.

    Returns
    -------
    list of Figure
        The same record gives the same bytes. Colours are those of the page.
    """
    curves: dict[str, list[Curve]] = {}
    for curve in evaluation.curves:
        curves.setdefault(curve.name, []).append(curve)
    figures = [_draw_curves(name, curves[name], len(training.classes)) for name in KINDS if name in curves]
    if evaluation.confusion:
        figures.append(_draw_confusion(evaluation.confusion, training.classes))
    if evaluation.importances:
        figures.append(_draw_importances(evaluation.importances, formatting.name_metric(training.metric)))
    return figures


class Kind(NamedTuple):
    """How curves of one name are drawn."""

    title: str
    caption: str
    x_label: str
    y_label: str
    draw: Callable[[Scale, Sequence[Point], str], str]
    """The points of one curve, with the class of its colour."""
    slope: float | None = None
    """Of the dashed line through zero that they are held against."""
    of_shares: bool = True
    """Whether both axes go from 0 to 1."""


def _draw_line(scale: Scale, points: Sequence[Point], colour: str) -> str:
    return svg.draw_line(scale, points, f"line {colour}")


def _draw_steps(scale: Scale, points: Sequence[Point], colour: str) -> str:
    corners = [corner for (_, old), (x, new) in pairwise(points) for corner in ((x, old), (x, new))]
    return _draw_line(scale, [*points[:1], *corners], colour)


def _draw_bins(scale: Scale, points: Sequence[Point], colour: str) -> str:
    return _draw_line(scale, points, colour) + svg.draw_dots(scale, points, f"dot {colour}")


def _draw_sample(scale: Scale, points: Sequence[Point], colour: str) -> str:
    return svg.draw_dots(scale, points, f"dot sample {colour}")


KINDS = {
    "roc": Kind(
        "ROC curve",
        "The further above the diagonal, the better; the diagonal is chance.",
        "False positive rate",
        "True positive rate",
        _draw_line,
        slope=1,
    ),
    "precision_recall": Kind(
        "Precision and recall",
        "How many alarms are right (precision) at each share of cases found (recall).",
        "Recall",
        "Precision",
        _draw_steps,
    ),
    "calibration": Kind(
        "Calibration",
        "On the diagonal, predicted probabilities can be taken at their word.",
        "Predicted probability",
        "Observed share",
        _draw_bins,
        slope=1,
    ),
    "predictions": Kind(
        "Predictions",
        "The closer to the line, the better; a sample of the test rows.",
        "Predicted",
        "Actual",
        _draw_sample,
        slope=1,
        of_shares=False,
    ),
    "residuals": Kind(
        "Residuals",
        "A cloud without shape around zero is what is hoped for.",
        "Predicted",
        "Residual (actual minus predicted)",
        _draw_sample,
        slope=0,
        of_shares=False,
    ),
}


def _draw_curves(name: str, curves: Sequence[Curve], classes: int) -> Figure:
    kind, shown = KINDS[name], curves[:MOST_CURVES]
    scale = _fit_scale(kind, shown)
    marks = [svg.draw_x_axis(scale, kind.x_label), svg.draw_y_axis(scale, kind.y_label)]
    if kind.slope is not None:
        marks.append(svg.draw_line(scale, [(x, kind.slope * x) for x in (scale.left, scale.right)], "rule"))
    for place, curve in enumerate(shown, start=1):
        marks.append(kind.draw(scale, list(zip(curve.x, curve.y, strict=True)), f"series-{place}"))
    cut = f" Only {len(shown)} of {classes} classes are drawn." if 1 < len(shown) < classes else ""
    drawing = svg.frame_figure(marks, WIDTH, HEIGHT, kind.title)
    legend = [curve.label for curve in shown if curve.label]
    return Figure(name, kind.title, kind.caption + cut, drawing, legend)


def _fit_scale(kind: Kind, curves: Sequence[Curve]) -> Scale:
    if kind.of_shares:
        return Scale(0, 1, 0, 1, BOX)
    left, right = svg.pad([x for curve in curves for x in curve.x])
    line = [(kind.slope or 0) * x for x in (left, right)]
    return Scale(left, right, *svg.pad([*line, *(y for curve in curves for y in curve.y)]), BOX)


def _draw_confusion(confusion: Sequence[Sequence[int]], classes: Sequence[str]) -> Figure:
    size, title = len(classes), "Confusion matrix"
    names = [_shorten(name) for name in classes]
    slanted = max(map(len, names)) * LETTER > (BOX.right - LABELS) / size
    scale = Scale(0, size, size, 0, BOX._replace(left=LABELS, bottom=BOX.bottom - 46 * slanted))
    shares = [[count / max(sum(counts), 1) for count in counts] for counts in confusion]
    marks = [
        svg.draw_matrix(scale, shares),
        svg.draw_y_label(scale, "True"),
        svg.draw_x_label(scale, "Predicted", below=36 + 46 * slanted),
        *_draw_names(scale, names, slanted),
    ]
    if size <= MOST_NUMBERS:
        marks += _draw_numbers(scale, confusion, shares)
    caption = "Rows are the true classes; the percentage is the share of a row, so the diagonal is recall."
    return Figure("confusion", title, caption, svg.frame_figure(marks, WIDTH, HEIGHT, title))


def _draw_names(scale: Scale, names: Sequence[str], slanted: bool) -> Iterator[str]:
    """Name rows and columns of a matrix, as many as there is room for."""
    below = scale.box.bottom + 14
    for place in range(0, len(names), -(-len(names) // MOST_NAMES)):
        row, column = scale.place_y(place + 0.5), scale.place_x(place + 0.5)
        yield svg.draw_text(names[place], scale.box.left - 8, row, "end")
        yield svg.draw_text(names[place], column, below, "end" if slanted else "middle", -35 * slanted)


def _draw_numbers(
    scale: Scale, confusion: Sequence[Sequence[int]], shares: Sequence[Sequence[float]]
) -> Iterator[str]:
    """Write into each cell of a matrix how many rows it stands for, and which share of its row."""
    for row, (counts, parts) in enumerate(zip(confusion, shares, strict=True)):
        for column, (count, share) in enumerate(zip(counts, parts, strict=True)):
            x, y = scale.place_x(column + 0.5), float(scale.place_y(row + 0.5))
            yield svg.draw_text(f"{count:,}", x, y - 7, "number middle")
            yield svg.draw_text(f"{share:.0%}", x, y + 7, "number middle")


def _draw_importances(importances: Sequence[Importance], metric: str) -> Figure:
    shown = list(enumerate(importances[:MOST_COLUMNS]))
    height = 58 + 22 * len(shown)
    ends = [end for _, one in shown for end in (one.mean - one.sd, one.mean + one.sd)]
    scale = Scale(
        *svg.pad([0.0, *ends]), len(shown) - 0.5, -0.5, BOX._replace(left=LABELS, bottom=height - 50)
    )
    marks = [
        svg.draw_x_axis(scale, f"Loss of {metric} when shuffled"),
        svg.draw_bars(scale, [(y, 0.0, one.mean) for y, one in shown], "bar thick"),
        svg.draw_bars(scale, [(y, one.mean - one.sd, one.mean + one.sd) for y, one in shown], "whisker"),
        *(svg.draw_text(_shorten(one.column), LABELS - 8, scale.place_y(y), "end") for y, one in shown),
    ]
    title = "Which columns matter"
    caption = (
        "How much the primary metric gets worse when a column is shuffled; lines are one standard deviation."
    )
    return Figure("importance", title, caption, svg.frame_figure(marks, WIDTH, height, title))


def _shorten(name: str) -> str:
    return formatting.shorten(name, 18)

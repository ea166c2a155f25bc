"""Figures of the report as inline SVG, drawn by scikit-learn's displays from the points in the records."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib import rcsetup
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from sklearn.calibration import CalibrationDisplay
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    PrecisionRecallDisplay,
    PredictionErrorDisplay,
    RocCurveDisplay,
)

from . import wording
from .records import Curve, EvaluationRecord, Importance, TrainingRecord

# Colours that stand for those of the page: they are replaced by its CSS variables, so that one
# drawing suits light and dark.
INK, SOFT, GRID, SERIES = (
    "#010202",
    "#010203",
    "#040506",
    ("#0a0b01", "#0a0b02", "#0a0b03", "#0a0b04", "#0a0b05"),
)
_VARIABLES = {
    INK: "var(--ink)",
    SOFT: "var(--ink-soft)",
    GRID: "var(--line)",
    **{colour: f"var(--series-{number})" for number, colour in enumerate(SERIES, start=1)},
}
_SHADES = LinearSegmentedColormap.from_list("shades", [(0.24, 0.45, 0.86, 0.0), (0.24, 0.45, 0.86, 0.6)])
_STYLE: Any = {
    "svg.fonttype": "none",
    # A dollar sign in a name is no mathematics.
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": SOFT,
    "axes.labelcolor": SOFT,
    "axes.edgecolor": GRID,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": rcsetup.cycler(color=SERIES),
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": SOFT,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "legend.fontsize": 8,
}
_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


class Drawing(NamedTuple):
    """One figure of the page."""

    name: str
    title: str
    caption: str
    """What to look for, in one sentence."""
    svg: str


def draw_figures(evaluation: EvaluationRecord, training: TrainingRecord) -> list[Drawing]:
    """Draw all figures that the record of an evaluation has points for.

    Returns
    -------
    list of Drawing
        The same record gives the same bytes. Colours are CSS variables of the page.
    """
    curves: dict[str, list[Curve]] = {}
    for curve in evaluation.curves:
        curves.setdefault(curve.name, []).append(curve)
    drawings = [_draw_curves(name, curves[name]) for name in _CURVES if name in curves]
    if evaluation.confusion:
        drawings.append(_draw_confusion(evaluation.confusion, training.classes))
    if evaluation.importances:
        drawings.append(_draw_importances(evaluation.importances, wording.name_metric(training.metric)))
    return drawings


def _plot_roc(ax: Axes, curve: Curve, colour: str) -> None:
    display = RocCurveDisplay(fpr=np.array(curve.x), tpr=np.array(curve.y), name=curve.label or None)
    display.plot(ax=ax, curve_kwargs={"color": colour})
    ax.set(xlabel="False positive rate", ylabel="True positive rate")


def _plot_precision_recall(ax: Axes, curve: Curve, colour: str) -> None:
    display = PrecisionRecallDisplay(
        precision=np.array(curve.y), recall=np.array(curve.x), name=curve.label or None
    )
    display.plot(ax=ax, curve_kwargs={"color": colour})
    ax.set(xlabel="Recall", ylabel="Precision")


def _plot_calibration(ax: Axes, curve: Curve, colour: str) -> None:
    predicted = np.array(curve.x)
    name = curve.label or "challenger"
    display = CalibrationDisplay(np.array(curve.y), predicted, predicted, estimator_name=name)
    display.plot(ax=ax, ref_line=False, color=colour, markersize=4)
    ax.set(xlabel="Predicted probability", ylabel="Observed share", aspect="equal")


def _plot_predictions(ax: Axes, curve: Curve, colour: str) -> None:
    _plot_errors(ax, np.array(curve.x), np.array(curve.y), "actual_vs_predicted", colour)


def _plot_residuals(ax: Axes, curve: Curve, colour: str) -> None:
    predicted = np.array(curve.x)
    _plot_errors(ax, predicted, predicted + np.array(curve.y), "residual_vs_predicted", colour)
    ax.set(ylabel="Residual (actual minus predicted)")


def _plot_errors(ax: Axes, predicted: Any, actual: Any, kind: str, colour: str) -> None:
    display = PredictionErrorDisplay(y_true=actual, y_pred=predicted)
    scatter = {"color": colour, "s": 10, "alpha": 0.6, "linewidths": 0}
    display.plot(ax=ax, kind=kind, scatter_kwargs=scatter, line_kwargs={"color": SOFT, "linewidth": 1})
    ax.set(xlabel="Predicted", ylabel="Actual")


class _Kind(NamedTuple):
    title: str
    caption: str
    plot: Callable[[Axes, Curve, str], None]
    diagonal: bool


_CURVES = {
    "roc": _Kind(
        "ROC curve", "The further above the diagonal, the better; the diagonal is chance.", _plot_roc, True
    ),
    "precision_recall": _Kind(
        "Precision and recall",
        "How many alarms are right (precision) at each share of cases found (recall).",
        _plot_precision_recall,
        False,
    ),
    "calibration": _Kind(
        "Calibration",
        "On the diagonal, predicted probabilities can be taken at their word.",
        _plot_calibration,
        True,
    ),
    "predictions": _Kind(
        "Predictions",
        "The closer to the line, the better; a sample of the test rows.",
        _plot_predictions,
        False,
    ),
    "residuals": _Kind(
        "Residuals", "A cloud without shape around zero is what is hoped for.", _plot_residuals, False
    ),
}


def _draw_curves(name: str, curves: Sequence[Curve]) -> Drawing:
    kind = _CURVES[name]

    def plot(ax: Axes) -> None:
        if kind.diagonal:
            ax.plot((0, 1), (0, 1), color=SOFT, linestyle=(0, (3, 3)), linewidth=1)
        for number, curve in enumerate(curves[: len(SERIES)]):
            kind.plot(ax, curve, SERIES[number])
        _tidy_legend(ax, [curve.label for curve in curves[: len(SERIES)]])

    hidden = f" Only {len(SERIES)} of {len(curves)} classes are drawn." if len(curves) > len(SERIES) else ""
    return Drawing(name, kind.title, kind.caption + hidden, _render(name, (4.2, 3.4), plot))


def _draw_confusion(confusion: Sequence[Sequence[int]], classes: Sequence[str]) -> Drawing:
    counts = np.array(confusion)
    labels = [_label(name) for name in classes]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)

    def plot(ax: Axes) -> None:
        ax.grid(visible=False)
        display = ConfusionMatrixDisplay(shares, display_labels=labels)
        few = len(labels) <= 8
        display.plot(
            ax=ax,
            cmap=_SHADES,
            colorbar=False,
            include_values=few,
            im_kw={"vmin": 0, "vmax": 1, "aspect": "auto"},
        )
        for text, count, share in zip(_texts(display), counts.flat, shares.flat, strict=False):
            text.set(text=f"{count:,}\n{share:.0%}", color=INK)
        ax.set(xlabel="Predicted", ylabel="True")
        if not few:
            ax.tick_params(axis="x", rotation=90)

    caption = "Rows are the true classes; the percentage is the share of a row, so the diagonal is recall."
    return Drawing("confusion", "Confusion matrix", caption, _render("confusion", (4.2, 3.4), plot))


def _texts(display: ConfusionMatrixDisplay) -> list[Any]:
    return [] if display.text_ is None else list(display.text_.flat)


def _draw_importances(importances: Sequence[Importance], metric: str, most: int = 15) -> Drawing:
    shown = list(reversed(importances[:most]))

    def plot(ax: Axes) -> None:
        ax.grid(visible=False, axis="y")
        ax.barh(
            [_label(importance.column) for importance in shown],
            [importance.mean for importance in shown],
            xerr=[importance.sd for importance in shown],
            color=SERIES[0],
            error_kw={"ecolor": SOFT, "elinewidth": 1},
            height=0.6,
        )
        ax.set(xlabel=f"Loss of {metric} when shuffled")
        ax.tick_params(axis="y", length=0)

    caption = (
        "How much the primary metric gets worse when a column is shuffled; lines are one standard deviation."
    )
    height = 1.0 + 0.24 * len(shown)
    return Drawing(
        "importance", "Which columns matter", caption, _render("importance", (4.2, max(height, 2.2)), plot)
    )


def _label(text: str) -> str:
    return wording.shorten(text, 22)


def _tidy_legend(ax: Axes, labels: Sequence[str]) -> None:
    """Name the curves of several classes; a single curve needs no name."""
    legend = ax.get_legend()
    if legend is not None:
        legend.remove()
    if any(labels):
        lines = [line for line in ax.lines if not str(line.get_label()).startswith("_")]
        ax.legend(lines, [_label(label) for label in labels])


def _render(name: str, size: tuple[float, float], plot: Callable[[Axes], None]) -> str:
    """Draw on a figure of its own, without pyplot's global state, and return the SVG."""
    with mpl.rc_context(_STYLE | {"svg.hashsalt": name}):
        figure = Figure(figsize=size, layout="constrained")
        plot(figure.add_subplot())
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata=_METADATA, transparent=True)
    return _embed(buffer.getvalue(), name)


def _embed(svg: str, name: str) -> str:
    """Make an SVG file part of a page: no prologue, no size, ids of its own, the page's colours."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'href="#', f'href="#{name}-', svg)
    svg = svg.replace("url(#", f"url(#{name}-")
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    return svg.replace("<svg", f'<svg role="img" aria-labelledby="{name}-title"', 1)

"""Figures of the report as inline SVG, drawn by scikit-learn's displays from the points in the records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from sklearn.calibration import CalibrationDisplay
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    PrecisionRecallDisplay,
    PredictionErrorDisplay,
    RocCurveDisplay,
)

from ..core import formatting
from ..core.records import Curve, EvaluationRecord, Importance, TrainingRecord
from .svg import INK, SERIES, SHADES, SOFT, render_svg


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
    drawings = [_draw_curves(name, curves[name], len(training.classes)) for name in _CURVES if name in curves]
    if evaluation.confusion:
        drawings.append(_draw_confusion(evaluation.confusion, training.classes))
    if evaluation.importances:
        drawings.append(_draw_importances(evaluation.importances, formatting.name_metric(training.metric)))
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
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(6))


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


def _draw_curves(name: str, curves: Sequence[Curve], classes: int) -> Drawing:
    kind, shown = _CURVES[name], curves[: len(SERIES)]

    def plot(ax: Axes) -> None:
        if kind.diagonal:
            ax.plot((0, 1), (0, 1), color=SOFT, linestyle=(0, (3, 3)), linewidth=1)
        for number, curve in enumerate(shown):
            kind.plot(ax, curve, SERIES[number])
        _tidy_legend(ax, [curve.label for curve in shown])

    cut = len(curves) > 1 and len(shown) < classes
    hidden = f" Only {len(shown)} of {classes} classes are drawn." if cut else ""
    return Drawing(name, kind.title, kind.caption + hidden, render_svg(name, (4.2, 3.4), plot))


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
            cmap=SHADES,
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
    return Drawing("confusion", "Confusion matrix", caption, render_svg("confusion", (4.2, 3.4), plot))


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
        "importance", "Which columns matter", caption, render_svg("importance", (4.2, max(height, 2.2)), plot)
    )


def _label(text: str) -> str:
    return formatting.shorten(text, 22)


def _tidy_legend(ax: Axes, labels: Sequence[str]) -> None:
    """Name the curves of several classes; a single curve needs no name."""
    legend = ax.get_legend()
    if legend is not None:
        legend.remove()
    if any(labels):
        lines = [line for line in ax.lines if not str(line.get_label()).startswith("_")]
        ax.legend(lines, [_label(label) for label in labels])

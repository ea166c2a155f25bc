"""ROC, precision-recall and calibration curves, residuals, and the confusion matrix."""

from __future__ import annotations

from typing import Literal

import numpy as np
from sklearn.metrics import precision_recall_curve, roc_curve

from ..core.records import Curve
from ..metrics.builtin import encode
from ..metrics.prediction import Prediction

POINTS = 200
BINS = 10
# More than two classes: one curve each for the first so many, so that a figure stays readable.
CLASSES = 8

Name = Literal["roc", "precision_recall", "calibration", "residuals", "predictions"]


def trace_classes(y_true: np.ndarray, prediction: Prediction, classes: np.ndarray) -> list[Curve]:
    """Return ROC, precision-recall and calibration curves.

    Parameters
    ----------
    y_true : ndarray of shape (n_rows,)
    prediction : Prediction
        With scores; without probabilities there is no calibration curve.
    classes : ndarray of shape (n_classes,)
        Two: curves of the second. More: of each against the rest, as far as all kinds occur.
    """
    scores = prediction.decision if prediction.probability is None else prediction.probability
    if scores is None:
        return []
    scores, codes = scores.reshape(len(scores), -1), encode(y_true, classes)
    curves = []
    for code in [1] if len(classes) == 2 else range(min(len(classes), CLASSES)):
        positive = codes == code
        if 0 < positive.sum() < len(positive):
            score = scores[:, code if scores.shape[1] > 1 else 0]
            label = "" if len(classes) == 2 else str(classes[code])
            curves += _trace_one(positive, score, label, prediction.probability is not None)
    return curves


def _trace_one(positive: np.ndarray, score: np.ndarray, label: str, calibrated: bool) -> list[Curve]:
    false_positive, true_positive, _ = roc_curve(positive, score)
    precision, recall, _ = precision_recall_curve(positive, score)
    curves = [
        _thin("roc", label, false_positive, true_positive),
        _thin("precision_recall", label, recall, precision),
    ]
    if calibrated:
        predicted, observed, _ = bin_probabilities(positive, score)
        curves.append(_thin("calibration", label, predicted, observed))
    return curves


def _thin(name: Name, label: str, x: np.ndarray, y: np.ndarray) -> Curve:
    """Keep at most 200 points, evenly spread along the curve, its ends among them."""
    if len(x) > POINTS:
        way = np.concatenate([[0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
        kept = np.unique(np.searchsorted(way, np.linspace(0, way[-1], POINTS)).clip(max=len(x) - 1))
        x, y = x[kept], y[kept]
    return Curve(name=name, label=label, x=x.tolist(), y=y.tolist())


def bin_probabilities(
    positive: np.ndarray, probability: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sort rows into ten bins of about equal size by their probability; equal ones stay together.

    Returns
    -------
    predicted, observed : ndarray of shape (n_bins,)
        Mean probability, and share of positive rows.
    rows : ndarray of shape (n_bins,)
        Size of the bins; empty ones are left out.
    """
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, BINS + 1)[1:-1]))
    bins = np.searchsorted(edges, probability)
    rows = np.bincount(bins, minlength=len(edges) + 1)
    filled = rows > 0
    predicted, observed = (np.bincount(bins, values, len(rows))[filled] for values in (probability, positive))
    return predicted / rows[filled], observed / rows[filled], rows[filled]


def measure_calibration(y_true: np.ndarray, prediction: Prediction, classes: np.ndarray) -> float | None:
    """Return the expected calibration error, 0 to 1: the mean gap between predicted and observed.

    Two classes: of the probability of the second. More: of the probability of the predicted
    class, against how often it is right. None without probabilities.

    References
    ----------
    C. Guo et al., On Calibration of Modern Neural Networks, ICML 2017, equation 3; with bins of
    equal size as in K. Nguyen and B. O'Connor, Posterior calibration, EMNLP 2015.
    """
    if prediction.probability is None:
        return None
    codes = encode(y_true, classes)
    if len(classes) == 2:
        positive, probability = codes == 1, prediction.probability[:, 1]
    else:
        chosen = prediction.probability.argmax(axis=1)
        positive, probability = codes == chosen, prediction.probability.max(axis=1)
    predicted, observed, rows = bin_probabilities(positive, probability)
    return float(np.average(np.abs(predicted - observed), weights=rows))


def trace_numbers(y_true: np.ndarray, prediction: Prediction, seed: int) -> list[Curve]:
    """Return a sample of rows: actual values, and residuals (actual minus predicted), by prediction."""
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(len(y_true), min(POINTS, len(y_true)), replace=False))
    actual, predicted = y_true[rows], prediction.label[rows].astype(float)
    return [
        Curve(name="predictions", x=predicted.tolist(), y=actual.tolist()),
        Curve(name="residuals", x=predicted.tolist(), y=(actual - predicted).tolist()),
    ]


def count_confusion(y_true: np.ndarray, prediction: Prediction, classes: np.ndarray) -> list[list[int]]:
    """Return how many rows of each class (outer) are predicted as each class (inner)."""
    true, predicted = encode(y_true, classes), encode(prediction.label, classes)
    known, size = (true >= 0) & (predicted >= 0), len(classes)
    counts = np.bincount(true[known] * size + predicted[known], minlength=size * size)
    return [[int(count) for count in row] for row in counts.reshape(size, size)]

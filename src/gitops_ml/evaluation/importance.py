"""Permutation importance of columns on test rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from ..core.records import Importance
from ..metrics.prediction import Prediction
from ..metrics.registry import Metric
from .paired import PairedPredictions

Predict = Callable[[pd.DataFrame], Prediction]

ROWS = 1000
REPEATS = 3
# Cells of the table that is predicted at a time, so that wide tables fit in memory.
CELLS = 8_000_000


def permutation_importances(
    predict: Predict,
    features: pd.DataFrame,
    pair: PairedPredictions,
    metric: Metric,
    seed: int,
) -> list[Importance]:
    """Return the permutation importance of each column: the loss in the metric when it is shuffled.

    Does what ``sklearn.inspection.permutation_importance`` does, with all shuffled copies of the
    rows predicted together, which is much faster for models with a costly start.

    Parameters
    ----------
    predict : callable
        Takes features and returns what the model predicts for them.
    features : DataFrame of shape (n_rows, n_columns)
        Test rows; a sample of 1,000 of them is used.
    pair : PairedPredictions
        The same rows; the model is the first of the two.
    metric : Metric
    seed : int

    Returns
    -------
    list of Importance
        The most important first, in the unit of the metric, up means that the column helps. Empty
        if the metric has no value for the sample.

    References
    ----------
    L. Breiman, Random Forests, Machine Learning 45 (2001), section 10.
    """
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(len(features), min(ROWS, len(features)), replace=False))
    sample, truth, classes = features.iloc[rows], pair.y_true[rows], pair.classes
    sign = 1 if metric.greater_is_better else -1
    whole = metric.score_part(truth, pair.predictions[0].take(rows), classes)
    if np.isnan(whole):
        return []
    losses = {
        column: sign * (whole - np.array(scores))
        for column, scores in _score_shuffled(predict, sample, truth, classes, metric, rng)
    }
    importances = [
        Importance(column=column, mean=float(np.mean(loss)), sd=float(np.std(loss)))
        for column, loss in losses.items()
        if np.isfinite(loss).all()
    ]
    return sorted(importances, key=lambda importance: -importance.mean)


def _score_shuffled(
    predict: Predict,
    sample: pd.DataFrame,
    truth: np.ndarray,
    classes: np.ndarray,
    metric: Metric,
    rng: np.random.Generator,
) -> Iterator[tuple[str, list[float]]]:
    """Yield each column with the metric on each shuffled copy."""
    n_rows = len(sample)
    step = max(1, CELLS // (REPEATS * max(sample.size, 1)))
    for start in range(0, sample.shape[1], step):
        columns = sample.columns[start : start + step]
        prediction = predict(_shuffle(sample, columns, rng))
        copies = np.arange(len(columns) * REPEATS * n_rows).reshape(len(columns), REPEATS, n_rows)
        for column, repeats in zip(columns, copies, strict=True):
            yield str(column), [metric.score_part(truth, prediction.take(copy), classes) for copy in repeats]


def _shuffle(sample: pd.DataFrame, columns: pd.Index, rng: np.random.Generator) -> pd.DataFrame:
    """Stack copies of the rows, ``REPEATS`` for each column, with that column shuffled in them."""
    n_rows = len(sample)
    straight = np.tile(np.arange(n_rows), len(columns) * REPEATS)
    stacked = {}
    for name in sample.columns:
        order = straight
        if name in columns:
            order, start = straight.copy(), list(columns).index(name) * REPEATS * n_rows
            for at in range(start, start + REPEATS * n_rows, n_rows):
                order[at : at + n_rows] = rng.permutation(n_rows)
        stacked[name] = sample[name].array.take(order)
    return pd.DataFrame(stacked)

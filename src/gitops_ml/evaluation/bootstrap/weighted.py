"""Metrics of several models on weighted rows, for many weightings of the same rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...metrics.builtin import average_precision, list_rankings, roc_auc
from ...metrics.prediction import Prediction
from ...metrics.registry import Metric
from .ranked import Ranking, RankSums
from .sums import SUMMED, SumTable, average_defined, make_formula

RANKED = {roc_auc: RankSums.roc_auc, average_precision: RankSums.average_precision}
# A custom metric is given copies of rows, which takes long: it is computed for every fifth weighting.
OWN_EVERY = 5


class WeightedMetrics:
    """Metrics of several models on some rows, as a function of the weights of the rows.

    Parameters
    ----------
    metrics : sequence of Metric
    rows : ndarray of shape (n_part,) or None
        The rows that count, by position; None for all.
    y_true : ndarray of shape (n_rows,)
    predictions : sequence of Prediction
        One for each model.
    classes : ndarray of shape (n_classes,)

    Raises
    ------
    UndefinedMetric
        If a model has no value for a metric on these rows.
    """

    def __init__(
        self,
        metrics: Sequence[Metric],
        rows: np.ndarray | None,
        y_true: np.ndarray,
        predictions: Sequence[Prediction],
        classes: np.ndarray,
    ) -> None:
        self._metrics, self._rows, self._classes = metrics, rows, classes
        self._y_true = y_true if rows is None else y_true[rows]
        self._predictions = predictions if rows is None else [one.take(rows) for one in predictions]
        self._rankings = self._build_rankings()
        self._sums = self._build_sums()
        self._own = [
            place for place, metric in enumerate(metrics) if metric.function not in (*RANKED, *SUMMED)
        ]

    def _build_rankings(self) -> list[list[Ranking]]:
        """Return the rankings of each model, one for each class that is looked at."""
        if not any(metric.function in RANKED for metric in self._metrics):
            return []
        return [
            [Ranking(*ranking) for ranking in list_rankings(self._y_true, prediction, self._classes)]
            for prediction in self._predictions
        ]

    def _build_sums(self) -> SumTable | None:
        formulas = {
            (place, model): make_formula(metric.function, self._y_true, prediction, self._classes, model)
            for place, metric in enumerate(self._metrics)
            for model, prediction in enumerate(self._predictions)
            if metric.function in SUMMED
        }
        return SumTable(formulas, len(self._y_true)) if formulas else None

    def __call__(self, weights: np.ndarray, first: int) -> np.ndarray:
        """Return the metrics under each weighting.

        Parameters
        ----------
        weights : ndarray of shape (n_weightings, n_rows), uint8
        first : int
            Number of the first of these weightings among all.

        Returns
        -------
        ndarray of shape (n_weightings, n_metrics, n_models)
            NaN where there is no value.
        """
        weights = weights if self._rows is None else np.take(weights, self._rows, axis=1)
        values = np.full((len(weights), len(self._metrics), len(self._predictions)), np.nan)
        self._fill_ranked(weights, values)
        if self._sums is not None:
            for (place, model), column in self._sums(weights).items():
                values[:, place, model] = column
        self._fill_own(weights, first, values)
        return values

    def _fill_ranked(self, weights: np.ndarray, values: np.ndarray) -> None:
        for model, rankings in enumerate(self._rankings):
            sums = [ranking.accumulate(weights) for ranking in rankings]
            for place, metric in enumerate(self._metrics):
                if metric.function in RANKED:
                    compute = RANKED[metric.function]
                    values[:, place, model] = average_defined(np.array([compute(one) for one in sums]))

    def _fill_own(self, weights: np.ndarray, first: int, values: np.ndarray) -> None:
        for at in range(-first % OWN_EVERY, len(weights) if self._own else 0, OWN_EVERY):
            rows = np.repeat(np.arange(weights.shape[1]), weights[at])
            for model, prediction in enumerate(self._predictions):
                drawn = prediction.take(rows)
                for place in self._own:
                    values[at, place, model] = self._metrics[place].score_part(
                        self._y_true[rows], drawn, self._classes
                    )

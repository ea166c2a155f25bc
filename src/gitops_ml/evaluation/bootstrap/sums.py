"""Metrics made of sums over rows, for many weightings of the same rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from ...metrics import builtin as scores
from ...metrics.builtin import Function
from ...metrics.prediction import Prediction

# Weighted sums by name, each of shape (n_weightings,); "rows" is the sum of the weights.
Sums = Mapping[str, np.ndarray]
Finish = Callable[[Sums], np.ndarray]
# What is summed over the rows, by name, and how the metric is made of the sums. Names end in the
# number of the model, except for what all models have in common.
Recipe = tuple[dict[str, np.ndarray], Finish]


class SumTable:
    """The recipes of several metrics and models, worked out in one matrix product.

    Parameters
    ----------
    recipes : dict of (metric, model) to Recipe
        The keys are those of the results.
    n_rows : int
    """

    def __init__(self, recipes: Mapping[tuple[int, int], Recipe], n_rows: int) -> None:
        columns = {"rows": np.ones(n_rows)}
        for parts, _ in recipes.values():
            columns |= parts
        self._names = list(columns)
        self._matrix = np.column_stack(list(columns.values())).astype(float)
        self._finishes = {key: finish for key, (_, finish) in recipes.items()}

    def __call__(self, weights: np.ndarray) -> dict[tuple[int, int], np.ndarray]:
        """Return each metric of each model, NaN where it has no value.

        Parameters
        ----------
        weights : ndarray of shape (n_weightings, n_rows)
        """
        # Not @, which keeps the interpreter to itself.
        totals = np.dot(weights.astype(float), self._matrix).T
        sums = dict(zip(self._names, totals, strict=True))
        with np.errstate(divide="ignore", invalid="ignore"):
            return {key: finish(sums) for key, finish in self._finishes.items()}


def write_recipe(
    function: Function, y_true: np.ndarray, prediction: Prediction, classes: np.ndarray, model: int
) -> Recipe:
    """Return what to sum for a built-in metric of one model, and what to make of it.

    Raises
    ------
    UndefinedMetric
        If the model has no value for the metric.
    """
    if function in _MEANS:
        values, finish = _MEANS[function]
        return _write_mean(values(y_true, prediction, classes), f"{function.__name__} {model}", finish)
    if function is scores.r2:
        return _write_r2(y_true, prediction, model)
    true, predicted = scores.encode(y_true, classes), scores.encode(prediction.label, classes)
    if function is scores.f1:
        return _write_f1(true, predicted, len(classes) == 2, model)
    return _write_balanced_accuracy(true, predicted, model)


def _write_mean(values: np.ndarray, name: str, finish: Callable[[np.ndarray], np.ndarray]) -> Recipe:
    return {name: values}, lambda sums: finish(sums[name] / sums["rows"])


def _absolute_errors(y_true: np.ndarray, prediction: Prediction, classes: np.ndarray) -> np.ndarray:
    return np.asarray(np.abs(y_true - prediction.label))


def _squared_errors(y_true: np.ndarray, prediction: Prediction, classes: np.ndarray) -> np.ndarray:
    return np.asarray((y_true - prediction.label) ** 2)


# Metrics that are a function of a mean over rows: of what, and which function.
_Values = Callable[[np.ndarray, Prediction, np.ndarray], np.ndarray]
_MEANS: dict[Function, tuple[_Values, Callable[[np.ndarray], np.ndarray]]] = {
    scores.log_loss: (scores.log_losses, np.asarray),
    scores.brier: (scores.brier_losses, np.asarray),
    scores.mae: (_absolute_errors, np.asarray),
    scores.rmse: (_squared_errors, np.sqrt),
    scores.mape: (scores.relative_errors, np.asarray),
}
SUMMED = {*_MEANS, scores.r2, scores.f1, scores.balanced_accuracy}


def _write_r2(y_true: np.ndarray, prediction: Prediction, model: int) -> Recipe:
    # Around the mean, so that no digits are lost when the sums are subtracted.
    centred = y_true - y_true.mean()
    error = f"squared error {model}"
    columns = {error: (y_true - prediction.label) ** 2, "target": centred, "squared target": centred**2}

    def finish(sums: Sums) -> np.ndarray:
        spread = sums["squared target"] - sums["target"] ** 2 / sums["rows"]
        return np.where(spread > 0, 1 - sums[error] / spread, np.nan)

    return columns, finish


def _write_f1(true: np.ndarray, predicted: np.ndarray, binary: bool, model: int) -> Recipe:
    codes = [1] if binary else sorted({*true.tolist(), *predicted.tolist()})
    members, hits = _count_hits(true, predicted, codes, model)
    claims = {f"predicted {code} {model}": predicted == code for code in codes}

    def finish(sums: Sums) -> np.ndarray:
        shares = 2 * _stack(sums, hits) / (_stack(sums, members) + _stack(sums, claims))
        # A class neither there nor predicted is not counted; of two, finding none of the second is 0.
        return np.nan_to_num(shares[0]) if binary else average_defined(shares)

    return members | claims | hits, finish


def _write_balanced_accuracy(true: np.ndarray, predicted: np.ndarray, model: int) -> Recipe:
    members, hits = _count_hits(true, predicted, np.unique(true).tolist(), model)
    return members | hits, lambda sums: average_defined(_stack(sums, hits) / _stack(sums, members))


def _count_hits(
    true: np.ndarray, predicted: np.ndarray, codes: list[int], model: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return which rows are of each class, and which of these are recognised."""
    members = {f"true {code}": true == code for code in codes}
    hits = {f"hit {code} {model}": (true == code) & (predicted == code) for code in codes}
    return members, hits


def _stack(sums: Sums, names: Iterable[str]) -> np.ndarray:
    return np.array([sums[name] for name in names])


def average_defined(values: np.ndarray) -> np.ndarray:
    """Return the mean over the first axis of what is not NaN; NaN where nothing is left."""
    defined = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(defined, values, 0).sum(axis=0) / defined.sum(axis=0))

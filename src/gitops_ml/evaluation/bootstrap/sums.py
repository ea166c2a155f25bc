"""Metrics that are functions of sums over rows, for many weightings of the same rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np

from ...metrics import builtin as scores
from ...metrics.builtin import Function
from ...metrics.prediction import Prediction

# Weighted sums by name, each of shape (n_weightings,); "rows" is the sum of the weights.
Sums = Mapping[str, np.ndarray]


class SumFormula(NamedTuple):
    """A metric of one model as a function of sums over rows."""

    columns: dict[str, np.ndarray]
    """What is summed, by name, each of shape (n_rows,). Names end in the number of the model, except
    for what all models have in common."""
    evaluate: Callable[[Sums], np.ndarray]
    """Takes the sums of the columns and returns the metric, of shape (n_weightings,)."""


class SumTable:
    """The formulas of several metrics and models, whose sums are one matrix product.

    Parameters
    ----------
    formulas : dict of (metric, model) to SumFormula
        The keys are those of the results.
    n_rows : int
    """

    def __init__(self, formulas: Mapping[tuple[int, int], SumFormula], n_rows: int) -> None:
        columns = {"rows": np.ones(n_rows)}
        for formula in formulas.values():
            columns |= formula.columns
        self._names = list(columns)
        self._matrix = np.column_stack(list(columns.values())).astype(float)
        self._formulas = formulas

    def __call__(self, weights: np.ndarray) -> dict[tuple[int, int], np.ndarray]:
        """Return each metric of each model, NaN where it has no value.

        Parameters
        ----------
        weights : ndarray of shape (n_weightings, n_rows)
        """
        # np.dot releases the GIL here, so that threads work side by side; `@` does not.
        totals = np.dot(weights.astype(float), self._matrix).T
        sums = dict(zip(self._names, totals, strict=True))
        with np.errstate(divide="ignore", invalid="ignore"):
            return {key: formula.evaluate(sums) for key, formula in self._formulas.items()}


def make_formula(
    function: Function, y_true: np.ndarray, prediction: Prediction, classes: np.ndarray, model: int
) -> SumFormula:
    """Return a built-in metric of one model as a function of sums over rows.

    Raises
    ------
    UndefinedMetric
        If the model has no value for the metric.
    """
    if function in _MEANS:
        losses, transform = _MEANS[function]
        return _mean_formula(losses(y_true, prediction, classes), f"{function.__name__} {model}", transform)
    if function is scores.r2:
        return _r2_formula(y_true, prediction, model)
    true, predicted = scores.encode(y_true, classes), scores.encode(prediction.label, classes)
    if function is scores.f1:
        return _f1_formula(true, predicted, len(classes) == 2, model)
    return _balanced_accuracy_formula(true, predicted, model)


def _mean_formula(losses: np.ndarray, name: str, transform: Callable[[np.ndarray], np.ndarray]) -> SumFormula:
    return SumFormula({name: losses}, lambda sums: transform(sums[name] / sums["rows"]))


def _absolute_errors(y_true: np.ndarray, prediction: Prediction, classes: np.ndarray) -> np.ndarray:
    return np.asarray(np.abs(y_true - prediction.label))


def _squared_errors(y_true: np.ndarray, prediction: Prediction, classes: np.ndarray) -> np.ndarray:
    return np.asarray((y_true - prediction.label) ** 2)


# Metrics that are a mean of losses over rows, or a function of that mean.
_Losses = Callable[[np.ndarray, Prediction, np.ndarray], np.ndarray]
_MEANS: dict[Function, tuple[_Losses, Callable[[np.ndarray], np.ndarray]]] = {
    scores.log_loss: (scores.log_losses, np.asarray),
    scores.brier: (scores.brier_losses, np.asarray),
    scores.mae: (_absolute_errors, np.asarray),
    scores.rmse: (_squared_errors, np.sqrt),
    scores.mape: (scores.relative_errors, np.asarray),
}
SUMMED = {*_MEANS, scores.r2, scores.f1, scores.balanced_accuracy}


def _r2_formula(y_true: np.ndarray, prediction: Prediction, model: int) -> SumFormula:
    # Around the mean, so that no digits are lost when the sums are subtracted.
    centred = y_true - y_true.mean()
    error = f"squared error {model}"
    columns = {error: (y_true - prediction.label) ** 2, "target": centred, "squared target": centred**2}

    def evaluate(sums: Sums) -> np.ndarray:
        spread = sums["squared target"] - sums["target"] ** 2 / sums["rows"]
        return np.where(spread > 0, 1 - sums[error] / spread, np.nan)

    return SumFormula(columns, evaluate)


def _f1_formula(true: np.ndarray, predicted: np.ndarray, binary: bool, model: int) -> SumFormula:
    codes = [1] if binary else sorted({*true.tolist(), *predicted.tolist()})
    support, true_positives = _mark_hits(true, predicted, codes, model)
    predictions = {f"predicted {code} {model}": predicted == code for code in codes}

    def evaluate(sums: Sums) -> np.ndarray:
        shares = 2 * _stack(sums, true_positives) / (_stack(sums, support) + _stack(sums, predictions))
        # A class neither there nor predicted is not counted; of two, finding none of the second is 0.
        return np.nan_to_num(shares[0]) if binary else average_defined(shares)

    return SumFormula(support | predictions | true_positives, evaluate)


def _balanced_accuracy_formula(true: np.ndarray, predicted: np.ndarray, model: int) -> SumFormula:
    support, true_positives = _mark_hits(true, predicted, np.unique(true).tolist(), model)

    def evaluate(sums: Sums) -> np.ndarray:
        return average_defined(_stack(sums, true_positives) / _stack(sums, support))

    return SumFormula(support | true_positives, evaluate)


def _mark_hits(
    true: np.ndarray, predicted: np.ndarray, codes: list[int], model: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return which rows are of each class, and which of these are predicted as such (true positives)."""
    support = {f"true {code}": true == code for code in codes}
    true_positives = {f"hit {code} {model}": (true == code) & (predicted == code) for code in codes}
    return support, true_positives


def _stack(sums: Sums, names: Iterable[str]) -> np.ndarray:
    return np.array([sums[name] for name in names])


def average_defined(values: np.ndarray) -> np.ndarray:
    """Return the mean over the first axis of what is not NaN; NaN where nothing is left."""
    defined = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(defined, values, 0).sum(axis=0) / defined.sum(axis=0))

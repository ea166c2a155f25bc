"""Metrics by their names, which are scikit-learn's, and functions of your own beside them."""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn import metrics as sk

from .. import models
from .errors import LifecycleError
from .prediction import Prediction

Function = Callable[[np.ndarray, Prediction, np.ndarray], float]


class UndefinedMetric(LifecycleError):  # noqa: N818, not every one is a mistake
    """A metric has no value for these rows and this model; the message says why."""


@dataclass(frozen=True)
class Metric:
    """A metric and the direction in which it is good."""

    name: str
    greater_is_better: bool
    function: Function

    def score(self, y_true: Any, prediction: Prediction, classes: Any) -> float:
        """Return the value of the metric.

        Parameters
        ----------
        y_true : array-like of shape (n_rows,)
            True classes or numbers.
        prediction : Prediction
        classes : array-like of shape (n_classes,) or None
            The classes in the order of the probabilities; unused for regression. Rows of another
            class count as wrong.

        Returns
        -------
        float
            Always finite.

        Raises
        ------
        UndefinedMetric
            If there is no value: no probabilities, one class only, a true value of 0.
        """
        known = np.empty(0) if classes is None else np.asarray(classes)
        value = float(self.function(np.asarray(y_true), prediction, known))
        if not np.isfinite(value):
            raise UndefinedMetric(f"it is {value} on these rows")
        return value


def find_metric(name: str, problem: str) -> Metric:
    """Return the metric that ``params.yaml`` means by a name.

    Parameters
    ----------
    name : str
        A built-in metric, a function of ``models.py``, or ``module:function``. Such a function is
        called as ``function(y_true, y_pred, y_probability)`` with arrays of shape (n_rows,),
        (n_rows,) and (n_rows, n_classes), the last None where the model gives no probabilities,
        and returns a number. It is better when greater, unless told otherwise beside it:
        ``cost.greater_is_better = False``.
    problem : {"classification", "regression"}

    Raises
    ------
    LifecycleError
        If there is no such metric for this problem; it names the nearest one.
    """
    known = BUILT_IN[problem]
    if name in known:
        return Metric(name, name not in SMALLER_IS_BETTER, known[name])
    own = _import_function(name) if ":" in name else _own_functions().get(name)
    if own is None:
        near = difflib.get_close_matches(name, [*known, *_own_functions()], n=1, cutoff=0)[0]
        raise LifecycleError(
            f"params.yaml names the metric '{name}', which is neither built in for {problem} "
            f"nor a function of models.py; did you mean '{near}'?"
        )
    return _wrap(name, own)


def _own_functions() -> dict[str, Callable[..., Any]]:
    """Return the functions of ``models.py`` that may be metrics; imported ones are none."""
    return {
        name: function
        for name, function in inspect.getmembers(models, inspect.isfunction)
        if function.__module__ == models.__name__ and name not in ("candidates", "baseline")
    }


def _import_function(name: str) -> Callable[..., Any]:
    where, _, what = name.partition(":")
    try:
        function = getattr(importlib.import_module(where), what, None)
    except (ModuleNotFoundError, ValueError) as error:
        # A module that is there, but misses one that it imports, is a bug and keeps its traceback.
        if isinstance(error, ModuleNotFoundError) and not f"{where}.".startswith(f"{error.name}."):
            raise
        raise LifecycleError(
            f"params.yaml names the metric '{name}', but there is no module '{where}'."
        ) from None
    if not callable(function):
        raise LifecycleError(
            f"params.yaml names the metric '{name}', but '{where}' has no function '{what}'."
        )
    return function


def _wrap(name: str, own: Callable[..., Any]) -> Metric:
    def function(y_true: np.ndarray, prediction: Prediction, classes: np.ndarray) -> float:
        return float(own(y_true, prediction.label, prediction.probability))

    return Metric(name, bool(getattr(own, "greater_is_better", True)), function)


def encode(labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the position of each label in ``classes``, -1 where it is not there."""
    return np.asarray(pd.Index(classes).get_indexer(pd.Index(labels)))


def list_rankings(
    y_true: np.ndarray, prediction: Prediction, classes: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return what ROC AUC and average precision look at.

    Returns
    -------
    list of (positive, score)
        Whether each row is of a class (bool) and how sure the model is of it, both of shape
        (n_rows,). Two classes: the second one. More: each class that some rows have and others
        have not, one against the rest.

    Raises
    ------
    UndefinedMetric
        If there are no scores, or all rows are of one class.
    """
    scores = prediction.decision if prediction.probability is None else prediction.probability
    if scores is None:
        raise UndefinedMetric("the model gives no probabilities")
    columns = scores.reshape(len(scores), -1)
    shown = [1] if len(classes) == 2 else list(range(len(classes)))
    codes = encode(y_true, classes)
    rankings = [(codes == code, columns[:, code if columns.shape[1] > 1 else 0]) for code in shown]
    rankings = [(positive, score) for positive, score in rankings if 0 < positive.sum() < len(positive)]
    if not rankings:
        raise UndefinedMetric("all rows are of one class")
    return rankings


def roc_auc(y_true: np.ndarray, prediction: Prediction, classes: np.ndarray) -> float:
    """Area under the ROC curve; more than two classes: mean of one against the rest."""
    rankings = list_rankings(y_true, prediction, classes)
    return float(np.mean([sk.roc_auc_score(positive, score) for positive, score in rankings]))


def average_precision(y_true: np.ndarray, prediction: Prediction, classes: np.ndarray) -> float:
    """Average precision; more than two classes: mean of one against the rest."""
    rankings = list_rankings(y_true, prediction, classes)
    return float(np.mean([sk.average_precision_score(positive, score) for positive, score in rankings]))


def log_losses(y_true: np.ndarray, prediction: Prediction, classes: np.ndarray) -> np.ndarray:
    """Return the log loss of each row, probabilities kept off 0 and 1 as scikit-learn does."""
    probability, codes = _require_probability(prediction), encode(y_true, classes)
    given = np.where(codes < 0, 0, probability[np.arange(len(codes)), codes])
    tiny = np.finfo(probability.dtype).eps
    return np.asarray(-np.log(np.clip(given, tiny, 1 - tiny)), dtype=float)


def log_loss(y_true: np.ndarray, prediction: Prediction, classes: np.ndarray) -> float:
    """Mean negative logarithm of the probability given to the true class."""
    return float(log_losses(y_true, prediction, classes).mean())


def brier_losses(y_true: np.ndarray, prediction: Prediction, classes: np.ndarray) -> np.ndarray:
    """Return the squared error of the probabilities of each row, halved where classes are two."""
    probability, codes = _require_probability(prediction), encode(y_true, classes)
    truth = codes[:, None] == np.arange(len(classes))
    return np.asarray(((probability - truth) ** 2).sum(axis=1) / (2 if len(classes) == 2 else 1), dtype=float)


def brier(y_true: np.ndarray, prediction: Prediction, classes: np.ndarray) -> float:
    """Mean squared error of the probabilities: 0 to 1 for two classes, 0 to 2 for more."""
    return float(brier_losses(y_true, prediction, classes).mean())


def _require_probability(prediction: Prediction) -> np.ndarray:
    if prediction.probability is None:
        raise UndefinedMetric("the model gives no probabilities")
    return prediction.probability


def f1(y_true: np.ndarray, prediction: Prediction, classes: np.ndarray) -> float:
    """F1 of the second of two classes, or the mean over more; 0 where nothing is found."""
    true, predicted = encode(y_true, classes), encode(prediction.label, classes)
    labels = [1] if len(classes) == 2 else None
    return float(sk.f1_score(true, predicted, labels=labels, average="macro", zero_division=0))


def balanced_accuracy(y_true: np.ndarray, prediction: Prediction, classes: np.ndarray) -> float:
    """Mean over the classes of the share of their rows that is recognised."""
    true, predicted = encode(y_true, classes), encode(prediction.label, classes)
    # The mean of the recalls, as balanced_accuracy_score takes it, which warns of labels not in y_true.
    return float(sk.recall_score(true, predicted, labels=np.unique(true), average="macro", zero_division=0))


def mae(y_true: np.ndarray, prediction: Prediction, classes: np.ndarray) -> float:
    """Mean absolute error, in the target's unit."""
    return float(sk.mean_absolute_error(y_true, prediction.label))


def rmse(y_true: np.ndarray, prediction: Prediction, classes: np.ndarray) -> float:
    """Root of the mean squared error, in the target's unit."""
    return float(sk.root_mean_squared_error(y_true, prediction.label))


def r2(y_true: np.ndarray, prediction: Prediction, classes: np.ndarray) -> float:
    """Share of the variance that is explained; below 0 where the mean would do better."""
    if np.ptp(y_true) == 0:
        raise UndefinedMetric("all true values are the same")
    return float(sk.r2_score(y_true, prediction.label))


def relative_errors(y_true: np.ndarray, prediction: Prediction, classes: np.ndarray) -> np.ndarray:
    """Return the absolute error of each row as a share of the true value."""
    if (zeros := int((y_true == 0).sum())) > 0:
        raise UndefinedMetric(f"the true value is 0 in {zeros} of {len(y_true)} rows")
    return np.asarray(np.abs((y_true - prediction.label) / y_true), dtype=float)


def mape(y_true: np.ndarray, prediction: Prediction, classes: np.ndarray) -> float:
    """Mean absolute error as a share of the true value."""
    return float(relative_errors(y_true, prediction, classes).mean())


BUILT_IN: dict[str, dict[str, Function]] = {
    "classification": {
        function.__name__: function
        for function in (roc_auc, average_precision, log_loss, brier, f1, balanced_accuracy)
    },
    "regression": {function.__name__: function for function in (mae, rmse, r2, mape)},
}
SMALLER_IS_BETTER = {"log_loss", "brier", "mae", "rmse", "mape"}

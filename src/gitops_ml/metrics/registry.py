"""Find metrics by name: scikit-learn's, and functions of the user's."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.errors import LifecycleError
from ..core.project import find_function, load_module
from .builtin import BUILT_IN, SMALLER_IS_BETTER, Function, UndefinedMetric
from .prediction import Prediction


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

    def score_part(self, y_true: Any, prediction: Prediction, classes: Any) -> float:
        """Return the value for some of the rows, NaN where it has none, as for a single class.

        Only for metrics that have a value for all rows: a function of one's own may raise what it
        likes where it has none.
        """
        try:
            return self.score(y_true, prediction, classes)
        except (UndefinedMetric, ValueError, ZeroDivisionError):
            return float("nan")


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
    own = find_function(name, "evaluate.metrics") if ":" in name else _own_functions().get(name)
    if own is None:
        near = difflib.get_close_matches(name, [*known, *_own_functions()], n=1, cutoff=0)[0]
        raise LifecycleError(
            f"params.yaml names the metric '{name}', which is neither built in for {problem} "
            f"nor a function of models.py; did you mean '{near}'?"
        )
    return _wrap(name, own)


def _own_functions() -> dict[str, Callable[..., Any]]:
    """Return the functions of ``models.py`` that may be metrics; imported ones are none."""
    models = load_module("models")
    return {
        name: function
        for name, function in inspect.getmembers(models, inspect.isfunction)
        if function.__module__ == models.__name__ and name not in ("candidates", "baseline")
    }


def _wrap(name: str, own: Callable[..., Any]) -> Metric:
    def function(y_true: np.ndarray, prediction: Prediction, classes: np.ndarray) -> float:
        return float(own(y_true, prediction.label, prediction.probability))

    return Metric(name, bool(getattr(own, "greater_is_better", True)), function)

"""Predictions of a model: labels, probabilities and decision values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from ..core.errors import LifecycleError

# Classifiers of scikit-learn whose label is the class of the highest probability: who asks for both
# need not let them walk through their trees twice.
LABELLED_BY_PROBABILITY = {
    "ExtraTreesClassifier",
    "HistGradientBoostingClassifier",
    "RandomForestClassifier",
}
# Probabilities that are closer than this may be in another order than what they were made from.
TIE = 1e-9


@dataclass(frozen=True)
class Prediction:
    """The predictions of one model for some rows.

    Parameters
    ----------
    label : ndarray of shape (n_rows,)
        Predicted classes or numbers.
    probability : ndarray of shape (n_rows, n_classes) or None
        In the order of the model's classes; None for regression and for models without.
    decision : ndarray of shape (n_rows,) or (n_rows, n_classes) or None
        Scores of a classifier without probabilities: they rank rows, no more.
    """

    label: np.ndarray
    probability: np.ndarray | None = None
    decision: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> Prediction:
        """Return the prediction for some of the rows, by position."""
        probability = None if self.probability is None else self.probability[rows]
        decision = None if self.decision is None else self.decision[rows]
        return Prediction(self.label[rows], probability, decision)


def predict(model: BaseEstimator, X: Any) -> Prediction:
    """Predict each row once, features included.

    Parameters
    ----------
    model : estimator
        Fitted.
    X : DataFrame of shape (n_rows, n_columns)

    Returns
    -------
    Prediction

    Raises
    ------
    LifecycleError
        If the model answers with NaN or infinity, or not with one answer a row.
    """
    if isinstance(model, Pipeline) and len(model) > 1:
        model, X = model[-1], model[:-1].transform(X)
    probability = decision = None
    if hasattr(model, "predict_proba"):
        probability = np.asarray(model.predict_proba(X))
    elif hasattr(model, "decision_function"):
        decision = np.asarray(model.decision_function(X))
    if probability is not None and _tells_label(model, probability):
        label = model.classes_[probability.argmax(axis=1)]
    else:
        label = np.asarray(model.predict(X))
    if label.shape == (len(label), 1):
        label = label[:, 0]
    prediction = Prediction(label, probability, decision)
    _require_answers(model, prediction, X.shape[0])
    return prediction


def _tells_label(model: BaseEstimator, probability: np.ndarray) -> bool:
    """Tell whether each label is sure to be the class of the highest probability."""
    kind = type(model)
    if not kind.__module__.startswith("sklearn.") or kind.__name__ not in LABELLED_BY_PROBABILITY:
        return False
    ordered = np.sort(probability, axis=1)
    return probability.shape[1] > 1 and bool((ordered[:, -1] - ordered[:, -2] > TIE).all())


def _require_answers(model: BaseEstimator, prediction: Prediction, n_rows: int) -> None:
    name = type(model).__name__
    if prediction.label.shape != (n_rows,):
        raise LifecycleError(
            f"{name} predicts an array of shape {prediction.label.shape} for {n_rows} rows; "
            f"expected one answer a row, shape ({n_rows},)."
        )
    for part in (prediction.label, prediction.probability, prediction.decision):
        if part is None or part.dtype.kind not in "fc" or np.isfinite(part).all():
            continue
        bad = int((~np.isfinite(part.reshape(n_rows, -1)).all(axis=1)).sum())
        raise LifecycleError(
            f"{name} predicts NaN or infinity for {bad} of {n_rows} rows; expected a finite answer for each."
        )

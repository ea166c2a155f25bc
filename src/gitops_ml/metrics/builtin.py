"""The built-in metrics: scikit-learn's names, and scikit-learn's values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn import metrics as sk

from ..core.errors import LifecycleError
from .prediction import Prediction

Function = Callable[[np.ndarray, Prediction, np.ndarray], float]


class UndefinedMetric(LifecycleError):  # noqa: N818, not every one is a mistake
    """A metric has no value for these rows and this model; the message says why."""


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
    # A class the model does not know has the probability 0, and should have 1.
    losses = ((probability - truth) ** 2).sum(axis=1) + (codes < 0)
    return np.asarray(losses / (2 if len(classes) == 2 else 1), dtype=float)


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

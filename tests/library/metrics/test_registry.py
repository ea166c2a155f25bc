"""Metrics: scikit-learn's values, and clear words where there is none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from gitops_ml.core.errors import LifecycleError
from gitops_ml.metrics import registry
from gitops_ml.metrics.builtin import UndefinedMetric
from gitops_ml.metrics.prediction import Prediction, predict
from toy_binary import models

RNG = np.random.default_rng(7)
BINARY = {"bool": [False, True], "int": [0, 1], "str": ["no", "yes"], "odd int": [3, 8]}
THREE = np.array(["early", "late", "on time"])


def make_prediction(classes: np.ndarray, n_rows: int = 200) -> tuple[np.ndarray, Prediction]:
    """Return true classes and a prediction with many ties that is better than chance."""
    codes = RNG.integers(0, len(classes), n_rows)
    raw = RNG.dirichlet(np.ones(len(classes)), n_rows).round(1) + 0.3 * np.eye(len(classes))[codes]
    probability = raw / raw.sum(axis=1, keepdims=True)
    return classes[codes], Prediction(classes[probability.argmax(axis=1)], probability)


def score(name: str, y_true: np.ndarray, prediction: Prediction, classes: np.ndarray) -> float:
    return registry.find_metric(name, "classification").score(y_true, prediction, classes)


@pytest.mark.parametrize("kind", BINARY)
def test_two_classes_of_any_type_score_as_in_scikit_learn(kind: str) -> None:
    """The second class is the positive one, whatever it is."""
    classes = np.array(BINARY[kind])
    y_true, prediction = make_prediction(classes)
    assert prediction.probability is not None
    positive, probability = y_true == classes[1], prediction.probability[:, 1]
    expected = {
        "roc_auc": sk.roc_auc_score(positive, probability),
        "average_precision": sk.average_precision_score(positive, probability),
        "log_loss": sk.log_loss(y_true, prediction.probability),
        "brier": sk.brier_score_loss(y_true, probability, pos_label=classes[1]),
        "f1": sk.f1_score(y_true, prediction.label, pos_label=classes[1]),
        "balanced_accuracy": sk.balanced_accuracy_score(y_true, prediction.label),
    }
    actual = {name: score(name, y_true, prediction, classes) for name in expected}
    assert expected == pytest.approx(actual, rel=1e-14)


def test_three_classes_score_as_in_scikit_learn() -> None:
    """More classes are averaged, one against the rest."""
    y_true, prediction = make_prediction(THREE)
    assert prediction.probability is not None
    expected = {
        "roc_auc": sk.roc_auc_score(y_true, prediction.probability, multi_class="ovr", average="macro"),
        "average_precision": sk.average_precision_score(y_true, prediction.probability),
        "log_loss": sk.log_loss(y_true, prediction.probability),
        "brier": sk.brier_score_loss(y_true, prediction.probability),
        "f1": sk.f1_score(y_true, prediction.label, average="macro"),
        "balanced_accuracy": sk.balanced_accuracy_score(y_true, prediction.label),
    }
    actual = {name: score(name, y_true, prediction, THREE) for name in expected}
    assert expected == pytest.approx(actual, rel=1e-14)


def test_numbers_score_as_in_scikit_learn() -> None:
    """Regression metrics are scikit-learn's."""
    y_true, label = RNG.uniform(10, 20, 100), RNG.uniform(10, 20, 100)
    expected = {
        "mae": sk.mean_absolute_error(y_true, label),
        "rmse": sk.root_mean_squared_error(y_true, label),
        "r2": sk.r2_score(y_true, label),
        "mape": sk.mean_absolute_percentage_error(y_true, label),
    }
    found = {name: registry.find_metric(name, "regression") for name in expected}
    actual = {name: metric.score(y_true, Prediction(label), None) for name, metric in found.items()}
    assert expected == pytest.approx(actual, rel=1e-14)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "log_loss", "brier"])
def test_probabilities_are_asked_for_where_they_are_needed(name: str) -> None:
    """A model that gives labels alone has no such metric."""
    y_true, prediction = make_prediction(THREE)
    with pytest.raises(UndefinedMetric, match="gives no probabilities"):
        score(name, y_true, Prediction(prediction.label), THREE)


def test_a_decision_function_ranks_rows() -> None:
    """ROC AUC and average precision need an order, not probabilities."""
    X = pd.DataFrame(RNG.normal(size=(80, 2)), columns=["a", "b"])
    y = (X["a"] + RNG.normal(size=80) > 0).to_numpy()
    model = LinearSVC().fit(X, y)
    prediction = predict(model, X)
    assert sk.roc_auc_score(y, model.decision_function(X)) == score("roc_auc", y, prediction, model.classes_)


def test_one_class_has_no_curve() -> None:
    """Where all rows are of one class, nothing can be ranked."""
    classes = np.array([0, 1])
    with pytest.raises(UndefinedMetric, match="one class"):
        score("roc_auc", np.ones(5, int), Prediction(np.ones(5, int), np.full((5, 2), 0.5)), classes)


@pytest.mark.parametrize("name", ["roc_auc", "log_loss", "brier", "f1", "balanced_accuracy"])
def test_a_class_the_model_has_never_seen_counts_as_wrong(name: str) -> None:
    """A new class among the test rows makes the numbers worse, and stops nothing."""
    y_true, prediction = make_prediction(THREE)
    changed = np.where(np.arange(len(y_true)) % 2 == 0, "diverted", y_true)
    before, after = (score(name, truth, prediction, THREE) for truth in (y_true, changed))
    greater_is_better = registry.find_metric(name, "classification").greater_is_better
    assert greater_is_better == (after < before)


def test_mape_needs_true_values_other_than_zero() -> None:
    """A share of nothing is not defined."""
    with pytest.raises(UndefinedMetric, match="0 in 1 of 2 rows"):
        registry.find_metric("mape", "regression").score(np.array([0.0, 1.0]), Prediction(np.ones(2)), None)


def cost(y_true: np.ndarray, y_pred: np.ndarray, y_probability: np.ndarray | None) -> float:
    """Return a made-up cost of wrong answers."""
    return 10 * float(np.mean(y_true != y_pred))


def test_a_function_of_models_is_a_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function in models.py is named in params.yaml like any other metric."""
    monkeypatch.setattr(cost, "__module__", models.__name__)
    monkeypatch.setattr(models, "cost", cost, raising=False)
    metric = registry.find_metric("cost", "classification")
    assert metric.greater_is_better
    assert 5 == metric.score(np.array([0, 1]), Prediction(np.array([0, 0])), [0, 1])


def test_a_function_of_another_module_is_a_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    """``module:function`` names one anywhere, and an attribute tells its direction."""
    monkeypatch.setattr(cost, "greater_is_better", False, raising=False)
    monkeypatch.setattr("statistics.cost", cost, raising=False)
    metric = registry.find_metric("statistics:cost", "classification")
    assert ("statistics:cost", False) == (metric.name, metric.greater_is_better)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("roc_auk", "did you mean 'roc_auc'"),
        ("mae", "neither built in for classification"),
        ("candidates", "nor a function of models.py"),
        ("statistics:no_such", "'statistics' has no function 'no_such'"),
        ("no_such.module:cost", "no module 'no_such.module'"),
    ],
)
def test_an_unknown_metric_is_refused(name: str, words: str) -> None:
    """A typo in params.yaml is answered with what was probably meant."""
    with pytest.raises(LifecycleError, match=words):
        registry.find_metric(name, "classification")


class Broken(BaseEstimator):
    """Predicts whatever it is given."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def predict(self, X: pd.DataFrame) -> Any:
        return self.answer


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (np.array([1.0, np.nan, np.inf]), "Broken predicts NaN or infinity for 2 of 3 rows"),
        (np.ones((3, 2)), r"Broken predicts an array of shape \(3, 2\) for 3 rows"),
    ],
)
def test_a_model_without_a_finite_answer_is_named(answer: np.ndarray, words: str) -> None:
    """NaN never turns into a number of a report."""
    with pytest.raises(LifecycleError, match=words):
        predict(Broken(answer), pd.DataFrame({"a": [1, 2, 3]}))


def test_a_prediction_is_what_the_model_says() -> None:
    """Labels and probabilities come from the model itself."""
    X, y = RNG.normal(size=(50, 2)), RNG.integers(0, 3, 50)
    model = LogisticRegression().fit(X, y)
    prediction = predict(model, X)
    assert prediction.probability is not None
    np.testing.assert_array_equal(model.predict(X), prediction.label)
    np.testing.assert_array_equal(model.predict_proba(X), prediction.probability)

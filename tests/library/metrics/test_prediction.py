"""A model is asked for labels and probabilities once, and answers as scikit-learn does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.model_selection import FixedThresholdClassifier

from gitops_ml.metrics import prediction
from gitops_ml.metrics.prediction import LABELLED_BY_PROBABILITY, predict

FORESTS = [ExtraTreesClassifier(4, random_state=0), RandomForestClassifier(4, random_state=0)]
BOOSTING = HistGradientBoostingClassifier(max_iter=5)


@pytest.mark.parametrize("model", [*FORESTS, BOOSTING], ids=lambda model: type(model).__name__)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_labels_are_those_of_the_model(model: Any, n_classes: int) -> None:
    """Whether they were read off the probabilities or, where two are the same, asked for."""
    rng = np.random.default_rng(n_classes)
    X = rng.integers(0, 4, (400, 3)).astype(float)
    model.fit(X, np.array(["a", "b", "c"])[rng.integers(0, n_classes, 400)])

    assert type(model).__name__ in LABELLED_BY_PROBABILITY
    for rows in (X, *np.unique(X, axis=0)[:, np.newaxis]):
        found = predict(model, rows)
        assert model.predict(rows).tolist() == found.label.tolist()
        assert model.predict_proba(rows).tolist() == found.probability.tolist()  # type: ignore[union-attr]


def test_trees_are_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A forest is not walked through for the labels when the probabilities tell them."""
    X = np.arange(40.0).reshape(-1, 1)
    model = RandomForestClassifier(4, random_state=0).fit(X, X[:, 0] > 20)
    monkeypatch.setattr(RandomForestClassifier, "predict", lambda self, X: pytest.fail("asked twice"))

    assert [False, True] == predict(model, X[[0, -1]]).label.tolist()


@pytest.mark.parametrize(
    "model",
    [
        FixedThresholdClassifier(RandomForestClassifier(4), threshold=0.9),
        DummyClassifier(strategy="stratified"),
    ],
)
def test_labels_of_other_models_are_asked_for(model: Any) -> None:
    """A threshold of its own, for one, is not what the highest probability says."""
    X = np.arange(40.0).reshape(-1, 1)
    model.fit(X, X[:, 0] > 20)

    assert not prediction._tells_label(model, np.array([[0.2, 0.8]]))

"""The candidates."""

from __future__ import annotations

from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from .features import features


def candidates(seed: int) -> dict[str, BaseEstimator]:
    """Return the unfitted candidates by name."""
    boosting = HistGradientBoostingClassifier(max_iter=10, min_samples_leaf=10, random_state=seed)
    return {
        "linear": make_pipeline(features(), LogisticRegression()),
        "boosting": make_pipeline(features(), boosting),
    }


def baseline() -> DummyClassifier:
    """Return the model that every other must beat: it predicts how often each class occurs."""
    return DummyClassifier(strategy="prior")

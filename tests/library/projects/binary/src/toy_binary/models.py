"""The candidates."""

from __future__ import annotations

from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from .features import linear_features, tree_features


def candidates(seed: int) -> dict[str, BaseEstimator]:
    """Return the unfitted candidates by name."""
    boosting = HistGradientBoostingClassifier(max_iter=10, random_state=seed)
    forest = RandomForestClassifier(n_estimators=10, min_samples_leaf=20, random_state=seed)
    return {
        "linear": make_pipeline(linear_features(), LogisticRegression(max_iter=500)),
        "boosting": make_pipeline(tree_features(), boosting),
        "forest": make_pipeline(tree_features(), forest),
    }


def baseline() -> DummyClassifier:
    """Return the model that every other must beat: it predicts how often each class occurs."""
    return DummyClassifier(strategy="prior")

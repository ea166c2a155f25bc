"""The candidates."""

from __future__ import annotations

from sklearn.base import BaseEstimator
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from .features import features


def candidates(seed: int) -> dict[str, BaseEstimator]:
    """Return the unfitted candidates by name."""
    boosting = HistGradientBoostingRegressor(max_iter=30, min_samples_leaf=10, random_state=seed)
    return {
        "linear": make_pipeline(features(), Ridge()),
        "boosting": make_pipeline(features(), boosting),
    }


def baseline() -> DummyRegressor:
    """Return the model that every other must beat: it predicts the median."""
    return DummyRegressor(strategy="median")

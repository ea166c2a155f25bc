"""The candidates: every model definition that competes to become the challenger."""

from __future__ import annotations

from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from .features import linear_features, tree_features


def candidates(seed: int) -> dict[str, BaseEstimator]:
    """Return the unfitted candidates by name.

    Any scikit-learn estimator will do, searches and ensembles included. Candidates train side by
    side, each in a process of its own; a candidate that fails does not stop the others.

    Parameters
    ----------
    seed : int
        ``train.seed`` of ``params.yaml``. Give it to everything that draws random numbers: the
        same commit must train the same model.

    Returns
    -------
    dict of str to estimator
    """
    return {
        "linear": make_pipeline(linear_features(), LogisticRegression(max_iter=500)),
        "boosting": make_pipeline(
            tree_features(),
            HistGradientBoostingClassifier(
                learning_rate=0.05,
                max_iter=120,
                max_leaf_nodes=15,
                min_samples_leaf=50,
                l2_regularization=1.0,
                random_state=seed,
            ),
        ),
        "forest": make_pipeline(
            tree_features(),
            RandomForestClassifier(n_estimators=60, min_samples_leaf=20, max_features=0.4, random_state=seed),
        ),
    }


def baseline() -> DummyClassifier:
    """Return the model that every other must beat: it predicts how often each class occurs."""
    return DummyClassifier(strategy="prior")

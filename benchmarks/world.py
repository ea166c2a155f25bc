"""Rows and models of which the truth is known, for ``alarms.py``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

TRAIN_ROWS = 6000
# What is true is what holds on so many rows.
LARGE = 100_000
SEEDS = 20
FEATURES = [f"x{number}" for number in range(8)]
SHOPS = ["north", "east", "south", "west", "centre", "web"]
SHARES = [0.30, 0.22, 0.17, 0.13, 0.10, 0.08]
DAY = pd.Timestamp("2024-01-01")


def draw_rows(n_rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return rows of which a quarter is positive; shops differ in how often they are."""
    table = pd.DataFrame(rng.normal(size=(n_rows, len(FEATURES))), columns=FEATURES)
    shop = rng.choice(len(SHOPS), n_rows, p=SHARES)
    x0, x1, x2, x3, x4, x5 = (table[name] for name in FEATURES[:6])
    odds = 0.7 * x0 + 0.5 * x1 - 0.4 * x2 + 0.3 * x3 * x4 + 0.3 * x5.clip(lower=0) + 0.15 * shop - 1.7
    chance = 1 / (1 + np.exp(-odds))
    return table.assign(shop=np.array(SHOPS)[shop], day=DAY, y=rng.random(n_rows) < chance)


class Blurred(ClassifierMixin, BaseEstimator):
    """A fitted model whose scores are mixed with noise.

    Parameters
    ----------
    model : estimator
    amount : float
        Share of the noise, 0 to 1.
    seed : int
        Of the noise.
    """

    def __init__(self, model: BaseEstimator, amount: float, seed: int) -> None:
        self.model, self.amount, self.seed = model, amount, seed
        self.classes_ = model.classes_

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        """Return whether the score is above a half."""
        return np.asarray(self.predict_proba(rows)[:, 1] > 0.5)

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        """Return the mixed scores."""
        score = blur(self.model.predict_proba(rows)[:, 1], self.amount, self.seed)
        return np.column_stack([1 - score, score])


def blur(score: np.ndarray, amount: float, seed: int) -> np.ndarray:
    """Mix scores with noise between 0 and 1."""
    return (1 - amount) * score + amount * np.random.default_rng(seed).random(len(score))


@dataclass(frozen=True)
class World:
    """The same model, trained with many seeds, and how good each is in truth."""

    models: Sequence[BaseEstimator]
    scores: Sequence[np.ndarray]
    """What each says about a large sample."""
    y_true: np.ndarray
    """Of that sample."""

    def roc_auc(self, model: int, amount: float = 0.0) -> float:
        """Return how good a model is with so much noise in its scores."""
        return float(roc_auc_score(self.y_true, blur(self.scores[model], amount, seed=0)))

    def find_amount(self, model: int, goal: float) -> float:
        """Return how much noise leaves a model with the ROC AUC ``goal``, by bisection."""
        low, high = 0.0, 0.5
        while high - low > 1e-3:
            middle = (low + high) / 2
            low, high = (middle, high) if self.roc_auc(model, middle) > goal else (low, middle)
        return (low + high) / 2


def make_world(rng: np.random.Generator) -> World:
    """Train a forest with each seed, on the same rows."""
    train, large = draw_rows(TRAIN_ROWS, rng), draw_rows(LARGE, rng)
    forests = [make_forest(seed) for seed in range(SEEDS)]
    models, scores = zip(
        *Parallel(n_jobs=-1)(delayed(train_one)(one, train, large) for one in forests), strict=True
    )
    return World(models, scores, large["y"].to_numpy())


def make_forest(seed: int) -> BaseEstimator:
    """Return a forest that looks at the features alone."""
    forest = RandomForestClassifier(min_samples_leaf=20, max_features=3, random_state=seed)
    return make_pipeline(ColumnTransformer([("numbers", "passthrough", FEATURES)]), forest)


def train_one(
    model: BaseEstimator, train: pd.DataFrame, large: pd.DataFrame
) -> tuple[BaseEstimator, np.ndarray]:
    """Return a trained model, and what it says about a large sample."""
    model.fit(train[FEATURES], train["y"])
    return model, model.predict_proba(large)[:, 1]

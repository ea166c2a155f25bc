"""Fit a candidate and score it on held-out rows: what a worker process does."""

from __future__ import annotations

import pickle
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from ..core.errors import describe_error
from ..core.project import choose_package
from ..core.settings import Settings
from ..metrics.prediction import predict
from ..metrics.registry import find_metric

Factory = Callable[[int], dict[str, BaseEstimator]]


@dataclass
class Material:
    """What every worker needs, passed to it as one file."""

    features: pd.DataFrame
    target: pd.Series[Any]
    folds: list[tuple[np.ndarray, np.ndarray]]
    candidates: Factory
    settings: Settings
    package: str
    """The project's, which the worker's current folder may not tell."""


@dataclass(frozen=True)
class Fitted:
    """What a worker returns."""

    value: Any
    """A score, or the fitted model."""
    warning: str | None


@contextmanager
def write_material(material: Material) -> Iterator[str]:
    """Write the material to a file that every worker can read, and remove it in the end.

    Yields
    ------
    str
        Path of the file.
    """
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        path = Path(folder) / "material.pickle"
        with path.open("wb") as file:
            pickle.dump(material, file, protocol=5)
        yield str(path)


def _read(path: str) -> Material:
    with Path(path).open("rb") as file:
        material: Material = pickle.load(file)
    choose_package(material.package)
    return material


def score_fold(path: str, name: str, fold: int) -> Fitted:
    """Fit a candidate on one fold and score it on the rows left out (runs in a worker)."""
    material = _read(path)
    fit, held = material.folds[fold]
    model, warning = _fit(material, name, fit)
    metric = find_metric(material.settings.train.metric, material.settings.problem)
    # With one thread: a forest adds up its trees in the order in which they finish.
    with joblib.parallel_config(n_jobs=1):
        prediction = predict(model, material.features.iloc[held])
    classes = getattr(model, "classes_", np.empty(0))
    return Fitted(metric.score(material.target.iloc[held].to_numpy(), prediction, classes), warning)


def fit_whole(path: str, name: str) -> Fitted:
    """Fit a candidate on the whole training part (runs in a worker)."""
    material = _read(path)
    return Fitted(*_fit(material, name, slice(None)))


def _fit(material: Material, name: str, rows: np.ndarray | slice) -> tuple[BaseEstimator, str | None]:
    """Return the fitted candidate and the first thing it warned of."""
    model = material.candidates(material.settings.train.seed)[name]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", UserWarning)
        model.fit(material.features.iloc[rows], material.target.iloc[rows])
    return model, next(
        (describe_error(one.message) for one in caught if isinstance(one.message, Warning)), None
    )

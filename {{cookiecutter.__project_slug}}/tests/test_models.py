"""The candidates as definitions, before any of them is chosen."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_{{ "classifier" if cookiecutter.problem == "classification" else "regressor" }}
from threadpoolctl import threadpool_limits

from {{ cookiecutter.__package }} import models
from {{ cookiecutter.__package }}.pipeline.contract import apply_contract, read_contract
from {{ cookiecutter.__package }}.pipeline.settings import Settings
from {{ cookiecutter.__package }}.pipeline.split import features_and_target

NAMES = sorted(models.candidates(0))


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Keep fits from waiting for each other's threads when tests run side by side."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def flights(raw: pd.DataFrame, settings: Settings) -> tuple[pd.DataFrame, pd.Series]:
    """Features and target of 800 flights."""
    return features_and_target(apply_contract(raw, read_contract()).frame.head(800), settings)


def test_params_name_known_candidates(settings: Settings) -> None:
    """Every candidate that params.yaml trains is defined."""
    assert set(settings.train.candidates or []) <= set(NAMES)


def test_there_is_a_choice() -> None:
    """A linear model, boosting and a forest compete."""
    assert {"linear", "boosting", "forest"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_candidate_is_of_the_right_kind(name: str) -> None:
    """Every candidate solves the kind of problem that the project has."""
    assert is_{{ "classifier" if cookiecutter.problem == "classification" else "regressor" }}(models.candidates(0)[name])


@pytest.mark.parametrize("name", NAMES)
def test_candidate_is_reproducible(name: str, flights: tuple[pd.DataFrame, pd.Series]) -> None:
    """Two fits with one seed, one of them of a clone, predict the same finite numbers."""
    X, y = flights
    first = models.candidates(7)[name].fit(X, y).predict(X)
    second = clone(models.candidates(7)[name]).fit(X, y).predict(X)

    assert np.isfinite(first.astype(float)).all()
    np.testing.assert_array_equal(first, second)


def test_candidates_are_new_each_time() -> None:
    """Fitting one candidate changes no other: each call makes its own."""
    assert all(models.candidates(0)[name] is not models.candidates(0)[name] for name in NAMES)


def test_baseline_ignores_the_features(flights: tuple[pd.DataFrame, pd.Series]) -> None:
    """The baseline predicts the same for every flight."""
    X, y = flights

    assert 1 == len(np.unique(models.baseline().fit(X, y).predict(X)))

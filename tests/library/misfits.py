"""Candidates that misbehave, for the tests of training."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression

ROWS = 200


class Raises(LogisticRegression):
    """Cannot be fitted."""

    def fit(self, X: Any, y: Any) -> Raises:
        raise ValueError("no luck\nwith this table")


class RaisesInTheEnd(LogisticRegression):
    """Can be fitted on a fold, but not on the whole training part."""

    def fit(self, X: Any, y: Any) -> RaisesInTheEnd:
        if len(X) == ROWS:
            raise MemoryError
        return super().fit(X, y)


class Hangs(LogisticRegression):
    """Does not end."""

    def fit(self, X: Any, y: Any) -> Hangs:
        time.sleep(60)
        return self


class IsKilled(LogisticRegression):
    """Is killed by the system, as for want of memory."""

    def fit(self, X: Any, y: Any) -> IsKilled:
        os.kill(os.getpid(), signal.SIGKILL)
        return self


class CannotBeSaved(LogisticRegression):
    """Holds something that exists in its own process only."""

    def fit(self, X: Any, y: Any) -> CannotBeSaved:
        self.lock_ = threading.Lock()
        return super().fit(X, y)


def able(seed: int) -> dict[str, BaseEstimator]:
    """Return one that learns nothing and two that learn the same."""
    return {"dull": DummyClassifier(), "first": LogisticRegression(), "second": LogisticRegression()}


def numeric(seed: int) -> dict[str, BaseEstimator]:
    """Return regressors."""
    return {"dull": DummyRegressor(), "line": LinearRegression()}


def troubled(seed: int) -> dict[str, BaseEstimator]:
    """Return candidates that fail in every way but one, and one that does not."""
    return {
        "raises": Raises(),
        "is_killed": IsKilled(),
        "cannot_be_saved": CannotBeSaved(),
        "raises_in_the_end": RaisesInTheEnd(),
        "warns": LogisticRegression(max_iter=1, C=0.01),
    }


def stuck(seed: int) -> dict[str, BaseEstimator]:
    """Return a candidate that hangs, and another one that does not train either."""
    return {"hangs": Hangs(), "raises": Raises()}


def hopeless(seed: int) -> dict[str, BaseEstimator]:
    """Return candidates that all fail."""
    return {"raises": Raises(), "is_killed": IsKilled()}

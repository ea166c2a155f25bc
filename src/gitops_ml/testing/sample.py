"""A project and a sample of its accepted rows, to check its candidates with."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from ..contract.export import Column, describe_columns
from ..contract.schema import apply_contract
from ..core import project
from ..core.errors import describe_error
from ..core.settings import PARAMS, Settings, read_settings
from ..data.loading import load_newest
from ..data.split import features_and_target
from ..metrics.prediction import predict

# The newest files with so many rows are read; so many rows of them are fitted and predicted.
READ, FITTED = 10_000, 1000


class Sample:
    """What checks share; each part is read or fitted when it is asked for, once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._fitted: dict[str, BaseEstimator] = {}

    @cached_property
    def settings(self) -> Settings:
        """What ``params.yaml`` says."""
        return read_settings(self.root / PARAMS)

    @cached_property
    def raw(self) -> pd.DataFrame:
        """The newest accepted rows as they come, columns outside the contract included."""
        return load_newest(self.settings, self.root, READ)

    @cached_property
    def valid(self) -> pd.DataFrame:
        """Up to 1,000 of these that keep the contract: spread evenly, of each class alike."""
        outcome = apply_contract(self.raw, project.load_contract())
        rows = outcome.frame.drop(index=outcome.bad_rows)
        return _thin(rows, self.settings).reset_index(drop=True)

    @property
    def X(self) -> pd.DataFrame:  # noqa: N802
        """The features of the valid rows, in a new table each time."""
        return features_and_target(self.valid, self.settings)[0].copy()

    @property
    def y(self) -> pd.Series[Any]:
        """The target of the valid rows."""
        return features_and_target(self.valid, self.settings)[1].copy()

    @cached_property
    def features(self) -> list[Column]:
        """What the contract says of each feature."""
        columns = describe_columns(self.valid, self.settings)
        return [column for column in columns if column.role == "feature"]

    def make(self, name: str) -> BaseEstimator:
        """Return a candidate, unfitted, made with the project's seed."""
        return project.load_candidates()(self.settings.train.seed)[name]

    def fitted(self, name: str) -> BaseEstimator:
        """Return a candidate that is fitted to the valid rows."""
        if name not in self._fitted:
            self._fitted[name] = self.fit(name, self.make(name), self.X)
        return self._fitted[name]

    def fit(self, name: str, model: BaseEstimator, X: pd.DataFrame) -> BaseEstimator:
        """Return a candidate after it was fitted to a table.

        Raises
        ------
        AssertionError
            If it fails.
        """
        try:
            return model.fit(X, self.y)
        except Exception as error:
            raise AssertionError(
                f"Candidate '{name}' cannot be fitted: {describe_error(error).rstrip('.')}."
            ) from error

    def answer(self, name: str, X: pd.DataFrame, model: BaseEstimator = None, where: str = "") -> np.ndarray:
        """Return what a candidate says about rows.

        Parameters
        ----------
        name : str
        X : DataFrame of shape (n_rows, n_features)
        model : estimator, optional
            By default the candidate as it was fitted to the valid rows.
        where : str
            What is special about the rows, for the sentence.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_classes)
            Probabilities, where it has them.

        Raises
        ------
        AssertionError
            If it fails, or does not give one finite answer a row.
        """
        try:
            prediction = predict(model or self.fitted(name), X)
        except Exception as error:
            raise AssertionError(
                f"Candidate '{name}' cannot predict{where}: {describe_error(error).rstrip('.')}."
            ) from error
        return prediction.label if prediction.probability is None else prediction.probability


def _thin(rows: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Return every n-th row, with another n for each class, so that rare ones are there, too."""
    number = np.zeros(len(rows))
    groups = rows.groupby(rows[settings.data.target] if settings.problem == "classification" else number)
    size = groups[settings.data.target].transform("size")
    return rows[groups.cumcount() % np.ceil(size * groups.ngroups / FITTED) == 0]

"""The model of a bundle, ready to answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from threadpoolctl import threadpool_limits

from ..bundle.bundle import load_bundle, require_runtime
from ..bundle.golden import GoldenRecord, replay_golden
from ..bundle.manifest import LineageRecord
from ..comparison.champion import read_version
from ..contract.export import Column, ContractRecord, restore_frame
from ..core.errors import LifecycleError
from ..core.layout import CARD, STATE
from ..metrics.prediction import Prediction, predict
from .record_type import Record

VERSION_VARIABLE = "MLOPS_MODEL_VERSION"
# Sizes of batches at which a model must answer alike before requests are put together, and how many
# rows it must answer by themselves; few, since nobody is answered in the meantime.
SIZES, SINGLES = (2, 7, 20, 64, 500), 5


@dataclass(frozen=True)
class Model:
    """A verified model, and what its bundle says about it."""

    estimator: BaseEstimator
    contract: ContractRecord
    golden: GoldenRecord
    card: str
    version: str | None
    may_merge: bool
    """Whether a row gets the same prediction, to the bit, whatever other rows come with it."""

    @property
    def has_probabilities(self) -> bool:
        """Whether it gives a probability for each class."""
        return hasattr(self.estimator, "predict_proba")

    def predict(self, records: Sequence[Record]) -> list[dict[str, Any]]:
        """Return a prediction for each record."""
        return to_json(predict(self.estimator, build_frame(records, self.contract)), self.contract)


def load(folder: Path, environment: Mapping[str, str]) -> Model:
    """Load the model of a bundle.

    Parameters
    ----------
    folder : Path
        The bundle.
    environment : mapping of str to str
        ``MLOPS_MODEL_VERSION`` is the version where no ``model.json`` lies beside the bundle.

    Raises
    ------
    LifecycleError
        If the bundle is not as its manifest says, was made with another Python or scikit-learn, names
        types that are not allowed, or its model does not answer ``golden.json`` as it did then.
    """
    require_runtime(LineageRecord.read(folder))
    with threadpool_limits(1):  # as it will predict
        bundle = load_bundle(folder)
        if not replay_golden(bundle.model, folder, bundle.contract):
            raise LifecycleError(
                f"{folder} does not predict what it did when it was made; install the libraries of its "
                "requirements.txt."
            )
        golden = GoldenRecord.read(folder)
        may_merge = answers_alike(bundle.model, restore_frame(golden.inputs, bundle.contract))
    version = read_version(folder.absolute().parent / STATE)
    return Model(
        estimator=bundle.model,
        contract=bundle.contract,
        golden=golden,
        card=(folder / CARD).read_text(encoding="utf-8"),
        version=environment.get(VERSION_VARIABLE) or None if version is None else str(version),
        may_merge=may_merge,
    )


def to_json(prediction: Prediction, contract: ContractRecord) -> list[dict[str, Any]]:
    """Return one object a row, of plain Python values.

    Classification: ``label`` and, for models that have them, ``probabilities`` by class; both name
    classes as the contract does. Regression: ``value``.
    """
    if contract.problem == "regression":
        return [{"value": value} for value in prediction.label.tolist()]
    labels = [str(label) for label in prediction.label]
    if prediction.probability is None:
        return [{"label": label} for label in labels]
    return [
        {"label": label, "probabilities": dict(zip(contract.classes, row, strict=True))}
        for label, row in zip(labels, prediction.probability.tolist(), strict=True)
    ]


def build_frame(records: Sequence[Record], contract: ContractRecord) -> pd.DataFrame:
    """Return records as a frame of shape (n_rows, n_features), of the types the model was trained on."""
    columns = {column.name: column for column in contract.columns}
    data = {
        name: build_column([record.get(name) for record in records], columns[name])
        for name in contract.features
    }
    return pd.DataFrame(data, copy=False)


def build_column(values: list[Any], column: Column) -> Any:
    """Return the values of one column, null as None, as an array of its type."""
    dtype = find_dtype(column.dtype)
    if column.dtype == "category":
        return pd.array(values, dtype=pd.CategoricalDtype(column.values))
    return np.array(values, dtype=dtype) if isinstance(dtype, np.dtype) else pd.array(values, dtype=dtype)


@cache
def find_dtype(name: str) -> Any:
    """Return the type that a name of pandas stands for; looking it up takes as long as using it."""
    return pd.api.types.pandas_dtype(name)


def answers_alike(model: BaseEstimator, rows: pd.DataFrame) -> bool:
    """Tell whether predictions do not depend on the size of the batch; sums in BLAS may."""
    many = rows.iloc[np.resize(np.arange(len(rows)), 2 * max(SIZES))]
    ask: Callable[[pd.DataFrame], np.ndarray] = getattr(model, "predict_proba", model.predict)
    whole = np.asarray(ask(many))
    batches = [slice(size) for size in SIZES] + [slice(row, row + 1) for row in range(SINGLES)]
    return all(np.array_equal(ask(many.iloc[batch]), whole[batch]) for batch in batches)

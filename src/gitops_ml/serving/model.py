"""The model of a bundle, ready to answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
from ..contract.export import ContractRecord, restore_frame
from ..core.errors import LifecycleError
from ..core.layout import CARD, STATE
from ..metrics.prediction import Prediction, predict
from .validation import Rows

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

    def predict(self, rows: Rows) -> Prediction:
        """Predict each of the rows."""
        return predict(self.estimator, build_frame(rows, self.contract))


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
        If the bundle is not as it was sealed, was made with another Python or scikit-learn, names
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


def build_frame(rows: Rows, contract: ContractRecord) -> pd.DataFrame:
    """Return records as a frame, of the types the model was trained on."""
    columns = {column.name: column for column in contract.columns}
    data = {
        name: build_column(rows.columns[name], columns[name].dtype, columns[name].values)
        for name in contract.features
    }
    return pd.DataFrame(data, copy=False)


def build_column(array: np.ndarray, name: str, values: list[Any] | None) -> Any:
    """Return one column.

    Parameters
    ----------
    array : ndarray of shape (n_rows,)
        Of ``check_column``.
    name : str
        The pandas type that the model was trained on.
    values : list or None
        The categories, where that type is ``category``.

    Returns
    -------
    array of shape (n_rows,)
        Of that type.
    """
    dtype = find_dtype(name)
    if array.dtype == dtype:
        return array
    if isinstance(dtype, pd.DatetimeTZDtype):
        return pd.DatetimeIndex(array).tz_localize("UTC").tz_convert(dtype.tz)
    return pd.array(array, dtype=pd.CategoricalDtype(values) if name == "category" else dtype)


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

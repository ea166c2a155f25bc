"""Slices: the test rows where a column has one value, or lies in one range."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from ..core.errors import LifecycleError
from ..core.settings import Settings

# Numbers and dates with more different values than this are cut into quarters.
MANY = 12


@dataclass(frozen=True)
class Slice:
    """The test rows where a column has one value, or lies in one range."""

    column: str
    level: str
    rows: np.ndarray
    """Their positions, rising."""


def cut_slices(test: pd.DataFrame, settings: Settings) -> tuple[list[Slice], int]:
    """Cut the test rows by the columns of ``evaluate.slices``.

    Numbers and dates with many values are cut at their quartiles; missing values are a slice of
    their own.

    Parameters
    ----------
    test : DataFrame of shape (n_rows, n_columns)
    settings : Settings

    Returns
    -------
    slices : list of Slice
        Those with at least ``evaluate.min_slice_rows`` rows, columns in the order of
        ``params.yaml``, the largest slice of each first.
    small : int
        How many slices have fewer rows and are left out.

    Raises
    ------
    LifecycleError
        If there is no such column.
    """
    slices = [
        one for column in dict.fromkeys(settings.evaluate.slices) for one in _cut(_find(test, column), column)
    ]
    large = [one for one in slices if len(one.rows) >= settings.evaluate.min_slice_rows]
    return large, len(slices) - len(large)


def _find(test: pd.DataFrame, column: str) -> pd.Series:
    if column in test:
        return test[column]
    near = difflib.get_close_matches(column, [str(name) for name in test.columns], n=1, cutoff=0)[0]
    raise LifecycleError(
        f"params.yaml: evaluate.slices has '{column}', which is no column of schema.py; "
        f"did you mean '{near}'?"
    )


def _cut(values: pd.Series, column: str) -> list[Slice]:
    ordered = pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values)
    levels = _name_quarters(values) if ordered and values.nunique() > MANY else _name_values(values)
    codes, names = pd.factorize(levels)
    slices = [Slice(column, str(name), np.flatnonzero(codes == code)) for code, name in enumerate(names)]
    return sorted(slices, key=lambda one: (-len(one.rows), one.level))


def _name_values(values: pd.Series) -> pd.Series:
    return values.astype(object).where(values.notna(), "missing").map(str)


def _name_quarters(values: pd.Series) -> pd.Series:
    """Name each value after the quarter it lies in, lower end excluded; equal values never part."""
    present = values.dropna()
    quartiles = present.quantile([0, 0.25, 0.5, 0.75, 1], interpolation="nearest")
    edges = pd.Index(quartiles.unique())
    places = edges.searchsorted(present)
    # The lowest value is a slice of its own where it fills a quarter, as zero often does.
    if quartiles.iloc[0] != quartiles.iloc[1]:
        places = np.maximum(places, 1)
    names = [
        _name_edge(edges[0]),
        *(f"{_name_edge(low)} to {_name_edge(high)}" for low, high in pairwise(edges)),
    ]
    return pd.Series(np.array(names, dtype=object)[places], present.index).reindex(
        values.index, fill_value="missing"
    )


def _name_edge(edge: float | pd.Timestamp) -> str:
    return (
        f"{edge:%Y-%m-%d %H:%M}".removesuffix(" 00:00") if isinstance(edge, pd.Timestamp) else f"{edge:.6g}"
    )

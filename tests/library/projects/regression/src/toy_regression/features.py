"""Columns to features."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler


def as_floats(numbers: pd.DataFrame) -> np.ndarray:
    """Put numbers, pandas' nullable types included, into an array; NaN where a value is missing."""
    return numbers.to_numpy(dtype=float, na_value=np.nan)


def features() -> ColumnTransformer:
    """Return numbers scaled and imputed, and the kind of house as one column each."""
    numbers = make_pipeline(FunctionTransformer(as_floats), SimpleImputer(), StandardScaler())
    return ColumnTransformer(
        [
            ("numbers", numbers, ["area", "rooms", "built"]),
            ("kind", OneHotEncoder(handle_unknown="ignore"), ["kind"]),
        ]
    )

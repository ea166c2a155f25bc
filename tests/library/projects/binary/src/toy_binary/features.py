"""Columns to features, chosen by their types."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.compose import make_column_selector as columns
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler

NUMBERS = columns(dtype_include=["number", "bool"])
CATEGORIES = columns(dtype_include=["str", "object", "category"])
DATES = columns(dtype_include=["datetime", "datetimetz"])


def calendar_parts(dates: pd.DataFrame) -> np.ndarray:
    """Split dates into month, day of week and minute of the day; NaN where a date is missing."""
    parts = [
        part
        for _, date in dates.items()
        for part in (date.dt.month, date.dt.day_of_week, date.dt.hour * 60 + date.dt.minute)
    ]
    return np.column_stack(parts).astype(float)


def calendar_cycles(dates: pd.DataFrame) -> np.ndarray:
    """Put calendar parts on circles, as sines and cosines; 0 where a date is missing."""
    periods = np.tile([12, 7, 24 * 60], dates.shape[1])
    angles = 2 * np.pi * calendar_parts(dates) / periods
    return np.nan_to_num(np.hstack([np.sin(angles), np.cos(angles)]))


def linear_features() -> ColumnTransformer:
    """Return features for models that add things up: scaled, imputed, one-hot."""
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    return ColumnTransformer(
        [
            ("numbers", numbers, NUMBERS),
            ("categories", OneHotEncoder(min_frequency=20, handle_unknown="infrequent_if_exist"), CATEGORIES),
            ("dates", FunctionTransformer(calendar_cycles), DATES),
        ]
    )


def tree_features() -> ColumnTransformer:
    """Return features for trees, which need neither scaling nor imputation."""
    levels = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2)
    return ColumnTransformer(
        [
            ("numbers", "passthrough", NUMBERS),
            ("categories", levels, CATEGORIES),
            ("dates", FunctionTransformer(calendar_parts), DATES),
        ]
    )

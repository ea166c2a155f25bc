"""Columns to features, chosen by their types, so that another table needs no change here."""

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

# Categories with fewer rows than this are treated as one, "rare".
RARE = 20


def as_floats(numbers: pd.DataFrame) -> np.ndarray:
    """Put numbers of any type, booleans and pandas' nullable types included, into one array.

    Parameters
    ----------
    numbers : DataFrame of shape (n_rows, n_columns)

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        NaN where a value is missing.
    """
    return np.column_stack([column.to_numpy(dtype=float, na_value=np.nan) for _, column in numbers.items()])


def calendar_parts(dates: pd.DataFrame) -> np.ndarray:
    """Split dates into month, day of week and minute of the day.

    The year is left out on purpose: a model cannot learn from it for years to come.

    Parameters
    ----------
    dates : DataFrame of shape (n_rows, n_dates)
        Columns of type datetime, missing values allowed.

    Returns
    -------
    ndarray of shape (n_rows, 3 * n_dates)
        Month in 1..12, day of week in 0..6 (Monday is 0), minute of the day in 0..1439,
        for each date; NaN where the date is missing.
    """
    parts = [
        part
        for _, date in dates.items()
        for part in (date.dt.month, date.dt.day_of_week, date.dt.hour * 60 + date.dt.minute)
    ]
    return np.column_stack(parts).astype(float)


def calendar_cycles(dates: pd.DataFrame) -> np.ndarray:
    """Put dates on circles, so that December is next to January for a linear model.

    Parameters
    ----------
    dates : DataFrame of shape (n_rows, n_dates)
        Columns of type datetime, missing values allowed.

    Returns
    -------
    ndarray of shape (n_rows, 6 * n_dates)
        Sines, then cosines, of the calendar parts as angles; 0 where the date is missing.
    """
    periods = np.tile([12, 7, 24 * 60], dates.shape[1])
    angles = 2 * np.pi * calendar_parts(dates) / periods
    return np.nan_to_num(np.hstack([np.sin(angles), np.cos(angles)]))


def linear_features() -> ColumnTransformer:
    """Return features for models that add things up: scaled, imputed, one-hot."""
    imputer = SimpleImputer(strategy="median", add_indicator=True)
    numbers = make_pipeline(FunctionTransformer(as_floats), imputer, StandardScaler())
    levels = OneHotEncoder(min_frequency=RARE, handle_unknown="infrequent_if_exist")
    return ColumnTransformer(
        [
            ("numbers", numbers, NUMBERS),
            ("categories", levels, CATEGORIES),
            ("dates", FunctionTransformer(calendar_cycles), DATES),
        ]
    )


def tree_features() -> ColumnTransformer:
    """Return features for trees, which need neither scaling nor imputation."""
    levels = OrdinalEncoder(
        min_frequency=RARE, handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2
    )
    return ColumnTransformer(
        [
            ("numbers", FunctionTransformer(as_floats), NUMBERS),
            ("categories", levels, CATEGORIES),
            ("dates", FunctionTransformer(calendar_parts), DATES),
        ]
    )

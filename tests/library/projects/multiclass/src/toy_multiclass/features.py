"""Columns to features."""

from __future__ import annotations

from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def features() -> ColumnTransformer:
    """Return numbers scaled and imputed, and the service as one column each."""
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    return ColumnTransformer(
        [
            ("numbers", numbers, ["distance", "weight", "holiday"]),
            ("service", OneHotEncoder(handle_unknown="ignore"), ["service"]),
        ]
    )

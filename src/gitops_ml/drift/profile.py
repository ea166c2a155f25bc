"""Reference distributions of the data and of the scores when the model was made: ``profile.json``."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from ..contract.export import to_json
from ..core.records import Part, Record
from ..core.settings import Settings
from ..data.split import Split, features_and_target

# Bins of about equal counts that a numeric column is divided into.
BINS = 20
# Levels of a category that are counted one by one; the others are counted together.
MAX_LEVELS = 50
# Further levels that are remembered by name, so that a new one can be told.
MAX_RARE_LEVELS = 1000
# Rows whose scores show well enough how scores are distributed.
MAX_SCORED_ROWS = 10_000


class NumberProfile(Part):
    """How a numeric column is distributed."""

    rows: int
    missing: float
    """Share of the rows, 0 to 1."""
    edges: list[float]
    """Ascending inner edges: bin i holds ``edges[i - 1] <= x < edges[i]``, the outer bins are open."""
    counts: list[int]
    """Rows in each bin, one more than there are edges; missing values are in none."""
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    sd: float | None = None


class CategoryProfile(Part):
    """How often each level of a category occurs."""

    rows: int
    missing: float
    """Share of the rows, 0 to 1."""
    counts: dict[str, int]
    """The most frequent levels, most frequent first."""
    other: int = 0
    """Rows with any other level."""
    rare: list[str] | None = None
    """The other levels, sorted; None where they are too many to be told from new ones."""
    once: int = 0
    """Levels that occur once: among as many new rows, about as many are of a level not seen before."""


class DateProfile(Part):
    """When the rows happened."""

    rows: int
    missing: float
    """Share of the rows, 0 to 1."""
    first: str | None = None
    last: str | None = None
    month: list[int]
    """Rows in each month, January first."""
    weekday: list[int]
    """Rows on each day of the week, Monday first."""
    hour: list[int]
    """Rows in each hour of the day, from 0."""


class ProfileRecord(Record):
    """``profile.json``: the distributions that drift is measured against."""

    rows: int
    """Rows of the training part."""
    features: dict[str, NumberProfile | CategoryProfile | DateProfile]
    """Of the training part."""
    target: NumberProfile | CategoryProfile
    """Of the training part."""
    scores: dict[str, NumberProfile]
    """Of the test part: the predicted probability of each class, or the ``prediction``. Where there
    are two classes, the second one alone. Empty for a classifier without probabilities."""


def profile_data(model: BaseEstimator, split: Split, settings: Settings) -> ProfileRecord:
    """Profile the training part, and the scores of the test part.

    Parameters
    ----------
    model : estimator
        Fitted on the training part.
    split : Split
    settings : Settings
    """
    features, target = features_and_target(split.train, settings)
    numeric_target = settings.problem == "regression"
    return ProfileRecord(
        rows=len(features),
        features={str(name): profile_column(column) for name, column in features.items()},
        target=profile_numbers(target) if numeric_target else _profile_categories(target),
        scores=_profile_scores(model, split, settings),
    )


def profile_column(column: pd.Series) -> NumberProfile | CategoryProfile | DateProfile:
    """Return the profile of a column, by its type; truth values are categories."""
    types = pd.api.types
    if types.is_datetime64_any_dtype(column.dtype):
        return _profile_dates(column)
    if types.is_bool_dtype(column.dtype) or not (
        types.is_numeric_dtype(column.dtype) or types.is_timedelta64_dtype(column.dtype)
    ):
        return _profile_categories(column)
    return profile_numbers(column)


def profile_numbers(column: pd.Series) -> NumberProfile:
    """Profile numbers; a duration counts in seconds."""
    values = to_numbers(column)
    values = np.sort(values[np.isfinite(values)])
    missing = _missing(column)
    if not len(values):
        return NumberProfile(rows=len(column), missing=missing, edges=[], counts=[0])
    edges = np.unique(np.quantile(values, np.arange(1, BINS) / BINS, method="closest_observation"))
    below = np.searchsorted(values, edges, side="left")
    return NumberProfile(
        rows=len(column),
        missing=missing,
        edges=edges.tolist(),
        counts=np.diff(below, prepend=0, append=len(values)).tolist(),
        minimum=float(values[0]),
        maximum=float(values[-1]),
        mean=float(values.mean()),
        sd=float(values.std()),
    )


def _profile_categories(column: pd.Series) -> CategoryProfile:
    counts = column.value_counts(sort=False)
    counts.index = counts.index.map(str)
    # Equal counts in the order of the levels, so that the profile does not depend on the rows' order.
    counts = counts[counts > 0].sort_index().sort_values(ascending=False, kind="stable")
    rare = sorted(str(level) for level in counts.index[MAX_LEVELS:])
    return CategoryProfile(
        rows=len(column),
        missing=_missing(column),
        counts={str(level): int(count) for level, count in counts.iloc[:MAX_LEVELS].items()},
        other=int(counts.iloc[MAX_LEVELS:].sum()),
        rare=rare if len(rare) <= MAX_RARE_LEVELS else None,
        once=int((counts == 1).sum()),
    )


def _profile_dates(column: pd.Series) -> DateProfile:
    dates = column.dropna().dt
    return DateProfile(
        rows=len(column),
        missing=_missing(column),
        first=to_json(column.min()),
        last=to_json(column.max()),
        month=np.bincount(dates.month - 1, minlength=12).tolist(),
        weekday=np.bincount(dates.day_of_week, minlength=7).tolist(),
        hour=np.bincount(dates.hour, minlength=24).tolist(),
    )


def _profile_scores(model: BaseEstimator, split: Split, settings: Settings) -> dict[str, NumberProfile]:
    positions = np.unique(np.linspace(0, len(split.test) - 1, MAX_SCORED_ROWS).round().astype(int))
    features, _ = features_and_target(split.test.iloc[positions], settings)
    if settings.problem == "regression":
        return {"prediction": profile_numbers(pd.Series(model.predict(features)))}
    if not hasattr(model, "predict_proba"):
        return {}
    scores = pd.DataFrame(model.predict_proba(features), columns=[str(label) for label in model.classes_])
    told = scores.iloc[:, 1:] if scores.shape[1] == 2 else scores
    return {str(label): profile_numbers(column) for label, column in told.items()}


def to_numbers(column: pd.Series) -> np.ndarray:
    """Return a column as floats, shape (n_rows,); a duration in seconds, NaN where there is no number."""
    if pd.api.types.is_timedelta64_dtype(column.dtype):
        column = column.dt.total_seconds()
    return np.asarray(pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan))


def _missing(column: pd.Series) -> float:
    return float(column.isna().mean()) if len(column) else 0.0

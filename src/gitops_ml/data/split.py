"""Split rows into training and test part, and the training part into folds.

A row that a model was trained on must never become a test row when data are added: otherwise a
champion would be compared on rows that it knows. No split here draws random numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from ..core.errors import LifecycleError
from ..core.settings import Settings, parse_period

Fold = tuple[np.ndarray, np.ndarray]


@dataclass
class Split:
    """Training and test part of one table, no row in both."""

    train: pd.DataFrame
    test: pd.DataFrame
    boundary: str
    """With ``time``, when the test part begins (ISO 8601); else the share of ids or groups in it."""


def split(frame: pd.DataFrame, settings: Settings) -> Split:
    """Hold out the test part.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        Valid rows.
    settings : Settings
        ``split.by`` is one of

        - ``time``: rows within ``split.test_period`` of the newest row are tested on. The boundary
          only moves forward as rows are added, so that test rows may become training rows, but
          never the other way round.
        - ``hash``, ``group``: a row is tested on if the hash of its id or group, as a number in
          [0, 1), is below ``split.test_share``. It depends on nothing else.

    Returns
    -------
    Split
        Rows in the order of ``frame``, index 0..n - 1 in each part.

    Raises
    ------
    LifecycleError
        If a part would be empty, or the column that decides is absent or has missing values.
    """
    held_out, boundary = hold_out(frame, settings)
    return Split(
        train=frame[~held_out].reset_index(drop=True),
        test=frame[held_out].reset_index(drop=True),
        boundary=boundary,
    )


def hold_out(frame: pd.DataFrame, settings: Settings) -> tuple[np.ndarray, str]:
    """Return which rows of a table are its test part, shape (n_rows,), and the boundary of the split.

    Raises
    ------
    LifecycleError
        As ``split`` does.
    """
    values = _deciding_values(frame, settings)
    if settings.split.by == "time":
        boundary = (values.max() - parse_period(settings.split.test_period)).isoformat()
    else:
        boundary = str(settings.split.test_share)
    held_out = is_held_out(values, settings.split.by, boundary)
    _require_both(held_out, settings)
    return held_out, boundary


def is_held_out(values: pd.Series, by: str, boundary: str) -> np.ndarray:
    """Tell which rows a split keeps from training.

    Parameters
    ----------
    values : Series of shape (n_rows,)
        The column that decides: time, id or group, without missing values.
    by : {"time", "hash", "group"}
    boundary : str
        As in ``Split``.

    Returns
    -------
    ndarray of shape (n_rows,), bool
    """
    if by == "time":
        return np.asarray(values >= pd.Timestamp(boundary))
    return np.asarray(hash_shares(values, "test") < float(boundary))


def folds(train: pd.DataFrame, settings: Settings) -> list[Fold]:
    """Divide the training part for cross-validation, in the way the test part was held out.

    Parameters
    ----------
    train : DataFrame of shape (n_rows, n_columns)
    settings : Settings
        With ``split.by`` ``time``, each fold trains on everything before the rows it validates on
        (an expanding window over ``train.folds`` + 1 blocks of about equal size; rows of the same
        time are never torn apart). With ``group``, whole groups are left out (scikit-learn's
        ``GroupKFold``); with ``hash``, ids fall into folds by their hash.

    Returns
    -------
    list of (ndarray, ndarray), of length ``train.folds``
        Row positions to train and to validate on.

    Raises
    ------
    LifecycleError
        If there are too few times, groups or ids to fill every fold.
    """
    values = _deciding_values(train, settings)
    divide = {"time": _time_folds, "hash": _hash_folds, "group": _group_folds}[settings.split.by]
    parts = divide(values, settings.train.folds)
    if any(len(fit) == 0 or len(held) == 0 for fit, held in parts):
        raise _too_few(values, settings)
    return parts


def features_and_target(frame: pd.DataFrame, settings: Settings) -> tuple[pd.DataFrame, pd.Series]:
    """Separate features and target.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
    settings : Settings

    Returns
    -------
    X : DataFrame of shape (n_rows, n_features)
        Without ``data.target``, ``data.id`` and ``data.group``.
    y : Series of shape (n_rows,)
    """
    data = settings.data
    return frame.drop(columns=[data.target, data.id, data.group], errors="ignore"), frame[data.target]


def hash_shares(values: pd.Series, purpose: str) -> np.ndarray:
    """Hash values to uniform numbers in [0, 1), the same on every machine and for ever.

    Parameters
    ----------
    values : Series of shape (n_rows,)
        Without missing values. Equal values hash alike, whether stored as 7 or 7.0.
    purpose : str
        Up to 16 characters that make the hashes of one purpose independent of those of another.

    Returns
    -------
    ndarray of shape (n_rows,)
        The first 64 bits of BLAKE2b of the value as text, in [0, 1).
    """
    codes, distinct = pd.factorize(values)
    return np.array([_hash_share(value, purpose) for value in distinct.tolist()])[codes]


def _hash_share(value: Any, purpose: str) -> float:
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    digest = blake2b(text.encode(), digest_size=8, person=purpose.encode()).digest()
    # 53 bits are what a float holds; more could round up to 1.
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def _deciding_values(frame: pd.DataFrame, settings: Settings) -> pd.Series:
    """Return the column that decides where a row goes."""
    by, data = settings.split.by, settings.data
    column = {"time": data.time, "hash": data.id, "group": data.group}[by]
    if column not in frame:
        raise LifecycleError(f"split.by '{by}' needs the column '{column}'; name it in schema.py.")
    values = frame[column]
    if values.empty:
        raise LifecycleError("No row is left to split; see the findings of 'mlops validate'.")
    if missing := int(values.isna().sum()):
        raise LifecycleError(
            f"The column '{column}' is missing in {missing} rows, but split.by '{by}' needs it in all; "
            "do not let it be null in schema.py."
        )
    if by == "time" and not pd.api.types.is_datetime64_any_dtype(values):
        raise LifecycleError(
            f"The column '{column}' holds {values.dtype}, but split.by 'time' needs times; "
            "make it a pd.Timestamp in schema.py."
        )
    return values


def _require_both(held_out: np.ndarray, settings: Settings) -> None:
    if held_out.any() and not held_out.all():
        return
    side = "test" if not held_out.any() else "training"
    if settings.split.by == "time":
        advice = f"split.test_period '{settings.split.test_period}' spans all the data; shorten it"
    else:
        advice = f"change split.test_share, now {settings.split.test_share:g}, or add data"
    raise LifecycleError(f"The {side} part would be empty: {advice}.")


def _too_few(values: pd.Series, settings: Settings) -> LifecycleError:
    return LifecycleError(
        f"The training part has too few different values of '{values.name}' ({values.nunique()}) "
        f"for train.folds {settings.train.folds}; lower train.folds or add data."
    )


def _time_folds(values: pd.Series, count: int) -> list[Fold]:
    order = np.argsort(values.to_numpy(), kind="stable")
    times = values.to_numpy()[order]
    cuts = times[[len(times) * block // (count + 1) for block in range(1, count + 1)]]
    edges = [*np.searchsorted(times, cuts), len(times)]
    return [(order[:start], order[start:stop]) for start, stop in pairwise(edges)]


def _hash_folds(values: pd.Series, count: int) -> list[Fold]:
    # Not the hash that held out the test part: its values below the share are gone.
    fold = np.floor(hash_shares(values, "fold") * count)
    return [(np.flatnonzero(fold != number), np.flatnonzero(fold == number)) for number in range(count)]


def _group_folds(values: pd.Series, count: int) -> list[Fold]:
    from sklearn.model_selection import GroupKFold

    if values.nunique() < count:
        return [(np.empty(0, dtype=int), np.empty(0, dtype=int))]
    return list(GroupKFold(count).split(values, groups=values))

"""Values as JSON has them to arrays of the types that the model was trained on.

Each converter takes a list in which null is None, and the pandas type of the column; it returns an
array and which values are not of that type, both of shape (n_rows,). At null the array holds NaN,
NaT, None or, where the type has no null, zero.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

Converted = tuple[np.ndarray, np.ndarray]
Converter = Callable[[list[Any], Any], Converted]

ISO_TIME = re.compile(r"(\d{4})-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?)?(Z|[+-]\d\d:\d\d)?")
# Years that nanoseconds since 1970 reach in 64 bits.
FIRST_YEAR, LAST_YEAR = "1678", "2261"
ISO_DURATION = re.compile(r"-?P[\dDTHMS.,]+")
NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
WHOLE = re.compile(r"\s*[+-]?\d{1,19}\s*")


def to_integers(values: list[Any], dtype: Any) -> Converted:
    """Convert whole numbers; 5.0 is one."""
    wrong = _find_wrong(values, {int, float})
    limits = np.iinfo(getattr(dtype, "numpy_dtype", dtype))
    whole = [0 if bad or value is None else value for value, bad in zip(values, wrong, strict=True)]
    for row, value in enumerate(whole):
        if not (limits.min <= value <= limits.max and value == int(value)):
            whole[row], wrong[row] = 0, True
    return np.array([int(value) for value in whole], dtype=limits.dtype), wrong


def to_numbers(values: list[Any], dtype: Any) -> Converted:
    """Convert finite numbers."""
    wrong = _find_wrong(values, {int, float})
    with np.errstate(over="ignore"):
        array = np.array(
            [None if bad else value for value, bad in zip(values, wrong, strict=True)], dtype=np.float64
        ).astype(getattr(dtype, "numpy_dtype", dtype))
    wrong |= np.isinf(array)
    return array, wrong


def to_booleans(values: list[Any], dtype: Any) -> Converted:
    """Convert true and false; 0 and 1 are numbers."""
    wrong = _find_wrong(values, {bool})
    return np.array([value is True for value in values]), wrong


def to_strings(values: list[Any], dtype: Any) -> Converted:
    """Convert text."""
    wrong = _find_wrong(values, {str})
    array = np.empty(len(values), dtype=object)
    array[:] = [None if bad else value for value, bad in zip(values, wrong, strict=True)]
    return array, wrong


def to_times(values: list[Any], dtype: Any) -> Converted:
    """Convert ISO 8601 times: with an offset where the type has a time zone, else without."""
    zoned = isinstance(dtype, pd.DatetimeTZDtype)
    wrong = np.array([value is not None and not _is_time(value, zoned) for value in values], dtype=bool)
    texts = [None if bad else value for value, bad in zip(values, wrong, strict=True)]
    try:
        array = _parse_times(texts, zoned)
    except ValueError:  # a thirteenth month
        array = np.array([_parse_time(text, zoned) for text in texts], dtype="datetime64[ns]")
        wrong |= np.isnat(array) & np.array([text is not None for text in texts], dtype=bool)
    unit = dtype.unit if zoned else np.datetime_data(dtype)[0]
    return array.astype(f"datetime64[{unit}]"), wrong


def to_durations(values: list[Any], dtype: Any) -> Converted:
    """Convert ISO 8601 durations such as P0DT1H30M0S."""
    array = np.array([_parse_duration(value) for value in values], dtype="timedelta64[ns]")
    wrong = np.isnat(array) & np.array([value is not None for value in values], dtype=bool)
    return array.astype(dtype), wrong


def to_objects(values: list[Any], dtype: Any) -> Converted:
    """Take values of a type that JSON has no word for as text; pandas knows how to read it."""
    return to_strings(values, dtype)


def _find_wrong(values: list[Any], kinds: set[type]) -> np.ndarray:
    return np.array([value is not None and type(value) not in kinds for value in values], dtype=bool)


def _is_time(value: Any, zoned: bool) -> bool:
    found = ISO_TIME.fullmatch(value) if isinstance(value, str) else None
    return found is not None and zoned == bool(found[5]) and FIRST_YEAR <= found[1] <= LAST_YEAR


def _parse_times(texts: list[str | None], zoned: bool) -> np.ndarray:
    if zoned:
        return pd.to_datetime(texts, format="ISO8601", utc=True).tz_convert(None).to_numpy("datetime64[ns]")
    return np.array(texts, dtype="datetime64[ns]")


def _parse_time(text: str | None, zoned: bool) -> Any:
    try:
        return _parse_times([text], zoned)[0]
    except ValueError:
        return np.datetime64("NaT")


def _parse_duration(value: Any) -> Any:
    try:
        if isinstance(value, str) and ISO_DURATION.fullmatch(value):
            return pd.Timedelta(value).to_timedelta64()
    except (ValueError, OverflowError):
        pass
    return np.timedelta64("NaT")


def read_number(text: str) -> float | str:
    """Return the number that stands in a CSV field, or the text where there is none."""
    if text.strip().lower() == "nan":
        return float("nan")
    return float(text) if NUMBER.fullmatch(text) else text


def read_integer(text: str) -> int | float | str:
    """Return the whole number that stands in a CSV field, or what else stands there."""
    return int(text) if WHOLE.fullmatch(text) else read_number(text)


def read_boolean(text: str) -> bool | str:
    """Return what true and false mean in a CSV field, or the text."""
    return {"true": True, "false": False}.get(text.strip().lower(), text)


FROM_TEXT: dict[str, Callable[[str], Any]] = {
    "integer": read_integer,
    "number": read_number,
    "boolean": read_boolean,
}
CONVERTERS: dict[str, Converter] = {
    "integer": to_integers,
    "number": to_numbers,
    "boolean": to_booleans,
    "string": to_strings,
    "datetime": to_times,
    "duration": to_durations,
    "other": to_objects,
}

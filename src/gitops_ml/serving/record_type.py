"""The type of a record, as pydantic validates and describes it: made from the contract."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NotRequired

import numpy as np
import pandas as pd
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    NaiveDatetime,
    Strict,
    WithJsonSchema,
    with_config,
)
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from ..contract.export import Column, ContractRecord

Record = dict[str, Any]
"""Values by name: int, float, bool, str, datetime (in UTC where it has a time zone), timedelta or None."""

DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?)?"
OFFSET = r"(Z|[+-][0-9]{2}:[0-9]{2})"
# What nanoseconds since 1970 reach in 64 bits.
FIRST_TIME, LAST_TIME = "1678-01-01", "2261-12-31"
LONGEST = timedelta(days=106_751)
ISO_DURATION = re.compile(r"-?P[\dDTHMS.,]+")
# Fields of a column, and what pydantic and people call them.
LIMITS = {
    "minimum": ("ge", "at least"),
    "exclusive_minimum": ("gt", "above"),
    "maximum": ("le", "at most"),
    "exclusive_maximum": ("lt", "below"),
}


def make_record_type(contract: ContractRecord) -> Any:
    """Return the TypedDict of one record: its features, and its id where there is one.

    A TypedDict, not a model, since a column may have any name.
    """
    columns = {column.name: column for column in contract.columns}
    fields = {name: _make_field(columns[name]) for name in contract.features}
    if contract.id is not None:
        told = "names the record in the prediction log; not a feature"
        schema = {"type": ["string", "integer", "null"], "description": told}
        fields.setdefault(contract.id, NotRequired[Annotated[Any, WithJsonSchema(schema)]])
    make: Any = TypedDict  # mypy knows only those that are written down
    # The patterns of the contract are Python's.
    return with_config(ConfigDict(regex_engine="python-re"))(make("Record", fields))


def _make_field(column: Column) -> Any:
    dtype = pd.api.types.pandas_dtype(column.dtype)
    # An integer of NumPy has no place for null, whatever the contract says.
    has_null = isinstance(dtype, pd.api.extensions.ExtensionDtype) or dtype.kind not in "iub"
    takes_null = column.nullable and has_null
    kind = _make_value(column, dtype)
    field: Any = Annotated[kind | None if takes_null else kind, Field(description=_describe(column))]
    return NotRequired[field] if takes_null and not column.required else field


def _make_value(column: Column, dtype: Any) -> Any:
    """Return the type of a value that is not null, with all rules of its column."""
    rules: list[Any] = [Field(**_find_limits(column, dtype))]
    values = column.values  # noqa: PD011, a list
    if values is not None:
        choose = _make_choice(values, [_convert(value, column, dtype) for value in values])
        rules += [AfterValidator(choose), Field(json_schema_extra={"enum": values})]
    match column.kind:
        case "integer":
            return Annotated[int, Strict(), *rules, BeforeValidator(_read_whole)]
        case "number":
            return Annotated[float, Strict(), Field(allow_inf_nan=False), *rules]
        case "boolean":
            return Annotated[bool, Strict(), *rules]
        case "duration":
            return Annotated[timedelta, Strict(), *rules, BeforeValidator(_read_duration)]
        case "datetime":
            zoned = isinstance(dtype, pd.DatetimeTZDtype)
            schema = {"type": "string", "pattern": DATE + OFFSET * zoned + "$"}
            kind = AwareDatetime if zoned else NaiveDatetime
            return Annotated[kind, Strict(), *rules, BeforeValidator(_read_time), WithJsonSchema(schema)]
    lengths = Field(min_length=column.min_length, max_length=column.max_length)
    return Annotated[str, Strict(), lengths, Field(pattern=_join_patterns(column.patterns)), *rules]


def _read_whole(value: Any) -> Any:
    """Take 5.0 for the integer it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _read_time(value: Any) -> Any:
    """Read an ISO 8601 time, which may be a day alone; what is none is left to pydantic to reject."""
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else value
        return time.astimezone(UTC) if time.tzinfo else time
    except (AttributeError, ValueError, OverflowError):
        return value


def _read_duration(value: Any) -> Any:
    """Read an ISO 8601 duration such as P0DT1H30M0S; what is none is left to pydantic to reject."""
    if not (isinstance(value, str) and ISO_DURATION.fullmatch(value)):
        return value
    try:
        return pd.Timedelta(value).to_pytimedelta()
    except ValueError:
        return value


def _find_limits(column: Column, dtype: Any) -> dict[str, Any]:
    """Return the bounds of the contract or, where it has none, what the type can hold."""
    bounds = {short: getattr(column, name) for name, (short, _) in LIMITS.items()}
    limits = {short: _convert(bound, column, dtype) for short, bound in bounds.items() if bound is not None}
    lowest, highest = _find_range(column, dtype)
    if not limits.keys() & {"ge", "gt"}:
        limits["ge"] = lowest
    if not limits.keys() & {"le", "lt"}:
        limits["le"] = highest
    return limits


def _find_range(column: Column, dtype: Any) -> tuple[Any, Any]:
    """Return the lowest and the highest value of a type; None where it needs no bounds."""
    numpy = getattr(dtype, "numpy_dtype", dtype)
    match column.kind:
        case "integer" if numpy.kind in "iu":
            return int(np.iinfo(numpy).min), int(np.iinfo(numpy).max)
        case "number" if numpy.itemsize < 8:
            return float(np.finfo(numpy).min), float(np.finfo(numpy).max)
        case "datetime":
            return _convert(FIRST_TIME, column, dtype), _convert(LAST_TIME, column, dtype)
        case "duration":
            return -LONGEST, LONGEST
    return None, None


def _convert(value: Any, column: Column, dtype: Any) -> Any:
    """Return a value of the contract as the value of a record is once it has been read."""
    if column.kind == "duration":
        return pd.Timedelta(value).to_pytimedelta()
    if column.kind == "datetime":
        return _read_time(value).replace(tzinfo=UTC if isinstance(dtype, pd.DatetimeTZDtype) else None)
    return value


def _make_choice(told: list[Any], values: list[Any]) -> Callable[[Any], Any]:
    """Return a validator that rejects all but some values, and tells which they are."""
    allowed, names = frozenset(values), ", ".join(map(str, told))

    def choose(value: Any) -> Any:
        if value not in allowed:
            raise PydanticCustomError("one_of", "one of {values}", {"values": names})
        return value

    return choose


def _join_patterns(patterns: list[str]) -> str | None:
    """Return one pattern that is found where each of several is."""
    if len(patterns) < 2:
        return next(iter(patterns), None)
    return "^" + "".join(rf"(?=[\s\S]*?(?:{pattern}))" for pattern in patterns)


def _describe(column: Column) -> str | None:
    """Return what a column means, and what JSON Schema cannot say of it."""
    told = [column.description] if column.description else []
    if column.kind in ("datetime", "duration"):
        told += [f"{word} {bound}" for name, (_, word) in LIMITS.items() if (bound := getattr(column, name))]
    return "; ".join([*told, *(f"not checked here: {check}" for check in column.checks)]) or None

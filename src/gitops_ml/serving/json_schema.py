"""What a value must be like, in words and as JSON Schema: both from the contract alone."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ..contract.export import Column

NOUNS = {
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "string": "text",
    "datetime": "an ISO 8601 time",
    "duration": "an ISO 8601 duration",
    "other": "text",
}
TYPES = {"integer": "integer", "number": "number", "boolean": "boolean"}
DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?)?"
OFFSET = r"(Z|[+-][0-9]{2}:[0-9]{2})"
LIMITS = {
    "minimum": "at least",
    "exclusive_minimum": "above",
    "maximum": "at most",
    "exclusive_maximum": "below",
}
KEYWORDS = {
    "minimum": "minimum",
    "maximum": "maximum",
    "exclusive_minimum": "exclusiveMinimum",
    "exclusive_maximum": "exclusiveMaximum",
}


def describe_value(column: Column, takes_null: bool) -> str:
    """Return what is expected in a column, such as ``an integer, at least 20, at most 900``."""
    if column.values is not None:  # noqa: PD011, a list
        parts = ["one of " + ", ".join(str(value) for value in column.values)]  # noqa: PD011
    else:
        parts = [NOUNS[column.kind] + _describe_offset(column)]
    parts += [
        f"{word} {getattr(column, limit)}"
        for limit, word in LIMITS.items()
        if getattr(column, limit) is not None
    ]
    parts += [f"{column.min_length} characters or more"] * (column.min_length is not None)
    parts += [f"{column.max_length} characters or fewer"] * (column.max_length is not None)
    parts += [f"matching {pattern}" for pattern in column.patterns]
    return ", ".join(parts) + " or null" * takes_null


def _describe_offset(column: Column) -> str:
    if column.kind != "datetime":
        return ""
    return " with an offset from UTC" if is_zoned(column) else " without an offset from UTC"


def is_zoned(column: Column) -> bool:
    """Tell whether the times of a column have a time zone."""
    return isinstance(pd.api.types.pandas_dtype(column.dtype), pd.DatetimeTZDtype)


def describe_schema(column: Column, takes_null: bool) -> dict[str, Any]:
    """Return the JSON Schema of a value.

    What JSON Schema cannot say, such as a range of times or a pattern of Python, stands in the
    description.
    """
    kind = TYPES.get(column.kind, "string")
    schema: dict[str, Any] = {"type": [kind, "null"] if takes_null else kind}
    if column.kind == "datetime":
        schema["pattern"] = DATE + (OFFSET if is_zoned(column) else "") + "$"
    if column.values is not None:  # noqa: PD011, a list
        schema["enum"] = [*column.values, *([None] if takes_null else [])]  # noqa: PD011
    if kind in ("integer", "number"):
        limits = {word: getattr(column, limit) for limit, word in KEYWORDS.items()}
        schema |= {word: bound for word, bound in limits.items() if bound is not None}
    if column.kind == "string":
        lengths = {"minLength": column.min_length, "maxLength": column.max_length}
        schema |= {word: bound for word, bound in lengths.items() if bound is not None}
        if len(column.patterns) == 1:
            schema["pattern"] = column.patterns[0]
    told = [column.description, describe_value(column, takes_null)]
    told += [f"not checked here: {check}" for check in column.checks]
    schema["description"] = "; ".join(text for text in told if text)
    return schema

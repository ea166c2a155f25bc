"""Values from JSON become arrays of the model's types, or are told to be wrong."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from gitops_ml.contract.export import Column, Kind
from gitops_ml.serving.model import build_column
from gitops_ml.serving.requests import CSV, read_table
from gitops_ml.serving.validation import Rule, check_column


def make_column(kind: Kind, dtype: str, **rules: Any) -> Column:
    """Return a column of the contract that may be null."""
    rules = {"nullable": True, "unique": False, "required": True, **rules}
    return Column(name="x", role="feature", kind=kind, dtype=dtype, **rules)


@pytest.mark.parametrize(
    ("kind", "dtype", "values", "bad"),
    [
        ("integer", "Int64", [1, None, 5.0, 1.5, True, 10**30, "a"], [3, 4, 5, 6]),
        ("integer", "uint8", [1, 255, 256, -1], [2, 3]),
        ("integer", "int64", [1, None], [1]),
        ("boolean", "boolean", [True, None, 0, "true"], [2, 3]),
        ("number", "float32", [1, None, 1e300, float("nan"), -0.0], [2]),
        ("number", "Float64", [1, None, [2.5]], [2]),
        ("datetime", "datetime64[s]", ["2013-01-31", "2013-02-30", "9999-01-01", None, 3], [1, 2, 4]),
        ("datetime", "datetime64[ns]", ["2013-01-01T00:00:00Z", "today", "2013-01-01T00:00"], [0, 1]),
        ("datetime", "datetime64[us, UTC]", ["2013-01-01T00:00:00Z", "2013-01-01T00:00:00", None], [1]),
        ("duration", "timedelta64[ns]", ["P0DT1H30M0S", "1 day", None], [1]),
        ("string", "str", ["a", None, {}, ""], [2]),
    ],
)
def test_values_of_another_type_are_found(kind: Kind, dtype: str, values: list[Any], bad: list[int]) -> None:
    """The others become what pandas makes of them."""
    array, found = check_column(Rule.of(make_column(kind, dtype)), values)
    good = [row for row in range(len(values)) if row not in bad]

    assert bad == found
    built = pd.Series(build_column(array[good], dtype, None))
    expected = pd.Series([values[row] for row in good])
    if kind in ("datetime", "duration"):
        convert = pd.to_datetime if kind == "datetime" else pd.to_timedelta
        expected = pd.Series([convert(value) for value in expected])
    pd.testing.assert_series_equal(expected.astype(dtype), built)


@pytest.mark.parametrize(
    ("kind", "dtype", "rules", "values", "bad"),
    [
        ("number", "float64", {"minimum": 0, "exclusive_maximum": 1}, [0, 0.5, 1, -1, None], [2, 3]),
        ("integer", "int64", {"values": [1, 2]}, [1, 2, 3], [2]),
        ("string", "str", {"values": ["a", "b"]}, ["a", "c", None], [1]),
        ("string", "str", {"min_length": 2, "max_length": 3}, ["a", "ab", "abc", "abcd"], [0, 3]),
        ("string", "str", {"patterns": ["^a", "b$"]}, ["ab", "ac", "cb"], [1, 2]),
        (
            "datetime",
            "datetime64[ns, UTC]",
            {"minimum": "2013-01-01T00:00:00+00:00"},
            ["2013-01-01T00:30:00+01:00", "2013-01-01T00:00:00Z"],
            [0],
        ),
        ("string", "category", {"values": ["a", "b"], "nullable": False}, ["a", None, "z"], [1, 2]),
    ],
)
def test_values_that_break_a_rule_are_found(
    kind: Kind, dtype: str, rules: dict[str, Any], values: list[Any], bad: list[int]
) -> None:
    """Ranges, categories, lengths, patterns and nulls, as the contract has them."""
    assert bad == check_column(Rule.of(make_column(kind, dtype, **rules)), values)[1]


@pytest.mark.parametrize(
    ("kind", "dtype", "text", "bad"),
    [
        ("integer", "int64", [" 12", "1_000", "1.0", "1.5", ""], [1, 3, 4]),
        ("number", "float64", ["1e3", "nan", "inf", "0x1F", "1,5"], [2, 3, 4]),
        ("boolean", "bool", ["true", "False", "1"], [2]),
    ],
)
def test_text_of_csv_is_read_as_people_write_numbers(
    kind: Kind, dtype: str, text: list[str], bad: list[int]
) -> None:
    """What Python alone would take for a number is none."""
    body = "\n".join(["x", *(f'"{field}"' for field in text)]).encode()
    values = read_table(CSV, body, {"x": kind}, len(text)).columns["x"]

    assert bad == check_column(Rule.of(make_column(kind, dtype)), values)[1]


def test_the_sentence_tells_all_that_is_expected() -> None:
    """Type, range and null in one go."""
    column = make_column("number", "float64", minimum=-30, exclusive_maximum=120)

    assert "a number, at least -30, below 120 or null" == Rule.of(column).expected

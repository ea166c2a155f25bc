"""Values become what the model was trained on, or are told to be wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pandas as pd
import pyarrow as pa
import pytest
from pydantic import TypeAdapter

from gitops_ml.contract.export import Column, ContractRecord, Kind
from gitops_ml.serving.errors import MAX_PROBLEMS, ProblemsBody, RequestError
from gitops_ml.serving.model import build_column
from gitops_ml.serving.record_type import Record, make_record_type
from gitops_ml.serving.requests import ARROW, CSV, JSON, read_records
from gitops_ml.serving.validation import RecordValidator


def make_column(kind: Kind, dtype: str, **rules: Any) -> Column:
    """Return a column of the contract that may be null."""
    rules = {"nullable": True, "unique": False, "required": True, **rules}
    return Column(name="x", role="feature", kind=kind, dtype=dtype, **rules)


def make_contract(column: Column) -> ContractRecord:
    """Return the contract of a model that sees one column."""
    return ContractRecord(problem="regression", target="y", features=["x"], columns=[column])


def validate(column: Column, values: list[Any]) -> tuple[list[Record], list[int]]:
    """Return the records of the values that are valid, and the places of those that are not."""
    validator = RecordValidator(make_contract(column))
    records, bad = [], []
    for place, value in enumerate(values):
        try:
            records += validator.validate([{"x": value}])
        except RequestError:
            bad.append(place)
    return records, bad


def find_problems(column: Column, records: list[Any]) -> list[tuple[int | None, str, str]]:
    """Return row, what was expected and what came, for each problem."""
    with pytest.raises(RequestError) as caught:
        RecordValidator(make_contract(column)).validate(records)
    assert isinstance(caught.value.body, ProblemsBody)
    return [(problem.row, problem.expected, problem.came) for problem in caught.value.body.problems]


@pytest.mark.parametrize(
    ("kind", "dtype", "values", "bad"),
    [
        ("integer", "Int64", [1, None, 5.0, 1.5, True, 10**30, "a"], [3, 4, 5, 6]),
        ("integer", "uint8", [1, 255, 256, -1], [2, 3]),
        ("integer", "int64", [1, None], [1]),
        ("boolean", "boolean", [True, None, 0, "true"], [2, 3]),
        ("number", "float32", [1, None, 1e300, True, -0.0, "1"], [2, 3, 5]),
        ("number", "Float64", [1, None, [2.5]], [2]),
        ("datetime", "datetime64[s]", ["2013-01-31", "2013-02-30", "9999-01-01", None, 3], [1, 2, 4]),
        ("datetime", "datetime64[ns]", ["2013-01-01T00:00:00Z", "today", "2013-01-01T00:00"], [0, 1]),
        ("datetime", "datetime64[us, UTC]", ["2013-01-01T00:00:00Z", "2013-01-01T00:00:00", None], [1]),
        ("datetime", "datetime64[us, America/New_York]", ["2013-07-01T00:00:00+02:00", None], []),
        ("duration", "timedelta64[ns]", ["P0DT1H30M0S", "1 day", None, "P999999D", 3], [1, 3, 4]),
        ("string", "str", ["a", None, {}, ""], [2]),
    ],
)
def test_values_of_another_type_are_found(kind: Kind, dtype: str, values: list[Any], bad: list[int]) -> None:
    """The others become what pandas makes of them."""
    column = make_column(kind, dtype)
    records, found = validate(column, values)

    assert bad == found
    built = pd.Series(build_column([record["x"] for record in records], column))
    expected = pd.Series([value for place, value in enumerate(values) if place not in bad])
    if kind in ("datetime", "duration"):
        convert = pd.to_datetime if kind == "datetime" else pd.to_timedelta
        expected = pd.Series([convert(value) for value in expected])
    pd.testing.assert_series_equal(expected.astype(dtype), built)


@pytest.mark.parametrize(
    ("kind", "dtype", "rules", "values", "bad"),
    [
        ("number", "float64", {"minimum": 0, "exclusive_maximum": 1}, [0, 0.5, 1, -1, None], [2, 3]),
        ("integer", "int64", {"exclusive_minimum": 0}, [0, 1, 2**63 - 1, 2**63], [0, 3]),
        ("integer", "int64", {"values": [1, 2]}, [1, 2, 3, 1.0], [2]),
        ("string", "str", {"values": ["a", "b"]}, ["a", "c", None], [1]),
        ("string", "str", {"min_length": 2, "max_length": 3}, ["a", "ab", "abc", "abcd"], [0, 3]),
        ("string", "str", {"patterns": [r"(?<=a)b"]}, ["ab", "xab", "cb"], [2]),
        ("string", "str", {"patterns": ["^a", "b$"]}, ["ab", "a\nb", "ac", "cb"], [2, 3]),
        (
            "datetime",
            "datetime64[ns, UTC]",
            {"minimum": "2013-01-01T00:00:00+00:00"},
            ["2013-01-01T00:30:00+01:00", "2013-01-01T00:00:00Z"],
            [0],
        ),
        (
            "datetime",
            "datetime64[ns]",
            {"values": ["2013-01-01T00:00:00"]},
            ["2013-01-01", "2013-01-02"],
            [1],
        ),
        ("duration", "timedelta64[ns]", {"minimum": "P1DT0H0M0S"}, ["P1D", "PT1H"], [1]),
        ("string", "category", {"values": ["a", "b"], "nullable": False}, ["a", None, "z"], [1, 2]),
        ("integer", "category", {"values": [1, 2]}, [1, 3], [1]),
    ],
)
def test_values_that_break_a_rule_are_found(
    kind: Kind, dtype: str, rules: dict[str, Any], values: list[Any], bad: list[int]
) -> None:
    """Ranges, categories, lengths, patterns and nulls, as the contract has them."""
    assert bad == validate(make_column(kind, dtype, **rules), values)[1]


@pytest.mark.parametrize(
    ("required", "nullable", "valid"), [(True, True, False), (False, True, True), (False, False, False)]
)
def test_a_column_may_be_absent_if_it_is_neither_required_nor_never_null(
    required: bool, nullable: bool, valid: bool
) -> None:
    """Then it is null."""
    column = make_column("number", "float64", required=required, nullable=nullable)
    validator = RecordValidator(make_contract(column))
    if valid:
        assert [{}] == validator.validate([{"other": 1}])
    else:
        assert [(0, "a value", "nothing")] == find_problems(column, [{"other": 1}])


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
    records = read_records(CSV, body, {"x": kind}, len(text))

    assert bad == validate(make_column(kind, dtype), [record["x"] for record in records])[1]


def test_the_problem_tells_what_is_expected_and_what_came() -> None:
    """In the words of pydantic, and shortened."""
    column = make_column("number", "float64", minimum=-30, nullable=False)
    records = [{"x": -31}, {"x": "1" * 200}, {"x": None}, 3]

    assert [
        (0, "greater than or equal to -30", "-31"),
        (1, "a valid number", '"' + "1" * 78 + "…"),
        (2, "a valid number", "null"),
        (3, "an object", "3"),
    ] == find_problems(column, records)


def test_a_request_with_very_many_problems_is_not_looked_at_to_its_end() -> None:
    """As many are told as an answer has room for."""
    found = find_problems(make_column("number", "float64"), [{}] * (MAX_PROBLEMS * 2))

    assert [(row, "a value", "nothing") for row in range(MAX_PROBLEMS)] == found


def test_columns_may_have_any_name() -> None:
    """Also such as Python or pydantic would not take for a field."""
    names = ["_x", "class", "model_config", "copy", "a b", "ü", ""]
    columns = [make_column("number", "float64").model_copy(update={"name": name}) for name in names]
    contract = ContractRecord(problem="regression", target="y", features=names, columns=columns)
    record = dict.fromkeys(names, 1.5)

    assert [record] == RecordValidator(contract).validate(read_records(JSON, orjson.dumps(record), {}, 1))


def test_what_json_schema_cannot_say_stands_in_the_description() -> None:
    """Ranges of times, and checks that only the contract itself can do."""
    column = make_column(
        "datetime", "datetime64[ns]", description="when", minimum="2013-01-01T00:00:00", checks=["on_monday"]
    )
    schema = TypeAdapter(make_record_type(make_contract(column))).json_schema()["properties"]["x"]

    assert "when; at least 2013-01-01T00:00:00; not checked here: on_monday" == schema["description"]


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([1.5, float("nan"), None]), [1.5, None, None]),
        (pa.array([0, None], pa.timestamp("ns", "Europe/Berlin")), [datetime(1970, 1, 1, tzinfo=UTC), None]),
        (pa.array([1], pa.timestamp("ns")), [datetime(1970, 1, 1)]),
        (pa.array([60], pa.duration("s")), [timedelta(minutes=1)]),
        (pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
        (pa.array([2**63], pa.uint64()), [2**63]),
    ],
)
def test_arrow_values_become_those_of_python(array: pa.Array, expected: list[Any]) -> None:
    """NaN is null, times with a zone are in UTC, and microseconds are as fine as it gets."""
    table = pa.table({"x": array})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    records = read_records(ARROW, sink.getvalue().to_pybytes(), {"x": "other"}, 3)

    assert expected == [record["x"] for record in records]


def test_columns_that_a_body_lacks_are_absent() -> None:
    """Which is for the contract to judge; what it does not know is dropped."""
    assert [{"x": "1"}, {"x": None}] == read_records(
        CSV, b"y,x\n1,1\n2,\n", {"x": "string", "z": "string"}, 3
    )
    assert [{}, {}] == read_records(CSV, b"y\n1\n2\n", {"x": "string"}, 3)

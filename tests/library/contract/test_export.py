"""contract.json says what the contract in schema.py says."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pandera.pandas as pa
import pytest

from gitops_ml.contract import export
from gitops_ml.core.records import TrainingRecord
from gitops_ml.core.settings import Settings
from toy_binary import schema


class Parcels(pa.DataFrameModel):
    """A contract with one check of every kind."""

    number: int = pa.Field(unique=True, gt=0)
    sent: pd.Timestamp = pa.Field(ge=pd.Timestamp("2024-01-01"), lt=pd.Timestamp("2025-01-01"))
    weight: float = pa.Field(nullable=True, in_range={"min_value": 0, "max_value": 30}, description="kg")
    size: pd.CategoricalDtype = pa.Field(isin=["S", "L"])
    code: str = pa.Field(str_matches="[A-Z]{2}", str_length={"min_value": 2, "max_value": 5})
    note: str = pa.Field(str_startswith="a.", str_contains="b", notin=["ab"])
    days: float = pa.Field(le=99)

    @pa.check("days", name="half days")
    def half_days(cls, days: pd.Series) -> pd.Series:
        """Half days only."""
        return days * 2 % 1 == 0

    @pa.dataframe_check(name="heavy is large")
    def heavy_is_large(cls, parcels: pd.DataFrame) -> pd.Series:
        """A heavy parcel is a large one."""
        return (parcels["weight"] < 20) | (parcels["size"] == "L")


@pytest.fixture
def record(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> export.ContractRecord:
    """The contract above as a record."""
    monkeypatch.setattr(schema, "Contract", Parcels)
    data = settings.data.model_copy(update={"target": "days", "id": "number", "time": "sent"})
    training = TrainingRecord.model_construct(features=["sent", "weight"], classes=[])
    settings = settings.model_copy(update={"problem": "regression", "data": data})
    frame = pd.DataFrame({"size": pd.Categorical(["S", "L"])})
    return export.describe_contract(frame, settings, training)


def facts(record: export.ContractRecord, name: str) -> dict[str, Any]:
    """What a column of the record says beyond the defaults."""
    column = next(column for column in record.columns if column.name == name)
    beyond = {"name", "dtype", "nullable", "unique", "required"}
    return column.model_dump(exclude_defaults=True, exclude=beyond)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("number", {"role": "id", "kind": "integer", "exclusive_minimum": 0}),
        ("weight", {"role": "feature", "kind": "number", "minimum": 0, "maximum": 30, "description": "kg"}),
        ("size", {"role": "feature", "kind": "string", "values": ["S", "L"]}),
        ("days", {"role": "target", "kind": "number", "maximum": 99, "checks": ["half days"]}),
        (
            "code",
            {
                "role": "feature",
                "kind": "string",
                "patterns": ["^(?:[A-Z]{2})"],
                "min_length": 2,
                "max_length": 5,
            },
        ),
        (
            "note",
            {"role": "feature", "kind": "string", "patterns": ["b", "^a\\."], "checks": ["notin(['ab'])"]},
        ),
        (
            "sent",
            {
                "role": "feature",
                "kind": "datetime",
                "minimum": "2024-01-01T00:00:00",
                "exclusive_maximum": "2025-01-01T00:00:00",
            },
        ),
    ],
)
def test_a_column_says_what_its_checks_say(
    name: str, expected: dict[str, Any], record: export.ContractRecord
) -> None:
    """Checks that a machine can do are fields; the others are named."""
    assert expected == facts(record, name)


def test_checks_across_columns_are_named(record: export.ContractRecord) -> None:
    """A machine cannot do them, but a person should know of them."""
    assert record.checks == ["heavy is large"]


def test_columns_keep_their_order_and_flags(record: export.ContractRecord) -> None:
    """The order of the contract is the order of the columns."""
    assert [column.name for column in record.columns] == list(Parcels.to_schema().columns)
    assert [column.name for column in record.columns if column.unique] == ["number"]
    assert [column.name for column in record.columns if column.nullable] == ["weight"]


def test_types_are_those_that_the_model_saw(settings: Settings, raw: pd.DataFrame) -> None:
    """The types in the record turn text into the table that the model was trained on."""
    frame = schema.Contract.validate(raw.head(50))
    training = TrainingRecord.model_construct(features=[], classes=[])
    record = export.describe_contract(frame, settings, training)
    dtypes = {column.name: column.dtype for column in record.columns}
    assert dict(frame.dtypes) == dict(frame.astype(str).astype(dtypes).dtypes)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (pd.Timestamp("2024-02-29 12:30"), "2024-02-29T12:30:00"),
        (pd.Timedelta("90min"), "P0DT1H30M0S"),
        (pd.NaT, None),
        (float("nan"), None),
        (pd.NA, None),
        (pd.Series([7]).iloc[0], 7),
        ("text", "text"),
    ],
)
def test_values_are_written_as_json_has_them(value: Any, expected: Any) -> None:
    """Times are ISO 8601, missing values are null."""
    assert expected == export.to_json(value)
    assert type(expected) is type(export.to_json(value))

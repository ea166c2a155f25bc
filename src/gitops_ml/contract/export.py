"""The columns of the data contract, in a form that machines read: ``contract.json``."""

from __future__ import annotations

import re
from typing import Any, Literal

import pandas as pd

from ..core.project import load_contract
from ..core.records import Part, Record, TrainingRecord
from ..core.settings import Settings

Kind = Literal["integer", "number", "boolean", "string", "datetime", "duration", "other"]
Role = Literal["feature", "target", "id", "group"]
Bound = int | float | str


class Column(Part):
    """What one column must look like."""

    name: str
    role: Role
    kind: Kind
    """How a value is written in JSON: a datetime or duration as an ISO 8601 string."""
    dtype: str
    """The pandas type that the model was trained on."""
    nullable: bool
    unique: bool
    required: bool
    description: str | None = None
    minimum: Bound | None = None
    maximum: Bound | None = None
    exclusive_minimum: Bound | None = None
    exclusive_maximum: Bound | None = None
    min_length: int | None = None
    max_length: int | None = None
    values: list[Any] | None = None
    """The only values allowed."""
    patterns: list[str] = []
    """Regular expressions; each must be found in a value."""
    checks: list[str] = []
    """Further checks, which only the contract itself can do, by name."""


class ContractRecord(Record):
    """``contract.json``: which rows the model takes and what it returns."""

    problem: Literal["classification", "regression"]
    target: str
    id: str | None = None
    time: str | None = None
    group: str | None = None
    features: list[str]
    """Columns the model sees, in order."""
    classes: list[str] = []
    """Class labels in the order of the probabilities; empty for regression."""
    columns: list[Column]
    """All columns of the contract, in order."""
    checks: list[str] = []
    """Checks across columns, by name."""


def describe_contract(frame: pd.DataFrame, settings: Settings, training: TrainingRecord) -> ContractRecord:
    """Put the contract of ``schema.py`` into words that machines read.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        Valid rows; its dtypes are those the model was trained on.
    settings : Settings
    training : TrainingRecord
        Says which columns are features and in which order classes come.
    """
    return ContractRecord(
        problem=settings.problem,
        target=settings.data.target,
        id=settings.data.id,
        time=settings.data.time,
        group=settings.data.group,
        features=training.features,
        classes=training.classes,
        columns=describe_columns(frame, settings),
        checks=[_name(check) for check in load_contract().checks],
    )


def describe_columns(frame: pd.DataFrame, settings: Settings) -> list[Column]:
    """Return the columns of the contract, in order; dtypes are those of ``frame``, valid rows."""
    columns = load_contract().columns.values()
    return [_describe_column(column, frame, settings) for column in columns]


def _describe_column(column: Any, frame: pd.DataFrame, settings: Settings) -> Column:
    dtype = frame[column.name].dtype if column.name in frame else pd.api.types.pandas_dtype(str(column.dtype))
    facts: dict[str, Any] = {"patterns": [], "checks": []}
    if isinstance(dtype, pd.CategoricalDtype):
        facts["values"] = [to_json(value) for value in dtype.categories]
    for check in column.checks:
        for key, value in _translate(check).items():
            facts[key] = facts[key] + value if key in ("patterns", "checks") else value
    return Column(
        name=column.name,
        role=_role(column.name, settings),
        kind=_kind(dtype),
        dtype=str(dtype),
        nullable=column.nullable,
        unique=column.unique,
        required=column.required,
        description=column.description,
        **facts,
    )


def to_json(value: Any) -> Any:
    """Return a value of a column as JSON has it: ISO 8601 for times, null for missing values."""
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp | pd.Timedelta):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value


def restore_frame(rows: list[dict[str, Any]], contract: ContractRecord) -> pd.DataFrame:
    """Return rows that come from JSON as the model wants them.

    Parameters
    ----------
    rows : list of dict
        The features by name, as ``to_json`` writes them.
    contract : ContractRecord
        Says which columns are features, in which order and of which types.

    Returns
    -------
    DataFrame of shape (n_rows, n_features)
    """
    dtypes = {column.name: column.dtype for column in contract.columns}
    frame = pd.DataFrame(rows, columns=contract.features)
    return frame.astype({name: dtypes[name] for name in contract.features})


def _role(name: str, settings: Settings) -> Role:
    roles: dict[str | None, Role] = {
        settings.data.group: "group",
        settings.data.id: "id",
        settings.data.target: "target",
    }
    return roles.get(name, "feature")


def _kind(dtype: Any) -> Kind:
    types = pd.api.types
    if isinstance(dtype, pd.CategoricalDtype):
        return _kind(dtype.categories.dtype)
    kinds: list[tuple[Any, Kind]] = [
        (types.is_bool_dtype, "boolean"),
        (types.is_integer_dtype, "integer"),
        (types.is_float_dtype, "number"),
        (types.is_datetime64_any_dtype, "datetime"),
        (types.is_timedelta64_dtype, "duration"),
        (types.is_string_dtype, "string"),
    ]
    return next((kind for matches, kind in kinds if matches(dtype)), "other")


def _translate(check: Any) -> dict[str, Any]:
    """Return what a Pandera check says in the fields of a ``Column``."""
    facts = {key: to_json(value) for key, value in check.statistics.items() if pd.api.types.is_scalar(value)}
    match check.name:
        case "greater_than_or_equal_to":
            return {"minimum": facts["min_value"]}
        case "greater_than":
            return {"exclusive_minimum": facts["min_value"]}
        case "less_than_or_equal_to":
            return {"maximum": facts["max_value"]}
        case "less_than":
            return {"exclusive_maximum": facts["max_value"]}
        case "in_range":
            low = "minimum" if facts["include_min"] else "exclusive_minimum"
            high = "maximum" if facts["include_max"] else "exclusive_maximum"
            return {low: facts["min_value"], high: facts["max_value"]}
        case "isin":
            return {"values": [to_json(value) for value in check.statistics["allowed_values"]]}
        case "equal_to":
            return {"values": [facts["value"]]}
        case "str_length" if facts.get("exact_value") is None:
            return {"min_length": facts["min_value"], "max_length": facts["max_value"]}
        case "str_matches":
            return {"patterns": [f"^(?:{_pattern(check)})"]}
        case "str_contains":
            return {"patterns": [_pattern(check)]}
        case "str_startswith":
            return {"patterns": ["^" + re.escape(facts["string"])]}
        case "str_endswith":
            return {"patterns": [re.escape(facts["string"]) + "$"]}
    return {"checks": [_name(check)]}


def _pattern(check: Any) -> str:
    pattern = check.statistics["pattern"]
    return str(getattr(pattern, "pattern", pattern))


def _name(check: Any) -> str:
    return str(check.error or check.name)

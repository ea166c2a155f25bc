"""Apply the contract to a table and count what breaks it."""

from __future__ import annotations

import copy
import difflib
import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from pandera.errors import SchemaError, SchemaErrorReason, SchemaErrors
from pandera.pandas import DataFrameSchema

from .violations import EXAMPLES, TABLE, Violation, find_rows, list_examples, truncate

# Checks that fail only because something before them failed: the cause is reported, not these.
CONSEQUENCES = {SchemaErrorReason.WRONG_DATATYPE, SchemaErrorReason.CHECK_ERROR}
WORDS = {
    SchemaErrorReason.SERIES_CONTAINS_NULLS: "is not null",
    SchemaErrorReason.SERIES_CONTAINS_DUPLICATES: "is unique",
    SchemaErrorReason.DUPLICATES: "rows are unique",
    SchemaErrorReason.COLUMN_NOT_IN_SCHEMA: "is in the contract",
}
WORDS_OF_CHECKS = {
    "greater_than": "is above {min_value}",
    "greater_than_or_equal_to": "is at least {min_value}",
    "less_than": "is below {max_value}",
    "less_than_or_equal_to": "is at most {max_value}",
    "in_range": "is between {min_value} and {max_value}",
    "isin": "is one of {allowed_values}",
    "notin": "is none of {forbidden_values}",
    "str_matches": "matches {pattern}",
}


@dataclass(frozen=True)
class Validated:
    """A table after the contract was applied to it."""

    frame: pd.DataFrame
    """The columns of the contract, in its order, of its types where they could be had."""
    violations: list[Violation]
    typed: bool
    """Whether every column has the type of the contract."""

    @cached_property
    def bad_rows(self) -> np.ndarray:
        """Positions of the rows that break a rule, in order."""
        rows = [
            violation.rows
            for violation in self.violations
            if violation.level == "error" and violation.rows is not None
        ]
        return np.unique(np.concatenate(rows)) if rows else np.array([], dtype=np.intp)

    @property
    def table_is_broken(self) -> bool:
        """Whether a rule is broken that leaving out rows cannot mend."""
        return any(violation.level == "error" and violation.rows is None for violation in self.violations)


def apply_contract(frame: pd.DataFrame, contract: DataFrameSchema) -> Validated:
    """Coerce a table to the contract's types, drop other columns, and find all that breaks it.

    Parameters
    ----------
    frame : DataFrame
        Its index must be 0, 1, 2, ...
    contract : DataFrameSchema
        Pandera's schema; it is not changed.

    Returns
    -------
    Validated
        Rows are counted from the checks' own masks. Pandera's table of failure cases is never
        built for more than five rows a check: it grows to one row per bad row *and column*.
    """
    twice = frame.columns[frame.columns.duplicated()].unique()
    if len(twice):
        return Validated(frame, [Violation(str(name), "occurs once") for name in twice], typed=False)
    bounded, soft = _bound(contract)
    lossy = _find_lossy_values(frame, bounded)
    try:
        coerced, errors = bounded.validate(frame, lazy=True), []
    except SchemaErrors as problem:
        coerced, errors = problem.data, problem.schema_errors
    order = [name for name in contract.columns if name in coerced]
    order += [name for name in coerced if name not in order]
    typed = not any(error.reason_code is SchemaErrorReason.DATATYPE_COERCION for error in errors)
    return Validated(coerced[order], _merge(lossy + _to_violations(errors, frame, soft), frame), typed)


def _bound(contract: DataFrameSchema) -> tuple[DataFrameSchema, set[str]]:
    """Return a copy that keeps few failure cases, and which of its checks only warn."""
    bounded = copy.deepcopy(contract)
    bounded.strict = bounded.strict or "filter"
    soft = set()
    for check in [
        *bounded.checks,
        *(check for column in bounded.columns.values() for check in column.checks),
    ]:
        check.n_failure_cases = EXAMPLES
        if check.raise_warning:
            soft.add(_name_check(check))
            check.raise_warning = False
    return bounded, soft


def _find_lossy_values(frame: pd.DataFrame, contract: DataFrameSchema) -> list[Violation]:
    """Find values that coercion changes without a word, or refuses without saying where.

    It turns 1.5 into 1, and null and 'no' into True; it cannot hold the year 9999 in nanoseconds.
    """
    violations = []
    for name, column in contract.columns.items():
        if name not in frame or not (column.coerce or contract.coerce):
            continue
        series, kind = frame[name], getattr(getattr(column.dtype, "type", None), "kind", "")
        if kind in "iu":
            violations += find_rows(name, f"is {column.dtype}", series, _has_fraction(series))
        if kind == "M" and pd.api.types.is_datetime64_dtype(series):
            outside = (series < pd.Timestamp.min) | (series > pd.Timestamp.max)
            violations += find_rows(name, f"is {column.dtype}", series, outside.to_numpy())
        if kind == "b" and not pd.api.types.is_bool_dtype(series):
            known = series.isin([True, False]).to_numpy()
            missing = series.isna().to_numpy()
            violations += find_rows(name, "is not null", series, missing)
            violations += find_rows(name, f"is {column.dtype}", series, ~known & ~missing)
    return violations


def _has_fraction(series: pd.Series) -> np.ndarray:
    if pd.api.types.is_float_dtype(series):
        return np.asarray((series.notna() & (series % 1 != 0)).to_numpy())
    if series.dtype != object:
        return np.zeros(len(series), dtype=bool)
    # Words that are no number at all are for Pandera to find.
    return np.array([isinstance(value, float) and value % 1 > 0 for value in series], dtype=bool)


def _to_violations(errors: list[SchemaError], frame: pd.DataFrame, soft: set[str]) -> list[Violation]:
    """Translate Pandera's errors, causes only."""
    rooted = any(
        error.reason_code in {SchemaErrorReason.DATATYPE_COERCION, SchemaErrorReason.COLUMN_NOT_IN_DATAFRAME}
        for error in errors
    )
    violations = [
        _to_violation(error, frame, soft)
        for error in errors
        if not (rooted and error.reason_code in CONSEQUENCES)
    ]
    nulls = {violation.column for violation in violations if violation.check == "is not null"}
    violations = [
        _without_nulls(violation, frame) if violation.column in nulls else violation
        for violation in violations
    ]
    return [violation for violation in violations if violation.rows is None or len(violation.rows)]


def _merge(violations: list[Violation], frame: pd.DataFrame) -> list[Violation]:
    """Make one violation of those that say the same of one column; one that knows its rows is enough."""
    merged: dict[tuple[str, str], Violation] = {}
    for violation in violations:
        key = violation.column, violation.check
        known = merged.get(key)
        if known is None or known.rows is None:
            merged[key] = violation
        elif violation.rows is not None:
            rows = np.union1d(known.rows, violation.rows)
            examples = (
                list_examples(frame[violation.column], rows) if violation.column in frame else known.examples
            )
            merged[key] = replace(known, rows=rows, examples=examples)
    return list(merged.values())


def _without_nulls(violation: Violation, frame: pd.DataFrame) -> Violation:
    """A null is no integer either, but it is enough to call it null."""
    if violation.check == "is not null" or violation.rows is None:
        return violation
    rows = violation.rows[frame[violation.column].iloc[violation.rows].notna().to_numpy()]
    return replace(violation, rows=rows, examples=list_examples(frame[violation.column], rows))


def _to_violation(error: SchemaError, frame: pd.DataFrame, soft: set[str]) -> Violation:
    if error.reason_code is SchemaErrorReason.COLUMN_NOT_IN_DATAFRAME:
        return Violation(
            str(error.failure_cases), "is in the data" + _name_nearest(str(error.failure_cases), frame)
        )
    if error.reason_code is SchemaErrorReason.COLUMN_NOT_IN_SCHEMA:
        return Violation(str(error.failure_cases), WORDS[error.reason_code])
    column = _name_column(error)
    rows = _find_bad_rows(error)
    level: Literal["error", "warning"] = "warning" if _name_check(error.check) in soft else "error"
    return Violation(column, _say(error), rows, _list_examples(error, column, rows, frame), level)


def _list_examples(
    error: SchemaError, column: str, rows: np.ndarray | None, frame: pd.DataFrame
) -> tuple[str, ...]:
    if rows is None:
        return (truncate(error.failure_cases),) if isinstance(error.failure_cases, str) else ()
    if column in frame:
        return list_examples(frame[column], rows)
    return tuple(f"row {row}" for row in rows[:EXAMPLES])


def _name_column(error: SchemaError) -> str:
    if isinstance(error.schema, DataFrameSchema):
        return TABLE
    return str(getattr(error.schema, "name", None) or TABLE)


def _say(error: SchemaError) -> str:
    if error.reason_code is SchemaErrorReason.DATATYPE_COERCION:
        return f"is {error.schema.dtype}"
    return WORDS.get(error.reason_code) or _name_check(error.check)


def _name_check(check: Any) -> str:
    """Return a common check in words, any other by the name the contract gives it."""
    facts = getattr(check, "statistics", None) or {}
    words = WORDS_OF_CHECKS.get(getattr(check, "name", None) or "")
    if words and facts.keys() >= set(re.findall(r"{(\w+)}", words)):
        return truncate(words.format(**facts))
    return truncate(str(getattr(check, "error", None) or getattr(check, "name", None) or check))


def _name_nearest(name: str, frame: pd.DataFrame) -> str:
    near = difflib.get_close_matches(name, [str(column) for column in frame], n=1)
    return f" (nearest there: '{near[0]}')" if near else ""


def _find_bad_rows(error: SchemaError) -> np.ndarray | None:
    """Return positions of the rows that fail; None where the check answers for the whole table."""
    if isinstance(error.check_output, pd.Series) and error.check_output.dtype == bool:
        return error.check_output.index[~error.check_output].to_numpy()
    if isinstance(error.failure_cases, pd.DataFrame) and error.failure_cases["index"].notna().all():
        return np.unique(error.failure_cases["index"].to_numpy(dtype=np.intp))
    return None

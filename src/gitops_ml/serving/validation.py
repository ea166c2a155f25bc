"""Records held against the contract, a column at a time."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..contract.export import Column, ContractRecord
from .converters import CONVERTERS
from .errors import Problem, refuse_rows, show
from .json_schema import describe_value
from .requests import MISSING, Kinds, Table

Breaks = Callable[[np.ndarray, Any], np.ndarray]


@dataclass(frozen=True)
class Rows:
    """Records that are as the contract wants them."""

    columns: dict[str, np.ndarray]
    """The features in order, each of shape (n_rows,)."""
    ids: list[Any]
    """Null where a record has no id."""
    n_rows: int


@dataclass(frozen=True)
class Rule:
    """How one column is checked; made once, used for each request."""

    column: Column
    dtype: Any
    takes_null: bool
    expected: str
    limits: list[tuple[Breaks, Any]]
    """Bounds, each with what tells which values are beyond it."""
    allowed: frozenset[Any] | None
    """The only values, where there are such."""
    patterns: list[re.Pattern[str]]

    @classmethod
    def of(cls, column: Column) -> Rule:
        """Make the rule of a column of the contract."""
        dtype = pd.api.types.pandas_dtype(column.dtype)
        # An integer of NumPy has no place for null, whatever the contract says.
        has_place = isinstance(dtype, pd.api.extensions.ExtensionDtype) or dtype.kind not in "iub"
        takes_null = column.nullable and has_place
        like = LIKE.get(column.kind, lambda value: value)
        bounds = [(breaks, getattr(column, limit)) for limit, breaks in LIMITS.items()]
        values = column.values  # noqa: PD011, a list
        return cls(
            column,
            dtype,
            takes_null,
            describe_value(column, takes_null),
            limits=[(breaks, like(bound)) for breaks, bound in bounds if bound is not None],
            allowed=None if values is None else frozenset(map(like, values)),
            patterns=[re.compile(pattern) for pattern in column.patterns],
        )


class Checker:
    """Holds records against the contract of a bundle."""

    def __init__(self, contract: ContractRecord) -> None:
        columns = {column.name: column for column in contract.columns}
        self.rules = [Rule.of(columns[name]) for name in contract.features]
        self.id = contract.id
        self.kinds: Kinds = {rule.column.name: rule.column.kind for rule in self.rules}
        if contract.id is not None:
            self.kinds.setdefault(contract.id, "other")

    def check(self, table: Table) -> Rows:
        """Return the records as arrays.

        Raises
        ------
        Refusal
            422, with every value that is not as the contract wants it.
        """
        columns, problems = {}, []
        for rule in self.rules:
            values = table.columns[rule.column.name]
            columns[rule.column.name], bad = check_column(rule, values)
            problems += [_tell(rule, row, values[row]) for row in bad]
        if problems:
            raise refuse_rows(sorted(problems, key=lambda problem: problem.row or 0))
        return Rows(columns, self._read_ids(table), table.n_rows)

    def _read_ids(self, table: Table) -> list[Any]:
        if self.id is None:
            return [None] * table.n_rows
        return [value if isinstance(value, str | int) else None for value in table.columns[self.id]]


def _tell(rule: Rule, row: int, value: Any) -> Problem:
    came = "nothing" if value is MISSING else show(value)
    return Problem(row, rule.column.name, rule.expected, came)


def check_column(rule: Rule, values: list[Any]) -> tuple[np.ndarray, list[int]]:
    """Turn the values of a column into an array, and tell which are not as they should be.

    Parameters
    ----------
    rule : Rule
    values : list of length n_rows
        Null is None or NaN; what a record lacks is ``MISSING``.

    Returns
    -------
    array : ndarray of shape (n_rows,)
        Where values are null: NaN, NaT or None.
    bad : list of int
        Positions; what the array holds there means nothing.
    """
    plain = [None if value is MISSING or value != value else value for value in values]
    null = np.array([value is None for value in plain], dtype=bool)
    array, wrong = CONVERTERS[rule.column.kind](plain, rule.dtype)
    bad = wrong & ~null
    sound = ~(bad | null)
    if sound.all():
        bad = _breaks(rule, array)
    elif sound.any():
        bad[sound] = _breaks(rule, array[sound])
    if not rule.takes_null:
        bad |= null
    if rule.column.required:
        bad |= np.array([value is MISSING for value in values], dtype=bool)
    if array.dtype.kind in "iub" and null.any():
        array = array.astype(object)
        array[null] = None
    return array, np.flatnonzero(bad).tolist()


def _breaks(rule: Rule, array: np.ndarray) -> np.ndarray:
    """Tell which values, all of the right type, break a rule of the contract; shape (n_rows,), bool."""
    bad = np.zeros(len(array), dtype=bool)
    for breaks, bound in rule.limits:
        bad |= breaks(array, bound)
    if rule.allowed is not None:
        bad |= [value not in rule.allowed for value in array]
    if rule.column.kind == "string":
        bad |= _breaks_text(rule, array)
    return bad


def _breaks_text(rule: Rule, texts: np.ndarray) -> np.ndarray:
    shortest, longest = rule.column.min_length or 0, rule.column.max_length
    return np.array(
        [
            len(text) < shortest
            or (longest is not None and len(text) > longest)
            or any(pattern.search(text) is None for pattern in rule.patterns)
            for text in texts
        ],
        dtype=bool,
    )


def _to_moment(bound: Any) -> np.datetime64:
    """Return a time of the contract as values of a column are compared with it."""
    stamp = pd.Timestamp(bound)
    return (stamp if stamp.tz is None else stamp.tz_convert(None)).to_datetime64()


LIKE: dict[str, Callable[[Any], Any]] = {
    "datetime": _to_moment,
    "duration": lambda bound: pd.Timedelta(bound).to_timedelta64(),
}
LIMITS: dict[str, Breaks] = {
    "minimum": np.less,
    "maximum": np.greater,
    "exclusive_minimum": np.less_equal,
    "exclusive_maximum": np.greater_equal,
}

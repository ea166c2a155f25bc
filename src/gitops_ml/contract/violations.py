"""Violations: rules of the contract that rows break."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from ..core.records import Finding

TABLE = "table"
EXAMPLES = 5
WIDTH = 60


@dataclass(frozen=True)
class Violation:
    """One rule that the data break, and in which rows."""

    column: str
    check: str
    rows: np.ndarray | None = None
    """Positions of the rows that break it; None where the whole table is at fault."""
    examples: tuple[str, ...] = ()
    level: Literal["error", "warning"] = "error"

    def to_finding(self, n_rows: int) -> Finding:
        """Return the violation as it is shown, out of ``n_rows`` rows."""
        count = 0 if self.rows is None else len(self.rows)
        return Finding(
            level=self.level,
            column=self.column,
            check=self.check,
            count=count,
            share=count / n_rows if n_rows else 0.0,
            examples=list(self.examples),
        )


def find_rows(column: str, check: str, series: pd.Series, bad: np.ndarray) -> list[Violation]:
    """Return a violation for the rows where ``bad`` is true, none if there is no such row."""
    rows = np.flatnonzero(bad)
    return [Violation(column, check, rows, list_examples(series, rows))] if len(rows) else []


def list_examples(series: pd.Series, rows: np.ndarray) -> tuple[str, ...]:
    """Return up to five different values, shortened, of the first thousand bad rows."""
    values = series.iloc[rows[:1000]]
    shown = (truncate(repr(value) if isinstance(value, str) else str(value)) for value in values)
    return tuple(dict.fromkeys(shown))[:EXAMPLES]


def truncate(text: str) -> str:
    """Return a text that fits in a table of findings; its spaces are kept, which may be what is wrong."""
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"

"""The project's contract, held against rows that a test makes up."""

from __future__ import annotations

import pandas as pd

from ..contract.schema import apply_contract
from ..core.project import load_contract


def find_violations(frame: pd.DataFrame) -> set[tuple[str, str]]:
    """Return what in a table breaks the contract, as runs and the service find it.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)

    Returns
    -------
    set of (str, str)
        Column, or ``table`` for a check across columns, and the rule that is broken, such as
        ``("distance", "is at least 50")``.
    """
    validated = apply_contract(frame.reset_index(drop=True), load_contract())
    return {(violation.column, violation.check) for violation in validated.violations}

"""The checks as a list: to call one by one, or as tests of pytest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import joblib
from threadpoolctl import threadpool_limits

from ..core import project
from ..core.errors import LifecycleError
from . import checks
from .sample import Sample

if TYPE_CHECKING:
    import pytest

OF_PROJECT: dict[str, Callable[[Sample], None]] = {
    "params valid": checks.check_params,
    "accepted data keep the contract": checks.check_data,
    "columns outside the contract ignored": checks.check_other_columns,
    "ids ignored": checks.check_ids,
    "baseline ignores the features": checks.check_baseline,
}
OF_CANDIDATE: dict[str, Callable[[Sample, str], None]] = {
    "made anew": checks.check_new,
    "fits and predicts": checks.check_predictions,
    "reproducible": checks.check_reproducible,
    "saved and loaded": checks.check_saved,
    "one row as in a batch": checks.check_single_rows,
    "rows in any order": checks.check_order,
    "missing values": checks.check_missing_values,
    "unknown categories": checks.check_unknown_categories,
    "table unchanged": checks.check_unchanged_table,
}


@dataclass(frozen=True)
class Check:
    """One rule for any project; calling it checks it."""

    rule: str
    sample: Sample
    candidate: str | None = None

    def __str__(self) -> str:
        return self.rule if self.candidate is None else f"candidate {self.rule} [{self.candidate}]"

    def __call__(self) -> None:
        """Check the rule.

        Raises
        ------
        AssertionError
            If the project breaks it; one sentence says how.
        """
        # One thread: tests run side by side, and threads of theirs would only wait for each other.
        with threadpool_limits(1), joblib.parallel_config(n_jobs=1):
            try:
                if self.candidate is None:
                    OF_PROJECT[self.rule](self.sample)
                else:
                    OF_CANDIDATE[self.rule](self.sample, self.candidate)
            except LifecycleError as error:
                raise AssertionError(str(error)) from None


def list_checks() -> list[Check]:
    """Return all checks of the project in the current folder.

    Only ``models.py`` is imported for it: data are read by the first check that needs them.
    """
    sample = Sample(Path.cwd())
    names = project.load_candidates()(0)
    of_candidates = [Check(rule, sample, name) for name in names for rule in OF_CANDIDATE]
    return [Check(rule, sample) for rule in OF_PROJECT] + of_candidates


def check_project() -> None:
    """Check the project in the current folder.

    Raises
    ------
    AssertionError
        For the first rule that it breaks; one sentence says how.
    """
    for check in list_checks():
        check()


def parametrize_with_checks() -> pytest.MarkDecorator:
    """Return pytest's decorator for a test of one argument ``check``, which becomes one test a check.

    Their names are such as ``test_project[candidate reproducible [boosting]]``.
    """
    import pytest

    return pytest.mark.parametrize("check", list_checks(), ids=str)

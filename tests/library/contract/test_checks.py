"""What looks wrong although it keeps the contract."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gitops_ml.contract import checks
from gitops_ml.core.settings import Settings

N_ROWS = 1000
GIVEAWAY = "does not give the target away"


def make_settings(problem: str, **data: str) -> Settings:
    """Return settings for a table with the columns ``id`` and ``y``."""
    metric = "roc_auc" if problem == "classification" else "mae"
    return Settings.model_validate(
        {
            "problem": problem,
            "data": {"target": "y", "id": "id"} | data,
            "split": {"by": "hash"},
            "train": {"metric": metric},
            "evaluate": {"metrics": [metric]},
        }
    )


def make_table(problem: str, **columns: Any) -> pd.DataFrame:
    """Return a table with a target and a column of noise."""
    rng = np.random.default_rng(0)
    target = rng.normal(size=N_ROWS) if problem == "regression" else rng.choice(["a", "b", "c"], N_ROWS)
    table = pd.DataFrame({"id": range(N_ROWS), "y": target, "noise": rng.normal(size=N_ROWS)})
    return table.assign(**columns)


def examine(problem: str, table: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Return level, column and check of each finding."""
    found = checks.examine(table, make_settings(problem))
    return [(finding.level, finding.column, finding.check) for finding in found]


@pytest.mark.parametrize("problem", ["classification", "regression"])
def test_plausible_data_have_no_finding(problem: str) -> None:
    """Noise, names of rows and repeated levels are all fine."""
    levels = np.random.default_rng(1).choice(["x", "y"], N_ROWS)
    names = [f"row {i}" for i in range(N_ROWS)]

    assert [] == examine(problem, make_table(problem, levels=levels, names=names))


@pytest.mark.parametrize("problem", ["classification", "regression"])
def test_empty_column_is_an_error_and_constant_column_a_warning(problem: str) -> None:
    """A column without any value usually is a broken export."""
    table = make_table(problem, empty=np.nan, constant=1)

    assert [("error", "empty", "has any value"), ("warning", "constant", "is not constant")] == examine(
        problem, table
    )


@pytest.mark.parametrize(
    ("problem", "values", "check"),
    [
        ("classification", "a", "has two classes or more"),
        ("classification", 0.5, "names classes (problem: classification)"),
        ("regression", 1.0, "has two values or more"),
        ("regression", "a", "is a number (problem: regression)"),
    ],
)
def test_unfit_target_is_an_error(problem: str, values: object, check: str) -> None:
    """A target that does not vary, or is of the other kind, cannot be learned."""
    assert ("error", "y", check) in examine(problem, make_table(problem, y=values))


def test_rare_class_is_a_warning() -> None:
    """Five rows in a thousand are too few to learn a class from."""
    table = make_table("classification", y=["rare"] * 5 + ["a", "b"] * 497 + ["a"])

    assert [("warning", "y", "each class has 1% of the rows or more")] == examine("classification", table)


def test_copy_of_the_target_is_found() -> None:
    """Classes under other names, and numbers on another scale, give the target away."""
    classes = make_table("classification")
    classes["copy"] = classes["y"].map({"a": "x", "b": "y", "c": "z"})
    numbers = make_table("regression")
    numbers["copy"] = np.exp(numbers["y"])

    assert [("warning", "copy", GIVEAWAY)] == examine("classification", classes)
    assert [("warning", "copy", GIVEAWAY)] == examine("regression", numbers)


def test_number_that_separates_a_class_is_found() -> None:
    """A delay in minutes gives away whether a flight is late."""
    delay = np.random.default_rng(2).normal(size=N_ROWS)
    table = make_table("classification", y=delay > 1, delay=-delay)

    assert [("warning", "delay", GIVEAWAY)] == examine("classification", table)


def test_levels_that_hold_a_number_are_found() -> None:
    """A category with one value of the target each is the target under another name."""
    y = np.random.default_rng(3).integers(0, 5, N_ROWS).astype(float)
    table = make_table("regression", y=y, level=[f"level {value}" for value in y])

    assert [("warning", "level", GIVEAWAY)] == examine("regression", table)


@hypothesis_settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 0.3))
def test_good_column_is_not_suspect(seed: int, wrong: float) -> None:
    """A column that is wrong in one row of a hundred is a good feature, not a giveaway."""
    rng = np.random.default_rng(seed)
    y = rng.random(N_ROWS) < 0.5
    swapped = y ^ (np.arange(N_ROWS) < wrong * N_ROWS)

    assert [] == examine("classification", make_table("classification", y=y, good=swapped.astype(int)))


def test_old_data_are_a_warning() -> None:
    """Without a maximum age nothing is old; with one, the newest row counts."""
    days = pd.Timestamp.now() - pd.to_timedelta(np.arange(N_ROWS) + 10, unit="D")
    table = make_table("regression", day=days)

    def find(**data: str) -> list[str]:
        settings = make_settings("regression", time="day", **data)
        return [finding.check for finding in checks.examine(table, settings)]

    assert [] == find()
    assert [] == find(max_age="12 days")
    assert ["newest row is at most 9 days old"] == find(max_age="9 days")


def test_target_is_summarised() -> None:
    """Shares of classes, or where a number lies."""
    classes = pd.DataFrame({"y": [True, False, False, False]})
    numbers = pd.DataFrame({"y": [1.0, 2.0, 6.0]})

    assert {"False": 0.75, "True": 0.25} == checks.summarise_target(classes, make_settings("classification"))
    assert pytest.approx({"mean": 3, "sd": np.sqrt(14 / 3), "min": 1, "median": 2, "max": 6}) == (
        checks.summarise_target(numbers, make_settings("regression"))
    )

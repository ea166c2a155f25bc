"""Columns to features, on this project's data and on a table it has never seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer

from {{ cookiecutter.__package }} import features

BUILDERS = [features.linear_features, features.tree_features]
N_ROWS = 120


@pytest.fixture
def table() -> pd.DataFrame:
    """A table of nearly every type there is, with missing values nearly everywhere."""
    rng = np.random.default_rng(0)
    levels = np.array(["often"] * 60 + ["seldom"] * 50 + ["rare"] * 10)
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 999_999, N_ROWS), unit="min")
    table = pd.DataFrame(
        {
            "integer": rng.integers(0, 9, N_ROWS),
            "number": rng.normal(size=N_ROWS),
            "nullable": pd.array(rng.integers(0, 9, N_ROWS), dtype="Int64"),
            "flag": rng.random(N_ROWS) < 0.5,
            "word": levels,
            "category": pd.Categorical(rng.choice(["a", "b"], N_ROWS)),
            "object": pd.Series(rng.choice(["x", "y"], N_ROWS), dtype=object),
            "day": pd.Series(days),
            "zoned": pd.Series(days).dt.tz_localize("UTC"),
        }
    )
    for name in table.columns.drop(["integer", "flag"]):
        table.loc[rng.integers(0, N_ROWS, 5), name] = None
    return table


def transform(builder: Callable[[], ColumnTransformer], table: pd.DataFrame) -> np.ndarray:
    """Fit the features on a table and return them as a dense array of floats."""
    values = builder().fit(table).transform(table)
    return np.asarray(values.todense() if hasattr(values, "todense") else values, dtype=float)


@pytest.mark.parametrize("builder", BUILDERS)
def test_any_table_will_do(builder: Callable[[], ColumnTransformer], table: pd.DataFrame) -> None:
    """Each column of a table of mixed types becomes at least one feature."""
    values = transform(builder, table)

    assert values.shape[0] == N_ROWS
    assert values.shape[1] >= table.shape[1]


@pytest.mark.parametrize("builder", BUILDERS)
@pytest.mark.parametrize(
    "names", [["number"], ["flag"], ["nullable"], ["word"], ["category", "object"], ["day"], ["zoned"]]
)
def test_a_kind_of_column_may_be_absent(
    builder: Callable[[], ColumnTransformer], names: list[str], table: pd.DataFrame
) -> None:
    """Tables without dates, without categories or without numbers need no change."""
    assert transform(builder, table[names]).shape[0] == N_ROWS


def test_linear_features_have_no_gaps(table: pd.DataFrame) -> None:
    """A linear model gets finite numbers whatever is missing."""
    assert np.isfinite(transform(features.linear_features, table)).all()


def test_rare_levels_share_one_column(table: pd.DataFrame) -> None:
    """A level with few rows is not worth a column of its own."""
    words = table[["word"]].fillna("often")
    columns = transform(features.linear_features, words).shape[1]
    extra = words.assign(word=words["word"].where(words.index % 40 > 0, "even rarer"))

    assert columns == transform(features.linear_features, extra).shape[1]


def test_calendar_parts_are_month_weekday_and_minute() -> None:
    """Tuesday, 5 March 2013, 17:30 is month 3, day 1 of the week, minute 1050; NaT is missing."""
    dates = pd.DataFrame({"day": [pd.Timestamp("2013-03-05 17:30"), pd.NaT]})

    np.testing.assert_array_equal([[3, 1, 1050], [np.nan] * 3], features.calendar_parts(dates))


def test_calendar_cycles_close() -> None:
    """December is as near to January as January is to February."""
    dates = pd.DataFrame({"day": pd.to_datetime(["2013-12-02", "2013-01-07", "2013-02-04"])})
    december, january, february = features.calendar_cycles(dates)

    assert np.linalg.norm(december - january) == pytest.approx(np.linalg.norm(january - february))


def test_several_dates_keep_apart() -> None:
    """With two dates, each part goes with its own period."""
    one = pd.DataFrame({"a": pd.to_datetime(["2013-03-05 17:30"])})
    two = one.assign(b=pd.to_datetime(["2014-07-09 03:15"]))

    assert (1, 12) == features.calendar_cycles(two).shape
    expected = np.hstack([features.calendar_parts(one), features.calendar_parts(two[["b"]])])
    np.testing.assert_array_equal(expected, features.calendar_parts(two))

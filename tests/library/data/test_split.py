"""Tests of the split, above all that no row ever moves from training to test as data grow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from gitops_ml.core.errors import LifecycleError
from gitops_ml.core.settings import Settings
from gitops_ml.data.split import features_and_target, folds, hash_shares, split

START = pd.Timestamp("2024-01-01")


def make_settings(by: str, fold_count: int = 3, **options: Any) -> Settings:
    return Settings.model_validate(
        {
            "problem": "regression",
            "data": {"target": "y", "id": "id", "time": "time", "group": "group"},
            "split": {"by": by, "test_period": "10 days", "test_share": 0.3} | options,
            "train": {"metric": "mae", "folds": fold_count},
            "evaluate": {"metrics": ["mae"]},
        }
    )


def make_frame(rows: list[tuple[int, str]]) -> pd.DataFrame:
    """Return a row for each hour after the start and name of a group; ``row`` tells them apart."""
    hours, groups = zip(*rows, strict=True)
    numbers = np.arange(len(rows))
    return pd.DataFrame(
        {
            "time": START + pd.to_timedelta(hours, unit="h"),
            "id": numbers * 3,
            "group": list(groups),
            "row": numbers,
            "y": 0.0,
        }
    )


def many_rows(count: int = 400) -> pd.DataFrame:
    return make_frame([(hour, f"g{hour % 40}") for hour in range(count)])


def refuse(frame: pd.DataFrame, settings: Settings) -> str:
    with pytest.raises(LifecycleError) as refusal:
        folds(split(frame, settings).train, settings)
    return str(refusal.value)


row = st.tuples(st.integers(0, 60 * 24), st.text("abcdef", max_size=2))


@pytest.mark.parametrize("by", ["time", "hash", "group"])
@given(old=st.lists(row, min_size=2, max_size=40), added=st.lists(row, max_size=40), order=st.randoms())
@effort(max_examples=60, deadline=None)
def test_training_rows_never_become_test_rows(
    by: str, old: list[tuple[int, str]], added: list[tuple[int, str]], order: Any
) -> None:
    """Whatever rows are added, wherever, a row that was trained on is never tested on."""
    settings, grown = make_settings(by), make_frame([*old, *added])
    try:
        before = split(grown.iloc[: len(old)], settings)
    except LifecycleError:
        return  # nothing was trained on
    shuffled = grown.sample(frac=1, random_state=order.randrange(2**32))
    after = split(shuffled, settings)
    assert set() == set(before.train["row"]) & set(after.test["row"])
    assert sorted(grown["row"]) == sorted([*after.train["row"], *after.test["row"]])


@pytest.mark.parametrize("by", ["hash", "group"])
def test_hashed_rows_stay_on_their_side(by: str) -> None:
    """By hash and group, test rows stay test rows too."""
    frame, settings = many_rows(), make_settings(by)
    before, after = split(frame.iloc[:200], settings), split(frame, settings)
    assert set(before.test["row"]) < set(after.test["row"])
    assert set(before.train["row"]) < set(after.train["row"])


def test_time_split_holds_out_the_newest_period() -> None:
    """The test part begins a test period before the newest row, that moment included."""
    parts = split(many_rows(), make_settings("time", test_period="10 hours"))
    assert (389, 11) == (len(parts.train), len(parts.test))
    assert "2024-01-17T05:00:00" == parts.boundary
    assert pd.Timestamp(parts.boundary) == parts.test["time"].min()


def test_time_split_knows_time_zones() -> None:
    """Times with a zone are split alike, and the boundary says which zone."""
    frame = many_rows().assign(time=lambda frame: frame["time"].dt.tz_localize("America/New_York"))
    parts = split(frame, make_settings("time", test_period="10 hours"))
    assert "2024-01-17T05:00:00-05:00" == parts.boundary
    assert 11 == len(parts.test)


def test_hash_split_holds_out_the_share() -> None:
    """About the wanted share of ids is held out, and the boundary is the share."""
    parts = split(many_rows(4000), make_settings("hash"))
    assert 0.3 == pytest.approx(len(parts.test) / 4000, abs=0.03)
    assert "0.3" == parts.boundary


def test_group_split_keeps_groups_together() -> None:
    """No group stands on both sides."""
    parts = split(many_rows(), make_settings("group"))
    assert set() == set(parts.train["group"]) & set(parts.test["group"])


def test_parts_keep_order_and_start_at_zero() -> None:
    """Each part keeps the order of the rows and counts them from 0."""
    parts = split(many_rows(), make_settings("hash"))
    for part in (parts.train, parts.test):
        assert part["row"].is_monotonic_increasing
        assert list(range(len(part))) == part.index.tolist()


def test_hashes_are_the_same_for_ever() -> None:
    """A hash that changes would move training rows into the test part of the next release."""
    expected = [0.17906186753874564, 0.44556795084027845, 0.17147443721382116]
    assert expected == hash_shares(pd.Series(["AA", "7", "Zürich"]), "test").tolist()


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "float32", "float64", "str", "category"])
def test_equal_values_hash_alike_in_any_type(dtype: Any) -> None:
    """A column that turns from int to float between two files does not reshuffle the split."""
    expected = hash_shares(pd.Series([1, 7, 200]), "test").tolist()
    values = pd.Series([1, 7, 200])
    values = values.astype("str").astype(dtype) if dtype == "category" else values.astype(dtype)
    assert expected == hash_shares(values, "test").tolist()


def test_hashes_look_uniform() -> None:
    """Counting ids give hashes that fill [0, 1) evenly."""
    shares = np.sort(hash_shares(pd.Series(range(5000)), "test"))
    largest_gap = np.abs(shares - np.arange(5000) / 5000).max()
    assert largest_gap < 1.63 / np.sqrt(5000)  # Kolmogorov and Smirnov, 1 %


@pytest.mark.parametrize(
    ("by", "options", "expected"),
    [
        ("time", {"test_period": "60 days"}, "The training part would be empty: split.test_period '60 days'"),
        ("hash", {"test_share": 0.999999}, "The training part would be empty: change split.test_share"),
        ("group", {"test_share": 0.000001}, "The test part would be empty: change split.test_share"),
    ],
)
def test_empty_part(by: str, options: dict[str, Any], expected: str) -> None:
    """A part without rows is refused, naming the setting to change."""
    assert refuse(many_rows(), make_settings(by, **options)).startswith(expected)


@pytest.mark.parametrize(("by", "column"), [("time", "time"), ("hash", "id"), ("group", "group")])
def test_missing_values_in_the_deciding_column(by: str, column: str) -> None:
    """A row that belongs nowhere is refused, not put somewhere."""
    frame = many_rows().astype({"id": "object"})
    frame.loc[[3, 5], column] = None
    assert refuse(frame, make_settings(by)).startswith(f"The column '{column}' is missing in 2 rows")


@pytest.mark.parametrize(("by", "column"), [("time", "time"), ("hash", "id"), ("group", "group")])
def test_absent_deciding_column(by: str, column: str) -> None:
    """A column that the contract filtered out is named."""
    assert f"needs the column '{column}'" in refuse(many_rows().drop(columns=column), make_settings(by))


def test_times_that_are_no_times() -> None:
    """Text is not compared as if it were time."""
    frame = many_rows().astype({"time": "str"})
    assert "The column 'time' holds str" in refuse(frame, make_settings("time"))


def test_no_rows() -> None:
    """An empty table is refused, not split."""
    assert "No row is left to split" in refuse(many_rows().iloc[:0], make_settings("time"))


@given(
    hours=st.lists(st.integers(0, 200), min_size=8, max_size=80), count=st.integers(2, 5), order=st.randoms()
)
@effort(max_examples=60, deadline=None)
def test_time_folds_validate_on_what_comes_later(hours: list[int], count: int, order: Any) -> None:
    """Every fold trains on all rows before the first it validates on, in whatever order they lie."""
    frame = make_frame([(hour, "g") for hour in hours])
    try:
        parts = folds(frame, make_settings("time", count))
    except LifecycleError:
        return  # too few different times
    assert count == len(parts)
    validated = np.concatenate([held for _, held in parts])
    assert len(validated) == len(set(validated))
    for fit, held in parts:
        first = frame["time"].iloc[held].min()
        assert set(np.flatnonzero(frame["time"] < first)) == set(fit)


def test_time_folds_are_of_about_equal_size() -> None:
    """Three folds are four blocks: the first is only trained on."""
    parts = folds(many_rows(), make_settings("time"))
    assert [(100, 100), (200, 100), (300, 100)] == [(len(fit), len(held)) for fit, held in parts]


@pytest.mark.parametrize(("by", "column"), [("hash", "id"), ("group", "group")])
def test_other_folds_partition_the_rows(by: str, column: str) -> None:
    """Each row is validated on once, and shares no id or group with what its fold trains on."""
    train, settings = many_rows(), make_settings(by)
    parts = folds(train, settings)
    assert list(range(400)) == sorted(np.concatenate([held for _, held in parts]))
    for fit, held in parts:
        assert set() == set(train[column].iloc[fit]) & set(train[column].iloc[held])
        assert 400 == len(fit) + len(held)


def test_hash_folds_of_a_training_part_are_all_filled() -> None:
    """Folds use a hash of their own: the training part has none of the small test hashes."""
    settings = make_settings("hash", test_share=0.5)
    train = split(many_rows(2000), settings).train
    sizes = [len(held) / len(train) for _, held in folds(train, settings)]
    assert [1 / 3] * 3 == pytest.approx(sizes, abs=0.05)


@pytest.mark.parametrize(
    ("by", "constant"), [("time", {"time": START}), ("hash", {"id": 1}), ("group", {"group": "g"})]
)
def test_too_few_values_for_folds(by: str, constant: dict[str, Any]) -> None:
    """A fold that would be empty is refused, naming the setting to change."""
    with pytest.raises(LifecycleError, match=r"too few different values of .* lower train\.folds"):
        folds(many_rows().assign(**constant), make_settings(by))


def test_features_and_target() -> None:
    """Neither target nor id nor group is a feature."""
    X, y = features_and_target(many_rows(), make_settings("time"))
    assert ["time", "row"] == X.columns.tolist()
    assert "y" == y.name

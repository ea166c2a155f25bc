"""Each kind of shift is seen in the column where it happens, and chance is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gitops_ml.core.records import ColumnDrift
from gitops_ml.monitoring.check.context import Context
from gitops_ml.monitoring.check.data import check_files, check_log
from gitops_ml.monitoring.check.new_files import NewFiles
from gitops_ml.monitoring.check.records import DataCheck
from gitops_ml.monitoring.prediction_log.window import TIME, VERSION, Skipped
from watched import NEW, World, draw_rows, make_settings, make_world

Change = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A champion to watch."""
    return make_world(tmp_path_factory.mktemp("bundle"))


class Log(list[pd.DataFrame]):
    """A prediction log, chunk by chunk."""

    skipped = Skipped()


def make_context(world: World, log: Any = None) -> Context:
    """Return what a check knows of the champion."""
    return Context(Path(), make_settings(), world.champion, datetime.now(UTC), log=log)


def check(world: World, rows: pd.DataFrame) -> DataCheck:
    new_files = NewFiles(frame=rows, files=["data/new.parquet"])
    answers = world.answer(rows) if len(rows) else None
    return check_files(make_context(world), new_files, answers)


def find_moved(world: World, rows: pd.DataFrame) -> dict[str, ColumnDrift]:
    return {one.column: one for one in check(world, rows).columns if one.moved}


@pytest.mark.parametrize("size", [1, 20, 300, 3000])
def test_chance_is_no_drift(world: World, size: int) -> None:
    """Few rows scatter, and one row is nothing but chance."""
    alarms = sum(bool(find_moved(world, draw_rows(size, seed))) for seed in range(10, 18))
    assert alarms <= 1


@pytest.mark.parametrize(
    ("change", "column", "words"),
    [
        (lambda rows: rows.assign(a=rows["a"] + 0.7), "a", "mean"),
        (lambda rows: rows.assign(b=5 + 2 * (rows["b"] - 5)), "b", "sd"),
        (lambda rows: rows.assign(b=rows["b"].where(rows.index % 20 > 0, 999.0)), "b", "above"),
        (lambda rows: rows.assign(gap=rows["gap"].where(rows.index % 2 > 0)), "gap", "missing"),
        (
            lambda rows: rows.assign(level=rows["level"].where(rows.index % 15 > 0, "new")),
            "level",
            "new levels",
        ),
        (lambda rows: rows.assign(level=rows["level"].replace("z", "x")), "level", "'z'"),
    ],
)
def test_a_shift_is_seen_where_it_happens(world: World, change: Change, column: str, words: str) -> None:
    """A thousand rows are enough; the words say what happened."""
    moved = find_moved(world, change(draw_rows(1000, 20)))
    assert column in moved
    assert moved.keys() <= {column, "score True"}
    assert words in moved[column].change


def test_swapped_columns_are_seen_in_both(world: World) -> None:
    """And in what the model makes of them."""
    rows = draw_rows(500, 21)
    moved = find_moved(world, rows.assign(a=rows["b"], b=rows["a"]))
    assert {"a", "b", "score True"} == set(moved)


def test_a_shift_of_labels_is_seen_in_the_target(world: World) -> None:
    """Rows of one class arrive far more often: their features shift with them."""
    rows = draw_rows(4000, 22)
    chosen = pd.concat([rows[rows["y"]][:800], rows[~rows["y"]][:200]]).sort_values("time", ignore_index=True)
    assert "y" in find_moved(world, chosen)


def test_a_small_shift_of_many_rows_is_not_worth_a_word(world: World) -> None:
    """It is surely there, but below monitor.min_psi."""
    rows = draw_rows(30_000, 23)
    found = {one.column: one for one in check(world, rows.assign(b=rows["b"] + 0.2)).columns}
    assert not found["b"].moved
    assert 0.1 == found["b"].threshold


def test_new_levels_are_named_and_the_farthest_column_comes_first(world: World) -> None:
    """The most frequent of them; shares tell how much lies outside."""
    rows = draw_rows(1000, 24)
    rows["level"] = np.where(rows.index < 300, "p", np.where(rows.index < 500, "q", rows["level"]))
    first = check(world, rows).columns[0]
    assert ("level", ["p", "q"], 0.5) == (first.column, first.new_levels, first.outside)


def test_files_without_a_valid_row_have_no_columns(world: World) -> None:
    """There is nothing to count."""
    found = check(world, pd.DataFrame())
    assert (0, []) == (found.rows, found.columns)


def make_chunk(world: World, n_rows: int, seed: int, version: str) -> pd.DataFrame:
    rows = draw_rows(n_rows, seed)
    score = world.model.predict_proba(world.select(rows))[:, 1]
    times = NEW.tz_localize("UTC") + pd.to_timedelta(np.arange(n_rows), unit="s")
    return rows.drop(columns=["id", "y"]).assign(**{"score True": score, TIME: times, VERSION: version})


def test_the_log_is_counted_chunk_by_chunk(world: World) -> None:
    """From when to when, how many rows, and that nothing moved."""
    chunks = [make_chunk(world, 400, seed, "3") for seed in (30, 31, 32)]
    found = check_log(make_context(world, Log(chunks)))
    assert ("log", 1200, "2024-03-01T00:00:00+00:00") == (found.source, found.rows, found.first)
    assert {"a", "b", "gap", "level", "score True"} == {one.column for one in found.columns}
    assert not any(one.moved for one in found.columns)


def test_answers_of_an_earlier_model_do_not_count_as_scores(world: World) -> None:
    """Its rows are traffic all the same."""
    chunks = [make_chunk(world, 500, 33, "3"), make_chunk(world, 300, 34, "2").assign(**{"score True": 1.0})]
    found = check_log(make_context(world, Log(chunks)))
    rows = {one.column: one.rows for one in found.columns}
    assert (800, 500) == (rows["a"], rows["score True"])
    assert not any(one.moved for one in found.columns)


def test_columns_kept_out_of_the_log_are_named(world: World) -> None:
    """What is not there cannot be checked."""
    chunk = make_chunk(world, 300, 35, "3").drop(columns="gap")
    found = check_log(make_context(world, Log([chunk])))
    assert ["The rows do not have 'gap'."] == found.notes

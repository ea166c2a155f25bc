"""Of new files, those that keep the contract are accepted, and the others are named."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from {{ cookiecutter.__package }}.pipeline import data
from {{ cookiecutter.__package }}.pipeline.settings import read_settings

from conftest import mlops, run


def write(root: Path, name: str, *, bad: bool = False) -> str:
    """Write a new file of good rows, or one without the column to predict."""
    frame = pd.read_parquet(sorted(root.glob("data/flights-*.parquet"))[0]).head(50)
    if bad:
        frame = frame.drop(columns=data_target(root))
    frame.to_parquet(root / "data" / name)
    return f"data/{name}"


def data_target(root: Path) -> str:
    """Return the name of the column to predict."""
    return read_settings(root / "params.yaml").data.target


def list_accepted(root: Path) -> list[str]:
    """Return what the lock lists."""
    return [file.path for file in data.read_lock(root).files]


def test_good_ones_are_accepted(project: Path) -> None:
    """The others are named with the first thing that is wrong, and the lock does not have them."""
    before = list_accepted(project)
    good = [write(project, "a.parquet"), write(project, "d.parquet")]
    bad = write(project, "b.parquet", bad=True)
    (project / "data/c.parquet").write_bytes(b"PAR1 broken off")
    lines = run("data", "accept", "--valid").output.splitlines()
    assert [f"accepted  {path}" for path in good] == lines[:2]
    assert lines[2].startswith(f"left out  {bad}: breaks the contract: {data_target(project)}: ")
    assert lines[3].startswith("left out  data/c.parquet: is truncated")
    assert sorted([*before, *good]) == list_accepted(project)


def test_no_good_one(project: Path) -> None:
    """Then the lock is as it was, and that is no success."""
    before = (project / "data.lock").read_bytes()
    write(project, "b.parquet", bad=True)
    result = mlops("data", "accept", "--valid")
    assert 1 == result.exit_code
    assert "No new file keeps the contract; data.lock is unchanged." in result.output
    assert before == (project / "data.lock").read_bytes()


def test_nothing_new(project: Path) -> None:
    """Nothing to do is no failure."""
    before = (project / "data.lock").read_bytes()
    assert "No file is new.\n" == run("data", "accept", "--valid").output
    assert before == (project / "data.lock").read_bytes()


def test_changed_files_are_left_alone(project: Path) -> None:
    """What somebody changed is for a person to judge: its digest in the lock is the one before."""
    before = {file.path: file for file in data.read_lock(project).files}
    changed = sorted(before)[0]
    pd.read_parquet(project / changed).head(50).to_parquet(project / changed)
    new = write(project, "a.parquet")
    assert f"accepted  {new}\n" == run("data", "accept", "--valid").output
    after = {file.path: file for file in data.read_lock(project).files}
    assert before == {path: file for path, file in after.items() if path != new}


@pytest.mark.parametrize("more", ["--replace", "data/a.parquet"])
def test_wrong_usage(project: Path, more: str) -> None:
    """It takes all new files, and forgets none."""
    assert 2 == mlops("data", "accept", "--valid", more).exit_code

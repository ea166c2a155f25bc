"""Tests of bad input: one clear sentence, exit status 1, nothing lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from gitops_ml.core.settings import read_settings
from gitops_ml.data.acceptance import accept
from misfits import hopeless
from toys import edit_params, mlops


def first_file(root: Path) -> Path:
    """Return the first file of data."""
    return sorted((root / "data").glob("*.parquet"))[0]


def rewrite(root: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Change the data of every file, and make them the only accepted ones, unchecked."""
    for path in (root / "data").glob("*.parquet"):
        change(pd.read_parquet(path)).to_parquet(path)
    accept(read_settings(root / "params.yaml"), root, [], replace=False, check=lambda _: [])


def target_of(root: Path) -> str:
    """Return the name of the target."""
    return read_settings(root / "params.yaml").data.target


CHANGED = "changed after data.lock was written"
REFUSED_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "is in data.lock but not among the files"),
    "empty": (lambda path: path.write_bytes(b""), CHANGED),
    "truncated": (
        lambda path: path.write_bytes(path.read_bytes()[:5000]),
        CHANGED,
    ),
    "changed": (
        lambda path: pd.read_parquet(path).head(9).to_parquet(path),
        CHANGED,
    ),
}


@pytest.mark.parametrize("kind", REFUSED_FILES)
def test_a_file_changed_behind_the_lock(done: Path, kind: str) -> None:
    """Nothing trains on it; the sentence names the file and the command."""
    damage, message = REFUSED_FILES[kind]
    damage(first_file(done))

    refuse(done, first_file_name(done), message, "mlops data")


def first_file_name(root: Path) -> str:
    """Return the path of the first file in the lock."""
    return next(line for line in (root / "data.lock").read_text().splitlines() if "path:" in line).split()[-1]


def refuse(root: Path, *words: str) -> None:
    """Run, and check that it ends as an expected problem does."""
    bundle = sorted(path.name for path in (root / "build" / "bundle").iterdir())

    result = mlops("run")
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]

    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit), result.exception
    assert len(errors) == 1, result.output
    for word in words:
        assert word in errors[0]
    assert "Traceback" not in result.output
    assert bundle == sorted(path.name for path in (root / "build" / "bundle").iterdir())
    assert words[-1].split()[0] in (root / "build" / "report.md").read_text()
    assert [] == list(root.rglob("*.partial"))


@pytest.mark.parametrize("content", [b"", b"PAR1" + b"x" * 50 + b"PAR1", b"a,b\n1,2\n", b"\x00\x01\x02"])
def test_a_new_file_that_is_no_parquet(done: Path, content: bytes) -> None:
    """Accepting names the file; the lock stays as it was."""
    lock = (done / "data.lock").read_bytes()
    (done / "data" / "bad.parquet").write_bytes(content)

    result = mlops("data", "accept")

    assert result.exit_code == 1
    assert "data/bad.parquet" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert lock == (done / "data.lock").read_bytes()


def test_a_missing_column(done: Path) -> None:
    """The sentence names it."""
    rewrite(done, lambda flights: flights.drop(columns="distance"))

    refuse(done, "distance")


def test_a_renamed_column(done: Path) -> None:
    """The sentence names the one that is missed."""
    rewrite(done, lambda flights: flights.rename(columns={"carrier": "airline"}))

    refuse(done, "carrier")


def test_a_column_of_the_wrong_type(done: Path) -> None:
    """Words where numbers belong are shown."""
    rewrite(done, lambda flights: flights.assign(distance="far"))

    refuse(done, "distance", "far")


def test_an_empty_column(done: Path) -> None:
    """A column without a single value is an error, although it may have missing ones."""
    rewrite(done, lambda flights: flights.assign(temp=float("nan")))

    refuse(done, "temp")


def test_a_constant_target(done: Path) -> None:
    """There is nothing to learn."""
    target = target_of(done)
    highest = max(pd.read_parquet(path)[target].max() for path in (done / "data").glob("*.parquet"))
    rewrite(done, lambda flights: flights.assign(**{target: highest}))

    refuse(done, target)


def test_every_candidate_fails(done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence has every reason."""
    monkeypatch.setattr("gitops_ml.core.project.load_candidates", lambda: hopeless)
    edit_params(done, train={"candidates": None, "seed": 9})

    refuse(done, "is_killed was killed", "raises raised ValueError")


def test_an_unknown_candidate(done: Path) -> None:
    """The sentence suggests the nearest."""
    edit_params(done, train={"candidates": ["linar"]})

    refuse(done, "linar", "linear")


def test_a_locked_store(done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process holds the database: the run says so, and the trained model is kept."""
    edit_params(done, gates={"margin": "3%"})
    with sqlite3.connect(done / "mlflow.db") as held:
        held.execute("BEGIN EXCLUSIVE")
        refuse(done, "mlflow.db", "locked")


def test_a_file_where_the_build_belongs(project: Path) -> None:
    """It is not overwritten."""
    (project / "build").write_text("mine")

    result = mlops("run")

    assert result.exit_code == 1
    assert "is a file, expected a folder" in result.stderr
    assert (project / "build").read_text() == "mine"

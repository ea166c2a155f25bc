"""The prediction log is read whole, once, and in bounded memory, whatever became of its files."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from gitops_ml.contract.export import Column, ContractRecord
from gitops_ml.core.errors import LifecycleError
from gitops_ml.monitoring.prediction_log import files as log_files
from gitops_ml.monitoring.prediction_log.seen_ids import SeenIds
from gitops_ml.monitoring.prediction_log.window import ID, TIME, VERSION, PredictionLogWindow, Skipped
from gitops_ml.serving.log_schema import make_encoder, make_log_schema

NOW = datetime(2026, 3, 8, 12, tzinfo=UTC)
SINCE = NOW - timedelta(days=7)
Records = list[dict[str, Any]]


def make_column(name: str, kind: Any, dtype: str) -> Column:
    """Return a column of a contract."""
    return Column(
        name=name, role="feature", kind=kind, dtype=dtype, nullable=True, unique=False, required=True
    )


CONTRACT = ContractRecord(
    problem="classification",
    target="grade",
    features=["colour", "size", "floor", "rest"],
    classes=["bad", "good"],
    columns=[
        make_column("colour", "string", "str"),
        make_column("size", "integer", "int64"),
        make_column("floor", "integer", "category"),
        make_column("rest", "duration", "timedelta64[us]"),
    ],
)


def make_record(id: str | None, time: datetime | str = NOW - timedelta(hours=1), **features: Any) -> Any:
    """Return a record as the service writes it."""
    known = {"colour": "red", "size": 3, "floor": 1, "rest": "P0DT0H1M0S"}
    shares = {"bad": 0.25, "good": 0.75}
    return {
        "id": id,
        "time": time if isinstance(time, str) else time.isoformat().replace("+00:00", "Z"),
        "version": "7",
        "features": known | features,
        "prediction": {"label": "good", "probabilities": shares},
    }


def to_lines(records: Records) -> bytes:
    """Return JSON lines."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def put(root: Path, content: bytes, written: datetime = NOW, name: str = "1-ab.jsonl") -> Path:
    """Write a file of the log."""
    path = root / f"{written:%Y-%m-%d}" / f"{written:%H%M%S}-{name}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def draw(url: Path | str, contract: ContractRecord = CONTRACT) -> tuple[pd.DataFrame, Skipped]:
    """Read the window."""
    log = PredictionLogWindow(str(url), SINCE, NOW, contract)
    frames = [*log]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({ID: []}), log.skipped


def test_a_record_is_a_row(tmp_path: Path) -> None:
    """Features under their own names, answers under the names of the profile, durations as such."""
    put(tmp_path, to_lines([make_record("a"), make_record("b", size=None, floor=None, colour=None)]))

    frame, skipped = draw(tmp_path)

    assert Skipped() == skipped
    assert ["a", "b"] == [*frame[ID]]
    assert [pd.Timestamp(NOW - timedelta(hours=1))] * 2 == [*frame[TIME]]
    first = frame.iloc[0].drop([ID, TIME]).to_dict()
    assert {
        VERSION: "7",
        "colour": "red",
        "size": 3.0,
        "floor": 1,
        "rest": pd.Timedelta(minutes=1),
        "prediction": "good",
        "score bad": 0.25,
        "score good": 0.75,
    } == first
    assert "1" == str(frame.loc[0, "floor"]), "a level is no float, though another row has none"
    assert [True, True, True, False] == [*frame.loc[1, CONTRACT.features].isna()]


def test_parquet_says_the_same_as_lines(tmp_path: Path) -> None:
    """The format of the log makes no difference to what is read."""
    records = [make_record(str(number), size=number) for number in range(5)]
    schema = make_log_schema(CONTRACT, exclude=[], has_probabilities=True)
    put(tmp_path / "a", to_lines(records))
    put(tmp_path / "b", make_encoder("parquet", schema)(to_lines(records)), name="1-ab.parquet")

    (lines, _), (rows, skipped) = draw(tmp_path / "a"), draw(tmp_path / "b")

    assert Skipped() == skipped
    pd.testing.assert_frame_equal(lines, rows, check_dtype=False)


def test_numbers_are_answers_too(tmp_path: Path) -> None:
    """A regression predicts a value."""
    put(tmp_path, to_lines([make_record("a") | {"prediction": {"value": 12.5}}]))
    contract = CONTRACT.model_copy(update={"problem": "regression", "classes": []})

    frame, _ = draw(tmp_path, contract)

    assert [12.5] == [*frame["prediction"]]
    assert [] == [name for name in frame if name.startswith("score")]


def test_a_feature_may_be_called_as_a_part_of_the_log(tmp_path: Path) -> None:
    """Such as a time in minutes."""
    columns = [make_column("time", "number", "float64"), make_column("id", "string", "str")]
    contract = CONTRACT.model_copy(update={"features": ["time", "id"], "columns": columns})
    put(tmp_path, to_lines([make_record("a") | {"features": {"time": 4.5, "id": "x"}}]))

    frame, skipped = draw(tmp_path, contract)

    assert Skipped() == skipped
    assert [("a", 4.5, "x")] == [*zip(frame[ID], frame["time"], frame["id"], strict=True)]


@pytest.mark.parametrize("kept", [["size"], []])
def test_what_is_excluded_is_absent(tmp_path: Path, kept: list[str]) -> None:
    """Absent, not missing: it must not look like drift."""
    record = make_record("a")
    put(tmp_path, to_lines([record | {"features": {name: record["features"][name] for name in kept}}]))

    frame, skipped = draw(tmp_path)

    assert Skipped() == skipped
    assert kept == [name for name in CONTRACT.features if name in frame]


@pytest.mark.parametrize(
    "broken",
    [
        b'{"id": "x", "time": "2026-03-0',
        b"null",
        b"[1]",
        b"7",
        b"}",
        b"\xff\xfe\x00",
        b'{"id": "\xff", "time": "2026-03-08T11:00:00Z"}',
        to_lines([make_record("x", "yesterday")])[:-1],
        to_lines([make_record("x", size="three")])[:-1],
        to_lines([make_record(None)])[:-1],
        b'{"id": "x"}',
        b"{}",
    ],
)
@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_broken_line_does_not_lose_its_file(tmp_path: Path, broken: bytes, place: int) -> None:
    """It is skipped and counted, wherever it stands; empty lines are nothing."""
    lines = to_lines([make_record(name) for name in "abc"]).splitlines()
    put(tmp_path, b"\n\n".join([*lines[:place], broken, *lines[place:]]))

    frame, skipped = draw(tmp_path)

    assert ["a", "b", "c"] == [*frame[ID]]
    assert [3.0] * 3 == [*frame["size"]]
    assert Skipped(lines=1) == skipped


def test_the_last_line_needs_no_end(tmp_path: Path) -> None:
    """A file that was cut at the end of a record has lost nothing."""
    put(tmp_path, to_lines([make_record("a"), make_record("b")])[:-1])

    assert 2 == len(draw(tmp_path)[0])


def test_lines_may_lie_across_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It makes no difference how much of a file is in memory at a time."""
    monkeypatch.setattr(log_files, "BLOCK", 700)
    put(tmp_path, to_lines([make_record(str(number)) for number in range(20)]))

    log = PredictionLogWindow(str(tmp_path), SINCE, NOW, CONTRACT)
    sizes = [len(frame) for frame in log]

    assert 20 == sum(sizes)
    assert max(sizes) <= 4


def test_what_has_no_lines_is_not_drawn_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without ends of lines is given up, and named."""
    monkeypatch.setattr(log_files, "BLOCK", 100)
    monkeypatch.setattr(log_files, "LONGEST", 400)
    put(tmp_path, b"x" * 1000)

    assert ["2026-03-08/120000-1-ab.jsonl (a line is longer than 400 bytes)"] == draw(tmp_path)[1].files


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """The others count all the same."""
    whole = io.BytesIO()
    parquet.write_table(pa.table({"id": ["a"], "size": [1]}), whole)
    put(tmp_path, b"PAR1 and no more", name="1-aa.parquet")
    put(tmp_path, whole.getvalue(), name="1-ab.parquet")
    put(tmp_path, to_lines([make_record("a")]), name="1-ac.jsonl")

    frame, skipped = draw(tmp_path)

    assert ["a"] == [*frame[ID]]
    assert ["120000-1-aa.parquet", "120000-1-ab.parquet"] == [
        file.partition("/")[2].partition(" (")[0] for file in skipped.files
    ]
    assert "it has no column 'time' as the log has it" in skipped.files[1]
    assert "2 files of the log could not be read to the end" in skipped.describe()[0]


def test_a_file_that_is_being_written_is_left_for_the_next_check(tmp_path: Path) -> None:
    """It has its own name when it is whole."""
    content = to_lines([make_record("a")])
    partial = put(tmp_path, content[:50], name="1-ab.jsonl.partial")

    _, skipped = draw(tmp_path)
    assert Skipped(partial=1) == skipped
    [note] = skipped.describe()
    assert "1 file of the log had not been written to the end: left for the next check." == note

    partial.unlink()
    put(tmp_path, content)
    assert ["a"] == [*draw(tmp_path)[0][ID]]


def test_a_window_has_a_beginning_and_an_end(tmp_path: Path) -> None:
    """The earliest moment belongs to it, the last does not: what comes later waits, and is told."""
    times = [
        SINCE - timedelta(seconds=1),
        SINCE,
        NOW - timedelta(microseconds=1),
        NOW,
        NOW + timedelta(hours=3),
    ]
    put(tmp_path, to_lines([make_record(str(number), time) for number, time in enumerate(times)]))

    frame, skipped = draw(tmp_path)

    assert ["1", "2"] == [*frame[ID]]
    assert Skipped(future=2) == skipped
    assert ["2 records came from the future, so a clock is wrong: left for then."] == skipped.describe()


def test_only_files_of_the_window_are_opened(tmp_path: Path) -> None:
    """By their names, with hours to spare for what was written late, or by a clock that is off."""
    near = [SINCE - timedelta(hours=11), SINCE, NOW, NOW + timedelta(hours=11)]
    far = [SINCE - timedelta(days=2), SINCE - timedelta(hours=13), NOW + timedelta(hours=13)]
    for written in [*near, *far]:
        put(tmp_path, b"broken", written)
    (tmp_path / "2026-03-08" / "notes.jsonl").write_bytes(b"broken")
    (tmp_path / "other").mkdir()

    assert len(near) == draw(tmp_path)[1].lines


def test_an_id_counts_once(tmp_path: Path) -> None:
    """In one part of a file, in another, or in another file of another format."""
    put(tmp_path, to_lines([make_record("a"), make_record("a"), make_record("b")]), name="1-aa.jsonl")
    put(tmp_path, to_lines([make_record("b"), make_record("c")]), name="1-ab.jsonl")

    frame, skipped = draw(tmp_path)

    assert ["a", "b", "c"] == [*frame[ID]]
    assert Skipped(duplicates=2) == skipped


def test_a_million_names_are_told_apart() -> None:
    """In few bytes each: names that came are known, others are not."""
    seen, names = SeenIds(), np.array([f"name {number}" for number in range(60_000)], dtype=object)
    parts = np.array_split(np.random.default_rng(0).permutation(names), 40)

    assert all(seen.add(part).all() for part in parts)
    assert not any(seen.add(part).any() for part in parts)
    assert seen.add(np.array(["name 60000"], dtype=object)).all()


def test_a_log_that_is_not_there_is_said(tmp_path: Path) -> None:
    """It is no failure: nobody may have asked yet. Nor is an empty one."""
    frame, skipped = draw(tmp_path / "log")

    assert frame.empty
    assert [f"The folder {tmp_path / 'log'} of the prediction log does not exist."] == skipped.describe()
    (tmp_path / "log" / "2026-03-08").mkdir(parents=True)
    assert [] == draw(tmp_path / "log")[1].describe()


def test_a_log_may_lie_anywhere() -> None:
    """At any URL of fsspec."""
    filesystem = fsspec.filesystem("memory")
    filesystem.makedirs("/looked/2026-03-08")
    filesystem.pipe_file("/looked/2026-03-08/120000-1-ab.jsonl", to_lines([make_record("a")]))

    assert ["a"] == [*draw("memory://looked")[0][ID]]
    with pytest.raises(LifecycleError, match=r"serve\.log\.url is 'nowhere://x'"):
        draw("nowhere://x")

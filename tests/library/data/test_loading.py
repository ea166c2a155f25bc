"""Tests of the lock: nothing trains on data that was not accepted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from gitops_ml.core.errors import LifecycleError
from gitops_ml.core.records import DataFile, Finding
from gitops_ml.core.settings import Settings
from gitops_ml.data import acceptance, loading, lock
from toy_binary.schema import Contract

# A column of the contract, whatever table it is about.
CONTRACTED = next(iter(Contract.to_schema().columns))


def make_settings(**options: Any) -> Settings:
    columns = {"source": "*.parquet", "target": "y", "id": "id", "time": "time"}
    return Settings.model_validate(
        {
            "problem": "regression",
            "data": columns | options,
            "split": {"by": "group" if "group" in options else "time"},
            "train": {"metric": "mae"},
            "evaluate": {"metrics": ["mae"]},
        }
    )


def no_findings(frame: pd.DataFrame) -> list[Finding]:
    return []


def negative(frame: pd.DataFrame) -> list[Finding]:
    """Find values of ``y`` below 0."""
    bad = frame["y"][frame["y"] < 0]
    examples = [str(value) for value in bad]
    return [
        Finding(
            level="error" if len(bad) else "warning",
            column="y",
            check="at least 0",
            count=len(bad),
            share=len(bad) / len(frame),
            examples=examples,
        )
    ]


def write(root: Path, name: str, days: list[int], **columns: Any) -> None:
    """Write a file with a row for each day of January; its id is the day, too."""
    table = {"time": [pd.Timestamp(2024, 1, day) for day in days], "id": days, "y": 1.0} | columns
    pd.DataFrame(table).to_parquet(root / name)


def accept(root: Path, *paths: str, replace: bool = False, **options: Any) -> list[str]:
    acceptance.accept(make_settings(**options), root, list(paths), replace, no_findings)
    return [file.path for file in lock.read_lock(root).files]


def status(root: Path) -> dict[str, list[str]]:
    """Return the parts of the status that are not empty."""
    found = lock.inspect(make_settings(), root).model_dump()
    return {name: paths for name, paths in found.items() if paths}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project in which ``a`` and ``b`` are accepted, and ``c`` waits."""
    for name, days in {"a": [3, 1], "b": [2, 5, 4], "c": [6]}.items():
        write(tmp_path, f"{name}.parquet", days)
    accept(tmp_path, "a.parquet", "b.parquet")
    return tmp_path


def refuse(call: Any) -> str:
    """Return the one sentence with which a call is refused."""
    with pytest.raises(LifecycleError) as refusal:
        call()
    sentence = str(refusal.value)
    assert "\n" not in sentence
    return sentence


def test_status(root: Path) -> None:
    """Every file is accepted, new, changed or missing."""
    write(root, "b.parquet", [9])
    write(root, "d.parquet", [9])
    accept(root, "d.parquet")
    (root / "d.parquet").unlink()
    assert {
        "accepted": ["a.parquet"],
        "new": ["c.parquet"],
        "changed": ["b.parquet"],
        "missing": ["d.parquet"],
    } == status(root)


def test_status_before_anything_is_accepted(tmp_path: Path) -> None:
    """Without a lock, everything is new."""
    write(tmp_path, "a.parquet", [1])
    assert {"new": ["a.parquet"]} == status(tmp_path)


def test_status_needs_no_heavy_imports(project: Path) -> None:
    """An unchanged run must answer in the time of its imports."""
    program = (
        "import sys; from pathlib import Path;"
        "from gitops_ml.core import settings; from gitops_ml.data import lock;"
        "lock.require_unchanged(lock.inspect(settings.read_settings(Path('params.yaml')), Path()));"
        "print(*{'numpy', 'pandas', 'pyarrow', 'fsspec', 'sqlalchemy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=project, stdout=subprocess.PIPE, check=True)
    assert b"" == done.stdout.strip()


def test_lock_is_made_for_reading_in_a_diff(root: Path) -> None:
    """One value a line under a line that says where the file comes from, sorted by path."""
    digests = [file.sha256 for file in lock.read_lock(root).files]
    expected = f"""\
# The data that models may be trained on, one entry a file. Written by 'mlops data accept'.
version: 1
files:
- path: a.parquet
  sha256: {digests[0]}
  rows: 2
  first: '2024-01-01T00:00:00'
  last: '2024-01-03T00:00:00'
- path: b.parquet
  sha256: {digests[1]}
  rows: 3
  first: '2024-01-02T00:00:00'
  last: '2024-01-05T00:00:00'
"""
    assert expected == (root / lock.LOCK).read_text()


names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=120)


@given(st.lists(names, unique=True, max_size=5), st.integers(0, 2**40))
@effort(max_examples=30, deadline=None)
def test_lock_is_read_as_written(
    tmp_path_factory: pytest.TempPathFactory, paths: list[str], rows: int
) -> None:
    """Whatever paths are called, the lock comes back as it was."""
    root = tmp_path_factory.mktemp("lock")
    files = [DataFile(path=path, sha256="0" * 64, rows=rows) for path in paths]
    lock.write_lock(lock.Lock(files=files), root)
    assert files == lock.read_lock(root).files


@pytest.mark.parametrize(
    "content", [b"", b"files: [", b"<<<<<<< ours\n", b"version: 2\nfiles: []\n", b"files: 3", b"\xff"]
)
def test_broken_lock(tmp_path: Path, content: bytes) -> None:
    """A lock that Git left half-merged, or that somebody edited, is named with the way out."""
    (tmp_path / lock.LOCK).write_bytes(content)
    expected = "data.lock is no lock; restore it with 'git checkout -- data.lock'."
    assert expected == refuse(lambda: lock.read_lock(tmp_path))


def test_missing_lock(tmp_path: Path) -> None:
    """Without a lock, nothing can be loaded."""
    write(tmp_path, "a.parquet", [1])
    assert "run 'mlops data accept'" in refuse(lambda: loading.load(make_settings(), tmp_path))


def test_empty_lock(root: Path) -> None:
    """A lock without files lets nothing be loaded either."""
    lock.write_lock(lock.Lock(files=[]), root)
    assert "data.lock lists no file" in refuse(lambda: loading.load(make_settings(), root))


def test_file_twice_in_the_lock(root: Path) -> None:
    """Two entries for one file, as after a careless merge, do not double its rows."""
    (entry, _) = lock.read_lock(root).files
    lock.write_lock(lock.Lock(files=[entry, entry]), root)
    assert "lists a file twice" in refuse(lambda: lock.read_lock(root))


def test_unchanged_files_may_be_trained_on(root: Path) -> None:
    """New files do not stop a run."""
    lock.require_unchanged(lock.inspect(make_settings(), root))


def test_changed_file_stops_a_run(root: Path) -> None:
    """The sentence names the file and the command, before and while loading."""
    write(root, "b.parquet", [9])
    expected = (
        "b.parquet changed after data.lock was written; restore it, "
        "or accept it as it is now with 'mlops data accept b.parquet'."
    )
    assert expected == refuse(lambda: lock.require_unchanged(lock.inspect(make_settings(), root)))
    assert expected == refuse(lambda: loading.load(make_settings(), root))


def test_missing_file_stops_a_run(root: Path) -> None:
    """Training without a file that was accepted would be another data set."""
    (root / "b.parquet").unlink()
    expected = (
        "b.parquet is in data.lock but not among the files that data.source names; restore it, "
        "or drop it from the lock with 'mlops data accept b.parquet'."
    )
    assert expected == refuse(lambda: lock.require_unchanged(lock.inspect(make_settings(), root)))
    assert expected == refuse(lambda: loading.load(make_settings(), root))


def test_accept_takes_all_that_is_new_or_changed(root: Path) -> None:
    """Without names, the lock afterwards describes what lies there."""
    write(root, "b.parquet", [9])
    assert ["a.parquet", "b.parquet", "c.parquet"] == accept(root)
    assert {"accepted": ["a.parquet", "b.parquet", "c.parquet"]} == status(root)


def test_accept_takes_named_files_only(root: Path) -> None:
    """Other new files go on waiting."""
    write(root, "d.parquet", [9])
    assert ["a.parquet", "b.parquet", "d.parquet"] == accept(root, "d.parquet")
    assert ["c.parquet"] == status(root)["new"]


def test_accept_drops_a_named_file_that_is_gone(root: Path) -> None:
    """Accepting a missing file accepts that it is missing."""
    (root / "b.parquet").unlink()
    assert ["a.parquet"] == accept(root, "b.parquet")


def test_accept_replaces_the_history(root: Path) -> None:
    """With --replace the lock holds the given files only."""
    assert ["c.parquet"] == accept(root, replace=True)
    assert {"accepted": ["c.parquet"], "new": ["a.parquet", "b.parquet"]} == status(root)


def test_replace_never_empties_the_lock(root: Path) -> None:
    """With nothing new, --replace without names would leave no data at all."""
    accept(root)
    before = (root / lock.LOCK).read_text()
    assert "--replace would leave none" in refuse(lambda: accept(root, replace=True))
    assert before == (root / lock.LOCK).read_text()


@pytest.mark.parametrize("path", ["./c.parquet", "sub/../c.parquet", "{root}/c.parquet"])
def test_accept_knows_a_file_by_any_of_its_paths(root: Path, path: str) -> None:
    """A shell may complete paths in its own way; the lock has one way."""
    assert ["a.parquet", "b.parquet", "c.parquet"] == accept(root, path.format(root=root))


def test_accept_refuses_unknown_paths(root: Path) -> None:
    """A path outside data.source is an error that suggests the nearest, and changes nothing."""
    before = (root / lock.LOCK).read_text()
    sentence = refuse(lambda: accept(root, "c.parquet", "cc.parquet"))
    assert "cc.parquet is not among the files that data.source names; did you mean 'c.parquet'?" == sentence
    assert before == (root / lock.LOCK).read_text()


def test_accept_refuses_what_breaks_the_contract(root: Path) -> None:
    """One bad file refuses all; the sentence names file, column, check and values."""
    write(root, "d.parquet", [7, 8], y=[-1.0, 2.0])
    before = (root / lock.LOCK).read_text()
    sentence = refuse(lambda: acceptance.accept(make_settings(), root, [], False, negative))
    assert sentence.startswith("d.parquet breaks the contract: y: at least 0 in 1 row, such as -1.0; correct")
    assert before == (root / lock.LOCK).read_text()


def test_lock_that_cannot_be_written(root: Path) -> None:
    """The lock stays as it was, and one sentence says why."""
    before = (root / lock.LOCK).read_text()
    (root / f"{lock.LOCK}.partial").mkdir()
    assert "data.lock cannot be written: Is a directory." == refuse(lambda: accept(root))
    assert before == (root / lock.LOCK).read_text()


def test_accept_lets_warnings_pass(root: Path) -> None:
    """Only errors refuse."""
    assert 3 == acceptance.accept(make_settings(), root, [], False, negative).files


def test_accept_valid_leaves_the_others_out(root: Path) -> None:
    """New files that keep the contract are accepted; the others are named, and changed ones not looked at."""
    before = lock.read_lock(root).files
    write(root, "a.parquet", [9])
    write(root, "bad.parquet", [5], y=-1.0)
    (root / "half.parquet").write_bytes(b"PAR1 and no more")
    done = acceptance.accept_valid(make_settings(), root, not_negative)
    assert ["c.parquet"] == done.accepted
    assert ["bad.parquet", "half.parquet"] == sorted(done.left_out)
    assert "bad.parquet breaks the contract: y: is not negative" in done.left_out["bad.parquet"]
    files = lock.read_lock(root).files
    assert [*(file.path for file in before), *done.accepted] == [file.path for file in files]
    assert before[0] == files[0]
    assert sum(file.rows for file in files) == done.rows


def test_accept_valid_where_there_is_nothing_new(root: Path) -> None:
    """Nothing is written that says something else."""
    accept(root)
    before = (root / lock.LOCK).read_text()
    assert [] == acceptance.accept_valid(make_settings(), root, not_negative).accepted
    assert before == (root / lock.LOCK).read_text()


def test_accept_valid_where_nothing_is_good(tmp_path: Path) -> None:
    """No lock is made that would list nothing."""
    write(tmp_path, "bad.parquet", [5], y=-1.0)
    done = acceptance.accept_valid(make_settings(), tmp_path, not_negative)
    assert (["bad.parquet"], 0) == (list(done.left_out), done.files)
    assert not (tmp_path / lock.LOCK).exists()


def not_negative(frame: pd.DataFrame) -> list[Finding]:
    """Find negative values."""
    count = int((frame["y"] < 0).sum())
    finding = Finding(level="error", column="y", check="is not negative", count=count, share=1.0)
    return [finding] if count else []


def test_data_without_times(tmp_path: Path) -> None:
    """Without data.time the lock has no times, and rows keep the order of the files."""
    write(tmp_path, "a.parquet", [3, 1])
    settings = make_settings(time=None, id=None, group="id")
    acceptance.accept(settings, tmp_path, [], False, no_findings)
    (file,) = lock.read_lock(tmp_path).files
    assert (None, None) == (file.first, file.last)
    assert [3, 1] == loading.load(settings, tmp_path).frame["id"].tolist()


def test_load(root: Path) -> None:
    """Accepted rows in order of time, with the files they come from and those that wait."""
    loaded = loading.load(make_settings(), root)
    assert [1, 2, 3, 4, 5] == loaded.frame["id"].tolist()
    assert [0, 1, 2, 3, 4] == loaded.frame.index.tolist()
    assert ["a.parquet", "b.parquet"] == [file.path for file in loaded.files]
    assert ["c.parquet"] == loaded.waiting


@given(st.permutations(range(1, 13)), st.integers(1, 11))
@effort(max_examples=15, deadline=None)
def test_rows_may_be_spread_over_files_in_any_way(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], cut: int
) -> None:
    """The same rows give the same table, ties in time included."""
    root = tmp_path_factory.mktemp("spread")
    for name, ids in {"a": order[:cut], "b": order[cut:]}.items():
        write(root, f"{name}.parquet", [1 + number // 4 for number in ids], id=ids)
    accept(root)
    assert list(range(1, 13)) == loading.load(make_settings(), root).frame["id"].tolist()


def test_window_keeps_the_newest_period(root: Path) -> None:
    """Rows older than the window before the newest row are left out."""
    assert [3, 4, 5] == loading.load(make_settings(window="2 days"), root).frame["id"].tolist()


def test_window_keeps_rows_without_a_time(root: Path) -> None:
    """They are left for the contract to report."""
    write(root, "a.parquet", [1, 2], time=[pd.Timestamp("2024-01-01"), pd.NaT])
    accept(root)
    assert [5, 6, 2] == loading.load(make_settings(window="1 day"), root).frame["id"].tolist()


def test_window_needs_times(root: Path) -> None:
    """A window over text would silently be no window."""
    for name in ("a", "b", "c"):
        write(root, f"{name}.parquet", [1], time=["soon"])
    accept(root)
    expected = "data.window needs times, but 'time' holds str; correct it."
    assert expected == refuse(lambda: loading.load(make_settings(window="1 day"), root))


@pytest.mark.parametrize("column", ["y", CONTRACTED])
def test_column_that_one_file_lacks(root: Path, column: str) -> None:
    """No column that matters is filled with nulls behind your back: file and column are named."""
    for name, days in {"a": [1], "b": [2]}.items():
        write(root, f"{name}.parquet", days, **{CONTRACTED: 1})
    pd.read_parquet(root / "a.parquet").drop(columns=column).to_parquet(root / "c.parquet")
    accept(root)
    sentence = refuse(lambda: loading.load(make_settings(), root))
    assert sentence.startswith(f"c.parquet lacks the column '{column}' that a.parquet has")


def test_column_that_nobody_needs(root: Path) -> None:
    """A column outside the contract that not all files have is left out, as the contract would."""
    write(root, "c.parquet", [6], gate=["B7"])
    accept(root)
    assert ["time", "id", "y"] == loading.load(make_settings(), root).frame.columns.tolist()


def test_order_of_columns_does_not_matter(root: Path) -> None:
    """Columns are matched by name."""
    pd.read_parquet(root / "c.parquet")[["y", "id", "time"]].to_parquet(root / "c.parquet")
    accept(root)
    assert ["time", "id", "y"] == loading.load(make_settings(), root).frame.columns.tolist()


@pytest.mark.parametrize("column", [{"id": ["x"]}, {"time": ["soon"]}, {"y": ["low"]}])
def test_types_that_differ_are_left_to_the_contract(root: Path, column: dict[str, Any]) -> None:
    """A file with text for numbers or times loads, so that findings can show the values."""
    write(root, "c.parquet", [6], **column)
    accept(root)
    (name, values) = column.popitem()
    assert values[0] in loading.load(make_settings(), root).frame[name].tolist()


def test_remote_file_that_changed(root: Path) -> None:
    """Status does not fetch remote files, loading verifies them, accepting renews them."""
    remote = make_settings(source=f"file://{root}/a.parquet")
    acceptance.accept(remote, root, [], True, no_findings)
    write(root, "a.parquet", [9])
    assert [] == lock.inspect(remote, root).changed
    assert "changed after data.lock was written" in refuse(lambda: loading.load(remote, root))
    acceptance.accept(remote, root, [], False, no_findings)
    assert [9] == loading.load(remote, root).frame["id"].tolist()

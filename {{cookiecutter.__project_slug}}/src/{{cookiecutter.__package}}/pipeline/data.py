"""The data: accepting files, and reading what was accepted."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import LifecycleError
from .lock import (
    LOCK,
    DataStatus,
    Lock,
    inspect,
    inspect_all,
    read_lock,
    read_lock_if_any,
    refuse_changed,
    refuse_missing,
    require_unchanged,
    write_lock,
)
from .records import DataFile, Finding
from .settings import DataSettings, Settings, parse_period
from .sources import is_remote, list_files, read_file

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = [
    "LOCK",
    "DataStatus",
    "Loaded",
    "Lock",
    "accept",
    "inspect",
    "load",
    "read_lock",
    "require_unchanged",
]


@dataclass
class Loaded:
    """All accepted rows, and where they come from."""

    frame: pd.DataFrame
    """Sorted by ``data.time``, within ``data.window``, index 0..n_rows - 1."""
    origin: np.ndarray
    """Which of ``files`` each row comes from, shape (n_rows,)."""
    files: list[DataFile]
    waiting: list[str]
    """Files that lie there but have not been accepted."""


def accept(
    settings: Settings,
    root: Path,
    paths: list[str],
    replace: bool,
    check: Callable[[pd.DataFrame], list[Finding]],
) -> Lock:
    """Validate files and write them into the lock.

    Parameters
    ----------
    settings : Settings
    root : Path
        The project.
    paths : list of str
        What to accept as it is now: new files are added, changed ones replaced, and missing ones
        dropped. Empty means all new and changed files.
    replace : bool
        Whether the lock then holds these files only.
    check : callable
        Takes the frame of one file and returns findings; an error among them refuses the file.

    Returns
    -------
    Lock
        As written.

    Raises
    ------
    LifecycleError
        If a path is unknown or a file is refused. The lock is then as it was.
    """
    # Files that are named are read below in any case.
    status = inspect(settings, root) if paths else inspect_all(settings, root)
    chosen = _resolve(paths, status, root) or [*status.new, *status.changed]
    if replace and not chosen:
        raise LifecycleError("No file is new or changed: --replace would leave none; name the files to keep.")
    present = [path for path in chosen if path not in status.missing]
    accepted = [_accept_one(path, settings.data, root, check) for path in present]
    kept = [] if replace else [file for file in read_lock_if_any(root).files if file.path not in chosen]
    lock = Lock(files=sorted([*kept, *accepted], key=lambda file: file.path))
    write_lock(lock, root)
    return lock


def load(settings: Settings, root: Path) -> Loaded:
    """Read every accepted file once, and put the rows together.

    Parameters
    ----------
    settings : Settings
    root : Path
        The project.

    Returns
    -------
    Loaded
        Rows sorted by ``data.time`` and then ``data.id``, as far as they are given, so that it
        does not matter how rows are spread over files; only the newest ``data.window``.

    Raises
    ------
    LifecycleError
        If nothing is accepted, a file is not what the lock says, or files differ in columns.
    """
    import numpy as np

    files = read_lock(root).files
    if not files:
        raise LifecycleError(f"{LOCK} lists no file; accept some with 'mlops data accept'.")
    listed = list_files(settings.data, root)
    known = {file.path for file in files}
    if gone := sorted(known.difference(listed)):
        refuse_missing(gone)
    frames = {file.path: _read_accepted(file, settings.data, root) for file in files}
    # The index says where a row was before it was sorted.
    frame = _cut_window(_sort(_concatenate(frames, settings.data), settings.data), settings.data)
    origin = np.repeat(np.arange(len(files)), [len(frames[file.path]) for file in files])[frame.index]
    waiting = [path for path in listed if path not in known]
    return Loaded(frame=frame.reset_index(drop=True), origin=origin, files=files, waiting=waiting)


def _resolve(paths: list[str], status: DataStatus, root: Path) -> list[str]:
    """Return paths as the lock writes them; each must be known."""
    known = [*status.accepted, *status.new, *status.changed, *status.missing]
    resolved = {path: path if path in known else _relative(path, root) for path in paths}
    for path, name in resolved.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else "see 'mlops data status'."
            raise LifecycleError(f"{path} is not among the files that data.source names; {hint}")
    return sorted(set(resolved.values()))


def _relative(path: str, root: Path) -> str:
    root = root.absolute()
    return path if is_remote(path) else Path(os.path.relpath(root / path, root)).as_posix()


def _accept_one(
    path: str, data: DataSettings, root: Path, check: Callable[[pd.DataFrame], list[Finding]]
) -> DataFile:
    frame, digest = read_file(path, data, root)
    errors = [finding for finding in check(frame) if finding.level == "error"]
    if errors:
        raise _refused(path, errors)
    first, last = _time_range(frame, data.time)
    return DataFile(path=path, sha256=digest, rows=len(frame), first=first, last=last)


def _refused(path: str, errors: list[Finding]) -> LifecycleError:
    first = errors[0]
    rows = f" in {first.count:,} row{'s' * (first.count > 1)}" if first.count else ""
    values = f", such as {first.examples[0]}" if first.examples else ""
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return LifecycleError(
        f"{path} breaks the contract: {first.column}: {first.check}{rows}{values}{more}; "
        f"correct the file or schema.py, {LOCK} is unchanged."
    )


def _time_range(frame: pd.DataFrame, column: str | None) -> tuple[str | None, str | None]:
    if column not in frame or not _holds_times(frame[column]) or frame[column].isna().all():
        return None, None
    return frame[column].min().isoformat(), frame[column].max().isoformat()


def _holds_times(values: pd.Series) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_datetime64_any_dtype(values))


def _read_accepted(file: DataFile, data: DataSettings, root: Path) -> pd.DataFrame:
    frame, digest = read_file(file.path, data, root)
    if digest != file.sha256:
        refuse_changed([file.path])
    return frame


def _concatenate(frames: dict[str, pd.DataFrame], data: DataSettings) -> pd.DataFrame:
    """Put files together by column name, without ever filling a column that one of them lacks."""
    import pandas as pd

    columns = {column for frame in frames.values() for column in frame}
    if any(len(frame.columns) < len(columns) for frame in frames.values()):
        _require_columns(frames, _needed_columns(data) & columns)
    # What is left out here is not in the contract, which would drop it anyway.
    return pd.concat(frames.values(), ignore_index=True, join="inner")


def _needed_columns(data: DataSettings) -> set[str]:
    from .contract import read_contract

    return {*read_contract().columns, data.target, *filter(None, (data.id, data.time, data.group))}


def _require_columns(frames: dict[str, pd.DataFrame], needed: set[str]) -> None:
    for path, frame in frames.items():
        for column in sorted(needed.difference(frame)):
            owner = next(other for other, columns in frames.items() if column in columns)
            raise LifecycleError(
                f"{path} lacks the column '{column}' that {owner} has; add it and accept the file again, "
                "or train on other files alone with 'mlops data accept FILES --replace'."
            )


def _sort(frame: pd.DataFrame, data: DataSettings) -> pd.DataFrame:
    keys = [column for column in (data.time, data.id) if column is not None and column in frame]
    try:
        return frame.sort_values(keys, kind="stable") if keys else frame
    except TypeError:  # files that disagree on a type; the contract will say so
        return frame


def _cut_window(frame: pd.DataFrame, data: DataSettings) -> pd.DataFrame:
    if data.window is None or data.time not in frame:
        return frame
    times = frame[data.time]
    if not _holds_times(times):
        raise LifecycleError(f"data.window needs times, but '{data.time}' holds {times.dtype}; correct it.")
    # Rows without a time stay, so that the contract can report them.
    return frame[~(times < times.max() - parse_period(data.window))]

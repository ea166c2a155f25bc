"""Load the accepted files into one table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import LifecycleError
from ..core.project import load_contract
from ..core.records import DataFile
from ..core.settings import DataSettings, Settings, parse_period
from .lock import LOCK, read_lock, refuse_changed, refuse_missing
from .sources import list_files, read_file

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


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


def load(settings: Settings, root: Path) -> Loaded:
    """Load every accepted file into one table.

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
        raise _nothing_accepted()
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


def load_newest(settings: Settings, root: Path, n_rows: int) -> pd.DataFrame:
    """Load the newest accepted files, as many as hold so many rows.

    Parameters
    ----------
    settings : Settings
    root : Path
        The project.
    n_rows : int
        Fewer only if fewer are accepted.

    Returns
    -------
    DataFrame of shape (n_rows_read, n_columns)
        Sorted as by `load`, index 0..n_rows_read - 1.

    Raises
    ------
    LifecycleError
        As `load` does.
    """
    files = read_lock(root).files
    frames: dict[str, pd.DataFrame] = {}
    for file in sorted(files, key=lambda file: (file.last or "", file.path), reverse=True):
        if sum(map(len, frames.values())) < n_rows:
            frames[file.path] = _read_accepted(file, settings.data, root)
    if not frames:
        raise _nothing_accepted()
    return _sort(_concatenate(frames, settings.data), settings.data).reset_index(drop=True)


def holds_times(values: pd.Series) -> bool:
    """Tell whether a column is of times, rather than of text or numbers that could be some."""
    import pandas as pd

    return bool(pd.api.types.is_datetime64_any_dtype(values))


def _nothing_accepted() -> LifecycleError:
    return LifecycleError(f"{LOCK} lists no file; accept some with 'mlops data accept'.")


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
    return {*load_contract().columns, data.target, *filter(None, (data.id, data.time, data.group))}


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
    if not holds_times(times):
        raise LifecycleError(f"data.window needs times, but '{data.time}' holds {times.dtype}; correct it.")
    # Rows without a time stay, so that the contract can report them.
    return frame[~(times < times.max() - parse_period(data.window))]

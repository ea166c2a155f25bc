"""The prediction log of a time window, as frames that fit in memory, without duplicates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa

from ...contract.export import ContractRecord
from ...core.formatting import plural
from ...core.settings import hide_secrets
from .files import Tables, read_lines, read_parquet
from .folder import SLACK, connect, first_line, list_stamped
from .seen_ids import SeenIds

Reader = Callable[[BinaryIO, ContractRecord], Tables]
READERS: dict[str, Reader] = {"jsonl": read_lines, "parquet": read_parquet}
# Files that are named one by one.
NAMED = 3
# What the log itself says of a record; a feature may well be called time.
ID, TIME, VERSION = "log id", "log time", "log version"
ANSWER = "prediction"
NAMES = {"id": ID, "time": TIME, "version": VERSION, "prediction.label": ANSWER, "prediction.value": ANSWER}


@dataclass
class Skipped:
    """Counts of what in the log was skipped, by reason."""

    lines: int = 0
    """That are no records."""
    files: list[str] = field(default_factory=list)
    """That cannot be read to their end, each with the reason."""
    partial: int = 0
    """Files that were being written: their turn comes with the next check."""
    duplicates: int = 0
    """Records whose id had come before."""
    future: int = 0
    """Records of a time that has not come yet: a clock is wrong."""
    missing: str | None = None
    """The folder, where it does not exist."""

    def describe(self) -> list[str]:
        """Return a sentence for each."""
        lines, files = plural(self.lines, "line"), plural(len(self.files), "file")
        partial = plural(self.partial, "file")
        twice, future = plural(self.duplicates, "record"), plural(self.future, "record")
        shown = "; ".join(self.files[:NAMED]) + ("; ..." if len(self.files) > NAMED else "")
        notes = [
            (self.missing, f"The folder {self.missing} of the prediction log does not exist."),
            (self.lines, f"{lines} of the log could not be read: skipped."),
            (self.files, f"{files} of the log could not be read to the end: {shown}."),
            (self.partial, f"{partial} of the log had not been written to the end: left for the next check."),
            (self.duplicates, f"{twice} had an id that had come before: not counted again."),
            (self.future, f"{future} came from the future, so a clock is wrong: left for then."),
        ]
        return [sentence for holds, sentence in notes if holds]


class PredictionLogWindow:
    """The records with ``since <= time < until``, as frames, to be drawn once.

    Each frame has ``log id`` (text), ``log time`` (UTC), ``log version`` (text), the features as
    they are in the log (a duration as a timedelta), ``prediction``, and ``score CLASS`` where there
    are probabilities. What the log does not have, because it is excluded, is absent. Drawing raises
    a LifecycleError if the place cannot be reached.

    Parameters
    ----------
    url : str
        ``serve.log.url``: a folder, or an fsspec URL of one.
    since, until : datetime
        With a time zone. Records from ``until`` on are of the future.
    contract : ContractRecord
        Of the champion: its features are read.
    """

    def __init__(self, url: str, since: datetime, until: datetime, contract: ContractRecord) -> None:
        self._url, self._since, self._until, self._contract = url, since, until, contract
        self.skipped = Skipped()
        """What was skipped so far."""
        self._seen = SeenIds()

    def __iter__(self) -> Iterator[pd.DataFrame]:
        filesystem, folder = connect(self._url)
        try:
            paths = list_stamped(filesystem, folder, self._since - SLACK, self._until + SLACK)
        except FileNotFoundError:
            self.skipped.missing = hide_secrets(self._url)
            return
        self.skipped.partial = sum(path.endswith(".partial") for path in paths)
        for path in paths:
            if reader := READERS.get(path.rpartition(".")[2]):
                yield from self._read(filesystem, path, reader)

    def _read(self, filesystem: Any, path: str, reader: Reader) -> Iterator[pd.DataFrame]:
        for table, broken in self._draw(filesystem, path, reader):
            self.skipped.lines += broken
            selected = self._select(table)
            if len(selected):
                yield to_frame(selected, self._contract)

    def _draw(self, filesystem: Any, path: str, reader: Reader) -> Tables:
        try:
            with filesystem.open(path, "rb") as stream:
                yield from reader(stream, self._contract)
        except Exception as error:  # every fsspec back end has errors of its own
            self.skipped.files.append(f"{'/'.join(path.split('/')[-2:])} ({first_line(error)})")

    def _select(self, table: pa.Table) -> pa.Table:
        """Leave out what is of another time, or has come before."""
        since, until = _to_numpy(self._since), _to_numpy(self._until)
        times = table["time"].to_numpy()
        whole = table["id"].is_valid().to_numpy() & ~np.isnat(times)
        future = whole & (times >= until)
        rows = np.flatnonzero(whole & (times >= since) & ~future)
        first = self._seen.add(table["id"].to_numpy()[rows])
        self.skipped.lines += int((~whole).sum())
        self.skipped.future += int(future.sum())
        self.skipped.duplicates += int((~first).sum())
        kept = rows[first]
        return table if len(kept) == len(table) else table.take(kept)


def _to_numpy(moment: datetime) -> np.datetime64:
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None))


def to_frame(table: pa.Table, contract: ContractRecord) -> pd.DataFrame:
    """Return records as a frame without nesting, under the names that monitoring uses."""
    flat = table.flatten().flatten()
    frame: pd.DataFrame = flat.rename_columns([_rename(name) for name in flat.column_names]).to_pandas(
        integer_object_nulls=True
    )
    durations = [column.name for column in contract.columns if column.kind == "duration"]
    for name in frame.columns.intersection(durations):
        frame[name] = pd.to_timedelta(frame[name], errors="coerce")
    return frame


def _rename(name: str) -> str:
    """Return ``x`` for ``features.x``, and so on; names of features may have dots themselves."""
    for prefix, short in (("features.", ""), ("prediction.probabilities.", "score ")):
        if name.startswith(prefix):
            return short + name.removeprefix(prefix)
    return NAMES[name]

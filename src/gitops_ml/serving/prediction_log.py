"""The prediction log: what was asked and answered, and how that went, in files at any fsspec URL."""

from __future__ import annotations

import logging
import os
import queue
import random
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import fsspec
import numpy as np
import orjson
import pandas as pd

from ..contract.export import ContractRecord, to_json
from ..core.settings import LogSettings
from .log_schema import describe_log, make_encoder
from .service_stats import SUFFIX, ServiceTally
from .validation import Rows

# Records that may wait to be written. Beyond it they are dropped, and counted: a log must not stop
# the service.
MAX_WAITING = 100_000
# Records of one file, however quickly they come.
MAX_FILE = 50_000

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """One answered request."""

    time: datetime
    rows: Rows
    predictions: list[dict[str, Any]]


class PredictionLog:
    """Writes predictions in a thread of its own; a request never waits for it.

    Each file is written whole, since object stores know no appending, and is named after the day,
    the time, and the process that wrote it.

    Parameters
    ----------
    settings : LogSettings
        With a URL.
    contract : ContractRecord
        Of the model. Its id names a record; without it, or if it is excluded, records get random
        names.
    version : str or None
        Of the model.
    tally : ServiceTally
        Of all answers, which is written beside the predictions; told how many of these are kept.
    has_probabilities : bool
        Whether the model gives a probability for each class.
    count_dropped : callable
        Told how many records could not be kept.
    """

    def __init__(
        self,
        settings: LogSettings,
        contract: ContractRecord,
        version: str | None,
        tally: ServiceTally,
        has_probabilities: bool,
        count_dropped: Callable[[int], None],
    ) -> None:
        assert settings.url is not None
        self._settings = settings
        self._version = version
        self._tally = tally
        self._names_records = contract.id is not None and contract.id not in settings.exclude
        schema = describe_log(contract, settings.exclude, has_probabilities)
        self._encode = make_encoder(settings.format, schema)
        self._count_dropped = count_dropped
        self._filesystem, self._folder = fsspec.core.url_to_fs(settings.url)
        self._queue: queue.SimpleQueue[Entry | None] = queue.SimpleQueue()
        self._waiting = 0
        self._lock = threading.Lock()
        self._lines: list[bytes] = []
        self._thread = threading.Thread(target=self._work, name="log", daemon=True)
        self._thread.start()

    def write(self, rows: Rows, predictions: list[dict[str, Any]]) -> None:
        """Hand over one answered request; at once, and without ever raising."""
        with self._lock:
            fits = self._waiting + rows.n_rows <= MAX_WAITING
            self._waiting += rows.n_rows * fits
        if fits:
            self._queue.put(Entry(datetime.now(UTC), rows, predictions))
        else:
            self._count_dropped(rows.n_rows)

    def close(self) -> None:
        """Write what waits, then end."""
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        due = time.monotonic() + self._settings.seconds
        while True:
            try:
                entry = self._queue.get(timeout=max(0.0, due - time.monotonic()))
            except queue.Empty:
                entry = None
                ended = False
            else:
                ended = entry is None
            if entry is not None:
                self._take(entry)
            if ended or time.monotonic() >= due or len(self._lines) >= MAX_FILE:
                self._flush(last=ended)
                due = time.monotonic() + self._settings.seconds
            if ended:
                return

    def _take(self, entry: Entry) -> None:
        lines = [*self._to_lines(entry)]
        self._lines += lines
        with self._lock:  # what the sample left out waits no more
            self._waiting -= entry.rows.n_rows - len(lines)

    def _to_lines(self, entry: Entry) -> list[bytes]:
        names = [name for name in entry.rows.columns if name not in self._settings.exclude]
        columns = [_to_json(entry.rows.columns[name]) for name in names]
        return [
            orjson.dumps(
                {
                    "id": str(id) if self._names_records and id is not None else uuid.uuid4().hex,
                    "time": entry.time,
                    "version": self._version,
                    "features": dict(zip(names, (column[row] for column in columns), strict=True)),
                    "prediction": entry.predictions[row],
                },
                option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_UTC_Z,
            )
            for row, id in enumerate(entry.rows.ids)
            if random.random() < self._settings.sample
        ]

    def _flush(self, last: bool) -> None:
        if self._lines:
            self._flush_lines(last)
        if (summary := self._tally.take()) is not None:
            try:
                self._write_file(summary.model_dump_json().encode(), SUFFIX)
            except Exception:
                log.exception("How the service does cannot be written to %s.", self._folder)
                self._tally.give_back(summary)

    def _flush_lines(self, last: bool) -> None:
        try:
            self._write_file(self._encode(b"".join(self._lines)), self._settings.format)
        except Exception:
            # The next try has these lines too; there is none after the last.
            log.exception("The prediction log cannot be written to %s.", self._folder)
            if not last:
                return
            self._count_dropped(len(self._lines))
        else:
            self._tally.count_records(len(self._lines))
        with self._lock:
            self._waiting -= len(self._lines)
        self._lines.clear()

    def _write_file(self, content: bytes, suffix: str) -> None:
        now = datetime.now(UTC)
        folder = f"{self._folder}/{now:%Y-%m-%d}"
        self._filesystem.makedirs(folder, exist_ok=True)
        name = f"{now:%H%M%S}-{os.getpid()}-{uuid.uuid4().hex[:8]}.{suffix}"
        # Whoever reads meanwhile must not read half of it.
        self._filesystem.pipe_file(f"{folder}/{name}.partial", content)
        self._filesystem.mv(f"{folder}/{name}.partial", f"{folder}/{name}")


def _to_json(array: np.ndarray) -> list[Any]:
    """Return a feature as JSON has it: ISO 8601 for times, null for missing values."""
    if array.dtype.kind in "Mm":
        return [to_json(value) for value in pd.Series(array)]
    return [None if value != value else value for value in array.tolist()]

"""The prediction log: inputs, predictions and service statistics, in files at any fsspec URL."""

from __future__ import annotations

import logging
import os
import queue
import random
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import fsspec
import orjson
import pandas as pd

from ..core.settings import LogSettings
from .log_schema import make_encoder, make_log_schema
from .model import Model
from .record_type import Record
from .service_stats import SUFFIX, StatsCollector

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
    records: Sequence[Record]
    predictions: list[dict[str, Any]]


class PredictionLog:
    """Writes predictions in a thread of its own; a request never waits for it.

    Each file is written whole, since object stores know no appending, and is named after the day,
    the time, and the process that wrote it.

    Parameters
    ----------
    settings : LogSettings
        With a URL.
    model : Model
        The id of its contract names a record; without it, or if it is excluded, records get random
        names.
    stats : StatsCollector
        Of all answers, which is written beside the predictions; told how many of these are kept.
    on_dropped : callable
        Told how many records could not be kept.
    """

    def __init__(
        self, settings: LogSettings, model: Model, stats: StatsCollector, on_dropped: Callable[[int], None]
    ) -> None:
        assert settings.url is not None
        contract = model.contract
        self._settings = settings
        self._version = model.version
        self._stats = stats
        self._on_dropped = on_dropped
        self._id = None if contract.id in settings.exclude else contract.id
        self._features = [name for name in contract.features if name not in settings.exclude]
        schema = make_log_schema(contract, settings.exclude, model.has_probabilities)
        self._encode = make_encoder(settings.format, schema)
        self._filesystem, self._folder = fsspec.core.url_to_fs(settings.url)
        self._queue: queue.SimpleQueue[Entry | None] = queue.SimpleQueue()
        self._waiting = 0
        self._lock = threading.Lock()
        self._lines: list[bytes] = []
        self._thread = threading.Thread(target=self._work, name="log", daemon=True)
        self._thread.start()

    def write(self, records: Sequence[Record], predictions: list[dict[str, Any]]) -> None:
        """Hand over some records and their predictions; at once, and without ever raising."""
        with self._lock:
            fits = self._waiting + len(records) <= MAX_WAITING
            self._waiting += len(records) * fits
        if fits:
            self._queue.put(Entry(datetime.now(UTC), records, predictions))
        else:
            self._drop(len(records))

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
        lines = [
            self._to_line(entry.time, record, prediction)
            for record, prediction in zip(entry.records, entry.predictions, strict=True)
            if random.random() < self._settings.sample
        ]
        self._lines += lines
        with self._lock:  # what the sample left out waits no more
            self._waiting -= len(entry.records) - len(lines)

    def _to_line(self, moment: datetime, record: Record, prediction: dict[str, Any]) -> bytes:
        id = record.get(self._id) if self._id is not None else None
        return orjson.dumps(
            {
                "id": str(id) if isinstance(id, str | int) else uuid.uuid4().hex,
                "time": moment,
                "version": self._version,
                "features": {name: record.get(name) for name in self._features},
                "prediction": prediction,
            },
            _write_duration,
            orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z,
        )

    def _drop(self, n_records: int) -> None:
        self._stats.count_dropped(n_records)
        self._on_dropped(n_records)

    def _flush(self, last: bool) -> None:
        if self._lines:
            self._flush_lines(last)
        if (stats := self._stats.collect()) is not None:
            try:
                self._write_file(stats.model_dump_json().encode(), SUFFIX)
            except Exception:
                log.exception("The service statistics cannot be written to %s.", self._folder)
                self._stats.restore(stats)

    def _flush_lines(self, last: bool) -> None:
        try:
            self._write_file(self._encode(b"".join(self._lines)), self._settings.format)
        except Exception:
            # The next try has these lines too; there is none after the last.
            log.exception("The prediction log cannot be written to %s.", self._folder)
            if not last:
                return
            self._drop(len(self._lines))
        else:
            self._stats.count_records(len(self._lines))
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


def _write_duration(value: Any) -> str:
    """Return a duration as ISO 8601 has it; for all else orjson has a form of its own."""
    return pd.Timedelta(value).isoformat()

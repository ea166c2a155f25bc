"""Statistics of the service: all answers of a period, counted exactly, in a small file beside the log."""

from __future__ import annotations

import math
import threading
from bisect import bisect_left
from collections import Counter
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from .metrics import SECONDS

SUFFIX = "service.json"
COUNTED = "/predict"
# Upper bounds of the bins of the histogram.
BOUNDS = (*SECONDS, math.inf)

Count = Annotated[int, Field(ge=0)]


class ServiceStats(BaseModel):
    """What a process answered to ``/predict`` in a period; those of several add up."""

    # A later version of the service may say more.
    model_config = ConfigDict(extra="ignore", frozen=True)

    version: str | None
    """Of the model."""
    began: AwareDatetime
    ended: AwareDatetime
    answers: dict[str, Count]
    """Requests by class of their status: ``2xx``, ``4xx``, ``5xx``."""
    seconds: dict[float, Count]
    """How many answers with predictions took at most so long, by upper bound of the bin."""
    records: Count
    """Predictions in the log."""
    dropped: Count
    """Predictions that could not be logged."""


class StatsCollector:
    """Counts what happens until it is written; any thread may count.

    Parameters
    ----------
    version : str or None
        Of the model.
    """

    def __init__(self, version: str | None) -> None:
        self._version = version
        self._lock = threading.Lock()
        self._begin(datetime.now(UTC))

    def _begin(self, moment: datetime) -> None:
        self._began = moment
        self._answers: Counter[str] = Counter()
        self._seconds: Counter[float] = Counter()
        self._log: Counter[str] = Counter()

    def count_answer(self, path: str, status: int) -> None:
        """Count an answer, if it was to a request for predictions."""
        if path == COUNTED:
            with self._lock:
                self._answers[f"{status // 100}xx"] += 1

    def observe(self, seconds: float) -> None:
        """Count how long an answer with predictions took."""
        with self._lock:
            self._seconds[BOUNDS[bisect_left(SECONDS, seconds)]] += 1

    def count_records(self, n_records: int) -> None:
        """Count predictions that are in the log."""
        with self._lock:
            self._log["records"] += n_records

    def count_dropped(self, n_records: int) -> None:
        """Count predictions that could not be logged."""
        with self._lock:
            self._log["dropped"] += n_records

    def collect(self) -> ServiceStats | None:
        """Return what was counted since the last time, and count anew; None if nothing happened."""
        with self._lock:
            if not (self._answers or self._seconds or self._log):
                return None
            now = datetime.now(UTC)
            stats = ServiceStats(
                version=self._version,
                began=self._began,
                ended=now,
                answers=self._answers,
                seconds=self._seconds,
                records=self._log["records"],
                dropped=self._log["dropped"],
            )
            self._begin(now)
        return stats

    def restore(self, stats: ServiceStats) -> None:
        """Count again what could not be written."""
        with self._lock:
            self._began = stats.began
            self._answers.update(stats.answers)
            self._seconds.update(stats.seconds)
            self._log.update({"records": stats.records, "dropped": stats.dropped})

"""Prometheus metrics of the service."""

from __future__ import annotations

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

from .limits import Quota

# Where the workers of one service put their numbers, so that any of them can tell the sum.
SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
ROWS = (1, 2, 4, 8, 16, 32, 64, 256, 1024, 4096, 16384)


class Metrics:
    """The numbers of one worker, or of all workers where they share a folder."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, version: str | None, waiting: Quota) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "mlops_requests", "Answers, by path and status.", ["path", "status"], registry=self._registry
        )
        self.seconds = Histogram(
            "mlops_predict_seconds", "Time to answer /predict.", buckets=SECONDS, registry=self._registry
        )
        self.batch_rows = Histogram(
            "mlops_batch_rows", "Rows predicted at once.", buckets=ROWS, registry=self._registry
        )
        self.log_dropped = Counter(
            "mlops_log_dropped", "Predictions that could not be logged.", registry=self._registry
        )
        shown = Gauge(
            "mlops_waiting_rows",
            "Rows that are being answered.",
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        if SHARED_FOLDER not in os.environ:
            shown.set_function(lambda: waiting.used)
        self._waiting, self._shown = waiting, shown
        model = Gauge(
            "mlops_model",
            "1, with the version that is served.",
            ["version"],
            registry=self._registry,
            multiprocess_mode="livemax",
        )
        model.labels(version or "").set(1)

    def render(self) -> bytes:
        """Return the metrics in the text format of Prometheus."""
        if SHARED_FOLDER not in os.environ:
            return generate_latest(self._registry)
        self._shown.set(self._waiting.used)
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)

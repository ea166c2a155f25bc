"""The service behind the HTTP addresses: validation, micro-batching, prediction, log and metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import orjson

from ..contract.export import ContractRecord
from ..core.errors import LifecycleError
from ..core.settings import ServeSettings
from .batching import Batcher, Predictions
from .limits import Quota
from .metrics import Metrics
from .model import Model
from .prediction_log import PredictionLog
from .record_type import Record
from .requests import Kinds, read_records
from .service_stats import StatsCollector
from .validation import RecordValidator

MEGABYTE = 1_000_000
# A body larger than this is read and validated in a thread, so that others are answered meanwhile.
LARGE = 100_000


@dataclass
class Service:
    """All that answers requests; see `make_service`."""

    model: Model
    settings: ServeSettings
    kinds: Kinds
    """Columns of a record, with how their values are written."""
    validator: RecordValidator
    rows: Quota
    bodies: Quota
    metrics: Metrics
    stats: StatsCollector
    log: PredictionLog | None
    batcher: Batcher
    draining: bool = False
    """Whether the service is about to end: load balancers should look away."""

    async def predict(self, content_type: str, body: bytes) -> bytes:
        """Return the answer to the records of a request.

        Raises
        ------
        RequestError
            If the body cannot be read, breaks the contract, or comes on top of too much.
        """
        if len(body) > LARGE:
            records = await asyncio.to_thread(self._read, content_type, body)
        else:
            records = self._read(content_type, body)
        with self.rows.hold(len(records)):
            predictions = await self.batcher.predict(records)
            return orjson.dumps({"version": self.model.version, "predictions": predictions})

    def _read(self, content_type: str, body: bytes) -> list[Record]:
        return self.validator.validate(read_records(content_type, body, self.kinds, self.settings.max_rows))

    def count_answer(self, path: str, status: int) -> None:
        """Count an answer of any kind."""
        self.metrics.requests.labels(path, str(status)).inc()
        self.stats.count_answer(path, status)

    def observe(self, seconds: float) -> None:
        """Count how long an answer with predictions took."""
        self.metrics.seconds.observe(seconds)
        self.stats.observe(seconds)

    def close(self) -> None:
        """Answer what has come in, then write what is left of the log."""
        self.batcher.close()
        if self.log is not None:
            self.log.close()


def make_service(model: Model, settings: ServeSettings) -> Service:
    """Make the service of a model; its threads begin to work.

    Raises
    ------
    LifecycleError
        If a column that the log is to leave out is none that the model gets.
    """
    kinds = _list_kinds(model.contract)
    _require_known(settings.log.exclude, kinds)
    rows = Quota(settings.max_waiting_rows, "rows")
    metrics, stats = Metrics(model.version, rows), StatsCollector(model.version)
    log = None
    if settings.log.url is not None:
        log = PredictionLog(settings.log, model, stats, metrics.log_dropped.inc)
    return Service(
        model=model,
        settings=settings,
        kinds=kinds,
        validator=RecordValidator(model.contract),
        rows=rows,
        bodies=Quota(settings.max_waiting_mb * MEGABYTE, "bytes"),
        metrics=metrics,
        stats=stats,
        log=log,
        batcher=Batcher(partial(_predict, model, log), model.may_merge, metrics.batch_rows.observe),
    )


def _predict(model: Model, log: PredictionLog | None, records: Sequence[Record]) -> Predictions:
    predictions = model.predict(records)
    if log is not None:
        log.write(records, predictions)
    return predictions


def _list_kinds(contract: ContractRecord) -> Kinds:
    columns = {column.name: column.kind for column in contract.columns}
    kinds: Kinds = {name: columns[name] for name in contract.features}
    if contract.id is not None:
        kinds.setdefault(contract.id, "other")
    return kinds


def _require_known(excluded: list[str], known: Kinds) -> None:
    unknown = [name for name in excluded if name not in known]
    if unknown:
        raise LifecycleError(
            f"params.yaml: serve.log.exclude names '{unknown[0]}', which the model does not get; "
            f"expected some of {', '.join(known)}."
        )

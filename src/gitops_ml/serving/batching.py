"""Micro-batching: requests that come at the same time are predicted together, in one thread."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sklearn import config_context
from threadpoolctl import threadpool_limits

from .errors import RequestError
from .record_type import Record

# More rows than this are no quicker together.
FULL = 2048
# Seconds without a further request after which a batch is no longer held open.
PAUSE = 0.002

Predictions = list[dict[str, Any]]
Predict = Callable[[Sequence[Record]], Predictions]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Waiting:
    """A request on its way to the model."""

    records: Sequence[Record]
    answer: asyncio.Future[Predictions]


class Batcher:
    """Predicts in a thread of its own whatever has come in while it was busy.

    Clients that have just been answered tend to ask again at once. So a batch is held open for as
    many requests as there were before, as long as they follow each other within two milliseconds.
    A lone request is never held.

    Parameters
    ----------
    predict : callable
        Takes records, returns a prediction for each.
    may_merge : bool
        Whether requests may be put together; else they are predicted one after the other.
    observe : callable
        Told the number of rows of each batch.
    """

    def __init__(self, predict: Predict, may_merge: bool, observe: Callable[[int], None]) -> None:
        self._predict = predict
        self._full = FULL if may_merge else 1
        self._observe = observe
        self._crowd = 1
        """Requests that were here when the last batch was closed."""
        self._queue: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="predict", daemon=True)
        self._thread.start()

    async def predict(self, records: Sequence[Record]) -> Predictions:
        """Return the predictions for one request.

        Raises
        ------
        RequestError
            500, if the model fails on it. Other requests do not notice.
        """
        answer: asyncio.Future[Predictions] = asyncio.get_running_loop().create_future()
        self._queue.put(Waiting(records, answer))
        return await answer

    @property
    def is_alive(self) -> bool:
        """Whether the thread is at work."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Predict what has come in, then end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        # For a few rows, threads cost more than they bring; processes share the work instead.
        with threadpool_limits(1), config_context(skip_parameter_validation=True):
            while batch := self._gather():
                self._answer(batch)

    def _gather(self) -> list[Waiting]:
        """Wait for a request, and take with it what else comes in; empty at the end."""
        first = self._queue.get()
        batch = [] if first is None else [first]
        n_rows = sum(len(waiting.records) for waiting in batch)
        while batch and n_rows < self._full:
            try:
                waiting = self._queue.get(timeout=PAUSE if len(batch) < self._crowd else 0)
            except queue.Empty:
                break
            if waiting is None:  # the end comes after the requests before it
                self._queue.put(None)
                break
            batch.append(waiting)
            n_rows += len(waiting.records)
        self._crowd = len(batch) + self._queue.qsize()
        return batch

    def _answer(self, batch: list[Waiting]) -> None:
        records = [record for waiting in batch for record in waiting.records]
        self._observe(len(records))
        answers: list[Predictions | RequestError]
        try:
            predictions = iter(self._predict(records))
            answers = [[*islice(predictions, len(waiting.records))] for waiting in batch]
        except Exception:
            answers = [self._try_alone(waiting.records) for waiting in batch]
        loop = batch[0].answer.get_loop()
        loop.call_soon_threadsafe(_deliver, batch, answers)

    def _try_alone(self, records: Sequence[Record]) -> Predictions | RequestError:
        """Predict one request of a batch that failed: one of them is to blame, not all."""
        try:
            return self._predict(records)
        except Exception:
            log.exception("The model failed on a request of %d rows.", len(records))
            return RequestError(500, "The model cannot predict these rows; the service's log says why.")


def _deliver(batch: list[Waiting], answers: list[Predictions | RequestError]) -> None:
    for waiting, answer in zip(batch, answers, strict=True):
        if waiting.answer.done():  # whoever asked has gone
            continue
        if isinstance(answer, RequestError):
            waiting.answer.set_exception(answer)
        else:
            waiting.answer.set_result(answer)

"""Requests that come at the same time are predicted together, in one thread."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

from sklearn import config_context
from threadpoolctl import threadpool_limits

from ..pipeline.prediction import Prediction
from .checking import Rows
from .refusal import Refusal

# More rows than this are no quicker together.
FULL = 2048

Predict = Callable[[list[Rows]], list[Prediction]]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Waiting:
    """A request on its way to the model."""

    rows: Rows
    answer: asyncio.Future[Prediction]


class Batcher:
    """Predicts in a thread of its own whatever has come in while it was busy.

    A lone request never waits for others: batches form only while the model is at work, which is
    just as long as one prediction takes.

    Parameters
    ----------
    predict : callable
        Takes the rows of some requests, returns a prediction for each.
    may_merge : bool
        Whether requests may be put together; else they are predicted one after the other.
    observe : callable
        Told the number of rows of each batch.
    """

    def __init__(self, predict: Predict, may_merge: bool, observe: Callable[[int], None]) -> None:
        self._predict = predict
        self._full = FULL if may_merge else 1
        self._observe = observe
        self._queue: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="predict", daemon=True)
        self._thread.start()

    async def predict(self, rows: Rows) -> Prediction:
        """Return the prediction for one request.

        Raises
        ------
        Refusal
            500, if the model fails on these rows. Other requests do not notice.
        """
        answer: asyncio.Future[Prediction] = asyncio.get_running_loop().create_future()
        self._queue.put(Waiting(rows, answer))
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
        """Wait for a request, and take with it what else has come in; empty at the end."""
        batch: list[Waiting] = []
        n_rows = 0
        while not batch or n_rows < self._full:
            try:
                waiting = self._queue.get(block=not batch)
            except queue.Empty:
                break
            if waiting is None:
                # The end comes after the requests before it.
                if batch:
                    self._queue.put(None)
                break
            batch.append(waiting)
            n_rows += waiting.rows.n_rows
        return batch

    def _answer(self, batch: list[Waiting]) -> None:
        self._observe(sum(waiting.rows.n_rows for waiting in batch))
        answers: list[Prediction | Refusal]
        try:
            answers = [*self._predict([waiting.rows for waiting in batch])]
        except Exception:
            answers = [self._try_alone(waiting.rows) for waiting in batch]
        loop = batch[0].answer.get_loop()
        loop.call_soon_threadsafe(_deliver, batch, answers)

    def _try_alone(self, rows: Rows) -> Prediction | Refusal:
        """Predict one request of a batch that failed: one of them is to blame, not all."""
        try:
            return self._predict([rows])[0]
        except Exception:
            log.exception("The model failed on a request of %d rows.", rows.n_rows)
            return Refusal(500, "The model cannot predict these rows; the service's log says why.")


def _deliver(batch: list[Waiting], answers: list[Prediction | Refusal]) -> None:
    for waiting, answer in zip(batch, answers, strict=True):
        if waiting.answer.done():  # whoever asked has gone
            continue
        if isinstance(answer, Refusal):
            waiting.answer.set_exception(answer)
        else:
            waiting.answer.set_result(answer)

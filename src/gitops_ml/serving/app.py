"""The HTTP service: its addresses, and what they answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute

from ..core.errors import LifecycleError
from ..core.settings import ServeSettings
from .answers import tell_predictions
from .auth import TokenGuard
from .batching import Batcher, Predictions
from .errors import Refusal
from .limits import Room
from .metrics import Metrics
from .model import Model
from .openapi import DETAIL, UNAUTHORISED, Answers, describe_answer, describe_predict
from .prediction_log import PredictionLog
from .requests import JSON, Table, merge, read_table
from .service_stats import ServiceTally
from .validation import Checker

MEGABYTE = 1_000_000
# A body larger than this is read and checked in a thread, so that others are answered meanwhile.
LARGE = 100_000


@dataclass
class Service:
    """All that answers requests."""

    model: Model
    settings: ServeSettings
    draining: bool = False
    """Whether the service is about to end: load balancers should look away."""
    checker: Checker = field(init=False)
    rows: Room = field(init=False)
    bodies: Room = field(init=False)
    metrics: Metrics = field(init=False)
    batcher: Batcher = field(init=False)
    tally: ServiceTally | None = field(init=False, default=None)
    log: PredictionLog | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        contract, log = self.model.contract, self.settings.log
        self.checker = Checker(contract)
        _require_known(log.exclude, [*self.checker.kinds])
        self.rows = Room(self.settings.max_waiting_rows, "rows")
        self.bodies = Room(self.settings.max_waiting_mb * MEGABYTE, "bytes")
        self.metrics = Metrics(self.model.version, self.rows)
        self.batcher = Batcher(self._predict, self.model.may_merge, self.metrics.batch_rows.observe)
        if log.url is not None:
            version, has_probabilities = self.model.version, hasattr(self.model.estimator, "predict_proba")
            self.tally = ServiceTally(version)
            self.log = PredictionLog(
                log, contract, version, self.tally, has_probabilities, self._count_dropped
            )

    async def predict(self, content_type: str, body: bytes) -> bytes:
        """Return the answer to the records of a request.

        Raises
        ------
        Refusal
            If the body cannot be read, breaks the contract, or comes on top of too much.
        """
        read = asyncio.to_thread if len(body) > LARGE else _call
        table = await read(read_table, content_type, body, self.checker.kinds, self.settings.max_rows)
        with self.rows.hold(table.n_rows):
            predictions = await self.batcher.predict(table)
            return orjson.dumps({"version": self.model.version, "predictions": predictions})

    def _predict(self, tables: list[Table]) -> list[Predictions]:
        """Check and predict the records of several requests at once."""
        rows = self.checker.check(merge(tables))
        predictions = tell_predictions(self.model.predict(rows), self.model.contract)
        if self.log is not None:
            self.log.write(rows, predictions)
        told = iter(predictions)
        return [[*islice(told, table.n_rows)] for table in tables]

    def count_answer(self, path: str, status: int) -> None:
        """Count an answer of any kind."""
        self.metrics.requests.labels(path, str(status)).inc()
        if self.tally is not None:
            self.tally.count_answer(path, status)

    def observe(self, seconds: float) -> None:
        """Count how long an answer with predictions took."""
        self.metrics.seconds.observe(seconds)
        if self.tally is not None:
            self.tally.observe(seconds)

    def _count_dropped(self, n_records: int) -> None:
        self.metrics.log_dropped.inc(n_records)
        if self.tally is not None:
            self.tally.count_dropped(n_records)

    def close(self) -> None:
        """Answer what has come in, then write what is left of the log."""
        self.batcher.close()
        if self.log is not None:
            self.log.close()


async def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


def _require_known(excluded: list[str], names: list[str]) -> None:
    unknown = [name for name in excluded if name not in names]
    if unknown:
        raise LifecycleError(
            f"params.yaml: serve.log.exclude names '{unknown[0]}', which the model does not get; "
            f"expected some of {', '.join(names)}."
        )


def make_app(service: Service, token: str | None) -> FastAPI:
    """Return the application.

    Parameters
    ----------
    service : Service
        Closed when the application ends.
    token : str or None
        What requests must bring as a bearer token, except to ``/health``; None asks for nothing.
    """
    app = FastAPI(
        title=f"Predicts {service.model.contract.target}",
        version=service.model.version or "0",
        description="Answers with the model of one bundle; requests must be as its contract says.",
        lifespan=_make_lifespan(service),
        redoc_url=None,
    )
    app.state.service = service
    _add_predict(app, service)
    _add_facts(app, service)
    _add_health(app, service)
    app.add_exception_handler(Refusal, _refuse)
    app.add_middleware(TokenGuard, token=token, service=service)
    return app


def _make_lifespan(service: Service) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(service.close)

    return lifespan


async def _refuse(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    return Response(orjson.dumps(refusal.content()), refusal.status, refusal.headers, media_type=JSON)


class _Direct(APIRoute):
    """Hands the request over as it is: there are no parameters that FastAPI need look for."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return self.endpoint


def _add_predict(app: FastAPI, service: Service) -> None:
    body, answers = describe_predict(service.model)

    async def predict(request: Request) -> Response:
        began = time.perf_counter()
        async with _receive(request, service) as content:
            answer = await service.predict(request.headers.get("content-type", ""), content)
        service.observe(time.perf_counter() - began)
        return Response(answer, media_type=JSON)

    app.router.add_api_route(
        "/predict",
        predict,
        methods=["POST"],
        summary="Predict one record or many",
        openapi_extra={"requestBody": body},
        responses=answers,
        response_class=Response,
        route_class_override=_Direct,
    )


@asynccontextmanager
async def _receive(request: Request, service: Service) -> AsyncIterator[bytes]:
    """Give the body of a request, and count it as long as the block lasts."""
    limit = service.settings.max_body_mb * MEGABYTE
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise _too_large(service)
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            if size + len(chunk) > limit:
                raise _too_large(service)
            service.bodies.take(len(chunk))
            size += len(chunk)
            chunks.append(chunk)
        yield b"".join(chunks)
    finally:
        service.bodies.taken -= size


def _too_large(service: Service) -> Refusal:
    limit = f"{service.settings.max_body_mb:g} MB"
    # Nobody reads the rest of the body, so nothing can follow it.
    return Refusal(
        413, f"Expected a body of at most {limit}, got a larger one.", headers={"Connection": "close"}
    )


def _add_facts(app: FastAPI, service: Service) -> None:
    model = service.model
    facts = orjson.dumps(
        {"version": model.version, "card": model.card, "contract": model.contract.model_dump()}
    )
    schema = {
        "type": "object",
        "properties": {
            "version": {"type": ["string", "null"]},
            "card": {"type": "string", "description": "the model card, Markdown"},
            "contract": {"type": "object", "description": "`contract.json` of the bundle"},
        },
        "required": ["version", "card", "contract"],
    }

    @app.get(
        "/model",
        summary="Version, card and contract of the model",
        responses={200: describe_answer("Facts of the bundle.", schema), **UNAUTHORISED},
        response_class=Response,
    )
    async def tell_model() -> Response:
        return Response(facts, media_type=JSON)

    @app.get(
        "/metrics",
        summary="Numbers for Prometheus",
        responses={
            200: {"description": "Prometheus's text format.", "content": {"text/plain": {}}},
            **UNAUTHORISED,
        },
        response_class=Response,
    )
    async def tell_metrics() -> Response:
        return Response(service.metrics.tell(), headers={"Content-Type": service.metrics.content_type})


def _add_health(app: FastAPI, service: Service) -> None:
    status = {"type": "object", "properties": {"status": {"type": "string"}}, "required": ["status"]}
    unready: Answers = {503: describe_answer("It is about to end, or its model is not at work.", DETAIL)}

    @app.get(
        "/health/live",
        summary="Whether the process answers",
        responses={200: describe_answer("It does.", status)},
        response_class=Response,
    )
    async def tell_live() -> Response:
        return Response(b'{"status":"live"}', media_type=JSON)

    @app.get(
        "/health/ready",
        summary="Whether new requests should come here",
        responses={200: describe_answer("They should.", status), **unready},
        response_class=Response,
    )
    async def tell_ready() -> Response:
        if service.draining or not service.batcher.is_alive:
            raise Refusal(
                503, "The service is about to end." if service.draining else "The model has stopped."
            )
        return Response(b'{"status":"ready"}', media_type=JSON)

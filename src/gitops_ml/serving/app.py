"""The FastAPI application: its addresses, and what they answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute

from .auth import TokenMiddleware
from .errors import RequestError
from .openapi import ERRORS, UNAUTHORISED, UNREADY, ModelFacts, Status, describe_body, make_answer_type
from .requests import JSON
from .service import MEGABYTE, Service


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
    for add in (_add_predict, _add_model, _add_metrics, _add_live, _add_ready):
        add(app, service)
    app.add_exception_handler(RequestError, _answer_error)
    app.add_middleware(TokenMiddleware, token=token, counter=service)
    return app


def _make_lifespan(service: Service) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(service.close)

    return lifespan


async def _answer_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    return Response(error.body.model_dump_json(), error.status, error.headers, media_type=JSON)


class _Direct(APIRoute):
    """Hands the request over as it is: there are no parameters that FastAPI need look for."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return self.endpoint


def _add_predict(app: FastAPI, service: Service) -> None:
    async def predict(request: Request) -> Response:
        began = time.perf_counter()
        async with _receive(request, service) as content:
            answer = await service.predict(request.headers.get("content-type", ""), content)
        service.observe(time.perf_counter() - began)
        return Response(answer, media_type=JSON)

    success = {"model": make_answer_type(service.model), "description": "One prediction a record, in order."}
    app.router.add_api_route(
        "/predict",
        predict,
        methods=["POST"],
        summary="Predict one record or many",
        openapi_extra={"requestBody": describe_body(service.model)},
        responses={200: success, **ERRORS},
        response_class=Response,
        route_class_override=_Direct,
    )


@asynccontextmanager
async def _receive(request: Request, service: Service) -> AsyncIterator[bytes]:
    """Give the body of a request, and count it as long as the block lasts."""
    limit = service.settings.max_body_mb * MEGABYTE
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise _make_too_large(service)
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            if size + len(chunk) > limit:
                raise _make_too_large(service)
            service.bodies.acquire(len(chunk))
            size += len(chunk)
            chunks.append(chunk)
        yield b"".join(chunks)
    finally:
        service.bodies.release(size)


def _make_too_large(service: Service) -> RequestError:
    limit = f"{service.settings.max_body_mb:g} MB"
    # Nobody reads the rest of the body, so nothing can follow it.
    return RequestError(
        413, f"Expected a body of at most {limit}, got a larger one.", {"Connection": "close"}
    )


def _add_model(app: FastAPI, service: Service) -> None:
    model = service.model
    facts = ModelFacts(version=model.version, card=model.card, contract=model.contract).model_dump_json()

    @app.get(
        "/model",
        summary="Version, card and contract of the model",
        responses={200: {"model": ModelFacts}, **UNAUTHORISED},
        response_class=Response,
    )
    async def get_model() -> Response:
        return Response(facts, media_type=JSON)


def _add_metrics(app: FastAPI, service: Service) -> None:
    metrics = service.metrics

    @app.get(
        "/metrics",
        summary="Numbers for Prometheus",
        responses={
            200: {"description": "Prometheus's text format.", "content": {"text/plain": {}}},
            **UNAUTHORISED,
        },
        response_class=Response,
    )
    async def get_metrics() -> Response:
        return Response(metrics.render(), headers={"Content-Type": metrics.content_type})


def _add_live(app: FastAPI, service: Service) -> None:
    @app.get(
        "/health/live",
        summary="Whether the process answers",
        responses={200: {"model": Status}},
        response_class=Response,
    )
    async def get_live() -> Response:
        return Response(b'{"status":"live"}', media_type=JSON)


def _add_ready(app: FastAPI, service: Service) -> None:
    @app.get(
        "/health/ready",
        summary="Whether new requests should come here",
        responses={200: {"model": Status}, **UNREADY},
        response_class=Response,
    )
    async def get_ready() -> Response:
        if service.draining:
            raise RequestError(503, "The service is about to end.")
        if not service.batcher.is_alive:
            raise RequestError(503, "The model has stopped.")
        return Response(b'{"status":"ready"}', media_type=JSON)

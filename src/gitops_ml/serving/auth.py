"""ASGI middleware: bearer token, request count, and the end of connections."""

from __future__ import annotations

import hmac
from collections.abc import MutableMapping
from typing import Any, Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OPEN = "/health/"
# Anything else is one path to Prometheus, whatever strangers ask for.
PATHS = {"/predict", "/model", "/metrics", "/health/live", "/health/ready", "/docs", "/openapi.json"}


class RequestCounter(Protocol):
    """What counts the answers."""

    draining: bool

    def count_answer(self, path: str, status: int) -> None:
        """Count one answer."""


class TokenMiddleware:
    """Lets requests pass that bring the bearer token, and counts all answers.

    Parameters
    ----------
    app : ASGI application
    token : str or None
        None lets all pass.
    counter : RequestCounter
        While it drains, every answer asks for a new connection, which then goes elsewhere.
    """

    def __init__(self, app: ASGIApp, token: str | None, counter: RequestCounter) -> None:
        self._app = app
        self._expected = None if token is None else f"Bearer {token}".encode()
        self._counter = counter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        app = self._app if self._is_authorised(scope) else _unauthorised
        path, answered = scope["path"] if scope["path"] in PATHS else "other", False

        async def send_counted(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                self._counter.count_answer(path, message["status"])
                if self._counter.draining:
                    MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        try:
            await app(scope, receive, send_counted)
        except Exception:
            if not answered:  # the answer to a bug is sent by what stands before this
                self._counter.count_answer(path, 500)
            raise

    def _is_authorised(self, scope: MutableMapping[str, Any]) -> bool:
        if self._expected is None or scope["path"].startswith(OPEN):
            return True
        given = Headers(scope=scope).get("authorization", "").encode("latin-1")
        # In constant time: how long a comparison takes must not tell how much was right.
        return hmac.compare_digest(given, self._expected)


_unauthorised = JSONResponse(
    {"detail": "Expected the header 'Authorization: Bearer TOKEN' with the token of this service."},
    status_code=401,
    headers={"WWW-Authenticate": "Bearer"},
)

"""All routes together, and how errors are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from . import comments, contents, files, issues, pulls, releases, runs, transport
from .errors import ApiError, not_found

if TYPE_CHECKING:
    from .forge import Forge

REPOSITORY = "/api/v3/repos/{owner}/{repo}"
UPLOADS = "/api/uploads/repos/{owner}/{repo}"


def make_app(forge: Forge) -> FastAPI:
    """Return the application of a forge."""
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    app.state.forge = forge
    # Checks first: the name of a commit in the next address may hold slashes.
    for module in (runs, pulls, comments, issues, releases, contents):
        app.include_router(module.router, prefix=REPOSITORY)
    app.include_router(releases.uploads, prefix=UPLOADS)
    app.include_router(files.router)
    app.include_router(transport.router)
    app.add_exception_handler(ApiError, _tell_refusal)
    app.add_exception_handler(RequestValidationError, _tell_invalid)
    app.add_exception_handler(HTTPException, _tell_unknown)
    return app


def _tell_refusal(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)
    return JSONResponse(error.body(), error.status)


def _tell_invalid(request: Request, error: Exception) -> JSONResponse:
    """A word where an address has a number leads nowhere."""
    return _tell_refusal(request, not_found())


def _tell_unknown(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return _tell_refusal(request, ApiError(error.status_code, str(error.detail)))

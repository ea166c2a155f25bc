"""Answers that say no, in GitHub's words."""

from __future__ import annotations

from typing import Any

DOCUMENTATION = "https://docs.github.com/rest"


class ApiError(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, message: str, errors: list[dict[str, Any]] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors

    def body(self) -> dict[str, Any]:
        """Return the answer's JSON."""
        body = {"message": self.message, "documentation_url": DOCUMENTATION, "status": str(self.status)}
        return body if self.errors is None else {**body, "errors": self.errors}


def not_found() -> ApiError:
    """Return the answer for what is not there, or not to be seen."""
    return ApiError(404, "Not Found")


def not_accessible() -> ApiError:
    """Return the answer for a job's token that lacks a right."""
    return ApiError(403, "Resource not accessible by integration")


def invalid(resource: str, field: str, code: str, message: str | None = None) -> ApiError:
    """Return the answer for a value that cannot be taken."""
    error = {"resource": resource, "field": field, "code": code}
    return ApiError(422, "Validation Failed", [error if message is None else {**error, "message": message}])

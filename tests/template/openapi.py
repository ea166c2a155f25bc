"""GitHub's own description of its REST interface, and whether questions and answers are as described."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft4Validator, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT4

from rehearsal.forge.description import DESCRIPTION

NAME = "urn:github"
Check = Callable[..., Iterator[ValidationError]]
# Parameters that may hold slashes.
LONG = ("{path}", "{ref}", "{branch}", "{tag}")


def _or_null(check: Check) -> Check:
    """Let null pass where the description says so; plain JSON Schema does not know that word."""

    def checked(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        if not (instance is None and schema.get("nullable")):
            yield from check(validator, value, instance, schema) or ()

    return checked


Validator: Any = extend(  # type: ignore[no-untyped-call]
    Draft4Validator, {word: _or_null(check) for word, check in Draft4Validator.VALIDATORS.items()}
)


@cache
def read_description() -> dict[str, Any]:
    """Return the description; the test is skipped where npm has not brought it."""
    if not DESCRIPTION.is_file():
        pytest.skip("npm package @octokit/openapi is not installed; 'make test' does it where npm is there")
    description: dict[str, Any] = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    return description


@cache
def _registry() -> Any:
    return Registry().with_resource(NAME, DRAFT4.create_resource(read_description()))


def find_path(path: str) -> str:
    """Return the described path that an address such as ``/repos/octocat/flights`` belongs to."""
    found = [
        described for described in read_description()["paths"] if re.fullmatch(_pattern(described), path)
    ]
    return str(max(found, key=lambda described: len(re.sub(r"{\w+}", "", described))))


@cache
def _pattern(described: str) -> str:
    parts = re.split(r"({\w+})", described)
    known = {part: ".*" if part in LONG else "[^/]+" for part in parts if part.startswith("{")}
    return "".join(known.get(part, re.escape(part)) for part in parts)


def check_answer(method: str, path: str, status: int, body: Any) -> None:
    """Fail unless GitHub may answer a request like that.

    Raises
    ------
    ValidationError
        If the body is not as described.
    """
    described = find_path(path)
    responses = read_description()["paths"][described][method.lower()]["responses"]
    assert str(status) in responses, f"{method} {described} does not answer {status}"
    content = _follow(responses[str(status)]).get("content", {})
    if "application/json" not in content:
        assert body in (None, b"")
        return
    pointer = _pointer(method.lower(), described, status, responses[str(status)])
    Validator({"$ref": f"{NAME}#{pointer}"}, registry=_registry()).validate(body)


def check_request(method: str, path: str, body: Any) -> None:
    """Fail unless GitHub takes such a body with a request.

    Raises
    ------
    ValidationError
        If the body is not as described.
    """
    escaped = path.replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
    pointer = f"/paths/{escaped}/{method.lower()}/requestBody/content/application~1json/schema"
    Validator({"$ref": f"{NAME}#{pointer}"}, registry=_registry()).validate(body)


def _pointer(method: str, described: str, status: int, response: dict[str, str]) -> str:
    below = "/content/application~1json/schema"
    if "$ref" in response:
        return response["$ref"].removeprefix("#") + below
    escaped = described.replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
    return f"/paths/{escaped}/{method}/responses/{status}{below}"


def _follow(response: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in response:
        return response
    found: Any = read_description()
    for word in response["$ref"].removeprefix("#/").split("/"):
        found = found[word]
    return dict(found)

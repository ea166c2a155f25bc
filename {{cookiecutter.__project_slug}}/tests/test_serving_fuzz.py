"""Whatever is sent, the service answers as its own description says, and tells nothing of its inside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from {{ cookiecutter.__package }}.pipeline.settings import ServeSettings
from {{ cookiecutter.__package }}.serving.app import Service, make_app
from {{ cookiecutter.__package }}.serving.model import Model, load
from {{ cookiecutter.__package }}.serving.reading import ARROW, CSV, JSON

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# Words of tracebacks, of paths and of libraries.
INSIDE = ("Traceback", "site-packages", ".py", "pandas", "numpy", "sklearn", "object at 0x")
SMALL = settings(max_examples=80, deadline=None, database=None, suppress_health_check=list(HealthCheck))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
)


@pytest.fixture(scope="module")
def model(finished: Path) -> Model:
    """The model of a finished run."""
    return load(finished / "build" / "bundle", {})


@pytest.fixture(scope="module")
def client(model: Model) -> Iterator[TestClient]:
    """A client of a service with default settings."""
    app = make_app(Service(model, ServeSettings()), None)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def test_the_service_is_as_it_describes_itself(client: TestClient) -> None:
    """For requests made from its OpenAPI document: no failure, and no answer that is not in it."""
    schema = schemathesis.openapi.from_dict(client.get("/openapi.json").json())
    statuses: set[tuple[str, int]] = set()
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]

        @SMALL
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            parts = case.as_transport_kwargs(base_url="http://testserver")
            body = {"json": parts.get("json"), "content": parts.get("data")}
            answer = client.request(parts["method"], parts["url"], headers=parts["headers"], **body)
            statuses.add((case.path, answer.status_code))
            case.validate_response(answer, checks=CHECKS)

        ask()

    # What the description calls right is right: some of it was predicted.
    assert {("/predict", 200), ("/predict", 422), ("/model", 200), ("/metrics", 200)} <= statuses


def test_malformed_bodies_are_refused(client: TestClient) -> None:
    """Bytes of any kind are the mistake of whoever sent them, and are told so without internals."""

    @SMALL
    @given(body=st.binary(max_size=300), kind=st.sampled_from([JSON, CSV, ARROW, "", "text/plain", "ü/ü"]))
    def ask(body: bytes, kind: str) -> None:
        answer = client.post("/predict", content=body, headers={"Content-Type": kind.encode()})
        assert answer.status_code in (415, 422), answer.text
        assert [] == [word for word in INSIDE if word in answer.json()["detail"]]
        told = json.dumps([problem["expected"] for problem in answer.json().get("problems", [])])
        assert [] == [word for word in INSIDE if word in told]

    ask()


def test_any_value_in_any_column_is_answered_or_refused(client: TestClient, model: Model) -> None:
    """One odd value is either in the contract or told with its place; never a failure."""
    record = model.golden.inputs[0]

    @SMALL
    @given(column=st.sampled_from(model.contract.features), value=ANYTHING)
    def ask(column: str, value: Any) -> None:
        answer = client.post("/predict", content=json.dumps({**record, column: value}))
        assert answer.status_code in (200, 422), answer.text
        if answer.status_code == 422 and answer.json()["problems"][0]["row"] is not None:
            assert [column] == [problem["column"] for problem in answer.json()["problems"]]

    ask()


def test_damaged_arrow_streams_are_refused(client: TestClient, arrow: bytes) -> None:
    """A byte that was changed on the way leads to another answer or to none, but never astray."""

    @SMALL
    @given(place=st.integers(0, len(arrow) - 1), byte=st.integers(0, 255))
    def ask(place: int, byte: int) -> None:
        body = arrow[:place] + bytes([byte]) + arrow[place + 1 :]
        answer = client.post("/predict", content=body, headers={"Content-Type": ARROW})
        assert answer.status_code in (200, 413, 422), answer.text

    ask()


@pytest.fixture(scope="module")
def arrow(model: Model) -> bytes:
    """A sound Arrow IPC stream."""
    import pyarrow as pa

    table = pa.Table.from_pylist(model.golden.inputs)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())

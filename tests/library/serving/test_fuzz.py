"""Whatever is sent, the service answers as its own description says, and tells nothing of its inside."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
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

from gitops_ml.core.settings import ServeSettings
from gitops_ml.serving.app import make_app
from gitops_ml.serving.model import Model, load
from gitops_ml.serving.requests import ARROW, CSV, JSON
from gitops_ml.serving.service import make_service

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# Words of tracebacks, of paths and of libraries.
INSIDE = ("Traceback", "site-packages", ".py", ".cc", "pandas", "numpy", "sklearn", "arrow/", "object at 0x")
SMALL = settings(max_examples=80, deadline=None, database=None, suppress_health_check=list(HealthCheck))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
)
# Values that are no JSON, or that JSON has and few readers expect.
ODD = [
    *(b"NaN", b"-Infinity", b"1e999", b"-1e-999", b"9" * 400, b"0." + b"1" * 5000, b"01", b"0x1F", b"1_000"),
    *(b'"\\ud800"', b'"\\ud800\\u0061"', b'"\\u0000"', b'"\x00"', b'"\xed\xa0\x80"', b'"\xff"', b"'x'"),
    *(
        b"[" * 2000 + b"]" * 2000,
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b"[" * 5000,
        b"{}",
        b"[]",
        b"",
        b"\xef\xbb\xbf1",
    ),
]
KINDS = [JSON, CSV, ARROW, "", "text/plain", "application/x-ndjson", "ü/ü"]


@pytest.fixture(scope="module")
def model(finished: Path) -> Model:
    """The model of a finished run."""
    return load(finished / "build" / "bundle", {})


@pytest.fixture(scope="module")
def client(model: Model) -> Iterator[TestClient]:
    """A client of a service with default settings."""
    app = make_app(make_service(model, ServeSettings()), None)
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


def test_a_thousand_malformed_bodies_are_refused(client: TestClient, model: Model, arrow: bytes) -> None:
    """Whatever the bytes, the answer is one that is described, and without internals."""
    described = client.get("/openapi.json").json()
    answers = described["paths"]["/predict"]["post"]["responses"]
    schemas = described["components"]["schemas"]
    text, table = json.dumps(model.golden.inputs[:3]).encode(), to_csv(model.golden.inputs)
    bodies = st.one_of(
        st.tuples(st.sampled_from(KINDS), st.binary(max_size=300)),
        st.tuples(st.sampled_from(KINDS), st.sampled_from([text, table, arrow])),
        st.tuples(st.just(JSON), damage(text)),
        st.tuples(st.just(CSV), damage(table)),
        st.tuples(st.just(ARROW), damage(arrow)),
        st.tuples(st.just(JSON), put_odd_values(text, model.contract.features)),
    )
    statuses: Counter[int] = Counter()

    @settings(SMALL, max_examples=1000)
    @given(kind_and_body=bodies, is_packed=st.sampled_from([False] * 9 + [True]))
    def ask(kind_and_body: tuple[str, bytes], is_packed: bool) -> None:
        kind, body = kind_and_body
        headers = {b"Content-Type": kind.encode(), **({b"Content-Encoding": b"gzip"} if is_packed else {})}
        answer = client.post("/predict", content=gzip.compress(body) if is_packed else body, headers=headers)
        statuses[answer.status_code] += 1
        assert answer.status_code in (200, 413, 415, 422), answer.text
        assert [] == [word for word in INSIDE if word in answer.text]
        name = answers[str(answer.status_code)]["content"][JSON]["schema"]["$ref"].rpartition("/")[2]
        assert set(schemas[name]["required"]) == set(answer.json())

    ask()

    # Some of what is damaged can still be read; most cannot.
    assert statuses[200] < statuses[422] + statuses[415]


def damage(body: bytes) -> st.SearchStrategy[bytes]:
    """Put other bytes in the place of some, cut some out, or cut the end off."""
    places, lengths = st.integers(0, len(body)), st.sampled_from([0, 1, 1, 2, 9, len(body)])
    return st.builds(
        lambda place, length, other: body[:place] + other + body[place + length :],
        *(places, lengths, st.binary(max_size=9)),
    )


def put_odd_values(body: bytes, names: list[str]) -> st.SearchStrategy[bytes]:
    """Let an odd value follow in a record that is right until then: the key is there twice."""
    keys = st.sampled_from([*names, "", "flight_id", "other"])
    return st.builds(
        lambda key, value: body.replace(b"}", b', "%s": %s}' % (key.encode(), value), 1),
        *(keys, st.sampled_from(ODD)),
    )


def to_csv(records: list[dict[str, Any]]) -> bytes:
    """Return records as CSV."""
    return pd.DataFrame(records).to_csv(index=False).encode()


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


@pytest.fixture(scope="module")
def arrow(model: Model) -> bytes:
    """A sound Arrow IPC stream."""
    import pyarrow as pa

    table = pa.Table.from_pylist(model.golden.inputs)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())

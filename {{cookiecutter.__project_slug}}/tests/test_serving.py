"""The service answers with the model of a bundle, and refuses what breaks its contract."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from {{ cookiecutter.__package }}.pipeline.columns import restore_frame
from {{ cookiecutter.__package }}.pipeline.prediction import predict
from {{ cookiecutter.__package }}.serving.answers import tell_predictions
from {{ cookiecutter.__package }}.serving.model import Model, load
from {{ cookiecutter.__package }}.serving.reading import ARROW, CSV

from services import open_client

Records = list[dict[str, Any]]


@pytest.fixture(scope="module")
def model(finished: Path) -> Model:
    """The model of a finished run, as the service loads it."""
    return load(finished / "build" / "bundle", {"MLOPS_MODEL_VERSION": "7"})


@pytest.fixture(scope="module")
def client(model: Model) -> Iterator[TestClient]:
    """A client of a service with default settings."""
    with open_client(model) as client:
        yield client


@pytest.fixture(scope="module")
def records(model: Model) -> Records:
    """Records that the contract allows."""
    return model.golden.inputs


def expect(model: Model, records: Records) -> Records:
    """Return what the model says in this process about the same records."""
    return tell_predictions(predict(model.estimator, restore_frame(records, model.contract)), model.contract)


def test_predictions_are_those_of_the_model(client: TestClient, model: Model, records: Records) -> None:
    """To the last bit, in the order of the records, with the version."""
    answer = client.post("/predict", json=records)

    assert 200 == answer.status_code
    assert {"version": "7", "predictions": expect(model, records)} == answer.json()


def test_one_record_needs_no_list(client: TestClient, model: Model, records: Records) -> None:
    """The answer is the same list of predictions, with one in it."""
    assert expect(model, records[:1]) == client.post("/predict", json=records[0]).json()["predictions"]


def test_csv_and_arrow_say_the_same_as_json(client: TestClient, model: Model, records: Records) -> None:
    """The content type changes how records are written, not what is predicted."""
    frame = restore_frame(records, model.contract)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=7)
    bodies = {
        ARROW: sink.getvalue(),
        CSV: pd.DataFrame(records).to_csv(index=False).encode(),
        f"{CSV}; charset=utf-8": pd.DataFrame(records).to_csv(index=False).encode(),
    }
    for kind, body in bodies.items():
        answer = client.post("/predict", content=body, headers={"Content-Type": kind})
        assert expect(model, records) == answer.json().get("predictions"), answer.text


def test_every_problem_is_told_with_its_place(client: TestClient, records: Records) -> None:
    """Row, column, what was expected and what came; nothing is predicted."""
    bad = [
        records[0],
        {**records[1], "origin": "XXX", "distance": 1.5, "temp": "warm"},
        {**records[2], "scheduled_departure": "2013-13-01T00:00:00", "carrier": None, "visib": 11},
    ]
    del bad[0]["dest"]

    answer = client.post("/predict", json=bad)

    assert 422 == answer.status_code
    found = [(p["row"], p["column"], p["came"]) for p in answer.json()["problems"]]
    assert sorted(
        [
            (0, "dest", "nothing"),
            (1, "origin", '"XXX"'),
            (1, "distance", "1.5"),
            (1, "temp", '"warm"'),
            (2, "scheduled_departure", '"2013-13-01T00:00:00"'),
            (2, "carrier", "null"),
            (2, "visib", "11"),
        ]
    ) == sorted(found)
    assert 7 == answer.json()["count"]
    expected = {p["column"]: p["expected"] for p in answer.json()["problems"]}
    assert "one of EWR, JFK, LGA" == expected["origin"]
    assert "an integer, at least 50, at most 6000" == expected["distance"]

"""The service answers with the model of a bundle, and refuses what breaks its contract."""

from __future__ import annotations

import asyncio
import io
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from fastapi.testclient import TestClient
from fsspec.implementations.local import LocalFileSystem
from sklearn.base import BaseEstimator

from gitops_ml.contract.export import restore_frame
from gitops_ml.core.errors import LifecycleError
from gitops_ml.core.settings import ServeSettings, Settings
from gitops_ml.metrics.prediction import predict
from gitops_ml.serving.app import make_app
from gitops_ml.serving.batching import Batcher
from gitops_ml.serving.model import Model, answers_alike, load, to_json
from gitops_ml.serving.record_type import Record
from gitops_ml.serving.requests import ARROW, CSV
from gitops_ml.serving.service import make_service
from services import open_client, read_log
from toy_binary.models import candidates
from toy_binary.schema import Contract

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
    return to_json(predict(model.estimator, restore_frame(records, model.contract)), model.contract)


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
        {name: value for name, value in records[0].items() if name != "dest"},
        {**records[1], "origin": "XXX", "distance": 1.5, "temp": "warm"},
        {**records[2], "scheduled_departure": "2013-13-01T00:00:00", "carrier": None, "visib": 11},
    ]
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
    assert "The request has 7 problems." == answer.json()["detail"]
    expected = {p["column"]: p["expected"] for p in answer.json()["problems"]}
    assert "one of EWR, JFK, LGA" == expected["origin"]
    assert "a valid integer" == expected["distance"]
    assert "less than or equal to 10" == expected["visib"]
    assert "a value" == expected["dest"]


@pytest.mark.parametrize(
    ("body", "kind", "status", "told"),
    [
        (b"{", "application/json", 422, "JSON"),
        (b"", "application/json", 422, "JSON"),
        (b'{"temp": NaN}', "application/json", 422, "JSON"),
        (b"[" * 100_000, "application/json", 422, "JSON"),
        (b"[]", "application/json", 422, "at least one record"),
        (b"3", "application/json", 422, "one record or a list of records"),
        (b"[[1]]", "application/json", 422, "an object"),
        (b"", CSV, 422, "CSV with a header"),
        (b"origin,origin\nJFK,JFK\n", CSV, 422, "one column of this name"),
        (b"\xff\xfe\x00", ARROW, 422, "an Arrow IPC stream"),
        (b"<flight/>", "application/xml", 415, "Expected application/json"),
        (b"[" + b"{}," * 10_000 + b"{}]", "application/json", 413, "at most 10000 records"),
        (b" " * 10_000_001, "application/json", 413, "at most 10 MB"),
    ],
)
def test_what_cannot_be_read_is_refused(
    client: TestClient, body: bytes, kind: str, status: int, told: str
) -> None:
    """With the status for it, and what was expected instead."""
    answer = client.post("/predict", content=body, headers={"Content-Type": kind})

    assert status == answer.status_code
    assert told in answer.text


def test_a_body_that_announces_no_length_is_cut_off(client: TestClient) -> None:
    """A stream without end does not fill the memory."""
    chunks = (b" " * 1_000_000 for _ in range(12))

    assert 413 == client.post("/predict", content=chunks).status_code


def test_a_long_run_of_one_value_is_many_records(client: TestClient) -> None:
    """An Arrow body that is small on the wire may not unfold into millions of records."""
    table = pa.table({"note": pa.nulls(50_000_000)})
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)

    answer = client.post("/predict", content=sink.getvalue(), headers={"Content-Type": ARROW})

    assert len(sink.getvalue()) < 1000
    assert 413 == answer.status_code


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
@pytest.mark.parametrize("encode", [lambda column: column, lambda column: column.dictionary_encode()])
def test_compressed_streams_are_refused(
    client: TestClient, codec: str, encode: Callable[[pa.Array], pa.Array]
) -> None:
    """A compressed body, values or dictionaries, is not unfolded to see how large it is."""
    table = pa.table({"note": encode(pa.array(["x" * 1000, "y" * 1000]))})
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=codec)) as writer:
        writer.write_table(table)

    answer = client.post("/predict", content=sink.getvalue(), headers={"Content-Type": ARROW})

    assert 422 == answer.status_code
    assert "one that is compressed" in answer.text


def test_without_the_token_nothing_but_health_answers(model: Model, records: Records) -> None:
    """Whoever has no token learns nothing of the model; load balancers need none."""
    with open_client(model, token="s3cret") as client:
        for path in ("/model", "/metrics", "/openapi.json", "/docs", "/nowhere"):
            assert 401 == client.get(path).status_code
        assert 401 == client.post("/predict", json=records[0]).status_code
        assert "Bearer" == client.get("/model").headers["WWW-Authenticate"]
        for wrong in ("Bearer s3cre", "Bearer s3crets", "s3cret", "Bearer ünsafe"):
            assert 401 == client.get("/model", headers={"Authorization": wrong.encode()}).status_code
        assert 200 == client.get("/health/live").status_code
        assert 200 == client.get("/health/ready").status_code
        client.headers["Authorization"] = "Bearer s3cret"
        assert 200 == client.post("/predict", json=records[0]).status_code


def test_the_model_is_described(client: TestClient, model: Model) -> None:
    """Version, card and contract, as the bundle has them."""
    facts = client.get("/model").json()

    assert "7" == facts["version"]
    assert model.card == facts["card"]
    assert model.contract.model_dump(mode="json") == facts["contract"]


def test_the_version_is_that_of_the_state_beside_the_bundle(finished: Path, tmp_path: Path) -> None:
    """``model.json`` wins over the environment; without both there is none."""
    bundle = shutil.copytree(finished / "build" / "bundle", tmp_path / "bundle")
    assert load(bundle, {}).version is None
    (tmp_path / "model.json").write_text('{"version": 3}')
    assert "3" == load(bundle, {"MLOPS_MODEL_VERSION": "7"}).version


def test_openapi_is_the_contract(client: TestClient, model: Model) -> None:
    """Types, ranges, categories and examples: the contract is the one source of them."""
    described = client.get("/openapi.json").json()["paths"]["/predict"]["post"]
    content = described["requestBody"]["content"]
    record = content["application/json"]["schema"]["oneOf"][0]

    assert {"application/json", CSV, ARROW} == set(content)
    assert model.golden.inputs[0] == content["application/json"]["examples"]["one"]["value"]
    assert set(model.contract.features) == set(record["required"])
    assert {"EWR", "JFK", "LGA"} == set(record["properties"]["origin"]["enum"])
    distance = record["properties"]["distance"]
    assert ("integer", 50, 6000) == (distance["type"], distance["minimum"], distance["maximum"])
    assert ["number", "null"] == [kind["type"] for kind in record["properties"]["temp"]["anyOf"]]
    assert {"200", "401", "413", "415", "422", "500", "503"} == set(described["responses"])


def test_prometheus_reads_what_happens(model: Model, records: Records) -> None:
    """Answers by path and status, rows by batch, and the version that is served."""
    with open_client(model) as client:
        client.post("/predict", json=records)
        client.post("/predict", content=b"?")
        client.get("/no/such/path")
        text = client.get("/metrics").text

    assert 'mlops_requests_total{path="/predict",status="200"} 1.0' in text
    assert 'mlops_requests_total{path="/predict",status="422"} 1.0' in text
    assert 'mlops_requests_total{path="other",status="404"} 1.0' in text
    assert f"mlops_batch_rows_sum {len(records)}.0" in text
    assert 'mlops_model{version="7"} 1.0' in text


def slow(model: Model, seconds: float) -> Model:
    """Return the model, as slow as a large one."""

    class Slow(BaseEstimator):
        def predict(self, X: pd.DataFrame) -> np.ndarray:
            time.sleep(seconds)
            return np.asarray(model.estimator.predict(X))

    return replace(model, estimator=Slow())


def test_too_much_at_a_time_is_turned_away(model: Model, records: Records) -> None:
    """Whoever comes on top is told when to come again; what was accepted is answered."""
    with open_client(slow(model, 0.3), max_rows=20, max_waiting_rows=40) as client:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: client.post("/predict", json=records), range(8)))
        again = client.post("/predict", json=records)

    assert {200, 503} == {answer.status_code for answer in answers}
    assert {"1"} == {answer.headers["Retry-After"] for answer in answers if answer.status_code == 503}
    assert 200 == again.status_code


def test_too_many_bytes_at_a_time_are_turned_away(model: Model) -> None:
    """Bodies count while they are read, before anything is made of them."""
    service = make_service(model, ServeSettings(max_body_mb=1, max_waiting_mb=1))
    service.bodies.acquire(900_000)
    with TestClient(make_app(service, None)) as client:
        assert 503 == client.post("/predict", content=b" " * 200_000).status_code
        service.bodies.release(900_000)
        assert 422 == client.post("/predict", content=b" " * 200_000).status_code
    assert 0 == service.bodies.used == service.rows.used


def test_requests_at_the_same_time_are_answered_as_if_alone(
    model: Model, records: Records, settings: Settings, raw: pd.DataFrame
) -> None:
    """Put together into batches or not, every prediction is the same to the last bit."""
    X = restore_frame(records, model.contract)
    frame = Contract.validate(raw.head(2000))
    y = frame[settings.data.target]
    boosting = candidates(0)["boosting"].fit(frame[model.contract.features], y)
    for estimator in (model.estimator, boosting):
        served = replace(model, estimator=estimator, may_merge=answers_alike(estimator, X))
        expected = [expect(served, [record]) for record in records]
        with open_client(served) as client, ThreadPoolExecutor(16) as pool:
            answers = pool.map(lambda record: client.post("/predict", json=record), records * 5)
            found = [answer.json()["predictions"] for answer in answers]
        assert expected * 5 == found


def test_requests_are_put_together_while_the_model_is_at_work() -> None:
    """Each request gets its own rows back, whatever it came with."""
    sizes: list[int] = []

    def count(records: Sequence[Record]) -> list[dict[str, Any]]:
        time.sleep(0.3)
        return [{"value": record["x"]} for record in records]

    async def ask() -> list[Any]:
        first = asyncio.create_task(batcher.predict([{"x": 0}]))
        await asyncio.sleep(0.1)
        rest: list[list[Record]] = [[{"x": 1}, {"x": 2}], [{"x": 3}, {"x": 4}, {"x": 5}]]
        return await asyncio.gather(first, *(batcher.predict(records) for records in rest))

    batcher = Batcher(count, True, sizes.append)
    found = asyncio.run(ask())
    batcher.close()

    assert [1, 5] == sizes
    assert [[0], [1, 2], [3, 4, 5]] == [[told["value"] for told in answer] for answer in found]


def test_a_bad_request_harms_none_that_comes_with_it(model: Model, records: Records) -> None:
    """It alone is refused; the others are predicted together."""
    bad = {**records[0], "distance": 1}
    with open_client(slow(model, 0.1)) as client, ThreadPoolExecutor(8) as pool:
        asked = [bad, *records[:7]] * 2
        answers = list(pool.map(lambda record: client.post("/predict", json=record), asked))

    assert [422, *[200] * 7] * 2 == [answer.status_code for answer in answers]
    assert [(0, "distance")] == [(p["row"], p["column"]) for p in answers[8].json()["problems"]]


def test_a_request_on_which_the_model_fails_harms_no_other(model: Model, records: Records) -> None:
    """It alone is answered with 500, and without a word of what went wrong inside."""

    class Picky(BaseEstimator):
        def predict(self, X: pd.DataFrame) -> np.ndarray:
            time.sleep(0.02)
            if (X["distance"] == 666).any():
                raise ZeroDivisionError("secret")
            return np.zeros(len(X))

    bad = {**records[0], "distance": 666}
    with open_client(replace(model, estimator=Picky())) as client, ThreadPoolExecutor(8) as pool:
        asked = [bad, *records[:7]] * 2
        answers = list(pool.map(lambda record: client.post("/predict", json=record), asked))

    assert [500, *[200] * 7] * 2 == [answer.status_code for answer in answers]
    assert "secret" not in answers[0].text


def test_a_log_cannot_leave_out_what_is_not_there(model: Model) -> None:
    """A typo must not put into the log what was to be kept out of it."""
    with pytest.raises(LifecycleError, match=r"serve\.log\.exclude names 'orgin'"):
        make_service(model, ServeSettings.model_validate({"log": {"exclude": ["orgin"]}}))


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_every_prediction_promised_is_in_the_log(
    model: Model, records: Records, tmp_path: Path, kind: str
) -> None:
    """Id, time, version, features and prediction, but for the columns that are private."""
    log = {"url": str(tmp_path / "log"), "format": kind, "exclude": ["carrier"], "seconds": 0.05}
    began = datetime.now(UTC)
    answers = []
    with open_client(model, log=log) as client:
        for number, record in enumerate(records):
            answers.append(client.post("/predict", json={**record, "flight_id": number}).json())
            time.sleep(0.01)
        client.post("/predict", json=records[0])
    found = read_log(tmp_path / "log")

    assert len(list(tmp_path.rglob(f"*.{kind}"))) > 1
    assert [] == list(tmp_path.rglob("*.partial"))
    assert len(records) + 1 == len(found)
    assert all(began <= record.pop("time") <= datetime.now(UTC) for record in found)
    by_id = {record["id"]: record for record in found}
    assert len(found) == len(by_id)
    for number, (asked, answer) in enumerate(zip(records, answers, strict=True)):
        features = {name: value for name, value in asked.items() if name != "carrier"}
        expected = {"version": "7", "features": features, "prediction": answer["predictions"][0]}
        assert {"id": str(number), **expected} == by_id[str(number)]


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_a_file_that_breaks_off_is_never_read(
    model: Model, records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Files have their names only when they are whole; what could not be written is written later."""
    sizes: list[int] = []
    whole = LocalFileSystem.pipe_file

    def break_off(self: Any, path: str, value: bytes, **options: Any) -> None:
        sizes.append(len(value))
        whole(self, path, value[: len(value) // 2] if len(sizes) == 1 else value, **options)
        if len(sizes) == 1:
            raise OSError("the disk is full")

    monkeypatch.setattr(LocalFileSystem, "pipe_file", break_off)
    log = {"url": str(tmp_path), "format": kind, "seconds": 0.05}
    with open_client(model, log=log) as client:
        client.post("/predict", json=records)
        while not sizes:
            time.sleep(0.01)
        client.post("/predict", json=records)

    assert len(records) * 2 == len(read_log(tmp_path))


def test_a_sample_of_the_predictions_is_logged(model: Model, records: Records, tmp_path: Path) -> None:
    """About as many as were asked for."""
    log = {"url": str(tmp_path), "sample": 0.3}
    with open_client(model, log=log) as client:
        client.post("/predict", json=records * 50)

    assert 200 < len(read_log(tmp_path)) < 400


def test_a_log_that_cannot_be_written_stops_nothing(model: Model, records: Records, tmp_path: Path) -> None:
    """Requests are answered as before, and what is lost is counted."""
    (tmp_path / "log").write_text("a file, where a folder should be")
    service = make_service(model, ServeSettings.model_validate({"log": {"url": str(tmp_path / "log")}}))
    with TestClient(make_app(service, None)) as client:
        assert 200 == client.post("/predict", json=records).status_code

    assert f"mlops_log_dropped_total {len(records)}.0" in service.metrics.render().decode()

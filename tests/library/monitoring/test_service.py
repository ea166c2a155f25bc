"""The service tells how it does, to the last request, and is said to be unwell only when it surely is."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fsspec.implementations.local import LocalFileSystem
from sklearn.base import BaseEstimator

from gitops_ml.core.settings import GateSettings, MonitorSettings, Settings
from gitops_ml.monitoring.check.records import ServiceCheck
from gitops_ml.monitoring.prediction_log.window import PredictionLogWindow
from gitops_ml.monitoring.service import check_service, count_slower, find_quantile, is_significantly_above
from gitops_ml.serving.limits import Quota
from gitops_ml.serving.metrics import SECONDS
from gitops_ml.serving.model import Model, load
from gitops_ml.serving.service_stats import ServiceStats
from services import open_client, read_log

NOW = datetime(2026, 3, 8, 12, tzinfo=UTC)
WEEK = timedelta(days=7)


@pytest.fixture(scope="module")
def model(finished: Path) -> Model:
    """The model of a finished run, as the service loads it."""
    return load(finished / "build" / "bundle", {"MLOPS_MODEL_VERSION": "7"})


def check_now(folder: Path, settings: Settings) -> ServiceCheck:
    """Check at what a service has just left behind."""
    now = datetime.now(UTC)
    check = check_service(str(folder), now - WEEK, now + timedelta(minutes=1), settings)
    assert check is not None
    return check


def put(root: Path, moment: datetime = NOW - timedelta(hours=1), name: str = "1-ab", **facts: Any) -> Path:
    """Write a summary as the service does."""
    known = {"version": "7", "began": moment - timedelta(minutes=1), "ended": moment}
    counts: dict[str, Any] = {"answers": {"2xx": 10}, "seconds": {0.01: 10}, "records": 10, "dropped": 0}
    path = root / f"{moment:%Y-%m-%d}" / f"{moment:%H%M%S}-{name}.service.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(ServiceStats.model_validate(known | counts | facts).model_dump_json())
    return path


def check(root: Path, settings: Settings, **limits: Any) -> ServiceCheck | None:
    """Check at the week before noon."""
    limited = settings.model_copy(update={"monitor": MonitorSettings.model_validate(limits)})
    return check_service(str(root), NOW - WEEK, NOW, limited)


def test_each_answer_is_counted_once(model: Model, settings: Settings, tmp_path: Path) -> None:
    """Over many periods: answers, refusals, overload, failures of the model, and bugs; nothing else."""

    class Picky(BaseEstimator):
        def predict(self, X: pd.DataFrame) -> np.ndarray:
            if (X["distance"] == 666).any():
                raise ZeroDivisionError
            return np.zeros(len(X))

    record, log = model.golden.inputs[0], {"url": str(tmp_path), "seconds": 0.02}
    with open_client(replace(model, estimator=Picky()), log=log) as client:
        service: Any = client.app.state.service  # type: ignore[attr-defined]
        for _ in range(20):
            client.post("/predict", json=[record, record])
            client.post("/predict", json={**record, "distance": "far"})
            client.get("/health/ready")
            time.sleep(0.005)
        client.post("/predict", json={**record, "distance": 666})
        rows, service.rows = service.rows, Quota(0, "rows")
        client.post("/predict", json=record)
        service.rows = None  # a bug
        client.post("/predict", json=record)
        service.rows = rows

    found = check_now(tmp_path, settings)
    assert len(list(tmp_path.rglob("*.service.json"))) > 2
    assert (43, 20, 3) == (found.requests, found.request_errors, found.failed)
    assert 3 / 43 == found.failure_rate
    assert (40, 0) == (found.records, found.dropped)
    assert 40 == len(read_log(tmp_path))
    assert ["7.0 % of 43 requests failed, more than 1.0 % (monitor.max_failure_rate)."] == found.problems


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_what_the_service_leaves_behind_is_what_a_check_reads(
    model: Model, settings: Settings, tmp_path: Path, kind: str
) -> None:
    """Features as they were sent, answers as they were given, and how it did."""
    records = model.golden.inputs
    log: Any = {"url": str(tmp_path), "format": kind, "exclude": ["carrier"]}
    with open_client(model, log=log) as client:
        answers = client.post("/predict", json=records).json()["predictions"]
    now = datetime.now(UTC) + timedelta(seconds=1)

    window = PredictionLogWindow(str(tmp_path), now - WEEK, now, model.contract)
    service = check_service(str(tmp_path), now - WEEK, now, settings)

    frame = pd.concat(window)
    assert [] == window.skipped.describe()
    assert service is not None
    assert (1, len(records)) == (service.requests, service.records)
    key = "label" if model.contract.classes else "value"
    assert [answer[key] for answer in answers] == [*frame["prediction"]]
    for name in model.contract.classes:
        assert [answer["probabilities"][name] for answer in answers] == [*frame[f"score {name}"]]
    sent = pd.DataFrame(records)[[name for name in model.contract.features if name != "carrier"]]
    read = frame[[name for name in model.contract.features if name in frame]]
    pd.testing.assert_frame_equal(sent, read.reset_index(drop=True), check_dtype=False)


def test_a_sample_of_predictions_is_a_count_of_all_answers(
    model: Model, settings: Settings, tmp_path: Path
) -> None:
    """How the service does is told when not one prediction is logged; nothing when nobody asks."""
    log = {"url": str(tmp_path), "seconds": 0.02, "sample": 0}
    with open_client(model, log=log) as client:
        for _ in range(5):
            client.post("/predict", json=model.golden.inputs[0])
        client.get("/model")
        time.sleep(0.1)
    with open_client(model, log=log) as client:
        client.get("/model")

    found = check_now(tmp_path, settings)
    assert (5, 0) == (found.requests, found.records)
    assert 0 < found.latency_ms["p50"] <= found.latency_ms["p95"] <= found.latency_ms["p99"]
    assert {".json"} == {path.suffix for path in tmp_path.rglob("*") if path.is_file()}


def test_what_cannot_be_written_is_written_later(
    model: Model, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that fails for a while costs no count."""
    failures: list[str] = []
    whole = LocalFileSystem.pipe_file

    def fail_at_first(self: Any, path: str, value: bytes, **options: Any) -> None:
        if len(failures) < 4:
            failures.append(path)
            raise OSError("out of reach")
        whole(self, path, value, **options)

    monkeypatch.setattr(LocalFileSystem, "pipe_file", fail_at_first)
    with open_client(model, log={"url": str(tmp_path), "seconds": 0.02}) as client:
        for _ in range(3):
            client.post("/predict", json=model.golden.inputs[0])
        while len(failures) < 4:
            time.sleep(0.01)

    found = check_now(tmp_path, settings)
    assert (3, 3, 0) == (found.requests, found.records, found.dropped)
    assert any(".service.json" in path for path in failures)


def test_periods_that_ended_in_the_window_add_up(tmp_path: Path, settings: Settings) -> None:
    """Earlier and later ones do not count."""
    for moment in (NOW - WEEK - timedelta(hours=1), NOW - WEEK, NOW - timedelta(seconds=1), NOW):
        put(tmp_path, moment, answers={"2xx": 7, "4xx": 2, "5xx": 1}, records=7, dropped=1)

    found = check(tmp_path, settings)

    assert found is not None
    assert (20, 4, 2, 0.1) == (found.requests, found.request_errors, found.failed, found.failure_rate)
    assert (14, 2) == (found.records, found.dropped)
    assert ["2 predictions could not be logged."] == found.notes


@pytest.mark.parametrize("content", [b"", b"{", b"null", b"\xff", b"[]", b'{"version": "7"}'])
def test_a_broken_summary_is_named_and_the_others_count(
    tmp_path: Path, settings: Settings, content: bytes
) -> None:
    """It says nothing that could be trusted; what a later version adds is no break."""
    put(tmp_path, name="1-aa").write_bytes(content)
    path = put(tmp_path, name="1-ab")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"more": 1}))
    put(tmp_path, name="1-ac").rename(path.with_name("110000-1-ac.service.json.partial"))

    found = check(tmp_path, settings)

    assert found is not None
    assert 10 == found.requests
    assert [
        "1 file of how the service did could not be read: "
        "2026-03-08/110000-1-aa.service.json (no summary of the service)."
    ] == found.notes


def test_nothing_is_said_where_nobody_asked(tmp_path: Path, settings: Settings) -> None:
    """Neither of a folder that is not there, nor of an empty one."""
    assert check(tmp_path / "log", settings) is None
    assert check(tmp_path, settings) is None


@pytest.mark.parametrize(
    ("failed", "requests", "is_above"),
    [(1, 10, False), (1, 1, True), (2, 10, True), (20, 1000, True), (15, 1000, False), (0, 0, False)],
)
def test_a_rate_is_above_a_limit_when_it_is_beyond_chance(failed: int, requests: int, is_above: bool) -> None:
    """One failure of ten is no alarm at a limit of 1 %: it happens by chance once in ten."""
    assert is_above == is_significantly_above(failed, requests, 0.01)


def test_the_limit_of_latency_is_that_of_monitoring_or_of_the_gates(
    tmp_path: Path, settings: Settings
) -> None:
    """Where there is neither, no time to answer is too long."""
    put(tmp_path, seconds={0.05: 80, 0.2: 20})
    gated = settings.model_copy(update={"gates": GateSettings(max_latency_ms=60)})

    told = [check(tmp_path, settings), check(tmp_path, settings, max_latency_ms=60), check(tmp_path, gated)]

    assert all(one is not None and one.latency_ms["p95"] == pytest.approx(175) for one in told)
    sentence = "The 95th percentile of the time to answer is 175 ms, above 60 ms ({})."
    assert [
        [],
        [sentence.format("monitor.max_latency_ms")],
        [sentence.format("gates.max_latency_ms")],
    ] == [one.problems for one in told if one is not None]
    limits = [one.limits["p95_ms"] for one in told if one is not None]
    assert [settings.gates.max_latency_ms, 60, 60] == limits
    few = put(tmp_path / "few", seconds={0.05: 8, 0.2: 2})
    assert not check(few.parents[1], settings, max_latency_ms=60).problems, "of ten, it may be chance"  # type: ignore[union-attr]


def test_quantiles_lie_in_their_bins() -> None:
    """As near as the bins of the histogram allow; beyond the last bound, it is that bound."""
    taken = np.random.default_rng(0).lognormal(-4, 1, 10_000)
    places = np.searchsorted(SECONDS, taken)
    bounds = np.array([*SECONDS, math.inf])
    seconds = Counter(bounds[places].tolist())

    for share in (0.5, 0.95, 0.99):
        exact = np.quantile(taken, share)
        place = np.searchsorted(SECONDS, exact)
        assert [0, *SECONDS][place] <= find_quantile(seconds, share) <= SECONDS[place]
    assert (taken > 0.1).sum() == count_slower(seconds, 0.1)
    assert 5 == find_quantile(Counter({math.inf: 3}), 0.5)
    assert 3 == count_slower(Counter({math.inf: 3, 0.1: 2}), 5)

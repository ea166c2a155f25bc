"""Runs are written down in MLflow, whole or not at all."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from gitops_ml.bundle import model_file
from gitops_ml.contract import export
from gitops_ml.core import records
from gitops_ml.core.errors import LifecycleError
from gitops_ml.core.settings import Settings
from gitops_ml.tracking import store
from gitops_ml.tracking import tracker as tracking

KEY = "0123456789abcdef"
HASH = "\\\n    --hash=sha256:ab\n"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder."""
    return tmp_path_factory.mktemp("project")


@pytest.fixture(scope="module")
def tracker(root: Path, settings: Settings) -> Iterator[tracking.Tracker]:
    """An open store in the project."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(store.VARIABLE, raising=False)
        yield tracking.open_tracker(settings, root)


@pytest.fixture(scope="module")
def model() -> LinearRegression:
    """The challenger."""
    return LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory, model: LinearRegression) -> Path:
    """What a run has made before it is written down."""
    build = tmp_path_factory.mktemp("build")
    for name in ("report.md", "report.html", "model_card.md", "training.json"):
        (build / name).write_text(name)
    (build / "bundle").mkdir()
    model_file.save_model(model, build / "bundle" / "model.skops")
    lock = [f"scikit-learn==1.9.1 {HASH}", f"skops==0.16.0 ; sys_platform != 'win32' {HASH}"]
    (build / "bundle" / "requirements.txt").write_text("".join(lock))
    column = export.Column(
        name="x", role="feature", kind="number", dtype="float64", nullable=True, unique=False, required=True
    )
    contract = export.ContractRecord(problem="regression", target="y", features=["x"], columns=[column])
    contract.write(build / "bundle")
    return build


@pytest.fixture(scope="module")
def run(settings: Settings) -> records.Records:
    """What is known of a run with two candidates, one of which failed."""
    number = records.Estimate(value=0.7, low=0.6, high=0.8)
    metric = records.MetricResult(
        name="r2", greater_is_better=True, model=number, baseline=number, difference=number
    )
    paired = records.PairedMetric(
        name="r2", greater_is_better=True, challenger=number, champion=number, difference=number
    )
    good = records.CandidateResult(name="good", status="ok", scores=[0.5, 0.7], mean=0.6, sd=0.1)
    bad = records.CandidateResult(name="bad", status="failed", reason="It raised ValueError.")
    file = records.DataFile(path="data/a.parquet", sha256="ab" * 32, rows=10)
    return records.Records(
        run=records.RunRecord(
            status="finished", stage="track", commit="c0ffee", started="", python="3.11.0", libraries={}
        ),
        validation=records.ValidationRecord(passed=True, rows=10, files=[file]),
        training=records.TrainingRecord(
            run_key=KEY,
            challenger="good",
            estimator="LinearRegression()",
            metric="r2",
            greater_is_better=True,
            candidates=[good, bad],
            train_rows=8,
            test_rows=2,
            boundary="0.2",
            features=["x"],
            seed=0,
            seconds=1.0,
        ),
        evaluation=records.EvaluationRecord(
            rows=2, metrics=[metric], latency_ms=1.0, batch_rows_per_second=1.0
        ),
        comparison=records.ComparisonRecord(
            against="champion",
            verdict="better",
            metric="r2",
            difference=number,
            margin=0.01,
            gates=[],
            champion=records.ChampionResult(version=3, run_key="77", metrics=[paired]),
        ),
    )


@pytest.fixture(scope="module")
def logged(
    tracker: tracking.Tracker, run: records.Records, settings: Settings, build: Path, model: LinearRegression
) -> Any:
    """A run as MLflow has it."""
    return tracker._client.get_run(tracker.log(run, settings, build, model))


def test_a_run_is_found_by_what_made_it(logged: Any) -> None:
    """The commit, the run key and the verdict are tags; the name says which model it was."""
    tags = {"mlflow.source.git.commit": "c0ffee", "run_key": KEY, "verdict": "better", "gates": "passed"}
    tags["against"] = "champion v3"
    assert tags.items() <= logged.data.tags.items()
    assert logged.info.run_name == "01234567 good"
    assert logged.info.status == "FINISHED"


def test_every_number_is_there_with_its_interval(logged: Any) -> None:
    """MLflow's charts need the bounds as metrics of their own."""
    names = {
        f"r2{kind}{end}" for kind in ("", "_difference", "_over_champion") for end in ("", "_low", "_high")
    }
    assert names | {"latency_ms", "test_rows"} == logged.data.metrics.keys()
    assert (0.6, 0.8) == (logged.data.metrics["r2_low"], logged.data.metrics["r2_high"])


def test_settings_are_parameters(logged: Any, settings: Settings) -> None:
    """Each key of params.yaml can be searched for."""
    assert settings.data.target == logged.data.params["data.target"]
    assert str(settings.train.seed) == logged.data.params["train.seed"]
    assert logged.data.params["estimator"] == "LinearRegression()"


def test_the_data_are_named_by_their_digests(logged: Any) -> None:
    """Two runs on the same files show the same dataset."""
    [dataset] = [entry.dataset for entry in logged.inputs.dataset_inputs]
    assert dataset.name == "data.lock"
    assert "ab" * 32 in dataset.source


def test_candidates_are_nested_runs(logged: Any, tracker: tracking.Tracker) -> None:
    """Each has its folds; one that failed says why."""
    query = f"tags.`mlflow.parentRunId` = '{logged.info.run_id}'"
    children = tracker._client.search_runs([tracker._experiment], query)
    found = {child.info.run_name: child for child in children}
    assert {"good": "FINISHED", "bad": "FAILED"} == {name: child.info.status for name, child in found.items()}
    assert found["bad"].data.tags["reason"] == "It raised ValueError."
    history = tracker._client.get_metric_history(found["good"].info.run_id, "r2")
    assert [0.5, 0.7] == [metric.value for metric in history]


def test_reports_and_records_are_artifacts(logged: Any, tracker: tracking.Tracker, root: Path) -> None:
    """They lie in the project, not where the command happened to run."""
    found = {file.path for file in tracker._client.list_artifacts(logged.info.run_id)}
    assert {"report.md", "report.html", "model_card.md", "training.json"} <= found
    assert logged.info.artifact_uri.startswith(str(root / "mlartifacts"))


def test_the_challenger_is_logged_safely(logged: Any, tracker: tracking.Tracker) -> None:
    """In skops format, with its requirements and its inputs, and it predicts."""
    import mlflow

    [output] = logged.outputs.model_outputs
    uri = tracker._client.get_logged_model(output.model_id).artifact_location
    with tracking._use_store(tracker._uri):
        info = mlflow.models.get_model_info(uri)
        requirements = Path(mlflow.artifacts.download_artifacts(f"{uri}/requirements.txt")).read_text()
        loaded = mlflow.sklearn.load_model(uri)
    assert info.flavors["sklearn"]["serialization_format"] == "skops"
    assert {"scikit-learn==1.9.1", "skops==0.16.0"} == set(requirements.split()[1:])
    assert info.signature.inputs.input_names() == ["x"]
    np.testing.assert_allclose([2.0], loaded.predict([[2.0]]))


def test_no_telemetry_leaves_the_machine(tracker: tracking.Tracker) -> None:
    """MLflow is told before it is imported, and obeys."""
    from mlflow.telemetry.client import get_telemetry_client

    assert tracker is not None
    assert get_telemetry_client() is None


def test_what_fails_half_way_is_taken_back(
    tracker: tracking.Tracker,
    run: records.Records,
    settings: Settings,
    tmp_path: Path,
    model: LinearRegression,
) -> None:
    """A run without its model would look like a result."""
    before = len(tracker._client.search_runs([tracker._experiment]))
    (tmp_path / "bundle").mkdir()
    with pytest.raises(LifecycleError, match="is missing"):
        tracker.log(run, settings, tmp_path, model)
    assert before == len(tracker._client.search_runs([tracker._experiment]))


def test_a_store_that_is_locked_takes_nothing(
    tracker: tracking.Tracker,
    root: Path,
    run: records.Records,
    settings: Settings,
    build: Path,
    model: LinearRegression,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One sentence after a short wait, and no half of a run."""
    monkeypatch.setattr(store, "PATIENCE", 0.1)
    before = len(tracker._client.search_runs([tracker._experiment]))
    other = sqlite3.connect(root / "mlflow.db")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(LifecycleError, match=r"mlflow\.db.* locked"):
        tracker.log(run, settings, build, model)
    other.close()
    assert before == len(tracker._client.search_runs([tracker._experiment]))


def test_a_store_of_another_version_is_named(
    tracker: tracking.Tracker, root: Path, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence has the command that mends it."""
    assert tracker is not None
    shutil.copy(root / "mlflow.db", tmp_path / "old.db")
    with sqlite3.connect(tmp_path / "old.db") as old:
        old.execute("UPDATE alembic_version SET version_num = '451aebb31d03'")
    old.close()
    monkeypatch.setenv(store.VARIABLE, f"sqlite:///{tmp_path}/old.db")
    with pytest.raises(LifecycleError, match=r"old\.db is of another MLflow version.*mlflow db upgrade"):
        tracking.open_tracker(settings, root)


def test_a_deleted_experiment_is_named(
    tracker: tracking.Tracker, root: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow keeps the name of an experiment that was deleted."""
    monkeypatch.setenv(store.VARIABLE, tracker._uri)
    name = "gone"
    tracker._client.delete_experiment(tracker._client.create_experiment(name))
    track = settings.track.model_copy(update={"experiment": name})
    with pytest.raises(LifecycleError, match=r"'gone' was deleted; restore it"):
        tracking.open_tracker(settings.model_copy(update={"track": track}), root)


def test_a_server_that_does_not_answer_is_named(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one sentence, and not after minutes: MLflow is told to try again once."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv(store.VARIABLE, f"http://127.0.0.1:{port}")
    with pytest.raises(LifecycleError, match=f"127.0.0.1:{port} does not answer; start it, or unset"):
        tracking.open_tracker(settings, tmp_path)
    assert "1" == os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"]

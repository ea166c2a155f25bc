"""What was tried, in MLflow. Git is the truth, MLflow the notebook: nothing is ever read back from it."""

from __future__ import annotations

import json
import logging
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import LifecycleError
from .headline import name_other
from .records import CandidateResult, Estimate, Records
from .settings import Settings
from .store import ARTIFACTS, explain_errors, find_uri, is_server, prepare_environment, require_unlocked

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric
    from mlflow.models import ModelSignature
    from sklearn.base import BaseEstimator

    from .columns import ContractRecord

# What MLflow takes of one parameter.
LONGEST_PARAMETER = 6000
LONGEST_DIGEST = 36
MLFLOW_KINDS = {
    "integer": "long",
    "number": "double",
    "boolean": "boolean",
    "string": "string",
    "datetime": "datetime",
}


def open_tracker(settings: Settings, root: Path) -> Tracker:
    """Import MLflow, and connect to its store, making it where there is none.

    It takes seconds and may run in a thread beside other work.

    Raises
    ------
    LifecycleError
        If the store is locked, cannot be written, has another schema or does not answer.
    """
    uri = find_uri(root)
    require_unlocked(uri)
    prepare_environment()
    with explain_errors(uri):
        for name in ("skops.io", "mlflow.sklearn"):  # log() needs them, and for that somebody waits
            import_module(name)
        from mlflow import MlflowClient

        logging.getLogger("mlflow").setLevel(logging.ERROR)
        client = MlflowClient(tracking_uri=uri)
        return Tracker(client, uri, _find_experiment(client, settings.track.experiment, uri, root))


class Tracker:
    """An open MLflow store."""

    def __init__(self, client: MlflowClient, uri: str, experiment: str) -> None:
        self._client = client
        self._uri = uri
        self._experiment = experiment

    def log(self, records: Records, settings: Settings, build: Path, model: BaseEstimator) -> str:
        """Write a run down: one run, and one nested run a candidate.

        Parameters
        ----------
        records : Records
            Of a run that went through all stages.
        settings : Settings
        build : Path
            The folder with the reports, the records and the bundle.
        model : estimator
            The challenger.

        Returns
        -------
        str
            The id of the run.

        Raises
        ------
        LifecycleError
            If the store cannot be written. What had been written of the run is deleted again.
        """
        require_unlocked(self._uri)
        runs: list[str] = []
        with explain_errors(self._uri):
            try:
                return self._log(records, settings, build, model, runs)
            except BaseException:
                with suppress(Exception):
                    for run in reversed(runs):
                        self._client.delete_run(run)
                raise

    def _log(
        self, records: Records, settings: Settings, build: Path, model: BaseEstimator, runs: list[str]
    ) -> str:
        training = records.training
        assert training is not None
        run = self._start(f"{training.run_key[:8]} {training.challenger}", _describe_run(records), runs)
        self._client.log_batch(
            run, metrics=_collect_metrics(records), params=_collect_params(records, settings)
        )
        self._log_data(run, records)
        for candidate in training.candidates:
            self._log_candidate(candidate, training.metric, run, runs)
        for path in sorted(build.glob("*")):
            if path.suffix in (".json", ".md", ".html"):
                self._client.log_artifact(run, str(path))
        self._log_model(run, model, build / "bundle")
        self._client.set_terminated(run)
        return run

    def _start(self, name: str, tags: dict[str, str], runs: list[str]) -> str:
        run = self._client.create_run(self._experiment, run_name=name, tags=tags)
        runs.append(str(run.info.run_id))
        return runs[-1]

    def _log_candidate(self, candidate: CandidateResult, metric: str, parent: str, runs: list[str]) -> None:
        tags = {"mlflow.parentRunId": parent, "status": candidate.status, "reason": candidate.reason or ""}
        run = self._start(candidate.name, tags, runs)
        totals = {
            f"{metric}_mean": candidate.mean,
            f"{metric}_sd": candidate.sd,
            "seconds": candidate.seconds,
        }
        metrics = [_metric(metric, score, fold) for fold, score in enumerate(candidate.scores)]
        metrics += [_metric(name, value) for name, value in totals.items() if value is not None]
        self._client.log_batch(run, metrics=metrics)
        self._client.set_terminated(run, "FINISHED" if candidate.status == "ok" else "FAILED")

    def _log_data(self, run: str, records: Records) -> None:
        """Write down which files were trained on, by their digests."""
        from mlflow.entities import Dataset, DatasetInput

        assert records.validation is not None
        files = [file.model_dump(include={"path", "sha256", "rows"}) for file in records.validation.files]
        source = json.dumps(files)
        digest = sha256(source.encode()).hexdigest()[:LONGEST_DIGEST]
        profile = json.dumps({"num_rows": records.validation.rows})
        self._client.log_inputs(
            run, [DatasetInput(Dataset("data.lock", digest, "files", source, profile=profile))]
        )

    def _log_model(self, run: str, model: BaseEstimator, bundle: Path) -> None:
        """Log the challenger in MLflow's own layout; what is deployed is the bundle."""
        import mlflow

        from .columns import ContractRecord
        from .persistence import list_types, settle

        with _current(self._uri), mlflow.start_run(run_id=run), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mlflow.sklearn.log_model(
                settle(model),
                name="model",
                serialization_format="skops",
                skops_trusted_types=list_types(bundle / "model.skops"),
                pip_requirements=(bundle / "requirements.txt").read_text(encoding="utf-8").split(),
                signature=_describe_inputs(ContractRecord.read(bundle)),
            )


def _find_experiment(client: MlflowClient, name: str, uri: str, root: Path) -> str:
    from mlflow.exceptions import MlflowException

    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        # A server knows best where artifacts go.
        location = None if is_server(uri) else str((root / ARTIFACTS).absolute())
        try:
            return str(client.create_experiment(name, artifact_location=location))
        except MlflowException:  # two runs at once: the other one was faster
            experiment = client.get_experiment_by_name(name)
            if experiment is None:
                raise
    if experiment.lifecycle_stage == "deleted":
        raise LifecycleError(
            f"params.yaml: the MLflow experiment track.experiment '{name}' was deleted; restore it with "
            f"'mlflow experiments restore -x {experiment.experiment_id}' or choose another name."
        )
    return str(experiment.experiment_id)


def _describe_run(records: Records) -> dict[str, str]:
    training = records.training
    assert training is not None
    tags = {
        "run_key": training.run_key,
        "challenger": training.challenger,
        "reused": str(records.run.reused).lower(),
        "dirty": str(records.run.dirty).lower(),
        "mlflow.source.type": "PROJECT",
    }
    if records.comparison is not None:
        tags["verdict"] = records.comparison.verdict
        tags["gates"] = "passed" if records.comparison.passed else "failed"
        tags["against"] = name_other(records.comparison)
    if records.run.commit is not None:
        tags["mlflow.source.git.commit"] = records.run.commit
    return tags


def _collect_params(records: Records, settings: Settings) -> list[Any]:
    """Return the settings as ``section.name``, and the challenger as scikit-learn prints it."""
    from mlflow.entities import Param

    assert records.training is not None
    params = {**_flatten(settings.model_dump(mode="json")), "estimator": records.training.estimator}
    return [
        Param(name, str(value)[:LONGEST_PARAMETER]) for name, value in params.items() if value is not None
    ]


def _flatten(section: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in section.items():
        flat.update(
            _flatten(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
        )
    return flat


def _collect_metrics(records: Records) -> list[Metric]:
    """Return every metric with its interval, and what it is better than the baseline's and the champion's."""
    evaluation = records.evaluation
    assert evaluation is not None
    values = {"latency_ms": evaluation.latency_ms, "test_rows": evaluation.rows}
    for metric in evaluation.metrics:
        values |= _spread(metric.name, metric.model) | _spread(f"{metric.name}_difference", metric.difference)
    champion = records.comparison.champion if records.comparison else None
    for paired in champion.metrics if champion else []:
        values |= _spread(f"{paired.name}_over_champion", paired.difference)
    optional = {"calibration_error": evaluation.calibration_error, "error_p95": evaluation.error_p95}
    values.update({name: value for name, value in optional.items() if value is not None})
    return [_metric(name, value) for name, value in values.items()]


def _spread(name: str, estimate: Estimate) -> dict[str, float]:
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def _metric(name: str, value: float, step: int = 0) -> Metric:
    from mlflow.entities import Metric

    return Metric(name.replace(":", "."), value, int(time.time() * 1000), step)


def _describe_inputs(contract: ContractRecord) -> ModelSignature | None:
    """Return the features as an MLflow signature, or None where MLflow has no such type."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    columns = {column.name: column for column in contract.columns}
    features = [columns[name] for name in contract.features if name in columns]
    if any(column.kind not in MLFLOW_KINDS for column in features):
        return None
    inputs: list[Any] = [
        ColSpec(MLFLOW_KINDS[column.kind], column.name, required=not column.nullable) for column in features
    ]
    return ModelSignature(inputs=Schema(inputs))


@contextmanager
def _current(uri: str) -> Iterator[None]:
    """Make MLflow's global functions speak to our store, for a while."""
    import mlflow

    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)

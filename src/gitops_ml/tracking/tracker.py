"""Runs in MLflow. Git is the truth, MLflow the notebook: nothing is ever deployed from it."""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import LifecycleError
from ..core.records import CandidateResult, Records, TrainingRecord
from ..core.settings import Settings
from .payload import (
    collect_metrics,
    collect_origin_params,
    collect_params,
    describe_origin,
    describe_run,
    list_metrics,
    make_metric,
    make_signature,
)
from .store import (
    ARTIFACTS,
    VARIABLE,
    explain_errors,
    find_uri,
    is_server,
    prepare_environment,
    require_unlocked,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from sklearn.base import BaseEstimator

    from ..bundle.bundle import Bundle

# What MLflow takes of a digest.
LONGEST_DIGEST = 36


def open_tracker(settings: Settings, root: Path) -> Tracker:
    """Import MLflow, and open its store, which is made where there is none.

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
        """Log a run: one run of MLflow, with a nested run for each candidate.

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
        with self._begin() as runs:
            return self._log(records, settings, build, model, runs)

    def log_bundle(self, bundle: Bundle) -> str:
        """Log the model of a bundle, as one run.

        Parameters
        ----------
        bundle : Bundle
            Loaded with the code that it keeps.

        Returns
        -------
        str
            The id of the run.

        Raises
        ------
        LifecycleError
            If a record of the bundle cannot be read, or as ``log``.
        """
        from ..bundle.manifest import MetricsRecord

        lineage, training = bundle.lineage, TrainingRecord.read(bundle.folder)
        metrics = list_metrics(MetricsRecord.read(bundle.folder).metrics)
        with self._begin() as runs:
            run = self._start(f"{lineage.run_key[:8]} {lineage.challenger}", describe_origin(lineage), runs)
            self._client.log_batch(run, metrics=metrics, params=collect_origin_params(lineage, training))
            self._finish(run, bundle.folder, bundle.model, bundle.folder)
            return run

    @contextmanager
    def _begin(self) -> Iterator[list[str]]:
        """Yield a list for ids of runs, which are deleted again if the block raises."""
        require_unlocked(self._uri)
        runs: list[str] = []
        with explain_errors(self._uri):
            try:
                yield runs
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
        run = self._start(f"{training.run_key[:8]} {training.challenger}", describe_run(records), runs)
        self._client.log_batch(
            run, metrics=collect_metrics(records), params=collect_params(records, settings)
        )
        self._log_data(run, records)
        for candidate in training.candidates:
            self._log_candidate(candidate, training.metric, run, runs)
        self._finish(run, build, model, build / "bundle")
        return run

    def _finish(self, run: str, folder: Path, model: BaseEstimator, bundle: Path) -> None:
        """Log the records and reports of a folder and the model of a bundle, and end the run."""
        for path in sorted(folder.glob("*")):
            if path.suffix in (".json", ".md", ".html"):
                self._client.log_artifact(run, str(path))
        self._log_model(run, model, bundle)
        self._client.set_terminated(run)

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
        metrics = [make_metric(metric, score, fold) for fold, score in enumerate(candidate.scores)]
        metrics += [make_metric(name, value) for name, value in totals.items() if value is not None]
        self._client.log_batch(run, metrics=metrics)
        self._client.set_terminated(run, "FINISHED" if candidate.status == "ok" else "FAILED")

    def _log_data(self, run: str, records: Records) -> None:
        """Log the files of data as the input of a run, by their digests."""
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

        from ..bundle.model_file import list_types, unwrap_searches
        from ..bundle.requirements import list_pins
        from ..contract.export import ContractRecord

        with _use_store(self._uri), mlflow.start_run(run_id=run), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mlflow.sklearn.log_model(
                unwrap_searches(model),
                name="model",
                serialization_format="skops",
                skops_trusted_types=list_types(bundle / "model.skops"),
                # MLflow's own file cannot hold hashes; that of the bundle does.
                pip_requirements=list_pins((bundle / "requirements.txt").read_text(encoding="utf-8")),
                signature=make_signature(ContractRecord.read(bundle)),
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


@contextmanager
def _use_store(uri: str) -> Iterator[None]:
    """Make a store that of MLflow's global functions, for a while."""
    import mlflow

    before = os.environ.get(VARIABLE)
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        # It has changed the environment, too, and would stay with its first URI.
        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]
        if before is not None:
            os.environ[VARIABLE] = before

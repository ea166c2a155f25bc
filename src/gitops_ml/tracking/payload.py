"""Payload of an MLflow run: tags, parameters, metrics and the signature of the inputs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..core.records import Estimate, MetricResult, Records, TrainingRecord
from ..core.settings import Settings
from ..report.headline import name_other

if TYPE_CHECKING:
    from mlflow.entities import Metric, Param
    from mlflow.models import ModelSignature

    from ..bundle.manifest import LineageRecord
    from ..contract.export import ContractRecord

RUN_KEY = "run_key"
COMMIT = "mlflow.source.git.commit"
# What MLflow takes of one parameter.
LONGEST_PARAMETER = 6000
MLFLOW_KINDS = {
    "integer": "long",
    "number": "double",
    "boolean": "boolean",
    "string": "string",
    "datetime": "datetime",
}


def describe_run(records: Records) -> dict[str, str]:
    """Return the tags of a run, by which it is found again."""
    training = records.training
    assert training is not None
    tags = {
        RUN_KEY: training.run_key,
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
        tags[COMMIT] = records.run.commit
    return tags


def describe_origin(lineage: LineageRecord) -> dict[str, str]:
    """Return the tags of a run that is logged from a bundle, long after it was."""
    tags = {
        RUN_KEY: lineage.run_key,
        "challenger": lineage.challenger,
        "dirty": str(lineage.dirty).lower(),
        "written_from": "bundle",
        "mlflow.source.type": "PROJECT",
    }
    if lineage.commit is not None:
        tags[COMMIT] = lineage.commit
    return tags


def collect_params(records: Records, settings: Settings) -> list[Param]:
    """Return the settings as ``section.name``, and the challenger as scikit-learn prints it."""
    assert records.training is not None
    return _params({**_flatten(settings.model_dump(mode="json")), "estimator": records.training.estimator})


def collect_origin_params(lineage: LineageRecord, training: TrainingRecord) -> list[Param]:
    """Return the parameters of a run that is logged from a bundle."""
    facts = lineage.model_dump(include={"data_lock", "split", "boundary", "train_rows", "test_rows"})
    return _params({**facts, "seed": training.seed, "estimator": training.estimator})


def collect_metrics(records: Records) -> list[Metric]:
    """Return each metric with its interval, and the paired differences to baseline and champion."""
    evaluation = records.evaluation
    assert evaluation is not None
    values = {"latency_ms": evaluation.latency_ms, "test_rows": evaluation.rows}
    champion = records.comparison.champion if records.comparison else None
    for paired in champion.metrics if champion else []:
        values |= _spread(f"{paired.name}_over_champion", paired.difference)
    optional = {"calibration_error": evaluation.calibration_error, "error_p95": evaluation.error_p95}
    values.update({name: value for name, value in optional.items() if value is not None})
    return [*list_metrics(evaluation.metrics), *(make_metric(name, value) for name, value in values.items())]


def list_metrics(results: list[MetricResult]) -> list[Metric]:
    """Return metrics with their intervals, and the paired differences to the baseline."""
    values: dict[str, float] = {}
    for metric in results:
        values |= _spread(metric.name, metric.model) | _spread(f"{metric.name}_difference", metric.difference)
    return [make_metric(name, value) for name, value in values.items()]


def make_metric(name: str, value: float, step: int = 0) -> Metric:
    """Return a metric under a name that MLflow takes."""
    from mlflow.entities import Metric

    return Metric(name.replace(":", "."), value, int(time.time() * 1000), step)


def make_signature(contract: ContractRecord) -> ModelSignature | None:
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


def _params(values: dict[str, Any]) -> list[Param]:
    from mlflow.entities import Param

    return [
        Param(name, str(value)[:LONGEST_PARAMETER]) for name, value in values.items() if value is not None
    ]


def _flatten(section: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in section.items():
        flat.update(
            _flatten(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
        )
    return flat


def _spread(name: str, estimate: Estimate) -> dict[str, float]:
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}

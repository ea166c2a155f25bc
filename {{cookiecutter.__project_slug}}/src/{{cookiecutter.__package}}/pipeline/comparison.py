"""Whether the challenger is better, and whether it may be merged."""

from __future__ import annotations

from typing import Literal

from .errors import LifecycleError
from .records import ComparisonRecord, Estimate, EvaluationRecord, Gate, MetricResult, ValidationRecord
from .settings import Settings
from .wording import name_metric, plural, write_metric, write_number

Verdict = Literal["better", "no worse", "worse", "cannot tell"]


def compare(
    validation: ValidationRecord, evaluation: EvaluationRecord, settings: Settings, bundle_bytes: int
) -> ComparisonRecord:
    """Reach the verdict on the primary metric and check the gates.

    Parameters
    ----------
    validation : ValidationRecord
    evaluation : EvaluationRecord
    settings : Settings
        A gate whose limit is not set in ``gates`` is not checked.
    bundle_bytes : int
        Size of the bundle.

    Raises
    ------
    LifecycleError
        If the evaluation does not hold the primary metric.
    """
    metric = _find_primary(evaluation, settings)
    margin = settings.gates.margin_of(metric.baseline.value)
    gates = [_contract_holds(validation), _beats_baseline(metric)]
    if settings.problem == "classification":
        gates += _bound_calibration(evaluation, settings)
    else:
        gates += _bound_error(evaluation, settings)
    gates += _bound_latency(evaluation, settings) + _bound_size(bundle_bytes, settings)
    return ComparisonRecord(
        against="baseline",
        verdict=decide(metric.difference.low, metric.difference.high, margin),
        metric=metric.name,
        difference=metric.difference,
        margin=margin,
        gates=gates,
    )


def decide(low: float, high: float, margin: float) -> Verdict:
    """Return the verdict on an interval of a difference, where up is good.

    Parameters
    ----------
    low, high : float
        Ends of the 95 % interval of challenger minus what it is compared with.
    margin : float
        How much worse still counts as no worse, 0 or more, in the same unit.

    Returns
    -------
    {"better", "no worse", "worse", "cannot tell"}
        The first that holds: *better* if all of the interval is above 0, *no worse* if all of it
        is above minus the margin, *worse* if all of it is below 0, else *cannot tell*.
    """
    if low > 0:
        return "better"
    if low > -margin:
        return "no worse"
    return "worse" if high < 0 else "cannot tell"


def _find_primary(evaluation: EvaluationRecord, settings: Settings) -> MetricResult:
    for metric in evaluation.metrics:
        if metric.name == settings.train.metric:
            return metric
    raise LifecycleError(
        f"build/evaluation.json does not hold the primary metric '{settings.train.metric}' of params.yaml; "
        "run 'mlops evaluate'."
    )


def _contract_holds(validation: ValidationRecord) -> Gate:
    errors = [finding for finding in validation.findings if finding.level == "error"]
    rows = plural(validation.rows, "row")
    if validation.passed:
        aside = f", {validation.quarantined:,} set aside" if validation.quarantined else ""
        evidence = f"{rows} checked{aside}"
    elif errors:
        evidence = (
            f"{plural(len(errors), 'check')} failed on {rows}, first {errors[0].column}: {errors[0].check}"
        )
    else:
        evidence = f"the data did not pass validation, {rows} checked"
    return Gate(name="contract holds", passed=validation.passed, evidence=evidence)


def _beats_baseline(metric: MetricResult) -> Gate:
    gain = write_metric(metric.name, metric.difference, like=_finest(metric), sign="+")
    passed = metric.difference.low > 0
    end = "over the baseline" if passed else "over the baseline; expected all of the interval above 0"
    return Gate(name="beats baseline", passed=passed, evidence=f"{name_metric(metric.name)} {gain} {end}")


def _finest(metric: MetricResult) -> Estimate:
    """Return the estimate that tells how many digits are worth showing."""
    return min(metric.model, metric.difference, key=lambda estimate: abs(estimate.value) or 1.0)


def _bound_calibration(evaluation: EvaluationRecord, settings: Settings) -> list[Gate]:
    limit, error = settings.gates.max_calibration_error, evaluation.calibration_error
    if limit is None:
        return []
    if error is None:
        evidence = "the challenger gives no probabilities to check; remove gates.max_calibration_error"
        return [Gate(name="calibration", passed=False, evidence=evidence)]
    return [_bound("calibration", "calibration error", error, limit)]


def _bound_error(evaluation: EvaluationRecord, settings: Settings) -> list[Gate]:
    limit, error = settings.gates.max_error, evaluation.error_p95
    if limit is None or error is None:
        return []
    return [_bound("error bound", "95 % of errors within", error, limit)]


def _bound_latency(evaluation: EvaluationRecord, settings: Settings) -> list[Gate]:
    limit = settings.gates.max_latency_ms
    return [] if limit is None else [_bound("latency", "one row in", evaluation.latency_ms, limit, " ms")]


def _bound_size(bundle_bytes: int, settings: Settings) -> list[Gate]:
    limit = settings.gates.max_size_mb
    return [] if limit is None else [_bound("size", "bundle of", bundle_bytes / 1e6, limit, " MB")]


def _bound(name: str, what: str, value: float, limit: float, unit: str = "") -> Gate:
    evidence = f"{what} {write_number(value)}{unit}, at most {limit:g}{unit}"
    return Gate(name=name, passed=value <= limit, evidence=evidence)

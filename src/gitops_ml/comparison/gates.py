"""The rules that must hold to merge, each with the numbers behind it."""

from __future__ import annotations

from datetime import UTC, date, datetime

from ..core.formatting import name_metric, plural, write_amount, write_metric, write_number
from ..core.records import (
    ChampionResult,
    Estimate,
    EvaluationRecord,
    Gate,
    MetricResult,
    PairedMetric,
    PairedSlice,
    ValidationRecord,
    Verdict,
    WaiverResult,
)
from ..core.settings import Settings, Waiver


def check_gates(
    validation: ValidationRecord,
    evaluation: EvaluationRecord,
    primary: MetricResult,
    settings: Settings,
    bundle_bytes: int,
) -> list[Gate]:
    """Check the gates that need no champion.

    Parameters
    ----------
    validation : ValidationRecord
    evaluation : EvaluationRecord
    primary : MetricResult
        The primary metric of the evaluation.
    settings : Settings
        A gate whose limit is not set in ``gates`` is not checked.
    bundle_bytes : int
        Size of the bundle.
    """
    gates = [_contract_holds(validation), _beats_baseline(primary)]
    if settings.problem == "classification":
        gates += _bound_calibration(evaluation, settings)
    else:
        gates += _bound_error(evaluation, settings)
    return gates + _bound_latency(evaluation, settings) + _bound_size(bundle_bytes, settings)


def guard_champion(
    champion: ChampionResult, primary: PairedMetric | None, verdict: Verdict, margin: float
) -> list[Gate]:
    """Check the gates that keep a worse model from replacing the champion.

    Parameters
    ----------
    champion : ChampionResult
    primary : PairedMetric or None
        The primary metric of both; None where they are the same or cannot be compared.
    verdict : str
        On that metric.
    margin : float
        How much worse still counts as no worse, in the metric's unit.
    """
    passed = verdict in ("better", "no worse")
    return [
        Gate(
            name="no worse than champion",
            passed=passed,
            evidence=_describe_difference(champion, primary, margin, passed),
        ),
        *_guard_slices(champion, primary),
    ]


def waive(gates: list[Gate], settings: Settings) -> list[Gate]:
    """Note on each gate that does not hold whether somebody has waived it.

    Parameters
    ----------
    gates : list of Gate
    settings : Settings
        ``gates.waive`` names gates, each until the end of a day (UTC).
    """
    today = datetime.now(UTC).date()
    waivers: dict[str, Waiver] = {
        waiver.gate: waiver for waiver in sorted(settings.gates.waive, key=lambda one: one.until)
    }
    return [_waive_one(gate, waivers.get(gate.name), today) for gate in gates]


def _describe_difference(
    champion: ChampionResult, primary: PairedMetric | None, margin: float, passed: bool
) -> str:
    if champion.same:
        return f"the same model as {champion.name}"
    if primary is None:
        return f"cannot be compared: {champion.obstacle}"
    name = name_metric(primary.name)
    gain = write_metric(primary.name, primary.difference, like=_finest(primary.difference), sign="+")
    limit = write_amount(primary.name, margin)
    end = "" if passed else "; expected all of the interval above minus the margin"
    return f"{name} {gain} over {champion.name}, margin {limit}{end}"


def _guard_slices(champion: ChampionResult, primary: PairedMetric | None) -> list[Gate]:
    if primary is None or not champion.slices:
        return []
    worse = sorted(
        (piece for piece in champion.slices if piece.verdict == "worse"),
        key=lambda piece: piece.difference.high,
    )
    evidence = f"none of {plural(len(champion.slices), 'slice')} significantly worse"
    if worse:
        more = f", and {len(worse) - 1} more" if len(worse) > 1 else ""
        evidence = f"{_describe_slice(worse[0], primary.name)}{more}"
    return [Gate(name="slices", passed=not worse, evidence=evidence)]


def _describe_slice(piece: PairedSlice, metric: str) -> str:
    loss = write_metric(metric, piece.difference, like=_finest(piece.difference), sign="+")
    return f"{piece.column} = {piece.level} is worse: {name_metric(metric)} {loss}"


def _waive_one(gate: Gate, waiver: Waiver | None, today: date) -> Gate:
    if gate.passed or waiver is None:
        return gate
    until = waiver.until
    result = WaiverResult(reason=waiver.reason, until=until.isoformat(), expired=today > until)
    return gate.model_copy(update={"waiver": result})


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
    gain = write_metric(
        metric.name, metric.difference, like=_finest(metric.model, metric.difference), sign="+"
    )
    passed = metric.difference.low > 0
    end = "over the baseline" if passed else "over the baseline; expected all of the interval above 0"
    return Gate(name="beats baseline", passed=passed, evidence=f"{name_metric(metric.name)} {gain} {end}")


def _finest(*estimates: Estimate) -> Estimate:
    """Return the estimate whose decimals suit them all."""
    return min(estimates, key=lambda estimate: abs(estimate.value) or 1.0)


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

"""Lines of the console: one sentence for each record."""

from __future__ import annotations

from ..core.formatting import plural
from ..core.records import (
    ComparisonRecord,
    Estimate,
    EvaluationRecord,
    Finding,
    Gate,
    Record,
    Records,
    TrainingRecord,
    ValidationRecord,
)


def describe_record(record: Record, records: Records) -> str:
    """Say what a stage found out; nothing of a record that is only for reports.

    Parameters
    ----------
    record : Record
        Of the stage.
    records : Records
        Of the run so far, ``record`` among them.
    """
    match record:
        case ValidationRecord():
            return describe_validation(record)
        case TrainingRecord():
            return describe_training(record, records.run.reused)
        case EvaluationRecord():
            assert records.training is not None
            return describe_evaluation(record, records.training.metric)
        case ComparisonRecord():
            return describe_comparison(record)
    return ""


def describe_finding(finding: Finding) -> str:
    """Say what is wrong, where, how often, and show an example."""
    where = "the table" if finding.column == "table" else finding.column
    often = f", {finding.count:,} rows ({finding.share:.1%})" if finding.count else ""
    example = f", such as {finding.examples[0]}" if finding.examples else ""
    return f"{where}: {finding.check}{often}{example}"


def describe_validation(record: ValidationRecord) -> str:
    """Say what was read and what was found."""
    parts = [f"{record.rows:,} rows from {plural(len(record.files), 'file')}"]
    parts.append(plural(len(record.findings), "finding") if record.findings else "the contract holds")
    if record.quarantined:
        parts.append(f"{record.quarantined:,} rows set aside")
    if record.waiting:
        waiting = plural(len(record.waiting), "file")
        parts.append(f"{waiting} not accepted yet (mlops data status)")
    return ", ".join(parts)


def describe_training(record: TrainingRecord, reused: bool) -> str:
    """Say which candidate won, against which others."""
    if reused:
        return f"{record.challenger}, reused: nothing that can change the model has changed"
    if len(record.candidates) == 1:
        return f"{record.challenger}, the only candidate"
    scores = ", ".join(_describe_candidate(result.name, result.mean) for result in record.candidates)
    return f"{record.challenger} won: {record.metric} {scores}"


def describe_evaluation(record: EvaluationRecord, metric: str) -> str:
    """Say how good the challenger is on the primary metric."""
    result = next(result for result in record.metrics if result.name == metric)
    return f"{metric} {format_estimate(result.model)} on {record.rows:,} test rows"


def describe_comparison(record: ComparisonRecord) -> str:
    """Say the verdict and how the gates stand."""
    held = sum(gate.passed for gate in record.gates)
    failing = "".join(f"; {gate.name} does not: {gate.evidence}" for gate in record.gates if not gate.passed)
    gates = f"{held} of {len(record.gates)} gates hold{failing}"
    return f"{_describe_verdict(record)}; {gates}"


def describe_failure(gate: Gate) -> str:
    """Say in one line which gate stands in the way, and why."""
    expired = f"; its waiver expired on {gate.waiver.until}" if gate.waiver else ""
    return f"gate '{gate.name}' does not hold: {gate.evidence}{expired}"


def describe_success(record: ComparisonRecord) -> str:
    """Say that nothing stands in the way, and what was waived."""
    waived = [f"'{gate.name}' is waived until {gate.waiver.until}" for gate in record.gates if gate.waiver]
    if not waived:
        return f"All {plural(len(record.gates), 'gate')} hold."
    return f"{len(record.gates) - len(waived)} of {len(record.gates)} gates hold; {', '.join(waived)}."


def _describe_verdict(record: ComparisonRecord) -> str:
    other = f"the {record.champion.name if record.champion else 'baseline'}"
    if record.champion is not None and record.champion.same:
        return f"the same model as {other}"
    if record.difference is None:
        return f"cannot be compared with {other}"
    verdict = f"{record.verdict} than {other}"
    if record.verdict == "cannot tell":
        verdict = f"cannot tell it from {other}"
    return f"{verdict}: {record.metric} {_signed(record.difference)}"


def format_estimate(estimate: Estimate) -> str:
    """Return a value with its interval, to four significant digits."""
    return f"{estimate.value:.4g} [{estimate.low:.4g}, {estimate.high:.4g}]"


def _signed(estimate: Estimate) -> str:
    return f"{estimate.value:+.4g} [{estimate.low:+.4g}, {estimate.high:+.4g}]"


def _describe_candidate(name: str, mean: float | None) -> str:
    return f"{name} failed" if mean is None else f"{name} {mean:.4g}"

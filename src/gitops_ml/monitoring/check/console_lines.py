"""A look in a few lines, for people who run ``mlops monitor``."""

from __future__ import annotations

from ...core.formatting import plural, write_metric
from .records import DataLook, Judgement, MonitoringRecord, PerformanceLook, ServiceLook


def describe_record(record: MonitoringRecord) -> list[str]:
    """Say what a look found out, one line a thing."""
    lines = [f"Model {record.model or 'without a version'}, {record.time}"]
    lines += [f"{look.source:<12} {_describe_data(look)}" for look in record.data]
    if record.performance:
        lines.append(f"performance  {_describe_performance(record.performance)}")
    if record.service:
        lines.append(f"service      {_describe_service(record.service)}")
    lines += [f"{name:<12} skipped: {reason}" for name, reason in record.skipped.items()]
    for judgement in record.judgements:
        lines.append(f"{judgement.question + '?':<12} {_describe_judgement(judgement)}")
        lines += [f"             {reason}" for reason in judgement.reasons]
    due = "due" if record.retraining.due else "not due"
    return [*lines, f"retraining   {due}. {' '.join(record.retraining.reasons)}"]


def _describe_data(look: DataLook) -> str:
    moved = sum(column.moved for column in look.columns)
    files = f" of {plural(len(look.files), 'file')}" if look.files else ""
    broken = f", {plural(len(look.findings), 'file')} not as the contract says" if look.findings else ""
    skipped = f", {plural(len(look.notes), 'note')}" if look.notes else ""
    return f"{plural(look.rows, 'row')}{files}, {moved} of {len(look.columns)} columns moved{broken}{skipped}"


def _describe_performance(look: PerformanceLook) -> str:
    primary = look.metrics[0]
    live, before = write_metric(primary.name, primary.live), write_metric(primary.name, primary.before)
    return f"{primary.name} {live} on {plural(look.rows, 'labelled row')}, {before} when it was made"


def _describe_service(look: ServiceLook) -> str:
    slow = f", 95 % within {look.latency_ms['p95']:.0f} ms" if "p95" in look.latency_ms else ""
    return f"{plural(look.requests, 'request')}, {look.failure_rate:.2%} failed{slow}"


def _describe_judgement(judgement: Judgement) -> str:
    if judgement.violated is None:
        return "nothing to look at"
    if judgement.alarm:
        return "ALARM"
    return "something was found" if judgement.violated else "quiet"

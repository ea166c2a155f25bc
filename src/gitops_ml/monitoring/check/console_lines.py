"""A check in a few lines, for people who run ``mlops monitor``."""

from __future__ import annotations

from ...core.formatting import plural, write_metric
from .records import Alarm, DataCheck, MonitoringRecord, PerformanceCheck, ServiceCheck


def describe_record(record: MonitoringRecord) -> list[str]:
    """Say what a check found out, one line a thing."""
    lines = [f"Model {record.model or 'without a version'}, {record.time}"]
    lines += [f"{check.source:<12} {_describe_data(check)}" for check in record.data]
    if record.performance:
        lines.append(f"performance  {_describe_performance(record.performance)}")
    if record.service:
        lines.append(f"service      {_describe_service(record.service)}")
    lines += [f"{name:<12} skipped: {reason}" for name, reason in record.skipped.items()]
    for alarm in record.alarms:
        lines.append(f"{alarm.topic + '?':<12} {_describe_alarm(alarm)}")
        lines += [f"             {reason}" for reason in alarm.reasons]
    due = "due" if record.retraining.due else "not due"
    return [*lines, f"retraining   {due}. {' '.join(record.retraining.reasons)}"]


def _describe_data(check: DataCheck) -> str:
    moved = sum(column.moved for column in check.columns)
    files = f" of {plural(len(check.files), 'file')}" if check.files else ""
    broken = f", {plural(len(check.findings), 'file')} not as the contract says" if check.findings else ""
    skipped = f", {plural(len(check.notes), 'note')}" if check.notes else ""
    return (
        f"{plural(check.rows, 'row')}{files}, {moved} of {len(check.columns)} columns moved{broken}{skipped}"
    )


def _describe_performance(check: PerformanceCheck) -> str:
    primary = check.metrics[0]
    live, before = write_metric(primary.name, primary.live), write_metric(primary.name, primary.before)
    return f"{primary.name} {live} on {plural(check.rows, 'labelled row')}, {before} when it was made"


def _describe_service(check: ServiceCheck) -> str:
    slow = f", 95 % within {check.latency_ms['p95']:.0f} ms" if "p95" in check.latency_ms else ""
    return f"{plural(check.requests, 'request')}, {check.failure_rate:.2%} failed{slow}"


def _describe_alarm(alarm: Alarm) -> str:
    if alarm.violated is None:
        return "nothing to check"
    if alarm.raised:
        return "ALARM"
    return "something was found" if alarm.violated else "quiet"

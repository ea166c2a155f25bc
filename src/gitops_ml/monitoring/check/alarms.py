"""Alarms on data, performance and service: raised where enough of the last checks were violated."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from ...core.formatting import name_metric, plural, write_metric, write_number
from ...core.records import Finding
from ...core.settings import MonitorSettings
from .records import Alarm, Check, DataCheck, PerformanceCheck, ServiceCheck, Topic

# Columns, slices and files that are named one by one; the others are counted.
NAMED = 5


def raise_alarms(
    data: Sequence[DataCheck],
    performance: PerformanceCheck | None,
    service: ServiceCheck | None,
    checks: Sequence[Check],
    model: int | None,
    settings: MonitorSettings,
) -> list[Alarm]:
    """Raise an alarm on each topic that is violated at enough of the last checks.

    Parameters
    ----------
    data : sequence of DataCheck
    performance : PerformanceCheck or None
    service : ServiceCheck or None
    checks : sequence of Check
        The history, oldest first. Only the last checks of the same model count.
    model : int or None
        Version of the champion.
    settings : MonitorSettings
        ``violations``, such as ``2 of 3``: how many of how many checks, this one included. Checks
        at which a topic could not be checked are passed over.

    Returns
    -------
    list of Alarm
        One for each topic. It is not raised where there was nothing to check.
    """
    same = list(takewhile(lambda check: check.model == model, reversed(checks)))
    reasons: dict[Topic, list[str] | None] = {
        "data": _list_data_violations(data),
        "performance": _list_performance_violations(performance),
        "service": service.problems if service else None,
    }
    return [_raise_alarm(topic, found, same, settings) for topic, found in reasons.items()]


def _raise_alarm(
    topic: Topic, reasons: list[str] | None, newest_first: Sequence[Check], settings: MonitorSettings
) -> Alarm:
    if reasons is None:
        return Alarm(topic=topic, violated=None, raised=False)
    needed, among = settings.alarm_rule
    earlier = [check.violated[topic] for check in newest_first if topic in check.violated][: among - 1]
    bad, violated = sum(earlier) + bool(reasons), bool(reasons)
    raised = bad >= needed
    if violated or raised:
        told = f"Something was found at {bad} of {plural(len(earlier) + 1, 'check')}"
        rule = "an alarm" if raised else f"no alarm yet, as monitor.violations is {settings.violations}"
        reasons = [*reasons, f"{told}: {rule}."]
    return Alarm(topic=topic, violated=violated, raised=raised, reasons=reasons)


def _list_data_violations(checks: Sequence[DataCheck]) -> list[str] | None:
    """Return what has moved or breaks the contract, a sentence each; None where there are no rows."""
    if not any(check.rows or check.findings for check in checks):
        return None
    reasons = []
    for check in checks:
        where = "the new files" if check.source == "files" else "the prediction log"
        moved = [f"{one.column} ({one.change})" for one in check.columns if one.moved]
        if moved:
            reasons.append(f"{plural(len(moved), 'column')} of {where} moved: {_name_some(moved)}.")
        broken = list(check.findings.items())
        reasons += [_describe_violation(path, findings) for path, findings in broken[:NAMED]]
        if len(broken) > NAMED:
            reasons.append(f"{plural(len(broken) - NAMED, 'more file')} break the contract.")
    return reasons


def _describe_violation(path: str, findings: Sequence[Finding]) -> str:
    errors = [f"{one.column} {one.check}" for one in findings if one.level == "error"]
    return f"{path} breaks the contract: {_name_some(errors)}."


def _list_performance_violations(check: PerformanceCheck | None) -> list[str] | None:
    """Return where the champion is significantly worse; None where nothing could be measured."""
    if check is None or not check.metrics:
        return None
    primary = check.metrics[0]
    reasons = []
    if primary.worse:
        live, before = write_metric(primary.name, primary.live), write_metric(primary.name, primary.before)
        reasons.append(f"{name_metric(primary.name)} is {live} on new rows, {before} when it was made.")
    worse = [
        f"{one.column} {one.level} ({write_number(one.live.value)}, {write_number(one.before.value)} before)"
        for one in check.slices
        if one.worse and one.before
    ]
    if worse:
        reasons.append(f"Worse in {plural(len(worse), 'slice')}: {_name_some(worse)}.")
    return reasons


def _name_some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more

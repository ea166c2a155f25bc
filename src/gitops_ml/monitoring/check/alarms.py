"""What the three questions come to: whether a look speaks against production, and whether enough do."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from ...core.formatting import name_metric, plural, write_metric, write_number
from ...core.records import Finding
from ...core.settings import MonitorSettings
from .records import DataLook, Judgement, Look, PerformanceLook, Question, ServiceLook

# Columns, slices and files that are named one by one; the others are counted.
NAMED = 5


def judge(
    data: Sequence[DataLook],
    performance: PerformanceLook | None,
    service: ServiceLook | None,
    looks: Sequence[Look],
    model: int | None,
    settings: MonitorSettings,
) -> list[Judgement]:
    """Answer each question, and raise an alarm where enough of the last looks speak against production.

    Parameters
    ----------
    data : sequence of DataLook
    performance : PerformanceLook or None
    service : ServiceLook or None
    looks : sequence of Look
        The history, oldest first. Only the last looks at the same model count.
    model : int or None
        Version of the champion.
    settings : MonitorSettings
        ``violations``, such as ``2 of 3``: how many of how many looks, this one included. Looks
        at which a question could not be answered are passed over.

    Returns
    -------
    list of Judgement
        One for each question. Where there is nothing to look at, there is no alarm either.
    """
    same = list(takewhile(lambda look: look.model == model, reversed(looks)))
    reasons: dict[Question, list[str] | None] = {
        "data": _blame_data(data),
        "performance": _blame_performance(performance),
        "service": service.problems if service else None,
    }
    return [_judge_one(question, found, same, settings) for question, found in reasons.items()]


def _judge_one(
    question: Question, reasons: list[str] | None, newest_first: Sequence[Look], settings: MonitorSettings
) -> Judgement:
    if reasons is None:
        return Judgement(question=question, violated=None, alarm=False)
    needed, among = settings.looks
    earlier = [look.violated[question] for look in newest_first if question in look.violated][: among - 1]
    bad, violated = sum(earlier) + bool(reasons), bool(reasons)
    alarm = bad >= needed
    if violated or alarm:
        told = f"Something was found at {bad} of {plural(len(earlier) + 1, 'look')}"
        rule = "an alarm" if alarm else f"no alarm yet, as monitor.violations is {settings.violations}"
        reasons = [*reasons, f"{told}: {rule}."]
    return Judgement(question=question, violated=violated, alarm=alarm, reasons=reasons)


def _blame_data(looks: Sequence[DataLook]) -> list[str] | None:
    """Return why the data no longer look like the training data; None where there are none."""
    if not any(look.rows or look.findings for look in looks):
        return None
    reasons = []
    for look in looks:
        where = "the new files" if look.source == "files" else "the prediction log"
        moved = [f"{one.column} ({one.change})" for one in look.columns if one.moved]
        if moved:
            reasons.append(f"{plural(len(moved), 'column')} of {where} moved: {_name_some(moved)}.")
        broken = list(look.findings.items())
        reasons += [_describe_breach(path, findings) for path, findings in broken[:NAMED]]
        if len(broken) > NAMED:
            reasons.append(f"{plural(len(broken) - NAMED, 'more file')} break the contract.")
    return reasons


def _describe_breach(path: str, findings: Sequence[Finding]) -> str:
    errors = [f"{one.column} {one.check}" for one in findings if one.level == "error"]
    return f"{path} breaks the contract: {_name_some(errors)}."


def _blame_performance(look: PerformanceLook | None) -> list[str] | None:
    """Return where the champion has surely become worse; None where nothing could be measured."""
    if look is None or not look.metrics:
        return None
    primary = look.metrics[0]
    reasons = []
    if primary.worse:
        live, before = write_metric(primary.name, primary.live), write_metric(primary.name, primary.before)
        reasons.append(f"{name_metric(primary.name)} is {live} on new rows, {before} when it was made.")
    worse = [
        f"{one.column} {one.level} ({write_number(one.live.value)}, {write_number(one.before.value)} before)"
        for one in look.slices
        if one.worse and one.before
    ]
    if worse:
        reasons.append(f"Worse in {plural(len(worse), 'slice')}: {_name_some(worse)}.")
    return reasons


def _name_some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more

"""The report of a check: a headline, lines for the console, Markdown for issue and pull request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...core.formatting import plural, write_metric
from ...core.settings import MonitorSettings
from ...report.headline import Headline
from ...report.markdown import LENGTHS, LIMIT, make_markdown_environment, tidy
from .. import TEMPLATES
from .charts import pair_importances
from .records import Alarm, Check, DataCheck, MonitoringRecord, PerformanceCheck, ServiceCheck, Source, Topic

QUESTIONS: dict[Topic, str] = {
    "data": "Do the data still look like the training data?",
    "performance": "Is the model still good?",
    "service": "Is the service well?",
}
# What is checked for each topic, as a record names it where it was skipped.
PARTS: dict[Topic, tuple[str, ...]] = {
    "data": ("files", "log"),
    "performance": ("performance",),
    "service": ("service",),
}
RAISED: dict[Topic, str] = {
    "data": "its data have moved",
    "performance": "it has become worse",
    "service": "the service is not well",
}
PENDING: dict[Topic, str] = {
    "data": "its data may have moved",
    "performance": "it may have become worse",
    "service": "the service may not be well",
}
SOURCES: dict[Source, str] = {"files": "New files", "log": "The prediction log"}
# So many checks make one line of signs.
LINE = 30


def name_model(version: int | None) -> str:
    """Return what to call the model in production."""
    return "the champion" if version is None else f"model {version}"


def mark_alarm(alarm: Alarm) -> str:
    """Return a sign for the state of an alarm."""
    if alarm.raised:
        return "❌"
    return {None: "–", True: "⚠️", False: "✅"}[alarm.violated]


def name_state(alarm: Alarm) -> str:
    """Return the state of an alarm in a few words."""
    if alarm.raised:
        return "alarm"
    return {None: "not checked", True: "no alarm yet", False: "quiet"}[alarm.violated]


def write_headline(record: MonitoringRecord) -> Headline:
    """Return the outcome of a check: a sign, a title and a few sentences."""
    raised = [alarm.topic for alarm in record.alarms if alarm.raised]
    pending = [alarm.topic for alarm in record.alarms if alarm.violated]
    name, text = name_model(record.model).capitalize(), _summarise(record)
    if raised:
        return Headline("❌", f"{name}: {_enumerate(RAISED[topic] for topic in raised)}", text)
    if pending:
        title = f"{name}: {_enumerate(PENDING[topic] for topic in pending)}"
        return Headline("⚠️", title, f"It takes more checks to tell. {text}")
    if all(alarm.violated is None for alarm in record.alarms):
        return Headline("⚠️", f"{name}: there was nothing to check", text)
    return Headline("✅", f"{name} is doing well", text)


def write_lines(record: MonitoringRecord) -> list[str]:
    """Return a check in lines for the console."""
    lines = [f"Model {record.model or 'without a version'}, {record.time}"]
    lines += [f"{check.source:<12} {_describe_data(check)}" for check in record.data]
    if record.performance:
        lines.append(f"performance  {_describe_performance(record.performance)}")
    if record.service:
        lines.append(f"service      {_describe_service(record.service)}")
    lines += [f"{name:<12} skipped: {reason}" for name, reason in record.skipped.items()]
    for alarm in record.alarms:
        lines.append(f"{alarm.topic + '?':<12} {name_state(alarm)}")
        lines += [f"             {reason}" for reason in alarm.reasons]
    due = "due" if record.retraining.due else "not due"
    return [*lines, f"retraining   {due}. {' '.join(record.retraining.reasons)}"]


def list_decisions(record: MonitoringRecord, settings: MonitorSettings) -> dict[str, bool]:
    """Return what a workflow acts on: ``alarm``, whether a retraining is ``due``, and ``automerge``."""
    return {"alarm": record.is_alarming, "due": record.retraining.due, "automerge": settings.automerge}


def render_markdown(record: MonitoringRecord, checks: Sequence[Check]) -> str:
    """Return a check as GitHub's Markdown; the first line says what happened.

    Parameters
    ----------
    record : MonitoringRecord
        What this check found.
    checks : sequence of Check
        The history, the oldest first; the last one is this check.

    Returns
    -------
    str
        Fewer than ``LIMIT`` characters, whatever the data hold: long lists are cut, and say so.
    """
    contents = {
        "record": record,
        "headline": write_headline(record),
        "questions": QUESTIONS,
        "parts": PARTS,
        "sources": SOURCES,
        "marks": [mark_alarm(alarm) for alarm in record.alarms],
        "signs": "".join(map(_sign, checks[-LINE:])),
        "importances": pair_importances(record.performance),
    }
    return _render("monitoring.md.jinja", contents)


def render_proposal(record: MonitoringRecord) -> str:
    """Return the text of a retraining pull request, as `render_markdown` does.

    Parameters
    ----------
    record : MonitoringRecord
        A check at which a retraining is due.
    """
    findings = {path: found for check in record.data for path, found in check.findings.items()}
    contents = {"retraining": record.retraining, "findings": findings, "name": name_model(record.model)}
    return _render("retraining.md.jinja", contents)


def _render(template: str, contents: Mapping[str, Any]) -> str:
    """Fill a template, with lists cut until the text is short enough."""
    prepared = make_markdown_environment(TEMPLATES).get_template(template)
    for most in LENGTHS:
        text = tidy(prepared.render(contents, most=most))
        if len(text) < LIMIT:
            break
    return text


def _sign(check: Check) -> str:
    if check.alarm:
        return "🟥"
    return "🟨" if any(check.violated.values()) else "🟩" if check.violated else "⬜"


def _summarise(record: MonitoringRecord) -> str:
    """Say how much was checked, and whether a retraining is due."""
    checked = [_count_rows(check) for check in record.data]
    if record.performance is not None:
        checked.append(plural(record.performance.rows, "row") + " with labels")
    if record.service is not None:
        checked.append(plural(record.service.requests, "request"))
    due = "A retraining pull request is due." if record.retraining.due else "No retraining is due."
    return f"Checked {_enumerate(checked)}. {due}" if checked else due


def _count_rows(check: DataCheck) -> str:
    if check.source == "log":
        return f"{plural(check.rows, 'prediction')} in the log"
    return f"{plural(check.rows, 'row')} of {plural(len(check.files), 'new file')}"


def _enumerate(parts: Iterable[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def _describe_data(check: DataCheck) -> str:
    moved = sum(column.moved for column in check.columns)
    files = f" of {plural(len(check.files), 'file')}" if check.files else ""
    broken = f", {plural(len(check.findings), 'file')} not as the contract says" if check.findings else ""
    skipped = f", {plural(len(check.notes), 'note')}" if check.notes else ""
    rows, columns = plural(check.rows, "row"), len(check.columns)
    return f"{rows}{files}, {moved} of {columns} columns moved{broken}{skipped}"


def _describe_performance(check: PerformanceCheck) -> str:
    primary = check.metrics[0]
    live, before = write_metric(primary.name, primary.live), write_metric(primary.name, primary.before)
    return f"{primary.name} {live} on {plural(check.rows, 'labelled row')}, {before} when it was made"


def _describe_service(check: ServiceCheck) -> str:
    slow = f", 95 % within {check.latency_ms['p95']:.0f} ms" if "p95" in check.latency_ms else ""
    return f"{plural(check.requests, 'request')}, {check.failure_rate:.2%} failed{slow}"

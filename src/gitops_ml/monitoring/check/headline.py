"""What a check comes to, in one line and a few sentences."""

from __future__ import annotations

from collections.abc import Iterable

from ...core.formatting import plural
from ...report.headline import Headline
from .records import Alarm, DataCheck, MonitoringRecord, Topic

QUESTIONS: dict[Topic, str] = {
    "data": "Do the data still look like the training data?",
    "performance": "Is the model still good?",
    "service": "Is the service well?",
}
# What is checked for each topic, as a record names it where it was skipped.
ASKED: dict[Topic, tuple[str, ...]] = {
    "data": ("files", "log"),
    "performance": ("performance",),
    "service": ("service",),
}
ALARMS: dict[Topic, str] = {
    "data": "its data have moved",
    "performance": "it has become worse",
    "service": "the service is not well",
}
SUSPICIONS: dict[Topic, str] = {
    "data": "its data may have moved",
    "performance": "it may have become worse",
    "service": "the service may not be well",
}


def name_model(version: int | None) -> str:
    """Return what to call the model in production."""
    return "the champion" if version is None else f"model {version}"


def mark(alarm: Alarm) -> str:
    """Return a sign for the state of an alarm."""
    if alarm.raised:
        return "❌"
    return {None: "–", True: "⚠️", False: "✅"}[alarm.violated]


def state(alarm: Alarm) -> str:
    """Return the state of an alarm in a few words."""
    if alarm.raised:
        return "alarm"
    return {None: "not checked", True: "no alarm yet", False: "quiet"}[alarm.violated]


def write_headline(record: MonitoringRecord) -> Headline:
    """Say what a check comes to."""
    alarms = [alarm.topic for alarm in record.alarms if alarm.raised]
    suspicions = [alarm.topic for alarm in record.alarms if alarm.violated]
    name = name_model(record.model).capitalize()
    if alarms:
        return Headline("❌", f"{name}: {_enumerate(ALARMS[one] for one in alarms)}", _story(record))
    if suspicions:
        told = _enumerate(SUSPICIONS[one] for one in suspicions)
        return Headline("⚠️", f"{name}: {told}", f"It takes more checks to tell. {_story(record)}")
    if all(alarm.violated is None for alarm in record.alarms):
        return Headline("⚠️", f"{name}: there was nothing to check", _story(record))
    return Headline("✅", f"{name} is doing well", _story(record))


def _story(record: MonitoringRecord) -> str:
    """Say what was checked, and what comes of it."""
    seen = [_name_rows(check) for check in record.data]
    if record.performance is not None:
        seen.append(plural(record.performance.rows, "row") + " with labels")
    if record.service is not None:
        seen.append(plural(record.service.requests, "request"))
    told = f"Checked {_enumerate(seen)}. " if seen else ""
    return told + ("A retraining pull request is due." if record.retraining.due else "No retraining is due.")


def _name_rows(check: DataCheck) -> str:
    if check.source == "log":
        return f"{plural(check.rows, 'prediction')} in the log"
    return f"{plural(check.rows, 'row')} of {plural(len(check.files), 'new file')}"


def _enumerate(parts: Iterable[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last

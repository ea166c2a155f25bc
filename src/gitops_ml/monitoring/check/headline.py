"""What a look comes to, in one line and a few sentences."""

from __future__ import annotations

from collections.abc import Iterable

from ...core.formatting import plural
from ...report.headline import Headline
from .records import DataLook, Judgement, MonitoringRecord, Question

QUESTIONS: dict[Question, str] = {
    "data": "Do the data still look like the training data?",
    "performance": "Is the model still good?",
    "service": "Is the service well?",
}
# What each question is put to, as a record names it where it was skipped.
ASKED: dict[Question, tuple[str, ...]] = {
    "data": ("files", "log"),
    "performance": ("performance",),
    "service": ("service",),
}
ALARMS: dict[Question, str] = {
    "data": "its data have moved",
    "performance": "it has become worse",
    "service": "the service is not well",
}
SUSPICIONS: dict[Question, str] = {
    "data": "its data may have moved",
    "performance": "it may have become worse",
    "service": "the service may not be well",
}


def name_model(version: int | None) -> str:
    """Return what to call the model in production."""
    return "the champion" if version is None else f"model {version}"


def mark(judgement: Judgement) -> str:
    """Return a sign for what one question comes to."""
    if judgement.alarm:
        return "❌"
    return {None: "–", True: "⚠️", False: "✅"}[judgement.violated]


def state(judgement: Judgement) -> str:
    """Return in a few words what one question comes to."""
    if judgement.alarm:
        return "alarm"
    return {None: "not looked at", True: "no alarm yet", False: "quiet"}[judgement.violated]


def write_headline(record: MonitoringRecord) -> Headline:
    """Say what a look comes to."""
    alarms = [judgement.question for judgement in record.judgements if judgement.alarm]
    suspicions = [judgement.question for judgement in record.judgements if judgement.violated]
    name = name_model(record.model).capitalize()
    if alarms:
        return Headline("❌", f"{name}: {_enumerate(ALARMS[one] for one in alarms)}", _story(record))
    if suspicions:
        told = _enumerate(SUSPICIONS[one] for one in suspicions)
        return Headline("⚠️", f"{name}: {told}", f"It takes more looks to tell. {_story(record)}")
    if all(judgement.violated is None for judgement in record.judgements):
        return Headline("⚠️", f"{name}: there was nothing to look at", _story(record))
    return Headline("✅", f"{name} is doing well", _story(record))


def _story(record: MonitoringRecord) -> str:
    """Say what was looked at, and what comes of it."""
    seen = [_name_rows(look) for look in record.data]
    if record.performance is not None:
        seen.append(plural(record.performance.rows, "row") + " with labels")
    if record.service is not None:
        seen.append(plural(record.service.requests, "request"))
    looked = f"Looked at {_enumerate(seen)}. " if seen else ""
    return looked + (
        "A retraining pull request is due." if record.retraining.due else "No retraining is due."
    )


def _name_rows(look: DataLook) -> str:
    if look.source == "log":
        return f"{plural(look.rows, 'prediction')} in the log"
    return f"{plural(look.rows, 'row')} of {plural(len(look.files), 'new file')}"


def _enumerate(parts: Iterable[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last

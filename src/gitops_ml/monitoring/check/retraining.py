"""The retraining decision: whether a pull request is due, and with which files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from ...core.formatting import plural
from ...core.settings import RetrainSettings, parse_period
from ...production.branch import Deployment
from .new_files import NewFiles
from .records import Alarm, Retraining

# Another model does not mend a service.
TOPICS = ("data", "performance")


def decide_retraining(
    alarms: Sequence[Alarm],
    new_files: NewFiles,
    since: datetime | None,
    now: datetime,
    settings: RetrainSettings,
) -> Retraining:
    """Decide whether to retrain; never without new rows that keep the contract.

    Parameters
    ----------
    alarms : sequence of Alarm
    new_files : NewFiles
        The new files.
    since : datetime or None
        Since when the champion is in production; None where nobody knows.
    now : datetime
    settings : RetrainSettings
    """
    reasons = [
        *_explain_alarms(alarms, settings),
        *_explain_age(since, now, settings),
        *_explain_rows(len(new_files.frame), settings),
    ]
    if not reasons:
        told = ["No rule of monitor.retrain asks for it."]
    elif not new_files.files:
        told = [*reasons, "But there are no new files that keep the contract: nothing could be learned."]
    else:
        told = reasons
    return Retraining(
        due=bool(reasons and new_files.files),
        reasons=told,
        files=new_files.files,
        left_out=sorted(new_files.findings),
    )


def find_start(history: Sequence[Deployment], version: int | None) -> datetime | None:
    """Return since when a version has been in production without a break; None if it is not there.

    Parameters
    ----------
    history : sequence of Deployment
        The newest first. Further commits of the same version are checks of it.
    version : int or None
    """
    start = None
    for deployment in history:
        if deployment.state.version != version:
            break
        start = datetime.fromisoformat(deployment.time).astimezone(UTC)
    return start


def _explain_alarms(alarms: Sequence[Alarm], settings: RetrainSettings) -> list[str]:
    alarmed = [one.topic for one in alarms if one.raised and one.topic in TOPICS]
    return [f"Alarm: {topic}." for topic in alarmed if settings.on_alarm]


def _explain_age(since: datetime | None, now: datetime, settings: RetrainSettings) -> list[str]:
    if settings.every is None or since is None or now - since < parse_period(settings.every):
        return []
    return [f"In production since {since:%Y-%m-%d}, longer than {settings.every}."]


def _explain_rows(count: int, settings: RetrainSettings) -> list[str]:
    if settings.min_new_rows is None or count < settings.min_new_rows:
        return []
    return [f"{plural(count, 'new row')} lie there, {settings.min_new_rows:,} are enough."]

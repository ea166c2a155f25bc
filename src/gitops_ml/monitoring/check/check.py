"""A check of production: new files, prediction log and service, judged together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pandas as pd

from ...comparison.champion import Champion, list_missing, select_features
from ...comparison.replay import Answers, Incomparable, replay
from ...core.errors import describe_error
from ...core.settings import Settings
from ...drift.profile import ProfileRecord
from ..prediction_log.traffic import Traffic
from .alarms import raise_alarms
from .data import check_files, check_log
from .new_files import NewFiles, read_new_files
from .performance import check_performance
from .records import Check, DataCheck, MonitoringRecord, PerformanceCheck
from .retraining import decide_retraining


def check_production(
    settings: Settings,
    root: Path,
    champion: Champion,
    checks: Sequence[Check],
    now: datetime,
    since: datetime | None = None,
    traffic: Traffic | None = None,
) -> MonitoringRecord:
    """Check at production once.

    Parameters
    ----------
    settings : Settings
    root : Path
        The project.
    champion : Champion
        The model in production.
    checks : sequence of Check
        The history, oldest first.
    now : datetime
        With a time zone.
    since : datetime or None
        Since when the champion is in production, where that is known.
    traffic : Traffic or None
        None where the service writes no log.

    Raises
    ------
    LifecycleError
        If ``data.lock`` or the champion's bundle cannot be read.
    """
    profile, skipped = ProfileRecord.read(champion.bundle), dict[str, str]()
    sources = 1 if traffic is None else 2
    new_files = _read_new_files(settings, root, skipped)
    performance, answers = _check_performance(champion, new_files, settings, skipped)
    data = [check_files(new_files, answers, champion, profile, settings, sources)]
    if traffic is None:
        skipped |= dict.fromkeys(["log", "service"], "serve.log.url is not set in params.yaml")
    else:
        if traffic.service is None:
            skipped["service"] = f"nobody asked the service in the last {settings.monitor.window}"
        data.append(_check_log(traffic, champion, profile, settings, skipped))
    service = traffic.service if traffic else None
    alarms = raise_alarms(data, performance, service, checks, champion.version, settings.monitor)
    return MonitoringRecord(
        time=now.isoformat(timespec="seconds"),
        model=champion.version,
        window=settings.monitor.window,
        data=[one for one in data if one.rows or one.findings or one.notes],
        performance=performance,
        service=service,
        alarms=alarms,
        retraining=decide_retraining(alarms, new_files, since, now, settings.monitor.retrain),
        skipped=skipped,
    )


def _read_new_files(settings: Settings, root: Path, skipped: dict[str, str]) -> NewFiles:
    new_files = read_new_files(settings, root)
    if not new_files.checked:
        skipped["files"] = "there are no new files that could be read"
    return new_files


def _check_performance(
    champion: Champion, new_files: NewFiles, settings: Settings, skipped: dict[str, str]
) -> tuple[PerformanceCheck | None, Answers | None]:
    """Ask the champion about the new rows; what it cannot answer has a reason in ``skipped``."""
    if new_files.frame.empty:
        skipped["performance"] = "no new rows that keep the contract have arrived"
        return None, None
    answers = None
    try:
        features = _select(champion, new_files.frame)
        answers = replay(champion.bundle, features, settings.train.candidate_timeout)
        return check_performance(champion, new_files.frame, features, answers, settings), answers
    except Incomparable as obstacle:
        skipped["performance"] = str(obstacle)
        return None, answers


def _select(champion: Champion, frame: pd.DataFrame) -> pd.DataFrame:
    """Return what the champion sees of rows, of the types it was trained on."""
    if missing := list_missing(champion, frame):
        names = ", ".join(f"'{name}'" for name in missing)
        raise Incomparable(f"the champion needs {names}, which the new rows do not have")
    try:
        return select_features(champion, frame)
    except (TypeError, ValueError) as error:
        raise Incomparable(
            f"the new rows are not of the champion's types ({describe_error(error)})"
        ) from None


def _check_log(
    traffic: Traffic, champion: Champion, profile: ProfileRecord, settings: Settings, skipped: dict[str, str]
) -> DataCheck:
    found = check_log(traffic.chunks, champion, profile, settings, sources=2)
    if not found.rows:
        skipped["log"] = f"the prediction log has no rows of the last {settings.monitor.window}"
    return found.model_copy(update={"notes": [*found.notes, *traffic.tell()]})

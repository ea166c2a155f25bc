"""One check of production: data, performance and service, their alarms, and whether to retrain."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ...comparison.champion import Champion, list_missing, select_features
from ...comparison.replay import Answers, IncomparableError, replay
from ...core.errors import describe_error
from ...core.layout import BUILD
from ...core.records import write_text
from .alarms import raise_alarms
from .context import Context
from .data import check_files, check_log
from .history import FOLDER, summarise
from .html import render_page
from .new_files import NewFiles, read_new_files
from .performance import check_performance
from .records import DataCheck, MonitoringRecord, PerformanceCheck
from .report import render_markdown, render_proposal
from .retraining import decide_retraining


def check_production(context: Context) -> MonitoringRecord:
    """Check production once.

    Raises
    ------
    LifecycleError
        If ``data.lock``, the champion's bundle or the prediction log cannot be read.
    """
    settings, champion, service = context.settings.monitor, context.champion, context.service
    new_files = read_new_files(context.settings, context.root)
    predictions, obstacle = _predict(context, new_files.frame)
    performance = None
    if predictions is not None:
        performance, obstacle = _check_performance(context, new_files.frame, predictions)
    data = [check_files(context, new_files, predictions)]
    if context.log is not None:
        data.append(check_log(context))
    alarms = raise_alarms(data, performance, service, context.checks, champion.version, settings)
    return MonitoringRecord(
        time=context.now.isoformat(timespec="seconds"),
        model=champion.version,
        window=settings.window,
        data=[one for one in data if one.rows or one.findings or one.notes],
        performance=performance,
        service=service,
        alarms=alarms,
        retraining=decide_retraining(alarms, new_files, context.since, context.now, settings.retrain),
        skipped=_list_skipped(context, new_files, data, obstacle),
    )


def write_check(context: Context, record: MonitoringRecord) -> Path:
    """Write a check into ``build/monitoring/``, and return that folder.

    It holds the record for machines, a text for an issue, a page for a browser and, where a
    retraining is due, the text of its pull request.
    """
    folder, checks = context.root / BUILD / FOLDER, [*context.checks, summarise(record)]
    folder.mkdir(parents=True, exist_ok=True)
    record.write(folder)
    write_text(folder / "monitoring.md", render_markdown(record, checks))
    write_text(folder / "monitoring.html", render_page(record, checks))
    proposal = folder / "retraining.md"
    proposal.unlink(missing_ok=True)
    if record.retraining.due:
        write_text(proposal, render_proposal(record))
    return folder


def _predict(context: Context, frame: pd.DataFrame) -> tuple[Answers | None, str | None]:
    """Return what the champion predicts for the new rows, or None and the reason."""
    if frame.empty:
        return None, "no new rows that keep the contract have arrived"
    champion, timeout = context.champion, context.settings.train.candidate_timeout
    try:
        return replay(champion.bundle, _select_features(champion, frame), timeout), None
    except IncomparableError as obstacle:
        return None, str(obstacle)


def _select_features(champion: Champion, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the champion's features of rows, of the types it was trained on."""
    if missing := list_missing(champion, frame):
        names = ", ".join(f"'{name}'" for name in missing)
        raise IncomparableError(f"the champion needs {names}, which the new rows do not have")
    try:
        return select_features(champion, frame)
    except (TypeError, ValueError) as error:
        raise IncomparableError(
            f"the new rows are not of the champion's types ({describe_error(error)})"
        ) from None


def _check_performance(
    context: Context, frame: pd.DataFrame, predictions: Answers
) -> tuple[PerformanceCheck | None, str | None]:
    """Return how good the predictions are, or None and the reason."""
    try:
        return check_performance(context.champion, frame, predictions, context.settings), None
    except IncomparableError as obstacle:
        return None, str(obstacle)


def _list_skipped(
    context: Context, new_files: NewFiles, data: list[DataCheck], obstacle: str | None
) -> dict[str, str]:
    """Return why there was nothing to check, by topic or source."""
    window = context.settings.monitor.window
    reasons = {} if new_files.checked else {"files": "there are no new files that could be read"}
    if obstacle is not None:
        reasons["performance"] = obstacle
    if context.log is None:
        return reasons | dict.fromkeys(["log", "service"], "serve.log.url is not set in params.yaml")
    if not data[-1].rows:
        reasons["log"] = f"the prediction log has no rows of the last {window}"
    if context.service is None:
        reasons["service"] = f"nobody asked the service in the last {window}"
    return reasons

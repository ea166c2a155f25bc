"""The history of checks, which lies on the branch ``production`` itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from ...core.errors import LifecycleError
from ...core.git import read_files
from ...production.branch import MONITORING, BranchMovedError, commit_check, fetch_tip
from .records import Check, MonitoringRecord

HISTORY = f"{MONITORING}/history.jsonl"
RECORD = f"{MONITORING}/{MonitoringRecord.file_name()}"
# More than a year of daily checks, which all of its readers take in at once; Git keeps the older ones.
MAX_CHECKS = 400
# Of the last check, below the build.
FOLDER = "monitoring"
# A deployment that comes between goes first, and the check is put on top of it.
TRIES = 3


def read_checks(root: Path, commit: str) -> list[Check]:
    """Return the checks that a commit of the branch has; what cannot be read of them is passed over."""
    [content] = read_files(root, [f"{commit}:{HISTORY}"])
    return [check for line in content.splitlines() if (check := _parse(line))]


def record_check(root: Path, remote: str, record: MonitoringRecord) -> None:
    """Put a check on the branch, with one commit that changes nothing of what runs.

    Parameters
    ----------
    root : Path
        The project, a Git repository.
    remote : str
        Name or address of the repository that has the branch.
    record : MonitoringRecord
        It takes the place of the last one, and in brief is added to the history. A check of the
        same time is replaced, so that nothing counts twice.

    Raises
    ------
    LifecycleError
        If nothing was ever deployed, or the branch cannot be written; then it is as it was.
    """
    check = summarise(record)
    for attempt in range(1, TRIES + 1):
        tip = fetch_tip(root, remote)
        if tip is None:
            raise LifecycleError("Nothing has been deployed yet, so there is no check to record.")
        earlier = [one for one in read_checks(root, tip) if one.time != check.time]
        files = {
            HISTORY: _write([*earlier, check]),
            RECORD: (record.model_dump_json(indent=1) + "\n").encode(),
        }
        subject = f"Check model {check.model}: {'alarm' if check.alarm else 'quiet'}"
        try:
            return commit_check(root, remote, files, subject, tip)
        except BranchMovedError:
            if attempt == TRIES:
                raise


def summarise(record: MonitoringRecord) -> Check:
    """Return what the history keeps of a check."""
    performance, service = record.performance, record.service
    return Check(
        time=record.time,
        model=record.model,
        violated={one.topic: one.violated for one in record.alarms if one.violated is not None},
        alarm=record.is_alarming,
        drift={
            check.source: {one.column: (one.psi, one.threshold) for one in check.columns}
            for check in record.data
            if check.columns
        },
        metrics={
            one.name: (one.live.value, one.live.low, one.live.high)
            for one in (performance.metrics if performance else [])
        },
        rows=performance.rows if performance else 0,
        requests=service.requests if service else None,
        failure_rate=service.failure_rate if service else None,
        p95_ms=service.latency_ms.get("p95") if service else None,
    )


def _write(checks: Sequence[Check]) -> bytes:
    return b"".join(check.model_dump_json().encode() + b"\n" for check in checks[-MAX_CHECKS:])


def _parse(line: bytes) -> Check | None:
    try:
        return Check.model_validate_json(line)
    except ValidationError:
        return None

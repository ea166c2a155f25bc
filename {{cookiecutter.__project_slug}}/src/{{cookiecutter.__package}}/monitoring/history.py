"""The history of all looks at production, kept on the branch ``production`` below ``monitoring/``."""

from __future__ import annotations

import logging
from pathlib import Path

from pydantic import ValidationError

from ..pipeline import branch
from ..pipeline.branch import MONITORING
from ..pipeline.errors import LifecycleError
from .records import Look, MonitoringRecord

HISTORY = f"{MONITORING}/history.jsonl"
LATEST = f"{MONITORING}/{MonitoringRecord.file_name()}"
# More than a year of daily looks, and a few megabytes at most: each commit writes the file anew.
MOST_LOOKS = 400

log = logging.getLogger(__name__)


def read_looks(root: Path, remote: str) -> list[Look]:
    """Return the looks at production that were recorded, the oldest first.

    Lines that cannot be read are skipped, with a warning that tells how many: they must not stop
    the next look.

    Parameters
    ----------
    root : Path
        The project, a Git repository.
    remote : str
        Name or address of the repository that has the branch.

    Returns
    -------
    list of Look
        Empty where nobody ever looked, or nothing was ever deployed.

    Raises
    ------
    LifecycleError
        If the repository cannot be asked.
    """
    tip = branch.fetch_tip(root, remote)
    looks = [_parse(line) for line in (_read_lines(root, tip) if tip else [])]
    if unreadable := looks.count(None):
        log.warning("%d lines of %s on branch production cannot be read.", unreadable, HISTORY)
    return [look for look in looks if look is not None]


def record_look(root: Path, remote: str, record: MonitoringRecord, look: Look) -> None:
    """Add one look to the history, and keep its whole record, with one commit of its own.

    All else on the branch stays as it is. A look of the same time takes the place of the one
    before, so that a step that is run again does not count twice. Where a deployment comes in
    between, the look is recorded on top of it.

    Parameters
    ----------
    root, remote
        As for ``read_looks``.
    record : MonitoringRecord
        Becomes ``monitoring/monitoring.json``.
    look : Look
        Becomes the last line of ``monitoring/history.jsonl``; of more than 400, the oldest goes.

    Raises
    ------
    LifecycleError
        If nothing was ever deployed, or the branch cannot be read or written; then it is as it was.
    """
    latest = (record.model_dump_json(indent=1) + "\n").encode()

    def extend(tip: str | None) -> str:
        if tip is None:
            raise LifecycleError("Nothing has been deployed yet, so there is nothing to record a look at.")
        before = [line for line in _read_lines(root, tip) if not _is_of(line, look.time)]
        lines = [*before, look.model_dump_json().encode()][-MOST_LOOKS:]
        return branch.write_tree(
            root, tip, {HISTORY: b"".join(line + b"\n" for line in lines), LATEST: latest}
        )

    outcome = "alarm" if look.alarm else "quiet"
    branch.commit(root, remote, f"Look at model {record.model}: {outcome}", extend)


def _read_lines(root: Path, tip: str) -> list[bytes]:
    return [line for line in (branch.read_blob(root, tip, HISTORY) or b"").split(b"\n") if line.strip()]


def _parse(line: bytes) -> Look | None:
    try:
        return Look.model_validate_json(line)
    except ValidationError:
        return None


def _is_of(line: bytes, time: str) -> bool:
    look = _parse(line)
    return look is not None and look.time == time

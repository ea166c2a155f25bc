"""The history of looks at production, which lies on the branch ``production`` itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from ...core.errors import LifecycleError
from ...production import branch as production
from ...production.branch import BranchMovedError
from .records import Look, MonitoringRecord

LOOKS = f"{production.MONITORING}/history.jsonl"
RECORD = f"{production.MONITORING}/{MonitoringRecord.file_name()}"
# More than a year of daily looks, which all of its readers take in at once; Git keeps the older ones.
MOST_LOOKS = 400
# Of the last look, below the build.
FOLDER = "monitoring"
# A deployment that comes between goes first, and the look is put on top of it.
TRIES = 3


def read_looks_at(root: Path, commit: str) -> list[Look]:
    """Return the looks that a commit of the branch has; what cannot be read of them is passed over."""
    [content] = production.read_files(root, [f"{commit}:{LOOKS}"])
    return [look for line in content.splitlines() if (look := _parse(line))]


def record_look(root: Path, remote: str, record: MonitoringRecord, look: Look) -> None:
    """Put a look on the branch, with one commit that changes nothing of what runs.

    Parameters
    ----------
    root : Path
        The project, a Git repository.
    remote : str
        Name or address of the repository that has the branch.
    record : MonitoringRecord
        In full; it takes the place of the last one.
    look : Look
        The same in brief; it is added to the history. A look of the same time is replaced, so that
        nothing counts twice.

    Raises
    ------
    LifecycleError
        If nothing was ever deployed, or the branch cannot be written; then it is as it was.
    """
    for attempt in range(1, TRIES + 1):
        tip = production.fetch_tip(root, remote)
        if tip is None:
            raise LifecycleError("Nothing has been deployed yet, so there is no look to record.")
        earlier = [one for one in read_looks_at(root, tip) if one.time != look.time]
        files = {LOOKS: _write([*earlier, look]), RECORD: (record.model_dump_json(indent=1) + "\n").encode()}
        subject = f"Look at model {look.model}: {'alarm' if look.alarm else 'quiet'}"
        try:
            return production.commit_look(root, remote, files, subject, tip)
        except BranchMovedError:
            if attempt == TRIES:
                raise


def brief(record: MonitoringRecord) -> Look:
    """Return what the history keeps of a look."""
    performance, service = record.performance, record.service
    return Look(
        time=record.time,
        model=record.model,
        violated={one.question: one.violated for one in record.judgements if one.violated is not None},
        alarm=record.alarm,
        drift={
            look.source: {one.column: (one.psi, one.threshold) for one in look.columns}
            for look in record.data
            if look.columns
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


def _write(looks: Sequence[Look]) -> bytes:
    return b"".join(look.model_dump_json().encode() + b"\n" for look in looks[-MOST_LOOKS:])


def _parse(line: bytes) -> Look | None:
    try:
        return Look.model_validate_json(line)
    except ValidationError:
        return None

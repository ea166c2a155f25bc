"""The deployment history, from Git: versions, their cards and checks, and the data accepted over time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import ValidationError

from ...core.git import is_shallow, list_commits, read_files, read_revision
from ...data.lock import LOCK, parse_lock
from ...production.branch import Deployment, read_branch
from ..check.history import RECORD, read_checks
from ..check.records import Check, MonitoringRecord

CARD = "model_cards/model_card.md"
# Older versions of the lock are left out: each is a file to read, and so many say enough.
MOST_LOCKS = 200

Kind = Literal["deployed", "rolled back", "brought back"]


class Step(NamedTuple):
    """One change of what runs."""

    deployment: Deployment
    kind: Kind
    until: str | None
    """When the next one came; None for what runs now."""


class Acceptance(NamedTuple):
    """The data that models may be trained on, from one commit on."""

    time: str
    commit: str
    subject: str
    files: int
    rows: int


class Timeline(NamedTuple):
    """All that a site tells."""

    tip: str
    """The newest commit of the branch; empty where nothing was ever deployed."""
    steps: list[Step]
    """The newest first."""
    cards: dict[int, str]
    """By version, its model card as Markdown."""
    checks: list[Check]
    """The oldest first."""
    record: MonitoringRecord | None
    """Of the last check."""
    accepted: list[Acceptance]
    """The oldest first."""
    shallow: bool
    """Whether this clone lacks older commits of main."""


def read_timeline(root: Path, remote: str) -> Timeline:
    """Read what a remote's branch ``production`` and the commits that are checked out here tell.

    Parameters
    ----------
    root : Path
        The project, a Git repository.
    remote : str
        Name or address of the repository that has the branch.

    Raises
    ------
    LifecycleError
        If the repository cannot be asked, or does not say in a way that can be read what runs.
    """
    branch = read_branch(root, remote)
    steps = order_steps(branch.deployments)
    checks, record = _read_monitoring(root, branch.tip) if branch.tip else ([], None)
    return Timeline(
        tip=branch.tip or "",
        steps=steps,
        cards=_read_cards(root, steps),
        checks=checks,
        record=record,
        accepted=_read_acceptances(root),
        shallow=is_shallow(root),
    )


def order_steps(history: Sequence[Deployment]) -> list[Step]:
    """Return the changes of what runs, the newest first; commits that change nothing of it are none."""
    olders = [*history[1:], None]
    pairs = zip(history, olders, strict=False)
    changes = [one for one, older in pairs if older is None or one.state != older.state]
    versions = [one.state.version for one in changes]
    kinds = [_tell_kind(version, versions[place + 1 :]) for place, version in enumerate(versions)]
    ends = [None, *(one.time for one in changes)]
    return [Step(one, kind, end) for one, kind, end in zip(changes, kinds, ends, strict=False)]


def _tell_kind(version: int, before: Sequence[int]) -> Kind:
    """Tell how a version came to run, after others of which the last comes first."""
    if version not in before:
        return "deployed"
    return "rolled back" if version < before[0] else "brought back"


def _read_monitoring(root: Path, tip: str) -> tuple[list[Check], MonitoringRecord | None]:
    [record] = read_files(root, [f"{tip}:{RECORD}"])
    return read_checks(root, tip), _parse_record(record)


def _read_cards(root: Path, steps: Sequence[Step]) -> dict[int, str]:
    """Return the newest card of each version that has one."""
    newest: dict[int, str] = {}
    for step in steps:
        newest.setdefault(step.deployment.state.version, step.deployment.sha)
    contents = read_files(root, [f"{sha}:{CARD}" for sha in newest.values()])
    texts = [content.decode("utf-8", "replace") for content in contents]
    return {version: text for version, text in zip(newest, texts, strict=True) if text}


def _read_acceptances(root: Path) -> list[Acceptance]:
    """Return how the lock grew; versions of it that are no lock, such as half-merged ones, are left out."""
    head = read_revision(root).commit
    commits = list_commits(root, head, LOCK)[:MOST_LOCKS] if head else []
    contents = read_files(root, [f"{sha}:./{LOCK}" for sha, _, _ in commits])
    found = []
    for (sha, time, subject), content in zip(commits, contents, strict=True):
        try:
            files = parse_lock(content.decode("utf-8")).files
        except ValueError:
            continue
        found.append(Acceptance(time, sha, subject, len(files), sum(file.rows for file in files)))
    return found[::-1]


def _parse_record(content: bytes) -> MonitoringRecord | None:
    try:
        return MonitoringRecord.model_validate_json(content)
    except ValidationError:
        return None

"""The context of a check: the champion in production, its history, its prediction log and its service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from ...comparison.champion import Champion, locate_champion, read_champion
from ...core.errors import LifecycleError
from ...core.settings import PARAMS, Settings, parse_period, read_settings
from ...drift.profile import ProfileRecord
from ...production.branch import Branch, NoRemoteError, read_branch
from ..prediction_log.window import PredictionLogWindow
from ..service import check_service
from .history import read_checks
from .records import Check, ServiceCheck
from .retraining import find_start


@dataclass(frozen=True)
class Context:
    """What a check reads, beside the new files."""

    root: Path
    """The project."""
    settings: Settings
    champion: Champion
    """The model in production."""
    now: datetime
    """With a time zone."""
    checks: Sequence[Check] = ()
    """The history, the oldest first."""
    since: datetime | None = None
    """Since when the champion is in production, where that is known."""
    log: PredictionLogWindow | None = None
    """None where the service writes no log."""
    service: ServiceCheck | None = None
    """None where the service writes no log, or nobody has asked it."""

    @cached_property
    def profile(self) -> ProfileRecord:
        """The reference distributions of the champion's bundle."""
        return ProfileRecord.read(self.champion.bundle)

    @property
    def sources(self) -> int:
        """How many sources of rows there are: new files, and the log where it is written."""
        return 1 if self.log is None else 2


def read_context(
    root: Path, folder: Path | None, remote: str, now: datetime, tell: Callable[[str], None]
) -> Context:
    """Return what the project, the branch ``production`` and the service tell of the champion.

    Parameters
    ----------
    root : Path
        The project.
    folder : Path or None
        Of the champion's bundle; by default ``champion/``.
    remote : str
        Name or address of the repository that has the branch.
    now : datetime
        With a time zone.
    tell : callable
        Takes a sentence about what is missing, where the check is made without it.

    Raises
    ------
    LifecycleError
        If there is no champion, or it, the branch or the place of the log cannot be read.
    """
    settings, bundle = read_settings(root / PARAMS), locate_champion(root, folder)
    if bundle is None:
        raise LifecycleError(
            "champion/bundle is missing: no model to check; fetch what runs in production to champion/, "
            "or name a bundle with 'mlops monitor --champion build/bundle'."
        )
    champion, branch = read_champion(bundle), _read_branch(root, remote, tell)
    url, start = settings.serve.log.url, now - parse_period(settings.monitor.window)
    return Context(
        root=root,
        settings=settings,
        champion=champion,
        now=now,
        checks=read_checks(root, branch.tip) if branch.tip else [],
        since=find_start(branch.deployments, champion.version),
        log=None if url is None else PredictionLogWindow(url, start, now, champion.contract),
        service=None if url is None else check_service(url, start, now, settings),
    )


def _read_branch(root: Path, remote: str, tell: Callable[[str], None]) -> Branch:
    """Return what the branch says; nothing where there is no repository that could have it."""
    try:
        return read_branch(root, remote)
    except NoRemoteError as problem:
        tell(f"Checking without earlier checks. {problem}")
        return Branch(tip=None, deployments=[])

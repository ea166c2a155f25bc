"""Accepting what is good of the new data, and leaving out the rest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .data import accept
from .errors import LifecycleError
from .lock import inspect
from .records import Finding, Part
from .settings import Settings
from .sources import read_file
from .summary import describe_finding

if TYPE_CHECKING:
    import pandas as pd

Check = Callable[["pd.DataFrame"], list[Finding]]


class Acceptance(Part):
    """What became of the new files."""

    accepted: list[str]
    """Sorted."""
    left_out: dict[str, str]
    """By file, what is wrong with it; the first thing of several."""


def accept_valid(settings: Settings, root: Path, check: Check) -> Acceptance:
    """Write the new files that keep the contract into the lock.

    Files that were accepted before stay as the lock has them, changed ones too: that somebody
    changed them is for a person to judge.

    Parameters
    ----------
    settings : Settings
    root : Path
        The project.
    check : callable
        Takes the frame of one file and returns findings; an error among them leaves the file out.

    Raises
    ------
    LifecycleError
        If the files cannot be listed, or the lock cannot be read or written; it is then as it was.
    """
    problems = {path: _find_problem(path, settings, root, check) for path in inspect(settings, root).new}
    valid = [path for path, problem in problems.items() if problem is None]
    if valid:
        accept(settings, root, valid, False, check)
    return Acceptance(accepted=valid, left_out={path: why for path, why in problems.items() if why})


def _find_problem(path: str, settings: Settings, root: Path, check: Check) -> str | None:
    try:
        frame, _ = read_file(path, settings.data, root)
    except LifecycleError as error:
        return str(error).removeprefix(f"{path} ").removesuffix(".")
    errors = [finding for finding in check(frame) if finding.level == "error"]
    return f"breaks the contract: {describe_finding(errors[0])}" if errors else None

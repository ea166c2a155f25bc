"""Accept data files: validate them against the contract and write them into the lock."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import LifecycleError
from ..core.records import DataFile, Finding, Part
from ..core.settings import DataSettings, Settings
from .loading import holds_times
from .lock import LOCK, DataStatus, Lock, inspect, inspect_all, read_lock_if_any, write_lock
from .sources import is_remote, read_file

if TYPE_CHECKING:
    import pandas as pd

Check = Callable[["pd.DataFrame"], list[Finding]]


class Acceptance(Part):
    """Which files were accepted, and which not."""

    accepted: list[str]
    """Sorted."""
    left_out: dict[str, str] = {}
    """By file that cannot be read or breaks the contract, why, in one sentence."""
    files: int
    """In the lock."""
    rows: int
    """Of all files in the lock."""


def accept(
    settings: Settings,
    root: Path,
    paths: list[str],
    replace: bool,
    check: Check,
) -> Acceptance:
    """Validate files and write them into the lock.

    Parameters
    ----------
    settings : Settings
    root : Path
        The project.
    paths : list of str
        What to accept as it is now: new files are added, changed ones replaced, and missing ones
        dropped. Empty means all new and changed files.
    replace : bool
        Whether the lock then holds these files only.
    check : callable
        Takes the frame of one file and returns findings; an error among them refuses the file.

    Raises
    ------
    LifecycleError
        If a path is unknown or a file is refused. The lock is then as it was.
    """
    # Files that are named are read below in any case.
    status = inspect(settings, root) if paths else inspect_all(settings, root)
    chosen = _resolve(paths, status, root) or [*status.new, *status.changed]
    if replace and not chosen:
        raise LifecycleError("No file is new or changed: --replace would leave none; name the files to keep.")
    present = [path for path in chosen if path not in status.missing]
    accepted = [_accept_one(path, settings.data, root, check) for path in present]
    kept = [] if replace else [file for file in read_lock_if_any(root).files if file.path not in chosen]
    lock = _join(kept, accepted)
    write_lock(lock, root)
    return _tell(lock, accepted, {})


def accept_valid(settings: Settings, root: Path, check: Check) -> Acceptance:
    """Write the new files that keep the contract into the lock, and leave the others out.

    Parameters
    ----------
    settings, root, check
        As for ``accept``. Changed files are not new: somebody has to look at those.

    Raises
    ------
    LifecycleError
        If the files cannot be listed, or the lock cannot be written.
    """
    accepted, left_out = list[DataFile](), dict[str, str]()
    for path in inspect(settings, root).new:
        try:
            accepted.append(_accept_one(path, settings.data, root, check))
        except LifecycleError as problem:
            left_out[path] = str(problem)
    lock = _join(read_lock_if_any(root).files, accepted)
    if accepted:
        write_lock(lock, root)
    return _tell(lock, accepted, left_out)


def list_changed(acceptance: Acceptance, root: Path) -> list[str]:
    """Return the files of the project that a commit of it takes: the lock, and the accepted ones."""
    return [path for path in [LOCK, *acceptance.accepted] if (root / path).is_file()]


def _join(kept: list[DataFile], accepted: list[DataFile]) -> Lock:
    return Lock(files=sorted([*kept, *accepted], key=lambda file: file.path))


def _tell(lock: Lock, accepted: list[DataFile], left_out: dict[str, str]) -> Acceptance:
    return Acceptance(
        accepted=[file.path for file in accepted],
        left_out=left_out,
        files=len(lock.files),
        rows=sum(file.rows for file in lock.files),
    )


def _resolve(paths: list[str], status: DataStatus, root: Path) -> list[str]:
    """Return paths as the lock writes them; each must be known."""
    known = [*status.accepted, *status.new, *status.changed, *status.missing]
    resolved = {path: path if path in known else _relative(path, root) for path in paths}
    for path, name in resolved.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else "see 'mlops data status'."
            raise LifecycleError(f"{path} is not among the files that data.source names; {hint}")
    return sorted(set(resolved.values()))


def _relative(path: str, root: Path) -> str:
    root = root.absolute()
    return path if is_remote(path) else Path(os.path.relpath(root / path, root)).as_posix()


def _accept_one(path: str, data: DataSettings, root: Path, check: Check) -> DataFile:
    frame, digest = read_file(path, data, root)
    errors = [finding for finding in check(frame) if finding.level == "error"]
    if errors:
        raise _refused(path, errors)
    first, last = _time_range(frame, data.time)
    return DataFile(path=path, sha256=digest, rows=len(frame), first=first, last=last)


def _refused(path: str, errors: list[Finding]) -> LifecycleError:
    first = errors[0]
    rows = f" in {first.count:,} row{'s' * (first.count > 1)}" if first.count else ""
    values = f", such as {first.examples[0]}" if first.examples else ""
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return LifecycleError(
        f"{path} breaks the contract: {first.column}: {first.check}{rows}{values}{more}; "
        "correct the file or schema.py."
    )


def _time_range(frame: pd.DataFrame, column: str | None) -> tuple[str | None, str | None]:
    if column not in frame or not holds_times(frame[column]) or frame[column].isna().all():
        return None, None
    return frame[column].min().isoformat(), frame[column].max().isoformat()

"""``data.lock``: which files may be trained on, and whether they are still as accepted."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Literal, NoReturn

from pydantic import Field

from ..core.errors import LifecycleError
from ..core.records import DataFile, Part, write_text
from ..core.settings import Settings
from .sources import digest_file, is_remote, list_files

LOCK = "data.lock"
HEADER = "# The data that models may be trained on, one entry a file. Written by 'mlops data accept'.\n"


class Lock(Part):
    """The accepted files, sorted by path."""

    version: Literal[1] = 1
    files: list[DataFile]


class DataStatus(Part):
    """How the files present differ from the lock; each list is sorted."""

    accepted: list[str] = Field(default_factory=list)
    """In the lock and unchanged."""
    new: list[str] = Field(default_factory=list)
    """There, but not in the lock."""
    changed: list[str] = Field(default_factory=list)
    """In the lock with another content."""
    missing: list[str] = Field(default_factory=list)
    """In the lock, but not among the files that ``data.source`` names."""


def read_lock(root: Path) -> Lock:
    """Read ``data.lock``.

    Raises
    ------
    LifecycleError
        If it is missing, or is not such a lock (left half-merged by Git, for instance).
    """
    path = root / LOCK
    try:
        lock = parse_lock(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LifecycleError(f"{LOCK} is missing: no data is accepted; run 'mlops data accept'.") from None
    except (OSError, ValueError):
        raise LifecycleError(f"{LOCK} is no lock; restore it with 'git checkout -- {LOCK}'.") from None
    if len({file.path for file in lock.files}) < len(lock.files):
        raise LifecycleError(f"{LOCK} lists a file twice; keep the entry you want and delete the other.")
    return lock


def parse_lock(text: str) -> Lock:
    """Parse the text of a lock.

    Raises
    ------
    ValueError
        If it is none.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return Lock.model_validate(yaml.load(text, Loader=loader))
    except yaml.YAMLError as error:
        raise ValueError(f"no YAML: {error}") from None


def read_lock_if_any(root: Path) -> Lock:
    """Read ``data.lock``, or return an empty one where no data was ever accepted."""
    return read_lock(root) if (root / LOCK).exists() else Lock(files=[])


def write_lock(lock: Lock, root: Path) -> None:
    """Write ``data.lock`` for people who read diffs: one value a line, no line wrapped.

    Raises
    ------
    LifecycleError
        If it cannot be written.
    """
    import yaml

    text = yaml.safe_dump(
        lock.model_dump(exclude_none=True), sort_keys=False, allow_unicode=True, width=10_000
    )
    try:
        write_text(root / LOCK, HEADER + text)
    except OSError as error:
        raise LifecycleError(f"{LOCK} cannot be written: {error.strerror}.") from None


def inspect(settings: Settings, root: Path) -> DataStatus:
    """Compare the files present with the lock, reading local files only.

    Remote files and queries that the lock lists count as accepted; `load` verifies them when it
    reads them.
    """
    return _compare(settings, root, remote=False)


def inspect_all(settings: Settings, root: Path) -> DataStatus:
    """Compare the files present with the lock, reading remote files and queries too."""
    return _compare(settings, root, remote=True)


def require_unchanged(status: DataStatus) -> None:
    """Require that every accepted file is present and unchanged.

    Raises
    ------
    LifecycleError
        If a file of the lock has changed or is missing.
    """
    if status.changed:
        refuse_changed(status.changed)
    if status.missing:
        refuse_missing(status.missing)


def refuse_changed(paths: list[str]) -> NoReturn:
    """Say that files are not what the lock says."""
    raise LifecycleError(
        f"{_name_some(paths)} changed after {LOCK} was written; restore it, "
        f"or accept it as it is now with 'mlops data accept {_quote(paths)}'."
    )


def refuse_missing(paths: list[str]) -> NoReturn:
    """Say that files of the lock are not there."""
    raise LifecycleError(
        f"{_name_some(paths)} is in {LOCK} but not among the files that data.source names; restore it, "
        f"or drop it from the lock with 'mlops data accept {_quote(paths)}'."
    )


def _compare(settings: Settings, root: Path, *, remote: bool) -> DataStatus:
    listed = list_files(settings.data, root)
    locked = {file.path: file.sha256 for file in read_lock_if_any(root).files}
    known = [path for path in listed if path in locked]
    read = [path for path in known if remote or not is_remote(path)]
    changed = [path for path in read if digest_file(path, settings.data, root) != locked[path]]
    return DataStatus(
        accepted=[path for path in known if path not in changed],
        new=[path for path in listed if path not in locked],
        changed=changed,
        missing=sorted(set(locked).difference(listed)),
    )


def _name_some(paths: list[str]) -> str:
    return paths[0] if len(paths) == 1 else f"{paths[0]} (and {len(paths) - 1} more)"


def _quote(paths: list[str]) -> str:
    return shlex.join(paths) if len(paths) <= 3 else "FILES"

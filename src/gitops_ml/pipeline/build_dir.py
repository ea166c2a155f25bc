"""Atomic replacement of ``build/``: it is always whole, whatever interrupts a run."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..core.errors import LifecycleError
from ..core.layout import BUILD

_LOCK = ".build.lock"
_PREVIOUS = ".build-previous"
_STAGED = ".build-staged-"


@contextmanager
def stage_build(root: Path) -> Iterator[Path]:
    """Yield an empty folder that becomes ``build/`` when the block ends well.

    If the block raises, the folder is removed and ``build/`` is what it was. One run at a time
    may do this in a project.

    Raises
    ------
    LifecycleError
        If another run is at work, or the project folder cannot be written.
    """
    with _only_one(root):
        restore_build(root)
        try:
            staged = Path(tempfile.mkdtemp(prefix=_STAGED, dir=root))
        except OSError as error:
            raise _unwritable(root, error) from None
        try:
            yield staged
            _swap(root, staged)
        finally:
            shutil.rmtree(staged, ignore_errors=True)


def restore_build(root: Path) -> None:
    """Mend what a run that was killed has left behind."""
    previous = root / _PREVIOUS
    if previous.exists() and not (root / BUILD).exists():
        previous.rename(root / BUILD)
    for leftover in [*root.glob(_STAGED + "*"), previous]:
        shutil.rmtree(leftover, ignore_errors=True)


def carry(root: Path, staged: Path, names: Iterable[str]) -> None:
    """Take files and folders of ``build/`` over to the staged one, where it has none of its own.

    They are linked, not copied: no file of a build is ever changed in place.
    """
    for name in names:
        source, target = root / BUILD / name, staged / name
        if target.exists():
            continue
        if source.is_dir():
            shutil.copytree(source, target, copy_function=link)
        elif source.exists():
            link(source, target)


def link(source: str | Path, target: str | Path) -> None:
    """Make a file appear at ``target`` too, without copying it where the file system allows that."""
    Path(target).unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@contextmanager
def _only_one(root: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lock = FileLock(root / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise LifecycleError(f"{root / BUILD} is being made by another run; wait for it to end.") from None
    except OSError as error:
        raise _unwritable(root, error) from None
    try:
        yield
    finally:
        lock.release()


def _swap(root: Path, staged: Path) -> None:
    build, previous = root / BUILD, root / _PREVIOUS
    try:
        staged.chmod(0o755)
        if build.exists():
            _require_folder(build)
            build.rename(previous)
        staged.rename(build)
    except OSError as error:
        raise _unwritable(build, error) from None
    finally:
        with suppress(OSError):
            if previous.exists() and not build.exists():
                previous.rename(build)
    shutil.rmtree(previous, ignore_errors=True)


def _require_folder(build: Path) -> None:
    if not build.is_dir():
        raise LifecycleError(f"{build} is a file, expected a folder; move it away and run again.")


def _unwritable(path: Path, error: OSError) -> LifecycleError:
    return LifecycleError(f"{path} cannot be written ({error.strerror}); mend its rights or free space.")

"""Data that somebody else delivers, copied to where ``data.source`` looks for it."""

from __future__ import annotations

import glob
import importlib
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .errors import LifecycleError
from .records import Part
from .settings import Settings, hide_secrets
from .sources import is_remote

if TYPE_CHECKING:
    import pandas as pd

Fetch = Callable[[list[str]], Iterable[tuple[str, "pd.DataFrame"]]]
FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
WILDCARD = re.compile(r"[*?\[]")


class Delivery(Part):
    """What came."""

    came: list[str]
    """Paths below the project, in the order in which they came."""
    there: int
    """How many of the delivered files were there already, and stay as they are."""
    skipped: str | None = None
    """Why there was nothing to copy."""


def fetch(settings: Settings, root: Path) -> Delivery:
    """Copy what ``data.fetch`` delivers and is not there yet into the folder of ``data.source``.

    Each file comes whole or not at all, and none that is there is ever written again.

    Parameters
    ----------
    settings : Settings
    root : Path
        The project.

    Raises
    ------
    LifecycleError
        If the place cannot be reached, there is no such function, or a name would leave the folder
        or is none that ``data.source`` lists. What came before it stays.
    """
    data = settings.data
    if data.fetch is None:
        return Delivery(came=[], there=0, skipped="data.fetch is not set in params.yaml")
    if data.query is not None or is_remote(data.source):
        return Delivery(came=[], there=0, skipped="data.source is remote, and is read where it is")
    inbox = Inbox(data.source, root)
    take = _take_frames if FUNCTION.fullmatch(data.fetch) else _take_files
    came = [path for path in take(data.fetch, inbox, root) if path is not None]
    return Delivery(came=came, there=inbox.there)


class Inbox:
    """The local folder that ``data.source`` names; it need not be there yet."""

    def __init__(self, source: str, root: Path) -> None:
        self._source = source
        self._root = root
        parts = PurePosixPath(source).parts
        fixed = next((place for place, part in enumerate(parts) if WILDCARD.search(part)), len(parts) - 1)
        self._folder = root.joinpath(*parts[:fixed])
        self._pattern = "/".join(parts[fixed:])
        self.there = 0

    def list_names(self) -> list[str]:
        """Return the names of the files that are there, sorted."""
        return sorted(_match(self._pattern, self._folder))

    def receive(self, name: str, write: Callable[[Path], Any]) -> str | None:
        """Let a file be written, whole or not at all; return its path as ``data.lock`` has it.

        None where one of that name is there already.

        Raises
        ------
        LifecycleError
            If it would lie outside the folder, or where ``data.source`` does not look.
        """
        self._require_good(name)
        path = self._folder / name
        if path.exists():
            self.there += 1
            return None
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.partial")  # which no pattern lists
        try:
            write(beside)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        return path.relative_to(self._root).as_posix() if path.is_relative_to(self._root) else str(path)

    def _require_good(self, name: str) -> None:
        parts = PurePosixPath(name).parts
        if "/".join(parts) != name or ".." in parts or re.search(r"[\\\0]", name):
            raise LifecycleError(
                f"data.fetch delivers {name!r}; expected the name of a file "
                f"in the folder of data.source '{self._source}'."
            )
        with tempfile.TemporaryDirectory(prefix="mlops-") as scratch:
            tried = Path(scratch, name)
            tried.parent.mkdir(parents=True, exist_ok=True)
            tried.touch()
            if name not in _match(self._pattern, Path(scratch)):
                raise LifecycleError(
                    f"data.fetch delivers {name!r}, which data.source '{self._source}' would not list; "
                    "correct one of the two in params.yaml."
                )


def _match(pattern: str, folder: Path) -> list[str]:
    found = glob.glob(pattern, root_dir=folder, recursive=True)  # noqa: PTH207 Path.glob lists hidden files
    return [Path(name).as_posix() for name in found if (folder / name).is_file()]


def _take_files(address: str, inbox: Inbox, root: Path) -> Iterator[str | None]:
    """Copy the files of a glob or URL; nothing, if one of the names is no good."""
    filesystem, files = _list_files(address, root)
    names = [PurePosixPath(urlsplit(file).path if "?" in file else file).name for file in files]
    if twice := [name for name in names if names.count(name) > 1]:
        raise LifecycleError(f"data.fetch '{hide_secrets(address)}' delivers two files named {twice[0]!r}.")
    for name, file in zip(names, files, strict=True):
        yield inbox.receive(name, partial(_copy, filesystem, file))


def _list_files(address: str, root: Path) -> tuple[Any, list[str]]:
    """Return fsspec's file system of an address, and the files there, sorted."""
    from fsspec.core import url_to_fs

    if urlsplit(address).password:
        raise LifecycleError(
            "data.fetch holds a password; take it out of params.yaml and set it in the environment."
        )
    try:
        filesystem, path = url_to_fs(address if is_remote(address) else str(root.absolute() / address))
        found = filesystem.glob(path) if re.search(r"[*\[]", path) else [path]
        if not found:  # glob hides what went wrong on the way, listing the folder does not
            filesystem.ls(re.split(r"[^/]*[*\[]", path)[0])
    except FileNotFoundError:
        return None, []
    except Exception as error:  # every fsspec back end has errors of its own
        raise _unreachable(address, error) from error
    return filesystem, sorted(found)


def _copy(filesystem: Any, file: str, target: Path) -> None:
    try:
        filesystem.get_file(file, str(target))
    except Exception as error:
        raise _unreachable(filesystem.unstrip_protocol(file), error) from error


def _unreachable(address: str, error: Exception) -> LifecycleError:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
    return LifecycleError(f"data.fetch '{hide_secrets(address)}' cannot be read: {hide_secrets(reason)}.")


def _take_frames(name: str, inbox: Inbox, root: Path) -> Iterator[str | None]:
    """Write the tables that a function yields as Parquet."""
    import pandas as pd

    for answer in _import_function(name)(inbox.list_names()):
        match answer:
            case (str() as file, pd.DataFrame() as frame) if file.endswith(".parquet"):
                yield inbox.receive(file, partial(frame.to_parquet, index=False))
            case _:
                raise LifecycleError(
                    f"data.fetch '{name}' yields {_describe(answer)}; "
                    "expected pairs of a name that ends in .parquet and a DataFrame."
                )


def _describe(answer: Any) -> str:
    if isinstance(answer, tuple):
        return f"({', '.join(repr(one) if isinstance(one, str) else type(one).__name__ for one in answer)})"
    return f"a {type(answer).__name__}"


def _import_function(name: str) -> Fetch:
    where, _, what = name.partition(":")
    try:
        function = getattr(importlib.import_module(where), what, None)
    except ModuleNotFoundError as error:
        # A module that is there, but misses one that it imports, is a bug and keeps its traceback.
        if not f"{where}.".startswith(f"{error.name}."):
            raise
        raise LifecycleError(
            f"params.yaml: data.fetch is '{name}', but there is no module '{where}'."
        ) from None
    if not callable(function):
        raise LifecycleError(f"params.yaml: data.fetch is '{name}', but '{where}' has no function '{what}'.")
    return function

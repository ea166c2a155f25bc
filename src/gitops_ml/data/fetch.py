"""Fetch delivered files into the folder that ``data.source`` names."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..core.errors import LifecycleError
from ..core.project import find_function
from ..core.records import Part
from ..core.settings import DataSettings, hide_secrets
from .sources import is_remote, list_matches, parse_file, read_bytes

if TYPE_CHECKING:
    import pandas as pd

FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
# The name of each file, and what gives its content.
Delivered = Iterator[tuple[str, Callable[[], bytes]]]


class Fetched(Part):
    """The files that were fetched."""

    files: list[str]
    """Paths below the project, sorted."""
    left: dict[str, str]
    """By name of a file that cannot be read as yet, why; it is tried again the next time."""


def find_obstacle(data: DataSettings) -> str | None:
    """Return in one sentence why there is nothing to fetch; None where there may be."""
    if data.fetch is None:
        return "Nothing to fetch: data.fetch is not set in params.yaml."
    if data.query is not None or is_remote(data.source):
        return "Nothing to fetch: data.source is not on this machine, and is read from where it is."
    return None


def fetch(data: DataSettings, root: Path) -> Fetched:
    """Copy the files that are not there yet, each whole or not at all.

    Parameters
    ----------
    data : DataSettings
        With ``fetch``, and a local source.
    root : Path
        The project.

    Raises
    ------
    LifecycleError
        If the place cannot be reached, two delivered files have the same name, one has a name that
        ``data.source`` does not match or that leads out of its folder, or a file cannot be written.
    """
    assert data.fetch is not None
    folder = _find_folder(data)
    present = sorted(path.name for path in (root / folder).glob("*") if path.is_file())
    deliver = _call if FUNCTION.fullmatch(data.fetch) else _copy
    files, left = list[str](), dict[str, str]()
    for name, read in deliver(data, root, present):
        _require_place(name, folder, data)
        try:
            content = read()
            parse_file(name, content)
        except LifecycleError as problem:  # it may still be on its way
            left[name] = hide_secrets(str(problem))
            continue
        _write(root / folder / name, content)
        files.append((Path(folder) / name).as_posix())
    return Fetched(files=sorted(files), left=left)


def _find_folder(data: DataSettings) -> str:
    """Return the folder whose files ``data.source`` names."""
    folder, _, pattern = data.source.rpartition("/")
    if re.search(r"[*?\[]", folder) or not re.search(r"[*?\[]", pattern):
        raise LifecycleError(
            f"data.source '{data.source}' does not say where new files go; "
            "expected a pattern for the files of one folder, such as 'data/*.parquet'."
        )
    return folder


def _copy(data: DataSettings, root: Path, present: list[str]) -> Delivered:
    """Yield the files that are delivered somewhere; none, if two have the same name."""
    paths = _list(str(data.fetch), root)
    names = [(urlsplit(path).path if is_remote(path) else path).rpartition("/")[2] for path in paths]
    _require_different(names)
    for name, path in zip(names, paths, strict=True):
        if name not in present:
            yield name, partial(read_bytes, path, root)


def _list(address: str, root: Path) -> list[str]:
    try:
        return list_matches(address, root)
    except LifecycleError as problem:
        # Files are listed as those of data.source are, which the sentence takes them for.
        sentence = str(problem).replace("data.source", "data.fetch")
        raise LifecycleError(hide_secrets(sentence)) from None


def _call(data: DataSettings, root: Path, present: list[str]) -> Delivered:
    """Yield the tables that a function of the user's gives."""
    names: list[str] = []
    for name, frame in find_function(str(data.fetch), "data.fetch")(present):
        names.append(name)
        _require_different(names)
        if name not in present:
            yield name, partial(_encode, name, frame)


def _require_different(names: list[str]) -> None:
    """Refuse two files of one name, of which the second would replace the first."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise LifecycleError(f"data.fetch delivers '{twice[0]}' twice; each file needs a name of its own.")


def _encode(name: str, frame: pd.DataFrame) -> bytes:
    if name.endswith(".parquet"):
        content: bytes = frame.to_parquet(index=False)
        return content
    return frame.to_csv(index=False).encode()


def _require_place(name: str, folder: str, data: DataSettings) -> None:
    """Refuse a name that is no file of the folder, or that no run would read."""
    path = f"{folder}/{name}" if folder else name
    if Path(name).name != name or name.startswith(".") or not fnmatchcase(path, data.source):
        raise LifecycleError(
            f"data.fetch delivers '{name}', which data.source '{data.source}' does not match; "
            "name it otherwise, or correct params.yaml."
        )


def _write(path: Path, content: bytes) -> None:
    beside = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(content)
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise LifecycleError(f"{path} cannot be written: {error.strerror}.") from None

"""The folder of the prediction log: a folder a day, and files that are named after their time."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import fsspec

from ...core.errors import LifecycleError
from ...core.settings import hide_secrets

# How much later than its records a file may have been written, or earlier where a clock was set.
SLACK = timedelta(hours=12)
STAMP = re.compile(r"\d{4}-\d\d-\d\d/\d{6}(?=-[^/]*$)")


def connect(url: str) -> tuple[Any, str]:
    """Return fsspec's file system for a log, and its folder there.

    Raises
    ------
    LifecycleError
        If there is no such file system, or its package is not installed.
    """
    try:
        return fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise LifecycleError(
            f"params.yaml: serve.log.url is '{hide_secrets(url)}', which cannot be opened: "
            f"{first_line(error)}."
        ) from None


def list_stamped(filesystem: Any, folder: str, since: datetime, until: datetime) -> list[str]:
    """List the files whose names say that they were written in a window, in order.

    Parameters
    ----------
    filesystem : fsspec file system
    folder : str
        Of the log; its folders are days.
    since, until : datetime
        With a time zone.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    LifecycleError
        If it cannot be listed.
    """
    first, last = since.astimezone(UTC).date(), until.astimezone(UTC).date()
    days = [day for day in _list(filesystem, folder) if _lies_between(first, day, last)]
    found = [path for day in days for path in _list(filesystem, day)]
    return sorted(path for path in found if (stamp := _read_stamp(path)) and since <= stamp < until)


def _list(filesystem: Any, folder: str) -> list[str]:
    try:
        return [str(name).rstrip("/") for name in filesystem.ls(folder, detail=False)]
    except FileNotFoundError:
        raise
    except Exception as error:  # every fsspec back end has errors of its own
        raise LifecycleError(
            f"The prediction log cannot be listed at {hide_secrets(folder)}: {first_line(error)}; "
            "correct serve.log.url in params.yaml, or the access to it."
        ) from None


def _lies_between(first: date, folder: str, last: date) -> bool:
    try:
        return first <= date.fromisoformat(folder.rpartition("/")[2]) <= last
    except ValueError:  # it is none of the log's
        return False


def _read_stamp(path: str) -> datetime | None:
    """Return when a file was written; None if it is none of the log's."""
    found = STAMP.search(path)
    try:
        return None if found is None else datetime.strptime(f"{found[0]}+0000", "%Y-%m-%d/%H%M%S%z")
    except ValueError:
        return None


def first_line(error: BaseException) -> str:
    """Return the beginning of what an error says."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")

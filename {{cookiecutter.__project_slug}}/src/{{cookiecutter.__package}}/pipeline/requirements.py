"""The packages that a bundle needs, as pip installs them: ``requirements.txt`` of the bundle."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.metadata import requires, version

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def pin_requirements(names: Iterable[str], lock: str) -> str:
    """Return packages and all that they need, in the versions installed here.

    Parameters
    ----------
    names : iterable of str
        Packages that are installed.
    lock : str
        The project's ``requirements.txt``. Its hashes are kept, unless another version than the one it
        names is installed of any package: installers want a hash for each or for none.

    Returns
    -------
    str
        A requirements file, sorted by name. It is whole: nothing else need be installed.
    """
    pins = [f"{name}=={version(name)}" for name in list_closure(names)]
    entries = _read_entries(lock)
    if all(pin in entries for pin in pins):
        return "".join(entries[pin] for pin in pins)
    return "".join(f"{pin}\n" for pin in pins)


def list_pins(requirements: str) -> list[str]:
    """Return what a requirements file pins, without hashes and markers, such as ``numpy==2.4.6``."""
    return list(_read_entries(requirements))


def list_closure(names: Iterable[str]) -> list[str]:
    """Return the names of packages and of all that they need on this machine, sorted."""
    waiting = [Requirement(name) for name in names]
    seen: set[tuple[str, str]] = set()
    while waiting:
        wanted = waiting.pop()
        for extra in {"", *wanted.extras}:
            key = (canonicalize_name(wanted.name), extra)
            if key not in seen:
                seen.add(key)
                waiting += _list_needs(*key)
    return sorted({name for name, _ in seen})


def _list_needs(name: str, extra: str) -> list[Requirement]:
    needs = [Requirement(line) for line in requires(name) or []]
    return [need for need in needs if need.marker is None or need.marker.evaluate({"extra": extra})]


def _read_entries(lock: str) -> dict[str, str]:
    """Return the entries of a requirements file, hashes included, by name and version."""
    entries = re.findall(r"^[^\s#].*(?:\n[ \t].*)*\n?", lock, re.MULTILINE)
    return {entry.split(maxsplit=1)[0].rstrip(";\\"): entry for entry in entries}

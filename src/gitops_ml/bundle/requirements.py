"""The packages that a bundle needs, as pip installs them: ``requirements.txt`` of the bundle."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ..core.errors import LifecycleError


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
    return sorted(filter(None, trace_needs(names)))


def trace_needs(requirements: Iterable[str]) -> dict[str, set[str]]:
    """Follow requirements through what is installed.

    Returns
    -------
    dict of str to set of str
        For each package that is needed, the packages that it needs itself; the empty name stands
        for the requirements given. Names are normalised.

    Raises
    ------
    LifecycleError
        If one is not installed, or in another version than is needed.
    """
    waiting = [("", Requirement(line)) for line in requirements]
    needs: dict[str, set[str]] = {"": set()}
    seen = set()
    while waiting:
        parent, requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        needs[parent].add(name)
        needs.setdefault(name, set())
        if (name, frozenset(requirement.extras)) not in seen:
            seen.add((name, frozenset(requirement.extras)))
            waiting += [(name, child) for child in _list_needs(_find(requirement), requirement.extras)]
    return needs


def _find(requirement: Requirement) -> Distribution:
    try:
        found = distribution(requirement.name)
    except PackageNotFoundError:
        found = None
    if found is None or not requirement.specifier.contains(found.version, prereleases=True):
        version = f"{requirement.name} {found.version}" if found else "none"
        raise LifecycleError(
            f"The bundle needs {requirement.name}{requirement.specifier}, but {version} is installed; "
            "run 'make setup', then 'mlops run'."
        )
    return found


def _list_needs(found: Distribution, extras: Iterable[str]) -> Iterator[Requirement]:
    """Yield what a package needs on this machine, with some of its extras."""
    for requirement in map(Requirement, found.requires or []):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ["", *extras]):
            yield requirement


def _read_entries(lock: str) -> dict[str, str]:
    """Return the entries of a requirements file, hashes included, by name and version."""
    entries = re.findall(r"^[^\s#-].*(?:\n[ \t].*)*\n?", lock, re.MULTILINE)
    return {entry.split(maxsplit=1)[0].rstrip(";\\"): entry for entry in entries}

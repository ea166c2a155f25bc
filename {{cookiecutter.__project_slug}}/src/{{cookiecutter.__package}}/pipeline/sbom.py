"""The bill of materials: a model and every package that serving it needs, in CycloneDX."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .bundle import REQUIREMENTS, LineageRecord, verify_bundle
from .errors import LifecycleError
from .runkey import PACKAGE

SBOM = "sbom.cdx.json"
MODEL = "model"


def read_needs(bundle: Path) -> dict[str, set[str]]:
    """Return what serving a bundle needs, as ``trace_needs`` does.

    Raises
    ------
    LifecycleError
        If the bundle is not as it was sealed, or a package that it needs is not installed.
    """
    verify_bundle(bundle)
    return trace_needs((bundle / REQUIREMENTS).read_text(encoding="utf-8").splitlines())


def write_sbom(bundle: Path, digest: str, needs: Mapping[str, set[str]], path: Path) -> None:
    """Write the bill of materials of a bundle.

    Versions and licences are those of the packages that are installed here, which the model was
    made and tried with. The same bundle gives the same bytes.

    Parameters
    ----------
    bundle : Path
        The folder.
    digest : str
        SHA-256 of its archive, hexadecimal; the archive is what the bill is about.
    needs : mapping of str to set of str
        Of ``read_needs``.
    path : Path
        The file to write, in one step.
    """
    bill = _describe_bill(LineageRecord.read(bundle), digest, needs)
    beside = path.with_name(path.name + ".partial")
    beside.write_text(json.dumps(bill, indent=2) + "\n", encoding="utf-8")
    beside.replace(path)


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


def _describe_bill(lineage: LineageRecord, digest: str, needs: Mapping[str, set[str]]) -> dict[str, Any]:
    names = sorted(name for name in needs if name)
    packages = {name: _describe_package(name) for name in names}
    references = {"": MODEL, **{name: package["bom-ref"] for name, package in packages.items()}}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_OID, digest).urn,
        "version": 1,
        "metadata": {"component": _describe_model(lineage, digest)},
        "components": list(packages.values()),
        "dependencies": [
            {"ref": references[name], "dependsOn": [references[need] for need in sorted(needs[name])]}
            for name in ["", *names]
        ],
    }


def _describe_model(lineage: LineageRecord, digest: str) -> dict[str, Any]:
    return {
        "type": "machine-learning-model",
        "bom-ref": MODEL,
        "name": PACKAGE.name.replace("_", "-"),
        "version": lineage.run_key,
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }


def _describe_package(name: str) -> dict[str, Any]:
    found = distribution(name)
    url = f"pkg:pypi/{name}@{found.version}"
    package = {"type": "library", "bom-ref": url, "name": name, "version": found.version, "purl": url}
    licence = found.metadata.json.get("license_expression")
    return package | ({"licenses": [{"expression": licence}]} if licence else {})

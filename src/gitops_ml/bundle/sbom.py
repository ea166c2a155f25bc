"""The bill of materials: a model and every package that serving it needs, in CycloneDX."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from ..core.layout import REQUIREMENTS
from ..core.project import name_package
from .manifest import LineageRecord, verify_bundle
from .requirements import list_pins, trace_needs

SBOM = "sbom.cdx.json"
MODEL = "model"


def read_needs(bundle: Path) -> dict[str, set[str]]:
    """Return what serving a bundle needs, as ``trace_needs`` does.

    Raises
    ------
    LifecycleError
        If the bundle is not as its manifest says, or a package that it needs is not installed.
    """
    verify_bundle(bundle)
    return trace_needs(list_pins((bundle / REQUIREMENTS).read_text(encoding="utf-8")))


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
        "name": name_package().replace("_", "-"),
        "version": lineage.run_key,
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }


def _describe_package(name: str) -> dict[str, Any]:
    found = distribution(name)
    url = f"pkg:pypi/{name}@{found.version}"
    package = {"type": "library", "bom-ref": url, "name": name, "version": found.version, "purl": url}
    licence = found.metadata.json.get("license_expression")
    return package | ({"licenses": [{"expression": licence}]} if licence else {})

"""The bill of materials names all that serving a bundle needs, and nothing else."""

from __future__ import annotations

import json
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from gitops_ml.bundle.manifest import write_manifest
from gitops_ml.bundle.requirements import list_pins, trace_needs
from gitops_ml.bundle.sbom import SBOM
from gitops_ml.core.errors import LifecycleError
from gitops_ml.core.layout import REQUIREMENTS
from toys import mlops


def write(root: Path) -> dict[str, Any]:
    """Package the bundle and return the bill."""
    result = mlops("package")
    assert 0 == result.exit_code, result.output
    bill: dict[str, Any] = json.loads((root / "build" / SBOM).read_text())
    return bill


def test_every_requirement_is_in_the_bill(done: Path) -> None:
    """Each package of the bundle's requirements, in its version; and what only training needs is not."""
    packages = {package["name"]: package["version"] for package in write(done)["components"]}
    pins = list_pins((done / "build/bundle" / REQUIREMENTS).read_text())
    assert dict(pin.split("==") for pin in pins) == packages
    assert not {"mlflow", "matplotlib", "pandera", "pytest"} & packages.keys()
    assert version("starlette") == packages["starlette"]


def test_the_bill_is_about_the_package(done: Path) -> None:
    """It names the archive by its digest, and the model by its run key."""
    model = write(done)["metadata"]["component"]
    digest = sha256((done / "build/bundle.tar.gz").read_bytes()).hexdigest()
    lineage = json.loads((done / "build/bundle/lineage.json").read_text())
    assert ("machine-learning-model", lineage["run_key"]) == (model["type"], model["version"])
    assert [{"alg": "SHA-256", "content": digest}] == model["hashes"]


def test_dependencies_lead_from_the_model_to_every_package(done: Path) -> None:
    """Whoever asks why a package is there finds the way; every reference leads somewhere."""
    bill = write(done)
    edges = {one["ref"]: one["dependsOn"] for one in bill["dependencies"]}
    reached, waiting = set(), ["model"]
    while waiting:
        reached.add(reference := waiting.pop())
        waiting += [one for one in edges[reference] if one not in reached]
    assert {package["bom-ref"] for package in bill["components"]} | {"model"} == reached


def test_the_same_bundle_gives_the_same_bill(done: Path) -> None:
    """No time and no random number is in it."""
    assert write(done) == write(done)


def test_extras_count() -> None:
    """What a package needs for an extra is needed where somebody asks for the extra."""
    assert "aiohttp" not in trace_needs(["fsspec"])["fsspec"]
    assert "aiohttp" in trace_needs(["fsspec", "fsspec[http]"])["fsspec"]


@pytest.mark.parametrize(
    ("line", "installed"),
    [("numpy==0.1", f"numpy {version('numpy')} is installed"), ("no-such-thing==1", "none is installed")],
)
def test_another_environment_is_refused(done: Path, line: str, installed: str) -> None:
    """A bill of what is not installed would be made up; archive and bill stay as they are."""
    before = write(done), (done / "build/bundle.tar.gz").read_bytes()
    (done / "build/bundle" / REQUIREMENTS).write_text(f"{line}\n")
    write_manifest(done / "build/bundle")
    result = mlops("package")
    assert 1 == result.exit_code
    assert f"Error: The bundle needs {line}, but {installed}; run 'make setup'" in result.stderr
    after = json.loads((done / "build" / SBOM).read_text()), (done / "build/bundle.tar.gz").read_bytes()
    assert before == after


def test_names_are_normalised() -> None:
    """However a package writes its name, it is one package."""
    assert {"typing-extensions": set()}.items() <= trace_needs(["Typing_Extensions"]).items()
    with pytest.raises(LifecycleError, match="needs No-Such"):
        trace_needs(["No-Such"])

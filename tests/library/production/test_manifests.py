"""The branch production has what runs the image, by its digest."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from gitops_ml.core.errors import LifecycleError
from gitops_ml.production.manifests import IMAGE, write_manifests

DIGEST = "sha256:" + 64 * "a"
NAME = "registry.example.org:5000/me/flights"


def test_the_overlay_names_the_image_by_its_digest(done: Path) -> None:
    """Kustomize puts it where the base says `model`, and labels what runs with the version."""
    overlay = yaml.safe_load(write_manifests(done, f"{NAME}@{DIGEST}", 7)["k8s/kustomization.yaml"])
    assert [{"name": "model", "newName": NAME, "digest": DIGEST}] == overlay["images"]
    assert {"app.kubernetes.io/version": "7"} == overlay["labels"][0]["pairs"]
    assert ["base"] == overlay["resources"]


def test_the_base_is_that_of_the_project(done: Path) -> None:
    """What people change or add in deploy/k8s/ comes into production as it is."""
    (done / "deploy/k8s/more").mkdir()
    (done / "deploy/k8s/more/patch.yaml").write_text("a: 1 # why\n")
    files = write_manifests(done, f"{NAME}@{DIGEST}", 1)
    assert b"a: 1 # why\n" == files["k8s/base/more/patch.yaml"]
    for path in (done / "deploy/k8s").glob("*.yaml"):
        assert path.read_bytes() == files[f"k8s/base/{path.name}"]


def test_compose_runs_the_image(done: Path) -> None:
    """Its file is that of the project but for the image."""
    expected = yaml.safe_load((done / "deploy/compose.yaml").read_text())
    expected["services"]["model"]["image"] = f"{NAME}@{DIGEST}"
    assert expected == yaml.safe_load(write_manifests(done, f"{NAME}@{DIGEST}", 1)["compose.yaml"])


@pytest.mark.parametrize("name", ["k8s/kustomization.yaml", "compose.yaml"])
def test_a_missing_manifest_is_named(done: Path, name: str) -> None:
    """Production is never given half of what runs the image."""
    (done / "deploy" / name).unlink()
    with pytest.raises(LifecycleError, match=rf"deploy/{name} .*run 'mlops promote' without --image"):
        write_manifests(done, f"{NAME}@{DIGEST}", 1)


@pytest.mark.parametrize("content", ["", "services: {other: {}}", "services: [", "services: 1"])
def test_a_compose_file_without_the_service_is_named(done: Path, content: str) -> None:
    """Whatever else is in the file."""
    (done / "deploy/compose.yaml").write_text(content)
    with pytest.raises(LifecycleError, match=r"deploy/compose.yaml has no services\.model"):
        write_manifests(done, f"{NAME}@{DIGEST}", 1)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (f"{NAME}@{DIGEST}", True),
        (f"localhost:5000/a/b-c/d.e__f@{DIGEST}", True),
        (f"registry.example.org/me/Flights@{DIGEST}", False),
        (f"flights@{DIGEST}", False),
        (f"{NAME}:7@{DIGEST}", False),
        (f"{NAME}:7", False),
        (f"{NAME}@sha256:1", False),
        (f"{NAME}@{DIGEST}\n", False),
    ],
)
def test_what_names_an_image(image: str, expected: bool) -> None:
    """A registry, a name in lower case, a digest; a tag could move."""
    assert expected == (IMAGE.fullmatch(image) is not None)

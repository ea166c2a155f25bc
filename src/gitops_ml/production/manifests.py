"""Manifests for Kubernetes and Compose, which the branch ``production`` has of the image."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from ..core.errors import LifecycleError

KUBERNETES = Path("deploy/k8s")
COMPOSE = Path("deploy/compose.yaml")
# How the manifests in deploy/ call the image and the service that runs it.
NAME = "model"
# As the specification of OCI's distribution has it, with a registry before it and a digest after it.
IMAGE = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]+)?(/[a-z0-9]+((\.|_{1,2}|-+)[a-z0-9]+)*)+)"
    r"@(?P<digest>sha256:[0-9a-f]{64})"
)


def write_manifests(root: Path, image: str, version: int) -> dict[str, bytes]:
    """Return what lets Kubernetes or Compose run an image.

    Parameters
    ----------
    root : Path
        The project; what is in its ``deploy/k8s/`` and ``deploy/compose.yaml`` is taken.
    image : str
        Name and digest, as ``IMAGE`` describes it.
    version : int
        Of the model.

    Returns
    -------
    dict of str to bytes
        Content by path: ``k8s/base/`` as it is in the project, ``k8s/kustomization.yaml`` over it,
        and ``compose.yaml``.

    Raises
    ------
    LifecycleError
        If a file is missing or is not about the image ``model``.
    """
    files = {"k8s/kustomization.yaml": _dump(_describe_overlay(image, version))}
    for path in _list_base(root):
        files[f"k8s/base/{path.relative_to(root / KUBERNETES).as_posix()}"] = path.read_bytes()
    return files | {"compose.yaml": _dump(_fill_compose(root / COMPOSE, image))}


def _list_base(root: Path) -> list[Path]:
    folder = root / KUBERNETES
    if not (folder / "kustomization.yaml").is_file():
        raise LifecycleError(
            f"{folder}/kustomization.yaml is missing, so no image can be put into production; "
            "restore it, or run 'mlops promote' without --image."
        )
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _describe_overlay(image: str, version: int) -> dict[str, Any]:
    found = IMAGE.fullmatch(image)
    assert found, image
    labels = {"pairs": {"app.kubernetes.io/version": str(version)}, "includeTemplates": True}
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["base"],
        "images": [{"name": NAME, "newName": found["name"], "digest": found["digest"]}],
        "labels": [labels],
    }


def _fill_compose(path: Path, image: str) -> dict[str, Any]:
    """Return the project's file for Compose, with the image that its service runs."""
    try:
        content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        content["services"][NAME]["image"] = image
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        raise LifecycleError(
            f"{path} has no services.{NAME}, so no image can be put into production; "
            "restore it, or run 'mlops promote' without --image."
        ) from None
    return content


def _dump(content: dict[str, Any]) -> bytes:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True).encode()

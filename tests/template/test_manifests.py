"""The manifests that run the image: on one machine, in Kubernetes, and from the branch production."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from baking import Bake
from gitops_ml.serving.server import PATIENCE
from rehearsal.surroundings import tool


@pytest.fixture(scope="module")
def deploy(bake: Bake) -> Path:
    """The manifests of a project whose names are not the default ones."""
    return bake(project_name="Late Trains", github_owner="wonderland") / "deploy"


@pytest.fixture(scope="module")
def manifests(deploy: Path) -> dict[str, Any]:
    """What is for Kubernetes itself, by kind."""
    resources = yaml.safe_load((deploy / "k8s/kustomization.yaml").read_text())["resources"]
    loaded = [yaml.safe_load((deploy / "k8s" / name).read_text()) for name in resources]
    return {manifest["kind"]: manifest for manifest in loaded}


def read_pod(manifests: dict[str, Any]) -> dict[str, Any]:
    pod: dict[str, Any] = manifests["Deployment"]["spec"]["template"]["spec"]
    return pod


def test_the_kustomization_lists_every_file(deploy: Path) -> None:
    """Nothing lies beside it that never comes to the cluster."""
    kustomization = yaml.safe_load((deploy / "k8s/kustomization.yaml").read_text())
    names = {path.name for path in (deploy / "k8s").iterdir()} - {"kustomization.yaml"}
    assert names == set(kustomization["resources"])


def test_kubernetes_schema(manifests: dict[str, Any]) -> None:
    """Every manifest is what Kubernetes says that it must be, to the last field."""
    assert {
        "Deployment",
        "Service",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "NetworkPolicy",
    } == set(manifests)
    for manifest in manifests.values():
        kubernetes_validate.validate(manifest, "1.37", strict=True)


def test_schema_refuses(manifests: dict[str, Any]) -> None:
    """A field of a wrong name is not overlooked."""
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**manifests["Service"], "specs": {}}, "1.37", strict=True)


def test_all_select_the_pods(manifests: dict[str, Any]) -> None:
    """What speaks of the pods means those of the deployment."""
    specs = {kind: manifest["spec"] for kind, manifest in manifests.items()}
    labels = specs["Deployment"]["template"]["metadata"]["labels"]
    assert labels == specs["Deployment"]["selector"]["matchLabels"]
    assert labels == specs["Service"]["selector"]
    assert labels == specs["PodDisruptionBudget"]["selector"]["matchLabels"]
    assert labels == specs["NetworkPolicy"]["podSelector"]["matchLabels"]
    target = specs["HorizontalPodAutoscaler"]["scaleTargetRef"]
    assert ("Deployment", manifests["Deployment"]["metadata"]["name"]) == (target["kind"], target["name"])
    assert "replicas" not in specs["Deployment"]


def test_pod_security(manifests: dict[str, Any]) -> None:
    """The pod meets Kubernetes' standard "restricted", cannot write to its image, and has no account."""
    pod = read_pod(manifests)
    [container] = pod["containers"]
    assert (True, 10001) == (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["runAsUser"])
    assert {"type": "RuntimeDefault"} == pod["securityContext"]["seccompProfile"]
    assert {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    } == container["securityContext"]
    assert not pod["automountServiceAccountToken"]
    assert (
        {"memory", "cpu"} == set(container["resources"]["requests"]) == set(container["resources"]["limits"])
    )


def test_pod_asks_for_a_token(manifests: dict[str, Any]) -> None:
    """The token comes from a secret; without one no pod starts."""
    [variable] = read_pod(manifests)["containers"][0]["env"]
    assert "MLOPS_API_TOKEN" == variable["name"]
    assert {"name": "model", "key": "MLOPS_API_TOKEN"} == variable["valueFrom"]["secretKeyRef"]


def test_time_to_end(deploy: Path, manifests: dict[str, Any]) -> None:
    """Both leave the service more time than it takes to drain and to finish what is in flight."""
    [compose] = yaml.safe_load((deploy / "compose.yaml").read_text())["services"].values()
    assert read_pod(manifests)["terminationGracePeriodSeconds"] >= PATIENCE + 10
    assert int(compose["stop_grace_period"].removesuffix("s")) >= PATIENCE + 10


def test_compose_schema(deploy: Path) -> None:
    """The file for Compose is what the specification of Compose says that it must be."""
    command = [
        tool("check-jsonschema"),
        "--builtin-schema",
        "vendor.compose-spec",
        str(deploy / "compose.yaml"),
    ]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert 0 == ended.returncode, ended.stdout


def test_compose_security(deploy: Path) -> None:
    """On one machine the service is as confined as in a cluster."""
    service = yaml.safe_load((deploy / "compose.yaml").read_text())["services"]["model"]
    assert (True, ["ALL"], ["no-new-privileges:true"]) == (
        service["read_only"],
        service["cap_drop"],
        service["security_opt"],
    )


def find_sources(deploy: Path) -> Iterator[tuple[str, str, str, str]]:
    """Yield repository, branch, folder and namespace, as Argo CD and Flux are told."""
    application = yaml.safe_load((deploy / "argocd.yaml").read_text())["spec"]
    source = application["source"]
    yield source["repoURL"], source["targetRevision"], source["path"], application["destination"]["namespace"]
    namespace, repository, kustomization = yaml.safe_load_all((deploy / "flux.yaml").read_text())
    assert repository["metadata"]["name"] == kustomization["spec"]["sourceRef"]["name"]
    assert namespace["metadata"]["name"] == kustomization["spec"]["targetNamespace"]
    spec = repository["spec"]
    path = kustomization["spec"]["path"].removeprefix("./")
    yield spec["url"], spec["ref"]["branch"], path, namespace["metadata"]["name"]


def test_controllers_follow_production(deploy: Path) -> None:
    """Argo CD and Flux are told the same: which repository, its branch production, and the namespace."""
    address = "https://github.com/wonderland/late-trains.git"
    assert [(address, "production", "k8s", "late-trains")] * 2 == list(find_sources(deploy))

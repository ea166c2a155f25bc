"""The workflows of a bake do what they promise: they really run here, in act."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from baking import Bake, Lend
from rehearsal.act import STAND_INS, Outcome, act
from rehearsal.surroundings import tool

OWNER = "octocat/flight-delays"
TRAIN = ("-W", ".github/workflows/train.yml")
CHECKS = ("-W", ".github/workflows/checks.yml")
SECRETS = ("-s", "MLFLOW_TRACKING_TOKEN=hush", "--var", "MLFLOW_TRACKING_URI=http://127.0.0.1:1")
# In place of the real thing: notes what it was given, and fails where it is told to.
MLOPS = """#!/bin/sh
mkdir -p build
env | grep -E 'MLFLOW|hush' > "build/environment-$1"
echo "# Report of $GITHUB_EVENT_NAME" > build/report.md
case "$*" in
  *" --plan "*) echo null ;;
  site*) mkdir -p "$3" && echo "<p>Site" > "$3/index.html" ;;
esac
[ "$1" != "$FAILING" ]
"""
# In place of a server on which nothing has been deployed yet.
GH = """#!/bin/sh
echo "gh: Not Found (HTTP 404)" >&2
exit 1
"""
MAKEFILE = """setup:
\tmkdir -p .venv/bin
\tcp mlops .venv/bin/mlops
\tln -s "$$(command -v python3)" .venv/bin/python
test:
\t.venv/bin/mlops test
"""


@pytest.fixture(scope="module")
def baked(bake: Bake) -> Path:
    """The default project, as it is on a branch that was pushed."""
    project = bake()
    params = project / "params.yaml"
    # The machine is busy with other tests, which is no reason to fail here.
    params.write_text(re.sub(r"max_latency_ms: \d+", "max_latency_ms: 10000", params.read_text()))
    commit(project)
    return project


@pytest.fixture(scope="module")
def light(baked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workflows of the project, around a lifecycle that takes no time."""
    project = tmp_path_factory.mktemp("light")
    shutil.copytree(baked / ".github", project / ".github")
    (project / "Makefile").write_text(MAKEFILE)
    (project / "mlops").write_text(MLOPS)
    (project / "mlops").chmod(0o755)
    commit(project)
    return project


def train(project: Path, folder: Path, name: str, *arguments: str, **how: Any) -> Outcome:
    """Run ``train.yml`` where there is no champion yet."""
    environment = {"PATH": lay_programs(folder), **how.pop("environment", {})}
    return act(project, folder, name, *TRAIN, *arguments, environment=environment, **how)


def lay_programs(folder: Path) -> str:
    """Put a ``gh`` beside a run, and return the PATH that finds it first."""
    programs = folder / "programs"
    programs.mkdir()
    (programs / "gh").write_text(GH)
    (programs / "gh").chmod(0o755)
    return f"{programs}:{os.environ['PATH']}"


def commit(project: Path) -> None:
    """Make a folder a repository on the branch ``better``."""
    person = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    for words in (
        ["init", "--quiet", "--initial-branch", "better"],
        ["remote", "add", "origin", f"https://github.com/{OWNER}.git"],
        ["add", "--all"],
        [*person, "commit", "--quiet", "--no-gpg-sign", "--message", "Make the model better"],
    ):
        subprocess.run(["git", *words], cwd=project, check=True)


def pull_request(action: str, head: str) -> dict[str, Any]:
    """Return the event of a pull request whose branch lies in the repository ``head``."""
    branch = {"ref": "better", "repo": {"full_name": head}}
    return {"action": action, "pull_request": {"number": 7, "head": branch, "base": {"ref": "main"}}}


def workflow_files(project: Path) -> list[Path]:
    return sorted(project.glob(".github/**/*.yml"))


def steps(project: Path) -> Iterator[dict[str, Any]]:
    """Yield every step of every workflow and action."""
    for path in workflow_files(project):
        content = yaml.safe_load(path.read_text())
        yield from content.get("runs", {}).get("steps", [])
        for job in content.get("jobs", {}).values():
            yield from job.get("steps", [])  # none where another workflow is called


def run(*command: str, cwd: Path, text: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, input=text, capture_output=True, text=True)


def test_strict_validation(light: Path, tmp_path: Path) -> None:
    """Act's strict reading of GitHub's workflow schema finds nothing."""
    ended = run("env", f"HOME={tmp_path}", tool("act"), "--validate", "--strict", cwd=light)
    assert 0 == ended.returncode, ended.stderr


@pytest.mark.parametrize(
    ("schema", "pattern"),
    [
        ("vendor.github-workflows", "workflows/*.yml"),
        ("vendor.github-actions", "actions/*/action.yml"),
        ("vendor.dependabot", "dependabot.yml"),
    ],
)
def test_schema(light: Path, schema: str, pattern: str) -> None:
    """Every file is what GitHub's schema says it must be."""
    files = [str(path) for path in light.glob(f".github/{pattern}")]
    assert files
    ended = run(tool("check-jsonschema"), "--builtin-schema", schema, *files, cwd=light)
    assert 0 == ended.returncode, ended.stdout


def test_audit(light: Path) -> None:
    """The pedantic audit finds nothing, and only two of its rules are ever put aside."""
    ended = run(tool("zizmor"), "--offline", "--persona", "pedantic", ".github", cwd=light)
    assert 0 == ended.returncode, ended.stdout
    asides = {
        line.partition("# zizmor: ")[2]
        for path in workflow_files(light)
        for line in path.read_text().splitlines()
        if "# zizmor: " in line
    }
    assert {"ignore[self-repository]", "ignore[dangerous-triggers]"} == asides


def test_shell(light: Path) -> None:
    """Shellcheck finds nothing in what runs in a shell, and no expression reaches it."""
    scripts = [step["run"] for step in steps(light) if "run" in step]
    scripts += [path.read_text() for path in light.glob(".github/scripts/*.sh")]
    assert scripts
    assert [] == [script for script in scripts if "${{" in script]
    for script in scripts:
        ended = run(tool("shellcheck"), "--external-sources", "--shell=bash", "-", cwd=light, text=script)
        assert 0 == ended.returncode, ended.stdout


def test_no_host_name(light: Path) -> None:
    """The workflows work on any server: none is named in them."""
    assert [] == [path for path in workflow_files(light) if "github.com" in path.read_text()]


def test_stand_ins(light: Path) -> None:
    """Every action that the workflows name has a stand-in, for the commit that they name."""
    used = {step["uses"] for step in steps(light) if not step.get("uses", ".").startswith(".")}
    assert set() == used - set(STAND_INS)


@pytest.mark.parametrize(
    ("server", "api", "registry", "expected"),
    [
        ("https://github.com", "https://api.github.com", "", "ghcr.io"),
        ("https://octo.ghe.com", "https://api.octo.ghe.com", "", "containers.octo.ghe.com"),
        ("https://git.example.org", "https://git.example.org/api/v3", "", "containers.git.example.org"),
        ("https://localhost:8443", "https://localhost:8443/api/v3", "", "containers.localhost:8443"),
        ("https://github.com", "https://api.github.com", "registry.example.org", "registry.example.org"),
    ],
)
def test_registry(light: Path, tmp_path: Path, server: str, api: str, registry: str, expected: str) -> None:
    """The image goes to the registry of the server, or to the one that is named; in lower case."""
    [script] = [step["run"] for step in steps(light) if step.get("name") == "Name the image"]
    given = {"GITHUB_SERVER_URL": server, "GITHUB_API_URL": api, "REGISTRY": registry}
    given |= {"GITHUB_OUTPUT": str(tmp_path / "output"), "GITHUB_REPOSITORY": "Octo-Org/Late-Trains"}
    subprocess.run(["bash", "-euo", "pipefail", "-c", script], env={**os.environ, **given}, check=True)
    lines = (tmp_path / "output").read_text().splitlines()
    assert [f"registry={expected}", f"name={expected}/octo-org/late-trains"] == lines


@pytest.fixture(scope="module")
def imaging(baked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose workflow ``deploy`` has only those steps that are about the image."""
    project = tmp_path_factory.mktemp("imaging")
    shutil.copy(baked / "params.yaml", project)
    shutil.copytree(baked / "deploy", project / "deploy")
    shutil.copytree(baked / "vendor", project / "build/bundle/vendor")
    for name in ("bundle/requirements.txt", "bundle.tar.gz"):
        (project / "build" / name).touch()
    (project / "build/sbom.cdx.json").write_text('{"bomFormat": "CycloneDX"}')
    deploy = yaml.safe_load((baked / ".github/workflows/deploy.yml").read_text())["jobs"]["deploy"]
    names = [step["name"] for step in deploy["steps"]]
    kept = deploy["steps"][names.index("Name the image") : names.index("Release")]
    plan = {"name": "Plan", "id": "plan", "run": 'echo "version=$VERSION" >> "$GITHUB_OUTPUT"'}
    job = {"runs-on": "ubuntu-latest", "env": deploy["env"], "steps": [deploy["steps"][0], plan, *kept]}
    path = project / ".github/workflows/deploy.yml"
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump({"on": "push", "jobs": {"deploy": job}}))
    commit(project)
    return project


@pytest.mark.parametrize(
    ("version", "visibility", "variables", "done"),
    [
        ("", "public", {}, []),
        ("3", "public", {}, ["build", "bundle", "image", "bill"]),
        ("3", "private", {}, ["build"]),
        ("3", "private", {"ATTEST": "true"}, ["build", "bundle", "image", "bill"]),
        ("3", "public", {"ATTEST": "false"}, ["build"]),
        ("3", "public", {"IMAGE_REGISTRY": "none"}, ["bundle"]),
    ],
)
def test_image(
    imaging: Path, tmp_path: Path, version: str, visibility: str, variables: dict[str, str], done: list[str]
) -> None:
    """What is new is built and pushed, and attested where that is possible or asked for."""
    outcome = deploy_image(imaging, tmp_path, version, visibility, variables)
    assert {"deploy": "success"} == outcome.jobs, outcome.log
    words = {
        "build": r"Pushed ghcr\.io/octocat/flight-delays:model-v3@sha256:",
        "bundle": r"Attested the provenance of bundle\.tar\.gz@",
        "image": r"Attested the provenance of ghcr\.io/octocat/flight-delays@",
        "bill": r"Attested the bill of materials of ghcr\.io/octocat/flight-delays@",
    }
    assert done == [name for name, pattern in words.items() if re.search(pattern, outcome.log)]


def test_token_stays(imaging: Path, tmp_path: Path) -> None:
    """Another registry never gets the workflow's own token: without a password there is no login."""
    variables = {"IMAGE_REGISTRY": "registry.example.org"}
    outcome = deploy_image(imaging, tmp_path, "3", "public", variables)
    failed = [name for name, result in outcome.steps.items() if result == "failure"]
    assert ["Log in to the registry"] == failed, outcome.log
    with_password = deploy_image(
        imaging, tmp_path / "again", "3", "public", variables, "-s", "IMAGE_REGISTRY_PASSWORD=hush"
    )
    assert "Pushed registry.example.org/octocat/flight-delays:model-v3@" in with_password.log


def deploy_image(
    project: Path, folder: Path, version: str, visibility: str, variables: dict[str, str], *arguments: str
) -> Outcome:
    """Run the steps about the image, on a push to a repository."""
    words = [word for pair in variables.items() for word in ("--var", "=".join(pair))]
    words += ["--env", f"VERSION={version}", "-s", "GITHUB_TOKEN=token", *arguments]
    event = {"repository": {"visibility": visibility}}
    folder.mkdir(exist_ok=True)
    return act(project, folder, "push", "-W", ".github/workflows/deploy.yml", *words, event=event)


def test_required_checks(light: Path) -> None:
    """The checks that the ruleset requires are jobs that run for pull requests and the merge queue."""
    rules = json.loads((light / ".github/rulesets/main.json").read_text())["rules"]
    [required] = [rule["parameters"]["required_status_checks"] for rule in rules if "checks" in rule["type"]]
    offered = set()
    for path in light.glob(".github/workflows/*.yml"):
        content = yaml.safe_load(path.read_text())
        if {"pull_request", "merge_group"} <= set(content[True]):  # YAML reads the key "on" as true
            offered |= set(content["jobs"])
    assert {check["context"] for check in required} <= offered


def test_push_sees_the_tracking_server(light: Path, tmp_path: Path) -> None:
    """What was pushed to the repository is tracked on the server; its tests do not see the token."""
    outcome = train(light, tmp_path, "push", *SECRETS)
    assert {"gate": "success"} == outcome.jobs
    kept = outcome.artifacts / "build"
    assert "MLFLOW_TRACKING_TOKEN=hush" in (kept / "environment-run").read_text()
    assert "" == (kept / "environment-test").read_text()
    assert "# Report of push\n" == outcome.summary


@pytest.mark.parametrize(
    ("action", "head"), [("opened", OWNER), ("opened", "stranger/fork"), ("synchronize", "stranger/fork")]
)
def test_pull_request_sees_no_secret(light: Path, tmp_path: Path, action: str, head: str) -> None:
    """A pull request, and each new commit of a fork's, is judged without any secret."""
    outcome = train(light, tmp_path, "pull_request", *SECRETS, event=pull_request(action, head))
    assert {"gate": "success"} == outcome.jobs
    given = (outcome.artifacts / "build/environment-run").read_text().splitlines()
    assert ["MLFLOW_TRACKING_TOKEN=", "MLFLOW_TRACKING_URI="] == sorted(given)


def test_own_commit_runs_once(light: Path, tmp_path: Path) -> None:
    """A new commit on a branch of the repository itself is judged as a push, not a second time."""
    outcome = train(light, tmp_path, "pull_request", event=pull_request("synchronize", OWNER))
    assert {} == outcome.jobs


@pytest.mark.parametrize("name", ["deploy", "monitor", "rollback", "site"])
def test_production_is_reached_from_the_default_branch_alone(light: Path, tmp_path: Path, name: str) -> None:
    """Somebody who starts a workflow on another branch deploys nothing by it."""
    event = {"ref": "refs/heads/better", "repository": {"default_branch": "main"}}
    workflow = ("-W", f".github/workflows/{name}.yml")
    assert {} == act(light, tmp_path, "workflow_dispatch", *workflow, event=event).jobs


def deploy(light: Path, folder: Path, *arguments: str, **environment: str) -> Outcome:
    """Run ``deploy.yml`` where production runs a model of the same run key already."""
    event = {"ref": "refs/heads/better", "repository": {"default_branch": "better"}}
    workflow = ("-W", ".github/workflows/deploy.yml")
    surroundings = {"PATH": lay_programs(folder), **environment}
    return act(light, folder, "push", *workflow, *arguments, event=event, environment=surroundings)


def test_deployment_without_tracking_server(light: Path, tmp_path: Path) -> None:
    """Where no MLflow is named, nothing is registered and nothing is said of it."""
    outcome = deploy(light, tmp_path)
    assert {"gate": "success", "deploy": "success", "build": "success"} == outcome.jobs, outcome.log
    assert "Register in MLflow" not in outcome.steps


@pytest.mark.parametrize(("failing", "result"), [("", "success"), ("register", "failure")])
def test_registration_blocks_nothing(light: Path, tmp_path: Path, failing: str, result: str) -> None:
    """It also happens where there is nothing to deploy; where it fails, the run says so and goes on."""
    outcome = deploy(light, tmp_path, *SECRETS, FAILING=failing)
    assert {"gate": "success", "deploy": "success", "build": "success"} == outcome.jobs, outcome.log
    assert {"Register in MLflow": result, "Summarise": "success"}.items() <= outcome.steps.items()
    assert (result == "failure") == ("the next run makes up for it" in outcome.log)


@pytest.mark.parametrize(("variables", "published"), [((), False), (("--var", "PUBLISH_SITE=true"), True)])
def test_site_is_private_by_default(
    light: Path, tmp_path: Path, variables: tuple[str, ...], published: bool
) -> None:
    """The pages about production are an artifact; they are published only where somebody says so."""
    event = {"ref": "refs/heads/better", "repository": {"default_branch": "better"}}
    workflow = ("-W", ".github/workflows/site.yml")
    outcome = act(light, tmp_path, "workflow_dispatch", *workflow, *variables, event=event)
    assert {"build": "success"} | ({"publish": "success"} if published else {}) == outcome.jobs, outcome.log
    assert ["github-pages" if published else "site"] == [path.name for path in outcome.artifacts.iterdir()]
    assert published == ("Published 1 pages" in outcome.log)


@pytest.mark.parametrize("failing", ["run", "test", "gate"])
def test_each_failure_counts(light: Path, tmp_path: Path, failing: str) -> None:
    """Whatever fails, the job fails, and the build and the summary are there all the same."""
    outcome = train(light, tmp_path, "push", environment={"FAILING": failing})
    assert {"gate": "failure"} == outcome.jobs
    assert 1 == list(outcome.steps.values()).count("failure")
    assert (outcome.artifacts / "build/report.md").exists()
    assert "# Report of push\n" == outcome.summary


def test_checks(baked: Path, lend: Lend, tmp_path: Path) -> None:
    """The project as baked passes its own checks."""
    lend(baked)
    outcome = act(baked, tmp_path, "push", *CHECKS, "-j", "check")
    assert {"check": "success"} == outcome.jobs, outcome.log

"""The container image: what is in it, and that it serves the bundle."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from baking import Bake, Lend, call
from imaging import Builder
from rehearsal.edits import choose_candidates
from rehearsal.surroundings import tool

BASE, IMAGE = "localhost/base", "localhost/model"
ARGUMENTS = {"VERSION": "7", "REVISION": "c0ffee", "SOURCE": "https://git.example.org/me/flights"}
# What trains, draws and tests, and what builds the image.
UNWANTED = {"mlflow", "matplotlib", "pandera", "pytest", "flit-core", "uv"}
LIST = (
    "import importlib.metadata as m; print(*(f'{d.name}=={d.version}' for d in m.distributions(path=[PATH])))"
)

needs_buildah = pytest.mark.skipif(
    shutil.which("buildah") is None or os.geteuid() != 0,
    reason="buildah is not installed, or is not run by root",
)


@pytest.fixture(scope="module")
def project(bake: Bake, lend: Lend) -> Path:
    """The default project, after the run of a candidate that is soon trained."""
    project = bake()
    lend(project)
    choose_candidates(project, "linear")
    for words in (("make", "run"), (".venv/bin/mlops", "package")):
        call(project, *words)
    return project


@pytest.fixture(scope="module")
def bill(project: Path) -> str:
    """The bill of materials."""
    return (project / "build/sbom.cdx.json").read_text()


@pytest.fixture(scope="module")
def builder(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Builder:
    """What has built the image; its packages come from the network, as those of a first `make run`."""
    builder = Builder(tmp_path_factory.mktemp("images"))
    builder.make_base(BASE)
    builder.build(project, BASE, IMAGE, **ARGUMENTS)
    return builder


@pytest.fixture(scope="module")
def container(builder: Builder) -> str:
    """A container of the image."""
    return builder.run("from", "--pull-never", IMAGE)


@dataclass(frozen=True)
class Running:
    """A service in a container."""

    address: str
    process: int
    """The id of the service's own process."""
    waiting: subprocess.Popen[str]
    """What ends when the service does, with its status."""


@contextmanager
def serve(builder: Builder, container: str) -> Iterator[Running]:
    """Give a service that is ready, started as the image says, but on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    command = builder.enter(container, *builder.inspect(IMAGE)["Cmd"], "--port", port)
    waiting = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(address, waiting)
        yield Running(address, find_process(waiting.pid, f"--port\0{port}\0"), waiting)
    finally:
        waiting.kill()
        waiting.communicate()


def wait_for(address: str, waiting: subprocess.Popen[str]) -> None:
    """Wait until a service is ready."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and waiting.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/health/ready"):
                return
        except OSError:
            time.sleep(0.1)
    waiting.kill()
    raise AssertionError(waiting.communicate()[1])


def find_process(parent: int, arguments: str) -> int:
    """Return the last descendant of a process, which has these arguments."""
    tasks = Path(f"/proc/{parent}/task").glob("*/children")
    children = [int(child) for path in tasks for child in path.read_text().split()]
    if children:
        return find_process(children[0], arguments)
    assert arguments in Path(f"/proc/{parent}/cmdline").read_text()
    return parent


def ask(address: str, body: bytes) -> Any:
    """Return the JSON that an address answers to JSON."""
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def read_packages(lines: list[str]) -> dict[str, str]:
    """Return versions by normalised names."""
    pairs = [line.split("==") for line in lines]
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pairs}


def test_lint(bake: Bake) -> None:
    """Hadolint finds nothing in the Dockerfile."""
    dockerfile = bake() / "deploy" / "Dockerfile"
    ended = subprocess.run([tool("hadolint"), str(dockerfile)], capture_output=True, text=True)
    assert (0, "") == (ended.returncode, ended.stdout)


def test_python(bake: Bake) -> None:
    """The image has the Python that the workflows train with, pinned by its digest."""
    project = bake()
    setup = yaml.safe_load((project / ".github/actions/setup/action.yml").read_text())
    minor = re.escape(setup["inputs"]["python-version"]["default"])
    [base] = re.findall(r"^FROM (.*) AS base$", (project / "deploy/Dockerfile").read_text(), re.MULTILINE)
    assert re.fullmatch(rf"python:{minor}\.\d+-slim-\w+@sha256:[0-9a-f]{{64}}", base)


def test_bill_of_materials(bill: str) -> None:
    """It is what CycloneDX says that it must be, to the last field."""
    assert None is JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill)


@needs_buildah
def test_configuration(builder: Builder) -> None:
    """It starts the service as somebody who is not root, tells its health, and says what it is made of."""
    config = builder.inspect(IMAGE)
    labels = {f"org.opencontainers.image.{name.lower()}": value for name, value in ARGUMENTS.items()}
    assert "10001:10001" == config["User"]
    assert ["mlops", "serve", "--host", "0.0.0.0"] == config["Cmd"]
    assert labels.items() <= config["Labels"].items()


@needs_buildah
def test_packages(builder: Builder, container: str, bill: str) -> None:
    """It holds what its bill of materials says: nothing that trains, draws, tests or builds."""
    [site] = Path(builder.run("mount", container)).glob("venv/lib/*/site-packages")
    command = [sys.executable, "-c", LIST.replace("PATH", repr(str(site)))]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    installed = read_packages(said.split())
    expected = {package["name"]: package["version"] for package in json.loads(bill)["components"]}
    assert expected == installed
    assert "gitops-ml" in installed
    assert set() == UNWANTED & installed.keys()


@needs_buildah
def test_service(builder: Builder, container: str, project: Path) -> None:
    """It answers as the bundle says, is healthy while it does, writes nothing, and ends in order."""
    root = Path(builder.run("mount", container))
    before = list_times(root)
    golden = json.loads((project / "build/bundle/golden.json").read_text())
    with serve(builder, container) as running:
        answer = ask(f"{running.address}/predict", json.dumps(golden["inputs"]).encode())
        words = builder.inspect(IMAGE)["Healthcheck"]["Test"][1:]
        check = [word.replace("http://127.0.0.1:8000", running.address) for word in words]
        assert words != check
        healthy = subprocess.run(builder.enter(container, *check), capture_output=True)
        user = Path(f"/proc/{running.process}").stat().st_uid
        os.kill(running.process, signal.SIGTERM)
        status = running.waiting.wait(timeout=60)
    ended = subprocess.run(builder.enter(container, *check), capture_output=True)
    expected = [outputs[1] for outputs in golden["outputs"]]
    assert expected == [prediction["probabilities"]["True"] for prediction in answer["predictions"]]
    assert ("7", 10001, 0) == (answer["version"], user, status)
    assert (0, 1) == (healthy.returncode, ended.returncode)
    assert before == list_times(root)


def list_times(root: Path) -> dict[Path, int]:
    """Return when each file of an image was last written, but for those that buildah puts there."""
    places = ("app", "tmp", "usr", "venv")
    return {path: path.lstat().st_mtime_ns for name in places for path in (root / name).rglob("*")}

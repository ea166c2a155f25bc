"""The service that production runs, started from what was released."""

from __future__ import annotations

import io
import json
import shutil
import socket
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import Request, urlopen

from .bake import clean_environment
from .forge import git
from .stage import Stage

# Seconds until it must be ready.
PATIENCE = 60


class ServiceError(Exception):
    """What was released does not start, or does not answer."""


@dataclass(frozen=True)
class Answer:
    """What the service says about a row."""

    version: str
    """Of the model that answers."""
    target: str
    """What it predicts."""
    prediction: dict[str, Any]
    expected: Any
    """What ``golden.json`` has for the row."""


def ask_service(stage: Stage) -> Answer:
    """Start the service of what runs in production, and ask it about one row of its ``golden.json``.

    Raises
    ------
    ServiceError
        If the service does not start, or does not answer.
    """
    with TemporaryDirectory(dir=stage.folder) as name:
        folder = Path(name)
        state = git.git(stage.repository.path, "show", "production:model.json")
        (folder / "model.json").write_text(state, encoding="utf-8")
        # As the image does: the bundle and the settings of the service, and nothing else of the project.
        shutil.copy(stage.project / "params.yaml", folder)
        with tarfile.open(fileobj=io.BytesIO(_fetch_package(stage, json.loads(state)["version"]))) as package:
            package.extractall(folder, filter="data")
        golden, contract = (_read(folder / "bundle" / f"{name}.json") for name in ("golden", "contract"))
        with _serve(stage.find_python().with_name("mlops"), folder) as address:
            answer = _predict(address, golden["inputs"][0])
        [prediction] = answer["predictions"]
        return Answer(answer["version"], contract["target"], prediction, golden["outputs"][0])


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _predict(address: str, row: dict[str, Any]) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    request = Request(f"{address}/predict", json.dumps(row).encode(), headers)
    try:
        with urlopen(request, timeout=PATIENCE) as answer:
            content: dict[str, Any] = json.load(answer)
    except OSError as error:
        raise ServiceError(f"no prediction comes: {error}") from None
    return content


def _fetch_package(stage: Stage, version: int) -> bytes:
    release = stage.client().get(f"releases/tags/model-v{version}")
    [url] = [asset["url"] for asset in release["assets"] if asset["name"] == "bundle.tar.gz"]
    return stage.client().download(url)


@contextmanager
def _serve(program: Path, folder: Path) -> Iterator[str]:
    """Start the service for the bundle in a folder, and give its address once it is ready."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    process = subprocess.Popen(
        [str(program), "serve", "--bundle", "bundle", "--port", str(port)],
        cwd=folder,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _wait(process, f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _wait(process: subprocess.Popen[str], address: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urlopen(f"{address}/health/ready", timeout=PATIENCE):
                return
        except OSError:  # not yet
            time.sleep(0.05)
    process.kill()
    lines = process.communicate()[1].strip().splitlines()
    raise ServiceError(lines[-1] if lines else f"it is not ready after {PATIENCE} s")

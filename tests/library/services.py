"""Services to ask: in this process, and as a process of their own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from fastapi.testclient import TestClient
from pyarrow import parquet

from gitops_ml.core.settings import ServeSettings
from gitops_ml.serving.app import make_app
from gitops_ml.serving.model import Model
from gitops_ml.serving.service import make_service


@contextmanager
def open_client(model: Model, token: str | None = None, **settings: Any) -> Iterator[TestClient]:
    """Give a client of a service in this process."""
    app = make_app(make_service(model, ServeSettings.model_validate(settings)), token)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


class Running:
    """A service in a process of its own, with its address."""

    def __init__(self, root: Path, *options: str, **environment: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        arguments = [sys.executable, "-m", "gitops_ml", "serve", "--port", str(port), *options]
        self.process = subprocess.Popen(
            arguments,
            cwd=root,
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait(self) -> None:
        """Wait until it is ready."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if httpx.get(f"{self.url}/health/ready").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        self.process.kill()
        raise AssertionError(self.process.communicate()[1])

    def end(self) -> int:
        """Send SIGTERM, and return the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


@contextmanager
def run_service(root: Path, *options: str, **environment: str) -> Iterator[Running]:
    """Give a service that is ready; it is ended afterwards, if it has not been before."""
    running = Running(root, *options, **environment)
    try:
        running.wait()
        yield running
    finally:
        running.process.kill()
        running.process.communicate()


def read_log(folder: Path) -> list[dict[str, Any]]:
    """Return the records of a prediction log, whatever its format."""
    lines = [line for path in sorted(folder.rglob("*.jsonl")) for line in path.read_text().splitlines()]
    records = [json.loads(line) for line in lines]
    for record in records:
        record["time"] = datetime.fromisoformat(record["time"])
    tables = [parquet.read_table(path) for path in sorted(folder.rglob("*.parquet"))]
    return records + [record for table in tables for record in table.to_pylist()]

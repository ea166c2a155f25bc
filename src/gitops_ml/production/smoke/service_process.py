"""A process that serves a bundle, for the smoke test."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from ...core.errors import LifecycleError
from ...core.settings import PARAMS

# Seconds after which a service that is not ready, does not answer or does not end is given up.
PATIENCE = 60
# What a process needs to know of its surroundings; tokens and other secrets are none of it.
KEPT = ("HOME", "LANG", "PATH", "SYSTEMROOT", "TEMP", "TMPDIR")
LIBRARY = __package__.partition(".")[0]
# The settings under which a bundle is tried: nothing is logged, and the end does not wait.
QUIET = {"serve": {"drain_seconds": 0}}


class UnfitError(LifecycleError):
    """A service does not work as it should."""


class ServiceProcess:
    """A process that serves a bundle, and a connection to it.

    Parameters
    ----------
    process : Popen
    port : int
        On this machine.
    errors : Path
        What the process writes to standard error.
    """

    def __init__(self, process: subprocess.Popen[bytes], port: int, errors: Path) -> None:
        self.process = process
        self.errors = errors
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def wait(self) -> float:
        """Wait until the service is ready, and return the seconds.

        Raises
        ------
        UnfitError
            If the process ends instead, or takes over a minute.
        """
        began = time.monotonic()
        while self.process.poll() is None:
            try:
                if self._ask("GET", "/health/ready")[0] == http.HTTPStatus.OK:
                    return time.monotonic() - began
            except OSError:  # it does not listen yet
                self.connection.close()
            if time.monotonic() - began > PATIENCE:
                raise UnfitError(f"its service is not ready after {PATIENCE} s")
            time.sleep(0.02)
        lines = self.errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        reason = lines[-1] if lines else f"it ended with exit status {self.process.returncode}"
        raise UnfitError(f"its service does not start: {reason.removeprefix('Error: ').rstrip('.')}")

    def predict(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return what the service predicts for rows.

        Raises
        ------
        UnfitError
            If it refuses them, or gives no answer.
        """
        try:
            status, content = self._ask("POST", "/predict", json.dumps(rows))
        except (OSError, http.client.HTTPException) as error:
            raise UnfitError(f"its service gives no answer ({error or type(error).__name__})") from None
        if status != http.HTTPStatus.OK:
            answer = " ".join(content.decode(errors="replace").split())
            raise UnfitError(f"its service answers rows of its own with {status}: {answer[:300]}")
        predictions: list[dict[str, Any]] = json.loads(content)["predictions"]
        return predictions

    def end(self) -> None:
        """Send SIGTERM to the service, and wait for its end.

        Raises
        ------
        UnfitError
            If it does not end within a minute, or ends with an error.
        """
        self.connection.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise UnfitError(f"its service does not end {PATIENCE} s after SIGTERM") from None
        if status:
            raise UnfitError(f"its service ends with exit status {status} after SIGTERM")

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        self.connection.request(method, path, body)
        answer = self.connection.getresponse()
        return answer.status, answer.read()


@contextmanager
def start_service(bundle: Path, python: Path, folder: Path) -> Iterator[ServiceProcess]:
    """Start the service of a bundle, with its own code and its own version of this library.

    Parameters
    ----------
    bundle : Path
    python : Path
        Has the packages that serving needs.
    folder : Path
        Empty, for what the service needs.

    Yields
    ------
    ServiceProcess
        Not ready yet. The process is ended with the block.
    """
    (folder / PARAMS).write_text(yaml.safe_dump(QUIET), encoding="utf-8")
    port, errors = _find_port(), folder / "stderr.txt"
    arguments = ["serve", "--bundle", str(bundle.absolute()), "--port", str(port)]
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    with errors.open("wb") as file:
        process = subprocess.Popen(
            [str(python), "-m", LIBRARY, *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    try:
        yield ServiceProcess(process, port, errors)
    finally:
        process.kill()
        process.wait()


def _find_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port

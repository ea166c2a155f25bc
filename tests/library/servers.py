"""Servers that tests start for themselves: MLflow's, and PostgreSQL's."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

# Seconds; a machine that runs many tests at once is slow to start anything.
PATIENCE = 120
# PostgreSQL does not run as root.
SERVANTS = ("postgres", "nobody")
# It is heard on a socket alone, and may forget everything when the machine stops.
CONFIGURATION = "listen_addresses = ''\nunix_socket_directories = '{folder}'\nfsync = off\n"


@contextmanager
def run_mlflow(folder: Path, store: str) -> Iterator[str]:
    """Give the address of an MLflow server that keeps runs in a database, and artifacts in a folder."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", port]
    command += ["--workers", "1", "--backend-store-uri", store]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    environment |= {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "server.log").open("w+") as log:
        server = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _await(server, address)
            yield address
        except RuntimeError:
            log.seek(0)
            raise AssertionError(log.read()) from None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _await(server: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(f"{address}/health").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError


def find_postgres() -> Path | None:
    """Return the folder of PostgreSQL's programs, which Debian keeps out of the PATH."""
    known = shutil.which("initdb")
    found = [Path(known)] if known else sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].resolve().parent if found else None


@contextmanager
def run_postgres(programs: Path) -> Iterator[str]:
    """Give the address of a database in a cluster that is made for it, and thrown away afterwards."""
    servant = _find_servant()
    # The path of a socket must be short, so it is no folder of pytest's; and another user must reach it,
    # who may not enter what TMPDIR names.
    with tempfile.TemporaryDirectory(prefix="mlops-", dir="/tmp" if servant else None) as name:
        folder = Path(name)
        data = folder / "data"
        if servant:
            os.chown(folder, *servant)

        def call(program: str, *options: str) -> None:
            user, group = servant or (None, None)
            subprocess.run(
                [programs / program, "--pgdata", data, *options],
                cwd=folder,
                user=user,
                group=group,
                extra_groups=[] if servant else None,
                stdout=subprocess.DEVNULL,
                check=True,
            )

        call("initdb", "--username=mlflow", "--auth=trust", "--encoding=UTF8", "--no-sync")
        with (data / "postgresql.conf").open("a") as configuration:
            configuration.write(CONFIGURATION.format(folder=folder))
        call("pg_ctl", "--wait", f"--log={folder}/log", "start")
        try:
            yield f"postgresql://mlflow@/postgres?host={folder}"
        finally:
            call("pg_ctl", "--wait", "--mode=immediate", "stop")


def _find_servant() -> tuple[int, int] | None:
    """Return user and group to run a database as; None for the user that runs the tests."""
    if os.getuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = next(known[name] for name in SERVANTS if name in known)
    return entry.pw_uid, entry.pw_gid

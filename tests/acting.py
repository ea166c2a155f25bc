"""Runs a workflow of a project with act, as GitHub would run it, on this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ACTIONS = Path(__file__).parent / "actions"
# The marketplace's actions that the workflows use, at the commits they are pinned to.
STAND_INS = {
    "astral-sh/setup-uv@20cfd1bf945f4377ade1205e4dbc17946fc9a30d": "setup-uv",
    "actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a": "upload-artifact",
}
# What the surroundings of the tests must not tell the workflow.
PRIVATE = ("ACTIONS_", "GITHUB_", "MAKE", "MFLAGS", "MLFLOW_", "PYTEST_", "PYTHON", "VIRTUAL_ENV", "XDG_")


@dataclass(frozen=True)
class Outcome:
    """What a workflow run left behind."""

    jobs: dict[str, str]
    """``success`` or ``failure`` of each job that ran; a skipped job is not in it."""
    steps: dict[str, str]
    """The result of each step, by its name."""
    artifacts: Path
    """The folder that holds a folder for each artifact."""
    summary: str
    """The Markdown on the page of the run."""
    log: str


def tool(name: str) -> str:
    """Return the path of a program of the environment that runs the tests."""
    return str(Path(sys.executable).parent / name)


def act(
    project: Path,
    folder: Path,
    *arguments: str,
    event: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Outcome:
    """Run a workflow in host mode and wait for its end.

    Parameters
    ----------
    project
        A Git repository with a commit and a remote ``origin``.
    folder
        Where everything is written that the run writes: its home, its checkout, its artifacts.
    arguments
        For act: the name of the event, ``-W`` the workflow, ``-j`` a job, secrets, variables.
    event
        The payload of the event.
    environment
        Variables of the runner.
    """
    for name in ("home", "artifacts", "uv"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    payload = folder / "event.json"
    payload.write_text(json.dumps(event or {}), encoding="utf-8")
    command = [tool("act"), *arguments, "--json", "--eventpath", str(payload)]
    command += ["-P", "ubuntu-latest=-self-hosted", "--no-cache-server"]
    command += ["--action-cache-path", str(folder / "runner")]
    for action, name in STAND_INS.items():
        command += ["--local-repository", f"{action}={ACTIONS / name}"]
    runner = {**_surroundings(folder), "ARTIFACTS": str(folder / "artifacts"), **(environment or {})}
    ended = subprocess.run(command, cwd=project, env=runner, capture_output=True, text=True, timeout=600)
    return _read(ended, folder / "artifacts")


def _surroundings(folder: Path) -> dict[str, str]:
    """Return the environment of the runner: this one, with a home of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PRIVATE)}
    uv = shutil.which("uv") or tool("uv")
    (folder / "uv" / "uv").symlink_to(uv)
    # No run fetches a package that is on this machine.
    cache = subprocess.run([uv, "cache", "dir"], capture_output=True, text=True, check=True)
    return {
        **kept,
        "UV_CACHE_DIR": cache.stdout.strip(),
        "UV_FOLDER": str(folder / "uv"),
        "HOME": str(folder / "home"),
        "XDG_CACHE_HOME": str(folder / "home" / "cache"),
        "XDG_CONFIG_HOME": str(folder / "home" / "config"),
        "UV_PYTHON": sys.executable,
    }


def _read(ended: subprocess.CompletedProcess[str], artifacts: Path) -> Outcome:
    lines = list(_lines(ended.stdout + ended.stderr))
    done = [line for line in lines if line.get("stage") == "Main" and "stepResult" in line]
    jobs = {line["jobID"]: line["jobResult"] for line in lines if "jobResult" in line}
    assert (ended.returncode != 0) == ("failure" in jobs.values()), ended.stdout + ended.stderr
    return Outcome(
        jobs=jobs,
        steps={line["step"]: line["stepResult"] for line in done},
        artifacts=artifacts,
        summary="".join(line["content"] for line in lines if line.get("command") == "summary"),
        log="".join(line["msg"].rstrip("\n") + "\n" for line in lines),
    )


def _lines(output: str) -> Iterable[dict[str, Any]]:
    """Yield what act logged, one JSON object a line."""
    for line in output.splitlines():
        if line.startswith("{"):
            yield json.loads(line)

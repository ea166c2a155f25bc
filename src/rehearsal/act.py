"""Runs a workflow of a project with act, as GitHub would run it, on this machine."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .surroundings import make_surroundings, tool

ACTIONS = Path(__file__).parent / "actions"
# The marketplace's actions that the workflows use, at the commits they are pinned to.
STAND_INS = {
    "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1": "checkout",
    "actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a": "upload-artifact",
    "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c": "download-artifact",
    "actions/cache@27d5ce7f107fe9357f9df03efb73ab90386fccae": "cache",
    "actions/upload-pages-artifact@fc324d3547104276b827a68afc52ff2a11cc49c9": "upload-pages-artifact",
    "actions/deploy-pages@cd2ce8fcbc39b97be8ca5fce6e763baed58fa128": "deploy-pages",
    "actions/attest@1e69f48acb82d1966a394da916b4c1698aa569d6": "attest",
    "astral-sh/setup-uv@20cfd1bf945f4377ade1205e4dbc17946fc9a30d": "setup-uv",
    "docker/build-push-action@53b7df96c91f9c12dcc8a07bcb9ccacbed38856a": "build-push",
    "docker/login-action@4907a6ddec9925e35a0a9e82d7399ccc52663121": "login",
    "docker/setup-buildx-action@37fe631027851001ddb9b187196cc803df7f5f0e": "setup-buildx",
}
LONGEST = 600


class ActError(Exception):
    """Not the workflow failed, but act."""


@dataclass(frozen=True)
class Outcome:
    """What a workflow run left behind."""

    jobs: dict[str, str]
    """``success`` or ``failure`` of each job that ran; a skipped job is not in it."""
    checks: dict[str, str]
    """``success``, ``failure`` or ``skipped`` of each job, by the name that people see."""
    steps: dict[str, str]
    """The result of each step, by its name."""
    artifacts: Path
    """The folder that holds a folder for each artifact."""
    summary: str
    """The Markdown on the page of the run."""
    log: str


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
    runner = {**make_surroundings(folder), **(environment or {})}
    payload = folder / "event.json"
    payload.write_text(json.dumps(event or {}), encoding="utf-8")
    command = [tool("act"), *arguments, "--json", "--verbose", "--eventpath", str(payload)]
    # One job after the other: they may share an environment.
    command += ["-P", "ubuntu-latest=-self-hosted", "--no-cache-server", "--concurrent-jobs", "1"]
    command += ["--action-cache-path", str(folder / "runner")]
    # A checkout holds nothing that Git ignores but the environment that was lent.
    command += ["--use-gitignore=false"]
    for action, name in STAND_INS.items():
        command += ["--local-repository", f"{action}={ACTIONS / name}"]
    ended = subprocess.run(
        command, cwd=project, env=runner, capture_output=True, text=True, timeout=LONGEST, errors="replace"
    )
    return _read(ended, folder / "artifacts")


def _read(ended: subprocess.CompletedProcess[str], artifacts: Path) -> Outcome:
    lines = list(_lines(ended.stdout + ended.stderr))
    shown = [line for line in lines if line.get("level") != "debug"]
    done = [line for line in shown if line.get("stage") == "Main" and "stepResult" in line]
    jobs = {line["jobID"]: line["jobResult"] for line in shown if "jobResult" in line}
    if (ended.returncode != 0) != ("failure" in jobs.values()):
        raise ActError(f"act could not run the workflow:\n{ended.stdout[-5000:]}{ended.stderr[-5000:]}")
    return Outcome(
        jobs=jobs,
        checks={_name(line): line["jobResult"] for line in lines if "jobResult" in line},
        steps={line["step"]: line["stepResult"] for line in done},
        artifacts=artifacts,
        summary="".join(line["content"] for line in shown if line.get("command") == "summary"),
        log="".join(line["msg"].rstrip("\n") + "\n" for line in shown),
    )


def _name(line: Mapping[str, Any]) -> str:
    """Return the name of a job without that of its workflow, which act puts before it."""
    return str(line["job"]).partition("/")[2].strip()


def _lines(output: str) -> Iterable[dict[str, Any]]:
    """Yield what act logged, one JSON object a line."""
    for line in output.splitlines():
        if line.startswith("{"):
            yield json.loads(line)

"""The machine that a workflow believes to run on: its home, its programs, its variables."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

# What the surroundings of the rehearsal must not tell the workflow.
PRIVATE = (
    "ACTIONS_",
    "CML_",
    "GH_",
    "GITHUB_",
    "GIT_",
    "MAKE",
    "MFLAGS",
    "MLFLOW_",
    "PYTEST_",
    "PYTHON",
    "REPO_TOKEN",
    "VIRTUAL_ENV",
    "XDG_",
)
SOURCE = Path(__file__).parents[1]


def tool(name: str) -> str:
    """Return the path of a program of the environment that runs the rehearsal."""
    return str(Path(sys.executable).parent / name)


def make_surroundings(folder: Path) -> dict[str, str]:
    """Return the variables of a runner that writes below ``folder`` alone, and make what they name."""
    for name in ("home/config", "artifacts", "uv", "bin"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    uv = shutil.which("uv") or tool("uv")
    _link(folder / "uv" / "uv", uv)
    _link(folder / "bin" / "gh", tool("gh"))
    _write_program(folder / "stand-in", '"$@"')
    if shutil.which("cml") is None:
        _write_program(folder / "bin" / "cml", 'cml "$@"')
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PRIVATE)}
    return {
        **kept,
        "PATH": f"{folder / 'bin'}{os.pathsep}{kept.get('PATH', os.defpath)}",
        "ARTIFACTS": str(folder / "artifacts"),
        "STAND_IN": str(folder / "stand-in"),
        # No run fetches a package that is on this machine.
        "UV_CACHE_DIR": _find_cache(uv),
        "UV_FOLDER": str(folder / "uv"),
        "UV_PYTHON": sys.executable,
        "HOME": str(folder / "home"),
        "XDG_CACHE_HOME": str(folder / "home" / "cache"),
        "XDG_CONFIG_HOME": str(folder / "home" / "config"),
        # gh tells nobody, and asks nobody whether there is a newer one.
        "GH_NO_UPDATE_NOTIFIER": "1",
        "GH_TELEMETRY": "false",
    }


@cache
def _find_cache(uv: str) -> str:
    ended = subprocess.run([uv, "cache", "dir"], capture_output=True, text=True, check=True)
    return ended.stdout.strip()


def _link(link: Path, target: str) -> None:
    if not link.is_symlink():
        link.symlink_to(target)


def _write_program(path: Path, arguments: str) -> None:
    """Write a program that leads to a stand-in, whatever Python the workflow uses."""
    line = f"PYTHONPATH='{SOURCE}' exec '{sys.executable}' -m rehearsal.standins {arguments}"
    path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    path.chmod(0o755)

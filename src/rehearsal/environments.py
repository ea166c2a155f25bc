"""Python environments that runs share, so that each need not install everything anew."""

from __future__ import annotations

import subprocess
from hashlib import sha256
from pathlib import Path


def lend_environment(project: Path, folder: Path, variables: dict[str, str]) -> None:
    """Give a checkout the environment that fits its requirements, as a link ``.venv``.

    What is installed stays from run to run. The checkout's own package is not: since the checkout is
    newer, ``make setup`` installs it again, and then it is the checkout's that is imported. Runs
    follow one another, so no two use an environment at once.
    """
    if (project / "requirements.txt").is_file():
        (project / ".venv").symlink_to(find_environment(project, folder, variables))


def find_environment(project: Path, folder: Path, variables: dict[str, str]) -> Path:
    """Return the environment that fits a project's requirements, made if it is missing."""
    requirements = project / "requirements.txt"
    digest = sha256(requirements.read_bytes() + variables["UV_PYTHON"].encode()).hexdigest()[:16]
    environment = folder / digest
    if not (environment / "complete").exists():
        _make(environment, requirements, variables)
    return environment


def _make(environment: Path, requirements: Path, variables: dict[str, str]) -> None:
    python = ("--quiet", "--python", str(environment / "bin" / "python"))
    install = ("pip", "install", *python, "--compile-bytecode", "--require-hashes", "--requirement")
    uv = str(Path(variables["UV_FOLDER"]) / "uv")
    subprocess.run([uv, "venv", "--quiet", "--clear", str(environment)], env=variables, check=True)
    ended = subprocess.run([uv, *install, str(requirements)], env=variables, capture_output=True, text=True)
    # What cannot be installed is for the run to tell: its own set-up fails in the same way.
    if ended.returncode == 0:
        (environment / "complete").touch()

"""Python environments that runs share, so that each need not install everything anew."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from filelock import FileLock

# What a project's environment is made of, and what its Makefile touches once it is.
LISTS = ("requirements.txt", "vendor/requirements.txt")
READY = "ready"


def lend_environment(project: Path, folder: Path, variables: Mapping[str, str]) -> None:
    """Give a checkout the environment that fits its requirements, as a link ``.venv``.

    Nothing in it belongs to a checkout, so that many can use it at once. Once it is newer than a
    checkout's lists of packages, ``make setup`` finds nothing to do. What cannot be installed is for
    the run to tell: its own set-up fails in the same way.
    """
    if all((project / name).is_file() for name in LISTS):
        (project / ".venv").symlink_to(find_environment(project, folder, variables))


def find_environment(project: Path, folder: Path, variables: Mapping[str, str]) -> Path:
    """Return the environment that fits a project's requirements, made if it is missing.

    Parameters
    ----------
    project
        With its ``Makefile`` and lists of packages.
    folder
        Where environments are kept, each under a digest of what it is made of.
    variables
        Of the runner, see ``make_surroundings``.
    """
    content = b"".join((project / name).read_bytes() for name in LISTS)
    environment = folder / sha256(content + variables["UV_PYTHON"].encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{environment}.lock"):
        if not (environment / READY).exists():
            path = f"{variables['UV_FOLDER']}{os.pathsep}{variables['PATH']}"
            command = ["make", "--silent", "setup", f"VENV={environment}"]
            subprocess.run(command, cwd=project, env={**variables, "PATH": path}, capture_output=True)
    return environment

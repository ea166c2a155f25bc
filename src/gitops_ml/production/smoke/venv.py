"""A virtual environment with the requirements of a bundle, and nothing else."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from ...core.errors import LifecycleError


def make_venv(requirements: Path, python: str, folder: Path) -> Path:
    """Make a virtual environment with exactly what a requirements file lists, checked by hash.

    Parameters
    ----------
    requirements : Path
        Of a bundle; it lists every package that is needed.
    python : str
        Version of Python, such as ``"3.12.4"``. Of another minor version than this Python, one is
        looked for.
    folder : Path
        The environment to make.

    Returns
    -------
    Path
        The environment's Python.

    Raises
    ------
    LifecycleError
        If there is no such Python, or a package cannot be had.
    """
    minor = ".".join(python.split(".")[:2])
    is_own = platform.python_version().startswith(f"{minor}.")
    _run_uv("venv", "--python", sys.executable if is_own else minor, str(folder))
    interpreter = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    _run_uv("pip", "install", "--no-deps", "--python", str(interpreter), "--requirement", str(requirements))
    return interpreter


def _run_uv(*arguments: str) -> None:
    ended = subprocess.run(
        [_find_uv(), *arguments, "--quiet"], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    if ended.returncode:
        reason = " ".join(ended.stderr.split()) or f"exit status {ended.returncode}"
        raise LifecycleError(f"A clean environment cannot be made, since uv says: {reason}")


def _find_uv() -> str:
    """Return the uv on the PATH, or else the one that ``make setup`` puts into the environment."""
    places = [os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)]
    uv = shutil.which("uv", path=os.pathsep.join(places))
    if uv is None:
        raise LifecycleError("uv is missing, which makes clean environments; run 'make setup'.")
    return uv

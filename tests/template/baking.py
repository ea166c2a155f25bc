"""Bakes, and what lies in them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from rehearsal.bake import clean_environment
from rehearsal.surroundings import tool

Bake = Callable[..., Path]
Lend = Callable[[Path], None]


def list_files(folder: Path) -> list[str]:
    """Return all files below a folder, relative to it, in order."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def call(folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command with no terminal, expect success, and return what it said."""
    done = attempt(folder, *command, **variables)
    assert 0 == done.returncode, done.stdout + done.stderr
    return done


def attempt(folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command with no terminal, and return what came of it."""
    environment = {**clean_environment(), "UV_PYTHON": sys.executable, **variables}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )


def find_uv_first() -> str:
    """Return a PATH on which uv is found, wherever it was installed."""
    return os.pathsep.join([str(Path(tool("uv")).parent), os.environ["PATH"]])

"""Bakes, and what lies in them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from rehearsal.bake import clean_environment

Bake = Callable[..., Path]
Lend = Callable[[Path], None]


def list_files(folder: Path) -> list[str]:
    """Return all files below a folder, relative to it, in order."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def call(folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command with no terminal, expect success, and return what it said."""
    environment = {**clean_environment(), "UV_PYTHON": sys.executable, **variables}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return done

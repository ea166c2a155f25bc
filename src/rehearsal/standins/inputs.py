"""What a workflow says to an action; the action's file passes it on as ``IN_…``."""

from __future__ import annotations

import os


def read_input(name: str) -> str:
    """Return an input, empty if the workflow says nothing."""
    return os.environ.get(f"IN_{name.upper().replace('-', '_')}", "").strip()


def read_flag(name: str) -> bool:
    """Return whether an input says yes."""
    return read_input(name).lower() == "true"


def read_lines(name: str) -> list[str]:
    """Return the lines of an input that takes several."""
    return [line.strip() for line in read_input(name).splitlines() if line.strip()]

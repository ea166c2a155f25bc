"""How stages tell how far they are."""

from __future__ import annotations

from collections.abc import Callable

# Called with what is being worked on, how many steps of it are done, and how many there are.
Progress = Callable[[str, int, int], None]


def silent(task: str, done: int, total: int) -> None:
    """Say nothing."""

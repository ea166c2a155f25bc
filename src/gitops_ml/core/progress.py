"""How the lifecycle tells a person how far it is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

# Called with what is being worked on, how many steps of it are done, and how many there are.
Progress = Callable[[str, int, int], None]


class Console(Protocol):
    """Where the lifecycle says what it does; the command line has one for each kind of screen."""

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Enclose the work of one stage."""

    def progress(self, task: str, done: int, total: int) -> None:
        """Show how far a task of the stage is."""

    def tell(self, sentence: str) -> None:
        """Say what came out."""

    def warn(self, sentence: str) -> None:
        """Say what a person should look at, although the run goes on."""


class QuietConsole:
    """A console that shows nothing."""

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Enclose the work of one stage."""
        return nullcontext()

    def progress(self, task: str, done: int, total: int) -> None:
        """Show nothing."""

    def tell(self, sentence: str) -> None:
        """Show nothing."""

    def warn(self, sentence: str) -> None:
        """Show nothing."""

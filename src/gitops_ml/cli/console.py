"""Progress on standard error: for a terminal, a log, or GitHub Actions."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from ..core.progress import Console

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


def open_console(environment: Mapping[str, str] = os.environ) -> Console:
    """Return the console that fits: GitHub's log, a terminal, or plain lines."""
    if environment.get("GITHUB_ACTIONS") == "true":
        return GitHubConsole(sys.stderr)
    if sys.stderr.isatty() and not environment.get("CI"):
        return TerminalConsole(sys.stderr)
    return PlainConsole(sys.stderr)


class PlainConsole:
    """One line a stage, for logs and pipes."""

    def __init__(self, output: TextIO) -> None:
        self.output = output
        self._stage = ""
        self._clock = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage, so that its result can be shown with its seconds."""
        self._stage, self._clock = name, time.perf_counter()
        yield

    def progress(self, task: str, done: int, total: int) -> None:
        """Show nothing: a log has no use for moving bars."""

    def tell(self, sentence: str) -> None:
        """Print a result with its stage and seconds."""
        seconds = time.perf_counter() - self._clock
        self._print(f"{self._stage:<9} {seconds:5.1f}s  {sentence}")

    def warn(self, sentence: str) -> None:
        """Print a warning."""
        self._print(f"{self._stage:<9} warning: {sentence}")

    def _print(self, line: str) -> None:
        print(line, file=self.output, flush=True)


class GitHubConsole(PlainConsole):
    """A log group a stage, and annotations on the run's page."""

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Fold what a stage prints into a group."""
        with super().stage(name):
            self._print(f"::group::{name}")
            try:
                yield
            finally:
                self._print("::endgroup::")

    def warn(self, sentence: str) -> None:
        """Annotate the run with a warning."""
        self._print(f"::warning title={self._stage}::{escape_annotation(sentence)}")


class TerminalConsole(PlainConsole):
    """Moving bars while a stage works, its lines when it is done."""

    def __init__(self, output: TextIO) -> None:
        super().__init__(output)
        self._lines: list[str] = []
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Show that a stage is at work until it ends, then print its lines."""
        with super().stage(name):
            try:
                with self._open_bars() as self._bars:
                    self._tasks = {name: self._bars.add_task(name, total=None)}
                    yield
            finally:
                for line in self._lines:
                    super()._print(line)
                self._lines.clear()

    def progress(self, task: str, done: int, total: int) -> None:
        """Move the bar of a task."""
        assert self._bars is not None
        if task not in self._tasks:
            self._tasks[task] = self._bars.add_task("", total=total)
        description = f"  {task} {done}/{total}"
        self._bars.update(self._tasks[task], description=description, completed=done, total=total)

    def _open_bars(self) -> Progress:
        from rich.console import Console as Screen
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = [TextColumn("{task.description}"), BarColumn(bar_width=24), TimeElapsedColumn()]
        return Progress(*columns, console=Screen(file=self.output), transient=True)

    def _print(self, line: str) -> None:
        self._lines.append(line)


def say_error(sentence: str, environment: Mapping[str, str] = os.environ) -> None:
    """Say what went wrong on standard error; in GitHub's log, as an annotation of the run."""
    if environment.get("GITHUB_ACTIONS") == "true":
        sentence = f"::error title=mlops::{escape_annotation(sentence)}"
    else:
        sentence = f"Error: {sentence}"
    print(sentence, file=sys.stderr)


def escape_annotation(text: str) -> str:
    """Escape text for a workflow command of GitHub's log.

    See https://docs.github.com/actions/reference/workflow-commands-for-github-actions: a line
    break or a percent sign in the text would end the command or change it.
    """
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")

"""Errors that a user can fix, and errors in words."""

from __future__ import annotations


class LifecycleError(Exception):
    """An expected error, whose message is one sentence.

    The sentence names the file, the value that came, what was expected and, where there is one,
    the command that helps. The command line prints it and exits with status 1; anything that is
    not a ``LifecycleError`` is a bug and keeps its traceback.
    """


def describe_error(error: BaseException) -> str:
    """Return the type and the first line of an exception or a warning, at most 300 characters."""
    lines = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return text if len(text) <= 300 else text[:299] + "…"

"""Which commit the project folder is at."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple


class Revision(NamedTuple):
    """The commit that is checked out, and whether tracked files differ from it."""

    commit: str | None
    dirty: bool


def read_revision(root: Path) -> Revision:
    """Ask Git for the current commit; without Git or a commit there is none."""
    commit = _ask(root, "rev-parse", "--verify", "--quiet", "HEAD")
    if not commit:
        return Revision(None, dirty=False)
    return Revision(commit, dirty=bool(_ask(root, "status", "--porcelain", "--untracked-files=no")))


def _ask(root: Path, *question: str) -> str:
    try:
        answer = subprocess.run(["git", *question], cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""

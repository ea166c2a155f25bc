"""``make bake`` and ``make demo``: bake the default project, and rehearse its pull requests."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from .act import ActError
from .bake import PROBLEMS, ROOT, commit, refresh
from .edits import EditError
from .expectations import SceneError
from .rehearse import rehearse

PROJECT = ROOT / "demo" / "flight-delays"
FOLDER = ROOT / "demo" / "rehearsal"
SCENES = ["better", "worse", "bad-data", "fork", "rollback", "drift"]


def main(arguments: list[str]) -> int:
    """Bake the default project and, if told to, play its story; return the exit status."""
    problem = os.environ.get("PROBLEM") or PROBLEMS[0]
    if problem not in PROBLEMS:
        say(f"Error: PROBLEM is '{problem}', expected {' or '.join(PROBLEMS)}.")
        return 1
    try:
        bake_project(problem)
        surprises = rehearse_project() if arguments == ["rehearse"] else 0
    except (ActError, EditError, SceneError) as error:
        say(f"Error: {error}")
        return 1
    except KeyboardInterrupt:
        say("Interrupted; the same command begins anew.")
        return 130
    print(f"Go on:   cd {show(PROJECT)} && make help")
    return 1 if surprises else 0


def bake_project(problem: str) -> None:
    """Bake what has changed since the last time, and commit it."""
    say(f"Baking into {show(PROJECT)} ...")
    if refresh(PROJECT, problem=problem):
        commit(PROJECT, "Bake the project")
    else:
        say("  reused: neither template nor answers have changed")


def rehearse_project() -> int:
    """Play the story and say where the page is; return how often something unexpected came."""
    say("Rehearsing its pull requests without GitHub, which takes some minutes ...")
    surprises = rehearse(SCENES, PROJECT, FOLDER, keep=False)
    print(f"In full: {show(FOLDER / 'index.html')}")
    return surprises


def show(path: Path) -> str:
    """Return a path as seen from the repository."""
    return path.relative_to(ROOT).as_posix()


def say(text: str) -> None:
    """Print progress, before anything that follows."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

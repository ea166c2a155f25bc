"""``make demo``: bake the default project, run it, say where its report is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .bake import PROBLEMS, ROOT, commit, refresh, run

PROJECT = ROOT / "demo" / "flight-delays"


def main() -> int:
    """Bake, set up and run the default project; return the exit status."""
    problem = os.environ.get("PROBLEM") or PROBLEMS[0]
    if problem not in PROBLEMS:
        say(f"Error: PROBLEM is '{problem}', expected {' or '.join(PROBLEMS)}.")
        return 1
    say(f"Baking into {show(PROJECT)} ...")
    if refresh(PROJECT, problem=problem):
        commit(PROJECT, "Bake the project")
    else:
        say("  reused: neither template nor answers have changed")
    say("Setting up its environment ...")
    if (PROJECT / ".venv" / "ready").exists():
        say("  reused, unless its requirements have changed")
    try:
        run(PROJECT, "make", "--no-print-directory", "setup")
        say("Running its lifecycle: mlops run ...")
        run(PROJECT, ".venv/bin/mlops", "run")
    except subprocess.CalledProcessError as error:
        say(f"Error: '{' '.join(error.cmd)}' failed in {show(PROJECT)}; see above.")
        return 1
    except KeyboardInterrupt:
        say("Interrupted; 'make demo' goes on from here.")
        return 130
    print(f"In full: {show(PROJECT / 'build' / 'report.html')}")
    print(f"Go on:   cd {show(PROJECT)} && make help")
    return 0


def show(path: Path) -> str:
    """Return a path as seen from the repository."""
    return path.relative_to(ROOT).as_posix()


def say(text: str) -> None:
    """Print progress, before anything that the next command prints."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

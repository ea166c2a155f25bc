"""``make demo``: bake the default project, run it, say where its report is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from .bake import ROOT, commit, refresh, run

PROJECT = ROOT / "demo" / "flight-delays"
VERDICTS = {
    "better": "better than the {}",
    "no worse": "no worse than the {}",
    "worse": "worse than the {}",
    "cannot tell": "cannot tell whether it is better than the {}",
}


def main() -> int:
    """Bake, set up and run the default project; return the exit status."""
    say(f"Baking into {show(PROJECT)} ...")
    if refresh(PROJECT, problem=os.environ.get("PROBLEM") or "classification"):
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
    conclude(PROJECT)
    return 0


def conclude(project: Path) -> None:
    """Print the verdict of a finished run, and where to read on."""
    build = project / "build"
    comparison = json.loads((build / "comparison.json").read_text(encoding="utf-8"))
    print("", *describe(comparison), sep="\n")
    print(f"Report:  {show(build / 'report.html')} (as for a pull request: {show(build / 'report.md')})")
    print(f"Go on:   cd {show(project)} && make help")


def describe(comparison: dict[str, Any]) -> list[str]:
    """Return a comparison in two lines."""
    broken = [gate["name"] for gate in comparison["gates"] if not gate["passed"]]
    return [
        f"Verdict: {VERDICTS[comparison['verdict']].format(comparison['against'])}",
        f"Gates:   {'broken: ' + ', '.join(broken) if broken else 'all hold'}",
    ]


def show(path: Path) -> str:
    """Return a path as seen from the repository."""
    return path.relative_to(ROOT).as_posix()


def say(text: str) -> None:
    """Print progress, before anything that the next command prints."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

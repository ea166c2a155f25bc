"""Time ``mlops serve`` against ``mlflow models serve``, in turns, with the same model.

Run in the folder of a baked project, by its interpreter. Each request brings one row, each client
keeps its connection, and both services run with one worker. MLflow answers with the label,
``mlops serve`` checks the row against the contract and answers with label and probabilities.
First in each round the model is asked by a process that does nothing else, as a floor: "ready" is
when pandas and scikit-learn are imported and the model is loaded.
Last, 16 clients ask ``mlops serve`` for 30 seconds; it is a failure if one request is lost.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
BUNDLE = Path("build/bundle")
ROUNDS = 3
# Seconds of each measurement; of the last run; until a service must be ready.
SHORT, LONG, PATIENCE = 5, 30, 120
MEGABYTE = 1_000_000
ALONE = "the model alone"
# Rows that the model alone is asked for.
ASKED = 200
Figures = dict[str, float]


class Contestant:
    """A way to serve the model."""

    def __init__(self, name: str, command: list[str], path: str, ready: str, bodies: list[Any]) -> None:
        self.name = name
        self.command = command
        self.path = path
        self.ready = ready
        self.bodies = bodies

    @contextmanager
    def run(self) -> Iterator[tuple[int, int, float]]:
        """Give process id, port, and the seconds until it was ready."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        began = time.perf_counter()
        process = subprocess.Popen(
            [*self.command, "--port", str(port)],
            env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},  # MLflow looks for uvicorn
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self._wait(process, port)
            yield process.pid, port, time.perf_counter() - began
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(60)

    def _wait(self, process: subprocess.Popen[bytes], port: int) -> None:
        deadline = time.perf_counter() + PATIENCE
        while time.perf_counter() < deadline and process.poll() is None:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
                connection.request("GET", self.ready)
                if connection.getresponse().status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.01)
        sys.exit(f"{self.name} is not ready after {PATIENCE} s, or has ended: {' '.join(self.command)}")

    def ask(self, port: int, clients: int, seconds: float) -> Figures:
        """Let clients ask it, in a process of their own."""
        command = [sys.executable, HERE / "load.py", str(port), self.path, str(clients), str(seconds)]
        done = subprocess.run(
            command, check=True, input=json.dumps(self.bodies), stdout=subprocess.PIPE, text=True
        )
        return json.loads(done.stdout)


def make_contestants(scratch: Path) -> list[Contestant]:
    """Serve the model of the bundle in both ways."""
    rows = json.loads((BUNDLE / "golden.json").read_text())["inputs"]
    save_for_mlflow(scratch / "model")
    mlflow = [str(BIN / "mlflow"), "models", "serve", "--env-manager", "local", "-m", str(scratch / "model")]
    wrapped = [{"dataframe_records": [row]} for row in rows]
    return [
        Contestant("mlflow models serve", mlflow, "/invocations", "/ping", wrapped),
        Contestant("mlops serve", [str(BIN / "mlops"), "serve"], "/predict", "/health/ready", rows),
    ]


def save_for_mlflow(folder: Path) -> None:
    """Write the model of the bundle as MLflow has it, with the types of its columns."""
    command = [sys.executable, __file__, "save", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def save(folder: str) -> None:
    import mlflow.sklearn

    from gitops_ml.bundle.bundle import load_bundle
    from gitops_ml.bundle.golden import GoldenRecord
    from gitops_ml.contract.export import restore_frame

    bundle = load_bundle(BUNDLE)
    rows = restore_frame(GoldenRecord.read(BUNDLE).inputs, bundle.contract)
    # What JSON has: numbers of 64 bits, which MLflow does not narrow by itself.
    wide = {
        name: "int64" if kind.kind == "i" else "float64"
        for name, kind in rows.dtypes.items()
        if kind.kind in "if"
    }
    signature = mlflow.models.infer_signature(rows.astype(wide), bundle.model.predict(rows))
    mlflow.sklearn.save_model(bundle.model, folder, signature=signature, serialization_format="cloudpickle")
    rows.to_parquet(Path(folder) / "rows.parquet")


def run_alone(model: Path) -> Figures:
    """Load a model in a process of its own, and ask it there."""
    began = time.perf_counter()
    command = [sys.executable, __file__, "alone", str(model)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        ready = time.perf_counter() - began
        return {"ready": ready, **json.loads(process.stdout.readline())}


def ask_alone(folder: str) -> None:
    import pickle

    import pandas as pd

    model = pickle.loads((Path(folder) / "model.pkl").read_bytes())
    print("ready", flush=True)
    row, seconds = pd.read_parquet(Path(folder) / "rows.parquet").iloc[[0]], []
    for _ in range(ASKED):
        began = time.perf_counter()
        model.predict_proba(row)
        seconds.append(time.perf_counter() - began)
    median = statistics.median(seconds)
    print(json.dumps({"one": median * 1000, "one rate": 1 / median}), flush=True)


def measure_memory(pid: int) -> float:
    """Return the megabytes that a process and its descendants hold; shared ones count in parts."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended
            continue
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    rollups = [Path(f"/proc/{member}/smaps_rollup").read_text() for member in family]
    kilobytes = [int(text.partition("\nPss:")[2].split()[0]) for text in rollups]
    return sum(kilobytes) * 1024 / MEGABYTE


def run_round(contestant: Contestant) -> Figures:
    """Start a service, ask it, end it."""
    with contestant.run() as (pid, port, ready):
        contestant.ask(port, 4, 1)
        one, many = (contestant.ask(port, clients, SHORT) for clients in (1, 16))
        if one["lost"] or many["lost"]:
            sys.exit(f"{contestant.name} did not answer {one['lost'] + many['lost']:.0f} requests.")
        return {
            "ready": ready,
            "one": one["median"] * 1000,
            "one rate": one["rate"],
            "many": many["median"] * 1000,
            "many rate": many["rate"],
            "memory": measure_memory(pid),
        }


def endure(contestant: Contestant) -> int:
    """Ask for long, and return the number of requests; end if one was lost."""
    with contestant.run() as (_, port, _):
        told = contestant.ask(port, 16, LONG)
    if told["lost"]:
        sys.exit(f"{contestant.name} lost {told['lost']:.0f} of {told['requests']:.0f} requests.")
    return int(told["requests"])


COLUMNS = {
    "ready": ("ready after", "{:.1f} s"),
    "one": ("1 client: median", "{:.1f} ms"),
    "one rate": ("requests/s", "{:.0f}"),
    "many": ("16 clients: median", "{:.1f} ms"),
    "many rate": ("requests/s", "{:.0f}"),
    "memory": ("memory", "{:.0f} MB"),
}


def render(results: dict[str, list[Figures]]) -> str:
    """Return medians, with the best round in brackets, and their ratio, as a Markdown table."""
    lines = [
        "| service | " + " | ".join(title for title, _ in COLUMNS.values()) + " |",
        "|---|" + "---:|" * len(COLUMNS),
    ]
    medians = {}
    for name, rounds in results.items():
        cells = []
        for column, (_, form) in COLUMNS.items():
            values = [figures[column] for figures in rounds if column in figures]
            if not values:
                cells.append("")
                continue
            best = max(values) if column.endswith("rate") else min(values)
            medians[name, column] = statistics.median(values)
            cells.append(f"{form.format(medians[name, column])} ({form.format(best).split()[0]})")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    _, theirs, ours = results
    ratios = [f"{medians[ours, column] / medians[theirs, column]:.2f}" for column in COLUMNS]
    return "\n".join([*lines, f"| ratio | {' | '.join(ratios)} |"])


def main() -> None:
    subprocess.run([BIN / "mlops", "run"], check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory() as scratch:
        contestants = make_contestants(Path(scratch))
        turns: dict[str, Callable[[], Figures]] = {ALONE: partial(run_alone, Path(scratch) / "model")}
        turns |= {contestant.name: partial(run_round, contestant) for contestant in contestants}
        results: dict[str, list[Figures]] = {name: [] for name in turns}
        for turn in range(1, ROUNDS + 1):
            for name, measure in turns.items():
                figures = measure()
                results[name].append(figures)
                told = ", ".join(f"{key} {value:.4g}" for key, value in figures.items())
                print(f"round {turn} of {ROUNDS}, {name}: {told}", file=sys.stderr)
        asked = endure(contestants[1])
    print(render(results))
    print(f"\nMedian of {ROUNDS} rounds in turns, the best in brackets.", end=" ")
    print(f"Of {asked:,} requests that 16 clients sent in {LONG} s, none was lost.")


if __name__ == "__main__":
    parts = {"save": save, "alone": ask_alone}
    parts[sys.argv[1]](sys.argv[2]) if sys.argv[1:] else main()

"""Time how the prediction log is read, against a bare loop of pyarrow over the same files.

    python benchmarks/log.py [--lines 10000000] [--rounds 2]

Run with the interpreter of a baked project. The log is a week long, and written here, as the service
would write it: files of 50,000 lines, each with a random id, the time, eleven features and the answer.
The bare loop parses each file and counts its rows. ``mlops monitor`` also finds broken lines, leaves
out what is of another time or has come before, and makes frames. They take turns, each in a process of
its own. Prints a table; fails if a line is lost, or if ``mlops monitor`` needs a gigabyte.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

FILE_LINES = 50_000
SINCE = datetime(2026, 3, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
NUMBERS = [f"number {index}" for index in range(8)]
LEVELS = [f"level {index}" for index in range(3)]
LIMIT = 1e9
Figures = dict[str, float]


def write_log(folder: Path, n_lines: int) -> None:
    """Write a log; files differ in ids and times alone."""
    import numpy as np

    rng = np.random.default_rng(0)
    tails = [make_tail(rng) for _ in range(FILE_LINES)]
    n_files = n_lines // FILE_LINES
    for number in range(n_files):
        written = SINCE + WEEK * number / n_files
        path = folder / f"{written:%Y-%m-%d}" / f"{written:%H%M%S}-1-{number:08x}.jsonl"
        path.parent.mkdir(exist_ok=True)
        head = f'"time":"{written:%Y-%m-%dT%H:%M:%S}.'.encode()
        ids = rng.integers(1 << 62, size=FILE_LINES).tolist()
        with path.open("wb") as file:
            file.writelines(
                b'{"id":"%032x",%b%06dZ",%b' % (id, head, micro, tail)
                for micro, (id, tail) in enumerate(zip(ids, tails, strict=True))
            )


def make_tail(rng: Any) -> bytes:
    """Return what follows the time in a line."""
    features = dict(zip(NUMBERS, rng.normal(100, 20, len(NUMBERS)).round(3).tolist(), strict=True))
    features |= {name: f"value {level}" for name, level in zip(LEVELS, rng.integers(20, size=3), strict=True)}
    share = rng.random()
    prediction = {"label": "late", "probabilities": {"late": share, "on time": 1 - share}}
    line = json.dumps({"version": "7", "features": features, "prediction": prediction}, separators=(",", ":"))
    return line[1:].encode() + b"\n"


def read(folder: Path) -> int:
    """Read as ``mlops monitor`` does, and return the number of records."""
    from gitops_ml.contract.export import Column, ContractRecord
    from gitops_ml.monitoring.prediction_log.window import PredictionLogWindow

    facts: dict[str, Any] = {"role": "feature", "nullable": True, "unique": False, "required": True}
    contract = ContractRecord(
        problem="classification",
        target="late",
        features=NUMBERS + LEVELS,
        classes=["late", "on time"],
        columns=[
            *(Column(name=name, kind="number", dtype="float64", **facts) for name in NUMBERS),
            *(Column(name=name, kind="string", dtype="str", **facts) for name in LEVELS),
        ],
    )
    return sum(map(len, PredictionLogWindow(str(folder), SINCE, SINCE + WEEK, contract)))


def read_bare(folder: Path) -> int:
    """Parse all files, and return the number of rows."""
    from pyarrow import json as arrow_json

    return sum(len(arrow_json.read_json(path)) for path in sorted(folder.rglob("*.jsonl")))


READERS = {"bare loop": read_bare, "mlops monitor": read}


def measure(reader: str, folder: Path) -> Figures:
    """Let one reader read, in a process of its own."""
    command = [sys.executable, __file__, "--reader", reader, "--folder", str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def tell(reader: str, folder: Path) -> None:
    """Read, and print how many records, seconds, and bytes at most it took."""
    began = time.perf_counter()
    records = READERS[reader](folder)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"records": records, "seconds": seconds, "bytes": peak}))


def render(results: dict[str, list[Figures]], n_lines: int) -> str:
    """Return the medians as a Markdown table."""
    lines = [
        "| what | median | fastest | lines/s | times the bare loop | peak memory |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    bare = statistics.median(figures["seconds"] for figures in results["bare loop"])
    for name, rounds in results.items():
        seconds = [figures["seconds"] for figures in rounds]
        median, peak = statistics.median(seconds), max(figures["bytes"] for figures in rounds)
        cells = [
            f"{median:.1f} s",
            f"{min(seconds):.1f} s",
            f"{n_lines / median:,.0f}",
            f"{median / bare:.2f}",
        ]
        lines.append(f"| {name} | {' | '.join(cells)} | {peak / 1e6:.0f} MB |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=10_000_000, help="of the log (default: 10,000,000)")
    parser.add_argument("--rounds", type=int, default=2, help="of each reader (default: 2)")
    parser.add_argument("--reader", choices=READERS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.reader:
        tell(args.reader, args.folder)
        return
    results: dict[str, list[Figures]] = {name: [] for name in READERS}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_log(folder, args.lines)
        size = sum(path.stat().st_size for path in folder.rglob("*.jsonl"))
        for turn in range(1, args.rounds + 1):
            for name in READERS:
                results[name].append(figures := measure(name, folder))
                told = f"{figures['seconds']:.1f} s, {figures['bytes'] / 1e6:.0f} MB"
                print(f"round {turn} of {args.rounds}, {name}: {told}", file=sys.stderr)
    print(render(results, args.lines))
    told = f"{args.lines:,} lines, {size / 1e9:.1f} GB"
    print(f"\n{told}; median of {args.rounds} rounds in turns.", end=" ")
    found = {figures["records"] for rounds in results.values() for figures in rounds}
    if found != {args.lines}:
        sys.exit(f"Of {args.lines:,} lines, a reader found {found}.")
    if max(figures["bytes"] for figures in results["mlops monitor"]) >= LIMIT:
        sys.exit("mlops monitor needs a gigabyte or more.")


if __name__ == "__main__":
    main()

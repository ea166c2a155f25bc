"""Measure the paired bootstrap of the library against a plain loop of scikit-learn's metrics.

    python benchmarks/bootstrap.py

Run with the interpreter of a project. Two models score the same rows; wanted are replicates
of their differences in four metrics, 1,000 as by default. The loop's time grows with their number,
so few are timed and the rest is worked out. Each side runs in a process of its own. Prints a
table; fails if the two sides differ for the same draws.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from gitops_ml.evaluation.paired import PairedPredictions
    from gitops_ml.metrics.registry import Metric

REPLICATES = 1000
# Rows, replicates that the loop is timed on, and those that are compared one by one.
SIZES = [(65_000, 20, 10), (1_000_000, 5, 2)]
METRICS = ["roc_auc", "average_precision", "log_loss", "brier"]
TOLERANCE = 1e-9
MEGABYTE = 1e6


def make_pair(n_rows: int) -> PairedPredictions:
    """Return rows of which a quarter is positive, and what two models say that often agree."""
    import numpy as np

    from gitops_ml.evaluation.paired import PairedPredictions
    from gitops_ml.metrics.prediction import Prediction

    rng = np.random.default_rng(7)
    y_true = (rng.random(n_rows) < 0.25).astype(int)
    shared = rng.normal(0.9 * y_true - 1.4, 0.8)
    scores = [1 / (1 + np.exp(-rng.normal(shared, noise))) for noise in (0.30, 0.35)]
    first, second = (
        Prediction((score > 0.5).astype(int), np.column_stack([1 - score, score])) for score in scores
    )
    return PairedPredictions(y_true, (first, second), np.array([0, 1]), None)


def find_metrics() -> list[Metric]:
    """Return the metrics as the library knows them."""
    from gitops_ml.metrics.registry import find_metric

    return [find_metric(name, "classification") for name in METRICS]


def score_rows(pair: PairedPredictions, rows: np.ndarray) -> list[float]:
    """Return the differences on rows that are really drawn, as scikit-learn computes them."""
    from sklearn import metrics as sk

    functions = [sk.roc_auc_score, sk.average_precision_score, sk.log_loss, sk.brier_score_loss]
    y_true = pair.y_true[rows]
    first, second = (one.probability[:, 1][rows] for one in pair.predictions)  # type: ignore[index]
    return [function(y_true, first) - function(y_true, second) for function in functions]


def run_loop(n_rows: int, replicates: int) -> dict[str, float]:
    """Time the plain loop."""
    import numpy as np

    pair, rng = make_pair(n_rows), np.random.default_rng(1)
    score_rows(pair, np.arange(n_rows))
    clock = time.perf_counter()
    for _ in range(replicates):
        score_rows(pair, rng.integers(0, n_rows, n_rows))
    return {"seconds": time.perf_counter() - clock}


def run_ours(n_rows: int, replicates: int) -> dict[str, float]:
    """Time the library's, values and interval ends included, and look at its memory."""
    import resource

    from gitops_ml.core.settings import Settings
    from gitops_ml.evaluation.paired import score_pair

    settings = Settings.model_validate(
        {
            "problem": "classification",
            "data": {"target": "y", "time": "time"},
            "train": {"metric": METRICS[0]},
            "evaluate": {"metrics": METRICS, "replicates": replicates},
        }
    )
    pair, metrics = make_pair(n_rows), find_metrics()
    held = read_held_memory()
    clock = time.perf_counter()
    score_pair(pair, metrics, [], settings)
    seconds = time.perf_counter() - clock
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"seconds": seconds, "peak": peak / MEGABYTE, "added": (peak - held) / MEGABYTE}


def read_held_memory() -> int:
    """Return the bytes of memory that this process holds now."""
    import resource

    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def run_check(n_rows: int, replicates: int) -> dict[str, float]:
    """Return by how much the two sides differ at most, when both are given the same draws."""
    import numpy as np

    from gitops_ml.evaluation.bootstrap.resample import Draws, Subset, bootstrap

    pair, draws = make_pair(n_rows), Draws(n_rows, replicates, seed=3)
    [found] = bootstrap(pair.y_true, pair.predictions, pair.classes, [Subset(None, find_metrics())], draws)
    ours = np.array([found[name][0] - found[name][1] for name in METRICS]).T
    loop = [score_rows(pair, np.repeat(np.arange(n_rows), counts)) for counts in draws.count(0, replicates)]
    return {"gap": float(np.abs(ours - loop).max())}


def run_apart(side: str, n_rows: int, replicates: int) -> dict[str, float]:
    """Run one side in a process of its own.

    This process stays small meanwhile: Linux counts the peak of a parent for its children, too.
    """
    command = [sys.executable, __file__, side, str(n_rows), str(replicates)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    print(f"{n_rows:,} rows, {side} of {replicates} replicates: {done.stdout.strip()}", file=sys.stderr)
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


def contest(n_rows: int, timed: int, checked: int) -> dict[str, Any]:
    """Let both sides work on as many rows."""
    gap = run_apart("check", n_rows, checked)["gap"]
    if not gap <= TOLERANCE:
        sys.exit(f"replicates of {n_rows:,} rows differ by {gap:.2g}; expected at most {TOLERANCE:g}.")
    loop = run_apart("loop", n_rows, timed)["seconds"] * REPLICATES / timed
    return {"rows": n_rows, "timed": timed, "gap": gap, "loop": loop, **run_apart("ours", n_rows, REPLICATES)}


def render(results: list[dict[str, Any]]) -> str:
    """Return the results as a Markdown table."""
    lines = [
        "| rows | plain loop | this project | times faster | peak memory | added by it | largest gap |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {one['rows']:,} | {one['loop']:,.0f} s | {one['seconds']:.1f} s "
        f"| {one['loop'] / one['seconds']:.0f} | {one['peak']:.0f} MB | {one['added']:.0f} MB "
        f"| {one['gap']:.1g} |"
        for one in results
    ]
    timed = " and ".join(f"{one['timed']} at {one['rows']:,} rows" for one in results)
    return "\n".join(
        [*lines, "", f"{REPLICATES:,} replicates; the loop's time is that of {timed}, scaled to as many."]
    )


def main() -> None:
    sides = {"loop": run_loop, "ours": run_ours, "check": run_check}
    if len(sys.argv) == 1:
        print(render([contest(*size) for size in SIZES]))
    else:
        side, n_rows, replicates = sys.argv[1:]
        print(json.dumps(sides[side](int(n_rows), int(replicates))))


if __name__ == "__main__":
    main()

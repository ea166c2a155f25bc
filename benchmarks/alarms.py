"""Count how often the gates block a model that is as good as the champion, and let a worse one pass.

    python benchmarks/alarms.py [--pulls 200] [--rows 5300]

Run with the interpreter of a project. In half of the pull requests the challenger is the
champion trained with another seed. In the other half it is worse in truth, by twice the margin:
noise is mixed into its scores. Each pull request has test rows of its own, and passes through what
``mlops compare`` calls; only the champion's process is left out. Prints a table; fails if more than
5 % of the first half are blocked, or less than 95 % of the second.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.stats import binomtest
from sklearn.base import BaseEstimator
from world import DAY, FEATURES, SEEDS, TRAIN_ROWS, Blurred, World, draw_rows, make_world

from gitops_ml.bundle.manifest import LineageRecord
from gitops_ml.comparison import challenge as stage
from gitops_ml.comparison.champion import Champion
from gitops_ml.comparison.compare import compare
from gitops_ml.comparison.replay import Answers
from gitops_ml.contract.export import Column, ContractRecord
from gitops_ml.core.records import (
    ComparisonRecord,
    Estimate,
    EvaluationRecord,
    MetricResult,
    ValidationRecord,
)
from gitops_ml.core.settings import Settings
from gitops_ml.metrics.prediction import predict

VERDICTS = ["better", "no worse", "worse", "cannot tell"]
NO_WORSE, SLICES = "no worse than champion", "slices"
# As many as the default project holds out.
TEST_ROWS = 5300
# Challenger and champion of a pull request.
Pair = tuple[BaseEstimator, BaseEstimator]

# Everything that is not given is a default of the project, the margin of 1 % above all.
SETTINGS = Settings.model_validate(
    {
        "problem": "classification",
        "data": {"target": "y", "time": "day"},
        "train": {"metric": "roc_auc"},
        "evaluate": {"metrics": ["roc_auc"], "slices": ["shop"]},
    }
)


def make_champion() -> Champion:
    """Return what is known of a champion that was trained on older rows."""
    facts = {"role": "feature", "kind": "number", "dtype": "float64"}
    rules = {"nullable": False, "unique": False, "required": True}
    columns = [Column.model_validate({"name": name, **facts, **rules}) for name in FEATURES]
    contract = ContractRecord(
        problem="classification", target="y", time="day", features=FEATURES, columns=columns
    )
    lineage = LineageRecord(
        commit="",
        dirty=False,
        run_key="",
        data_lock="",
        challenger="forest",
        split="time",
        boundary=DAY.isoformat(),
        train_rows=TRAIN_ROWS,
        test_rows=0,
        python="",
        libraries={},
    )
    return Champion(Path(), 1, contract, lineage)


def make_records(n_rows: int) -> tuple[ValidationRecord, EvaluationRecord]:
    """Return records of valid rows and of a challenger, as far as the gates in question need them."""
    half = Estimate(value=0.5, low=0.5, high=0.5)
    metric = MetricResult(name="roc_auc", greater_is_better=True, model=half, baseline=half, difference=half)
    evaluation = EvaluationRecord(rows=n_rows, metrics=[metric], latency_ms=0, batch_rows_per_second=0)
    return ValidationRecord(passed=True, rows=n_rows, files=[]), evaluation


def judge(pair: Pair, test: pd.DataFrame) -> ComparisonRecord:
    """Compare two models on test rows and check the gates."""
    challenger, champion = pair

    def answer(bundle: Path, rows: pd.DataFrame, timeout: float) -> Answers:
        return Answers(predict(champion, rows), champion.classes_)

    nothing = pd.DataFrame(index=test.index)
    with mock.patch.object(stage, "replay", answer):
        answers = stage.predict_test(challenger, test, SETTINGS)
        found = stage.challenge(answers, make_champion(), test, nothing, SETTINGS)
    return compare(*make_records(len(test)), found.result, SETTINGS, bundle_bytes=0)


def pair_seeds(world: World) -> Callable[[int], Pair]:
    """Return the pairs of pull requests that change the seed alone, a different one for each."""

    def pair(pull: int) -> Pair:
        champion = pull % SEEDS
        step = 1 + pull // SEEDS % (SEEDS - 1)
        return world.models[(champion + step) % SEEDS], world.models[champion]

    return pair


def pair_worse(world: World) -> Callable[[int], Pair]:
    """Return the pairs of pull requests that make it worse by twice the margin."""

    @cache
    def find_amount(champion: int, challenger: int) -> float:
        truth = world.roc_auc(champion)
        return world.find_amount(challenger, truth - 2 * SETTINGS.gates.margin_of(truth))

    def pair(pull: int) -> Pair:
        champion, challenger = pull % SEEDS, (pull + 1) % SEEDS
        amount = find_amount(champion, challenger)
        return Blurred(world.models[challenger], amount, seed=pull), world.models[champion]

    return pair


def play(pair: Callable[[int], Pair], pulls: int, n_rows: int, seed: int) -> list[ComparisonRecord]:
    """Open pull requests, each with test rows of its own."""
    streams = np.random.default_rng(seed).spawn(pulls)
    tasks = (delayed(judge)(pair(pull), draw_rows(n_rows, rng)) for pull, rng in enumerate(streams))
    return list(Parallel(n_jobs=-1)(tasks))


def stops(record: ComparisonRecord) -> set[str]:
    """Return which of the champion's gates block."""
    return {gate.name for gate in record.gates if gate.blocks} & {NO_WORSE, SLICES}


def count(hits: int, total: int) -> str:
    """Return a count with its share and the exact (Clopper-Pearson) 95 % interval of that."""
    interval = binomtest(hits, total).proportion_ci()
    return f"{hits} of {total}: {hits / total:.1%} [{interval.low:.1%}, {interval.high:.1%}]"


def describe(name: str, records: list[ComparisonRecord]) -> str:
    """Return a row of the table."""
    verdicts = Counter(record.verdict for record in records)
    blocked = [stops(record) for record in records]
    cells = [
        name,
        *(str(verdicts[verdict]) for verdict in VERDICTS),
        count(sum(map(bool, blocked)), len(records)),
        count(sum(SLICES in names for names in blocked), len(records)),
        str(sum(names == {SLICES} for names in blocked)),
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pulls", type=int, default=200, help="pull requests of each kind (default: 200)")
    parser.add_argument(
        "--rows", type=int, default=TEST_ROWS, help=f"test rows of each (default: {TEST_ROWS})"
    )
    args = parser.parse_args()
    world = make_world(np.random.default_rng(0))
    same = play(pair_seeds(world), args.pulls, args.rows, seed=1)
    worse = play(pair_worse(world), args.pulls, args.rows, seed=2)
    heads = ["challenger", *VERDICTS, "blocked", "by slices", "by slices alone"]
    print(f"| {' | '.join(heads)} |\n|---|{'---:|' * (len(heads) - 1)}")
    print(describe("another seed", same))
    print(describe("worse by twice the margin", worse))
    print(f"\n{args.rows:,} test rows each; in brackets the exact (Clopper-Pearson) 95 % interval.")
    alarms, caught = (sum(bool(stops(record)) for record in records) for records in (same, worse))
    if alarms > 0.05 * args.pulls or caught < 0.95 * args.pulls:
        sys.exit("expected at most 5 % of the first and at least 95 % of the second to be blocked.")


if __name__ == "__main__":
    main()

"""Count how often a check of production finds drift where there is none, and where there is some.

    python benchmarks/drift.py [--checks 200] [--repeats 20]

Run with the interpreter of a baked project, in its folder. Three tables:

- chance: flights of the whole year in random order are divided into training part, test part and
  flights to come; every check draws some of these. Nothing has moved, so what it finds is chance.
- shifts: the same with a change of one kind (``shifts.py``).
- months: the model of January to August is checked in each of the months after it, in turns.

A check is that of ``mlops monitor``, except that files and the champion's process are left out.
Fails if more than 5 % of the checks find something by chance.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
from flight_delays import models
from joblib import Parallel, delayed
from scipy.stats import binomtest
from shifts import SHIFTS, Shift
from sklearn.base import BaseEstimator

from gitops_ml.bundle.manifest import LineageRecord, MetricsRecord
from gitops_ml.comparison.champion import Champion
from gitops_ml.comparison.replay import Answers
from gitops_ml.contract.export import ContractRecord, describe_columns
from gitops_ml.contract.schema import apply_contract
from gitops_ml.core.progress import QuietConsole
from gitops_ml.core.project import load_contract
from gitops_ml.core.records import ColumnDrift
from gitops_ml.core.settings import PARAMS, Settings, read_settings
from gitops_ml.data.split import Split, features_and_target, split
from gitops_ml.drift import columns
from gitops_ml.drift.profile import profile_data
from gitops_ml.evaluation.evaluate import evaluate
from gitops_ml.metrics.prediction import predict
from gitops_ml.monitoring.check import check as checking
from gitops_ml.monitoring.check import performance
from gitops_ml.monitoring.check.context import Context
from gitops_ml.monitoring.check.history import summarise
from gitops_ml.monitoring.check.new_files import NewFiles
from gitops_ml.monitoring.check.records import Check, MonitoringRecord

CANDIDATE = "boosting"
TRAIN_ROWS, TEST_ROWS = 12_000, 5_000
# Rows of one check: about a day, a week, a month.
SIZES = [100, 600, 2_700]
# Champions, each of a division of its own.
WORLDS = 4
NOW = datetime(2014, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """A champion, and flights that come after it."""

    settings: Settings
    champion: Champion
    model: BaseEstimator
    to_come: pd.DataFrame


def read_flights(months: Sequence[int]) -> pd.DataFrame:
    """Return the flights of some months as the contract has them."""
    paths = [Path(f"data/flights-2013-{month:02}.parquet") for month in months]
    flights = pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)
    return apply_contract(flights, load_contract()).frame


def crown(parts: Split, to_come: pd.DataFrame, by: str, settings: Settings, folder: Path) -> World:
    """Train a champion, and write what a check reads of its bundle."""
    features, target = features_and_target(parts.train, settings)
    model = models.candidates(settings.train.seed)[CANDIDATE].fit(features, target)
    baseline = models.baseline().fit(features, target)
    found = evaluate(model, baseline, parts, settings, QuietConsole().progress).record
    MetricsRecord(
        rows=found.rows, primary=settings.train.metric, metrics=found.metrics, slices=found.slices
    ).write(folder)
    profile_data(model, parts, settings).write(folder)
    contract = ContractRecord(
        problem=settings.problem,
        target=settings.data.target,
        features=[str(name) for name in features],
        columns=describe_columns(parts.train, settings),
        **settings.data.model_dump(include={"id", "time", "group"}),
    )
    lineage = LineageRecord(
        commit=None,
        dirty=False,
        run_key="",
        data_lock="",
        challenger=CANDIDATE,
        split=by,
        boundary=parts.boundary,
        train_rows=len(parts.train),
        test_rows=len(parts.test),
        python="",
        libraries={},
    )
    return World(settings, Champion(folder, 1, contract, lineage), model, to_come)


def shuffle_world(number: int, settings: Settings, folder: Path) -> World:
    """Divide the whole year at random, so that what comes is as what was."""
    flights = read_flights(range(1, 13))
    order = np.random.default_rng(number).permutation(len(flights))
    train, test, rest = np.split(order, [TRAIN_ROWS, TRAIN_ROWS + TEST_ROWS])
    train, test, rest = (flights.iloc[np.sort(rows)].reset_index(drop=True) for rows in (train, test, rest))
    return crown(Split(train, test, "0.25"), rest, "hash", settings, folder)


@contextmanager
def shortcuts(world: World, rows: pd.DataFrame) -> Iterator[None]:
    """Let rows arrive without files, and the champion answer in this process.

    Importances judge nothing and are left out; a threshold is calibrated once for a number of rows.
    """

    def answer(bundle: Path, seen: pd.DataFrame, timeout: float) -> Answers:
        return Answers(predict(world.model, seen), world.model.classes_)

    new_files = NewFiles(frame=rows, files=["new"])
    with ExitStack() as stack:
        for place, name, value in [
            (checking, "read_new_files", lambda settings, root: new_files),
            (checking, "replay", answer),
            (performance, "permutation_importances", lambda *arguments: []),
            (columns, "find_threshold", remember),
        ]:
            stack.enter_context(mock.patch.object(place, name, value))
        yield


KNOWN: dict[tuple[str, int, float], float] = {}
calibrate = columns.find_threshold


def remember(profile: object, n_rows: int, level: float) -> float:
    """Return a threshold, calibrated when it is first asked for."""
    key = (profile.model_dump_json(), n_rows, level)
    if key not in KNOWN:
        KNOWN[key] = calibrate(profile, n_rows, level)
    return KNOWN[key]


def check(world: World, rows: pd.DataFrame, checks: Sequence[Check] = ()) -> MonitoringRecord:
    """Check production with some rows that have arrived."""
    context = Context(Path(), world.settings, world.champion, NOW, checks)
    with shortcuts(world, rows.reset_index(drop=True)):
        return checking.check_production(context)


def draw(world: World, n_rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return some of the flights to come."""
    return world.to_come.iloc[np.sort(rng.choice(len(world.to_come), n_rows, replace=False))]


def blame(record: MonitoringRecord) -> set[str]:
    """Return the topics that are violated."""
    return {one.topic for one in record.alarms if one.violated}


def list_moved(record: MonitoringRecord) -> list[ColumnDrift]:
    """Return the columns that moved, the farthest first."""
    return [one for one in record.data[0].columns if one.moved]


def check_many(world: World, n_rows: int, checks: int, seed: int) -> list[set[str]]:
    """Check drawn rows again and again."""
    streams = np.random.default_rng(seed).spawn(checks)
    return [blame(check(world, draw(world, n_rows, rng))) for rng in streams]


def seek(world: World, shift: Shift, n_rows: int, repeats: int) -> tuple[str, int, int]:
    """Return the shift's name, the size, and how many checks saw it where it is."""
    seen = 0
    for rng in np.random.default_rng(n_rows).spawn(repeats):
        record = check(world, shift.change(draw(world, n_rows, rng).reset_index(drop=True), rng))
        found = {one.column for one in list_moved(record)} | blame(record)
        seen += shift.seen_in in found
    return shift.name, n_rows, seen


def count(hits: int, total: int) -> str:
    """Return a count with its share and the exact (Clopper-Pearson) 95 % interval of that."""
    interval = binomtest(hits, total).proportion_ci()
    return f"{hits} of {total}: {hits / total:.1%} [{interval.low:.1%}, {interval.high:.1%}]"


def tell_chance(worlds: Sequence[World], checks: int) -> int:
    """Print how often a check finds something by chance; return the most of any size."""
    print("| rows of a check | found something | in the data | in the performance |\n|---:|---:|---:|---:|")
    most = 0
    for size in SIZES:
        tasks = (
            delayed(check_many)(world, size, checks // len(worlds), seed) for seed, world in enumerate(worlds)
        )
        found = [questions for some in Parallel(n_jobs=-1)(tasks) for questions in some]
        hits = [
            sum(map(bool, found)),
            *(sum(name in one for one in found) for name in ("data", "performance")),
        ]
        print(f"| {size:,} | {' | '.join(count(hit, len(found)) for hit in hits)} |")
        most = max(most, hits[0])
    return most


def tell_shifts(world: World, repeats: int) -> None:
    """Print how often each shift is seen in samples of each size."""
    heads = [f"{size:,} rows" for size in SIZES]
    print(f"\n| shift | {' | '.join(heads)} |\n|---|{'---:|' * len(heads)}")
    tasks = (delayed(seek)(world, shift, size, repeats) for shift in SHIFTS for size in SIZES)
    seen = {(name, size): hits for name, size, hits in Parallel(n_jobs=-1)(tasks)}
    for shift in SHIFTS:
        shares = [f"{seen[shift.name, size] / repeats:.0%}" for size in SIZES]
        print(f"| {shift.name} | {' | '.join(shares)} |")


def tell_months(settings: Settings, folder: Path) -> None:
    """Print what is found in each month after those of the training, checked in turns."""
    parts = split(read_flights(range(1, 9)), settings)
    world, checks = crown(parts, pd.DataFrame(), "time", settings, folder), []
    print("\n| month | rows | what moved | ROC AUC | alarm |\n|---|---:|---|---:|---|")
    for month in range(9, 13):
        record = check(world, read_flights([month]), checks)
        checks.append(summarise(record))
        moved = list_moved(record)
        words = ", ".join(f"`{one.column}` ({one.change}; PSI {one.psi:.2f})" for one in moved[:4])
        more = f" and {len(moved) - 4} more" if len(moved) > 4 else ""
        live = record.performance.metrics[0].live
        alarms = ", ".join(one.topic for one in record.alarms if one.raised)
        score = f"{live.value:.3f} [{live.low:.3f}, {live.high:.3f}]"
        print(f"| 2013-{month:02} | {record.data[0].rows:,} | {words}{more} | {score} | {alarms or 'no'} |")
    before = MetricsRecord.read(folder).metrics[0].model
    print(f"\nROC AUC was {before.value:.3f} [{before.low:.3f}, {before.high:.3f}] when the model was made.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checks", type=int, default=200, help="checks of each size (default: 200)")
    parser.add_argument("--repeats", type=int, default=20, help="checks each shift (default: 20)")
    args = parser.parse_args()
    settings = read_settings(Path(PARAMS))
    with tempfile.TemporaryDirectory() as parent:
        folders = [Path(parent) / str(number) for number in range(WORLDS + 1)]
        for folder in folders:
            folder.mkdir()
        worlds = [shuffle_world(number, settings, folder) for number, folder in enumerate(folders[:-1])]
        most = tell_chance(worlds, args.checks)
        tell_shifts(worlds[0], args.repeats)
        tell_months(settings, folders[-1])
    print("Brackets hold 95 % intervals: exact ones (Clopper-Pearson) of counts, the bootstrap's of metrics.")
    if most > 0.05 * args.checks:
        sys.exit("expected at most 5 % of the checks to find something by chance.")


if __name__ == "__main__":
    main()

"""A small world of which the truth is known, with a champion to watch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from gitops_ml.bundle.bundle import _collect_metrics
from gitops_ml.bundle.manifest import LineageRecord
from gitops_ml.comparison.champion import Champion
from gitops_ml.comparison.replay import Answers
from gitops_ml.contract.export import Column, ContractRecord
from gitops_ml.core.progress import QuietConsole
from gitops_ml.core.settings import Settings
from gitops_ml.data.split import Split
from gitops_ml.drift.profile import ProfileRecord, profile_data
from gitops_ml.evaluation.evaluate import evaluate
from gitops_ml.metrics.prediction import predict

KINDS = {"a": "float64", "b": "float64", "gap": "float64", "level": "str", "time": "datetime64[us]"}
BOUNDARY = pd.Timestamp("2024-02-01")
NEW = pd.Timestamp("2024-03-01")


def make_settings(**sections: Any) -> Settings:
    """Return settings of the small world."""
    content: dict[str, Any] = {
        "problem": "classification",
        "data": {"target": "y", "id": "id", "time": "time"},
        "train": {"metric": "roc_auc"},
        "evaluate": {"metrics": ["roc_auc", "log_loss"], "slices": ["level"], "replicates": 200},
    }
    return Settings.model_validate(content | sections)


def draw_rows(n_rows: int, seed: int, start: pd.Timestamp = NEW, weight: float = 2.0) -> pd.DataFrame:
    """Return rows whose class depends on ``a``, as much as ``weight`` says, and on ``b``."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame({"a": rng.normal(size=n_rows), "b": rng.normal(5, 2, n_rows)})
    odds = weight * rows["a"] + 0.3 * (rows["b"] - 5) - 0.5
    return rows.assign(
        gap=np.where(rng.random(n_rows) < 0.1, np.nan, rng.normal(size=n_rows)),
        level=rng.choice(["x", "y", "z"], n_rows, p=[0.5, 0.3, 0.2]),
        time=start + pd.to_timedelta(np.arange(n_rows), unit="min"),
        id=np.arange(n_rows) + 100_000 * seed,
        y=rng.random(n_rows) < 1 / (1 + np.exp(-odds)),
    )


@dataclass(frozen=True)
class World:
    """A champion, and what is known of it."""

    champion: Champion
    model: Pipeline
    profile: ProfileRecord

    def select(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return what the champion sees of rows."""
        return rows[list(KINDS)]

    def answer(self, rows: pd.DataFrame) -> Answers:
        """Return what the champion predicts."""
        return Answers(predict(self.model, self.select(rows)), self.model.classes_)

    def stand_in(self) -> Callable[..., Answers]:
        """Return what takes the place of ``replay``, in this process."""
        return lambda bundle, rows, timeout: self.answer(rows)


def make_world(folder: Path) -> World:
    """Train a champion and write of its bundle what those read who watch it."""
    settings = make_settings()
    train, test = draw_rows(4000, 1, BOUNDARY - pd.Timedelta("5 days")), draw_rows(2000, 2, BOUNDARY)
    split = Split(train, test, BOUNDARY.isoformat())
    features = list(KINDS)
    model = make_pipeline(make_column_transformer(("passthrough", ["a", "b"])), LogisticRegression())
    model.fit(train[features], train["y"])
    baseline = DummyClassifier().fit(train[features], train["y"])
    record = evaluate(model, baseline, split, settings, QuietConsole().progress).record
    _collect_metrics(record, settings).write(folder)
    profile = profile_data(model, split, settings)
    profile.write(folder)
    return World(Champion(folder, 3, _make_contract(), _make_lineage()), model, profile)


def _make_contract() -> ContractRecord:
    facts: dict[str, Any] = {"role": "feature", "kind": "number", "nullable": True, "unique": False}
    columns = [Column(name=name, dtype=dtype, required=True, **facts) for name, dtype in KINDS.items()]
    return ContractRecord(
        problem="classification", target="y", id="id", time="time", features=list(KINDS), columns=columns
    )


def _make_lineage() -> LineageRecord:
    return LineageRecord(
        commit="c0ffee",
        dirty=False,
        run_key="77",
        data_lock="",
        challenger="linear",
        split="time",
        boundary=BOUNDARY.isoformat(),
        train_rows=4000,
        test_rows=2000,
        python="3",
        libraries={},
    )

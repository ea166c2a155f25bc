"""Records of made-up runs, for the tests of what is written about them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gitops_ml.comparison.review import ReviewContext
from gitops_ml.core import records as r
from gitops_ml.core.settings import Settings
from gitops_ml.metrics.prediction import Prediction

CLASSIFICATION = ["roc_auc", "average_precision", "log_loss", "brier", "f1", "balanced_accuracy"]
REGRESSION = ["mae", "rmse", "r2", "mape"]
LOW_IS_GOOD = {"log_loss", "brier", "mae", "rmse", "mape"}
VALUES = {
    "roc_auc": (0.727, 0.5),
    "average_precision": (0.412, 0.218),
    "log_loss": (0.4711, 0.5247),
    "brier": (0.1498, 0.1707),
    "f1": (0.388, 0.0),
    "balanced_accuracy": (0.611, 0.5),
    "mae": (6.183, 71.92),
    "rmse": (8.471, 92.6),
    "r2": (0.9916, -0.0012),
    "mape": (0.0512, 0.812),
}


def make_settings(problem: str) -> Settings:
    """Return settings for one of the three kinds of problem."""
    metrics = REGRESSION if problem == "regression" else CLASSIFICATION
    return Settings.model_validate(
        {
            "problem": "regression" if problem == "regression" else "classification",
            "data": {"target": "late", "time": "departure"},
            "train": {"metric": metrics[0]},
            "evaluate": {"metrics": metrics, "slices": ["origin"]},
        }
    )


def make_run(**changes: object) -> r.RunRecord:
    """Return a run that went well."""
    return r.RunRecord(
        status="finished",
        stage="report",
        run_key="5f0c" * 16,
        commit="0123456789abcdef0123456789abcdef01234567",
        started="2013-09-01T12:00:00+00:00",
        seconds=14.2,
        python="3.11.7",
        libraries={"scikit-learn": "1.9.1", "pandas": "3.1.1"},
    ).model_copy(update=changes)


def make_validation(**changes: object) -> r.ValidationRecord:
    """Return a validation with two files, one waiting file and one warning."""
    files = [
        r.DataFile(
            path="data/a.parquet", sha256="ab" * 32, rows=2700, first="2013-01-01T05:00:00", last="2013-01-31"
        ),
        r.DataFile(
            path="data/b.parquet", sha256="cd" * 32, rows=2500, first="2013-02-01T05:00:00", last="2013-02-28"
        ),
    ]
    late = r.Finding(
        level="warning", column="wind_gust", check="mostly present", count=3900, share=0.75, examples=["nan"]
    )
    return r.ValidationRecord(
        passed=True,
        rows=5200,
        files=files,
        waiting=["data/c.parquet"],
        findings=[late],
        target={"False": 0.78, "True": 0.22},
    ).model_copy(update=changes)


def make_training(problem: str, **changes: object) -> r.TrainingRecord:
    """Return a training in which boosting won and the forest failed."""
    regression = problem == "regression"
    best = (6.3, 0.2) if regression else (0.731, 0.011)
    classes = {"binary": ["False", "True"], "multiclass": ["early", "on time", "late"]}.get(problem, [])
    return r.TrainingRecord(
        run_key="5f0c" * 16,
        challenger="boosting",
        estimator="Pipeline(steps=[('f', FunctionTransformer(func=<function parts at 0x7f03a1c0>))])",
        metric="mae" if regression else "roc_auc",
        greater_is_better=not regression,
        candidates=[
            r.CandidateResult(name="linear", status="ok", mean=best[0] * 0.95, sd=best[1], seconds=1.2),
            r.CandidateResult(name="boosting", status="ok", mean=best[0], sd=best[1], seconds=3.4),
            r.CandidateResult(name="forest", status="failed", reason="it took over 300 s", seconds=300),
        ],
        train_rows=4000,
        test_rows=1200,
        boundary="2013-02-15T00:00:00",
        features=["departure", "distance", "origin"],
        classes=classes,
        seed=1,
        seconds=5.1,
    ).model_copy(update=changes)


def make_metric(name: str) -> r.MetricResult:
    """Return one metric, clearly better than the baseline."""
    model, base = VALUES[name]
    gain = base - model if name in LOW_IS_GOOD else model - base
    return r.MetricResult(
        name=name,
        greater_is_better=name not in LOW_IS_GOOD,
        model=around(model, 0.02),
        baseline=around(base, 0.02),
        difference=around(gain, 0.05),
    )


def around(value: float, share: float) -> r.Estimate:
    """Return an estimate with an interval of plus and minus a share of it."""
    return r.Estimate(value=value, low=value - abs(value) * share, high=value + abs(value) * share)


def make_evaluation(problem: str, **changes: object) -> r.EvaluationRecord:
    """Return an evaluation with curves, slices and importances."""
    metrics = [make_metric(name) for name in (REGRESSION if problem == "regression" else CLASSIFICATION)]
    first = metrics[0]
    slices = [
        r.SliceResult(
            column="origin",
            level=level,
            rows=400,
            model=around(first.model.value * factor, 0.05),
            baseline=first.baseline,
        )
        for level, factor in {"EWR": 0.97, "JFK": 1.01, "LGA": 1.02}.items()
    ]
    return r.EvaluationRecord(
        rows=1200,
        metrics=metrics,
        slices=slices,
        small_slices=2,
        importances=[
            r.Importance(column=column, mean=mean * first.model.value, sd=0.004)
            for column, mean in {
                "departure": 0.11,
                "distance": 0.04,
                "origin": 0.012,
                "temp": -0.0004,
            }.items()
        ],
        curves=make_curves(problem),
        confusion={
            "binary": [[820, 110], [160, 110]],
            "multiclass": [[300, 60, 9], [70, 400, 41], [5, 80, 235]],
        }.get(problem, []),
        calibration_error=None if problem == "regression" else 0.0213,
        error_p95=17.2 if problem == "regression" else None,
        latency_ms=4.21,
        batch_rows_per_second=184_000,
    ).model_copy(update=changes)


def make_curves(problem: str) -> list[r.Curve]:
    """Return the curves that an evaluation of this kind of problem holds."""
    grid = [step / 50 for step in range(51)]
    if problem == "regression":
        actual = [50 + 300 * x for x in grid]
        wobble = [20 * ((7 * step) % 11 - 5) / 5 for step in range(51)]
        predicted = [a + w for a, w in zip(actual, wobble, strict=True)]
        residuals = [-w for w in wobble]
        return [
            r.Curve(name="residuals", x=predicted, y=residuals),
            r.Curve(name="predictions", x=predicted, y=actual),
        ]
    labels = ["early", "on time", "late"] if problem == "multiclass" else [""]
    curves = []
    for power, label in enumerate(labels, start=2):
        curves += [
            r.Curve(name="roc", label=label, x=grid, y=[x ** (1 / power) for x in grid]),
            r.Curve(
                name="precision_recall", label=label, x=grid, y=[0.9 - 0.6 * x ** (1 / power) for x in grid]
            ),
            r.Curve(
                name="calibration",
                label=label,
                x=grid[2:40:4],
                y=[0.9 * x + 0.01 * power for x in grid[2:40:4]],
            ),
        ]
    return curves


def make_comparison(problem: str, **changes: object) -> r.ComparisonRecord:
    """Return a comparison whose gates all hold."""
    first = make_metric("mae" if problem == "regression" else "roc_auc")
    return r.ComparisonRecord(
        against="baseline",
        verdict="better",
        metric=first.name,
        difference=first.difference,
        margin=0.005,
        gates=[
            r.Gate(name="contract holds", passed=True, evidence="0 findings stop the run"),
            r.Gate(name="beats baseline", passed=True, evidence="0.227 [0.213, 0.241] is above 0"),
            r.Gate(name="latency", passed=True, evidence="4.2 ms, at most 100 ms"),
        ],
    ).model_copy(update=changes)


# Difference from the champion, with its interval, that leads to each verdict with a margin of 0.007.
CONTESTS = {
    "better": (0.012, 0.004, 0.020),
    "no worse": (0.002, -0.004, 0.008),
    "worse": (-0.030, -0.040, -0.020),
    "cannot tell": (-0.002, -0.022, 0.018),
}


def make_champion(verdict: r.Verdict, problem: str = "binary", **changes: object) -> r.ChampionResult:
    """Return how the challenger did against version 3."""
    value, low, high = CONTESTS[verdict]
    difference = r.Estimate(value=value, low=low, high=high)
    metrics = [
        r.PairedMetric(
            name=metric.name,
            greater_is_better=metric.greater_is_better,
            challenger=metric.model,
            champion=metric.model,
            difference=difference,
        )
        for metric in map(make_metric, REGRESSION if problem == "regression" else CLASSIFICATION)
    ]
    slices = [
        r.PairedSlice(
            column="origin",
            level=level,
            rows=400,
            challenger=metrics[0].challenger,
            champion=metrics[0].champion,
            difference=difference,
            verdict="worse" if verdict == "worse" else "no worse",
        )
        for level in ("EWR", "JFK", "LGA")
    ]
    return r.ChampionResult(
        version=3, commit="c0ffee" * 6, run_key="77" * 32, rows=1200, metrics=metrics, slices=slices
    ).model_copy(update=changes)


def make_contest(verdict: r.Verdict, problem: str = "binary", **changes: object) -> r.ComparisonRecord:
    """Return a comparison with a champion, in which only the verdict stands in the way."""
    champion = make_champion(verdict, problem)
    gates = [
        r.Gate(name="contract holds", passed=True, evidence="1,200 rows checked"),
        r.Gate(name="no worse than champion", passed=verdict in ("better", "no worse"), evidence="see above"),
    ]
    return r.ComparisonRecord(
        against="champion",
        verdict=verdict,
        metric=champion.metrics[0].name,
        difference=champion.metrics[0].difference,
        margin=0.007,
        gates=gates,
        champion=champion,
    ).model_copy(update=changes)


def make_changes(**changes: object) -> r.ChangesRecord:
    """Return what a pull request changes that brings a file, a column and a setting."""
    return r.ChangesRecord(
        files=[
            r.FileChange(path="data/a.parquet", change="changed", rows=2700, rows_before=2600),
            r.FileChange(path="data/b.parquet", change="added", rows=2500, rows_before=0),
            r.FileChange(path="data/old.parquet", change="removed", rows=0, rows_before=900),
        ],
        settings=[r.SettingChange(key="train.seed", before="1", after="2")],
        columns=[r.ColumnChange(column="temp", change="changed", details="maximum 120 → 130")],
        new_rows=5200,
        drift=[
            r.Drift(column="temp", psi=0.31, moved=True),
            r.Drift(column="carrier", psi=0.02, moved=False),
        ],
        card="@@ -1 +1 @@\n-old\n+new",
    ).model_copy(update=changes)


def make_records(problem: str = "binary", **changes: object) -> r.Records:
    """Return the records of a run that went well."""
    return r.Records(
        run=make_run(),
        validation=make_validation(),
        training=make_training(problem),
        evaluation=make_evaluation(problem),
        comparison=make_comparison(problem),
    ).model_copy(update=changes)


def make_failure(stage: str, problem: str = "binary") -> r.Records:
    """Return the records of a run that failed in one of its stages."""
    order = ["validation", "training", "evaluation", "comparison"]
    reached = ["settings", "validate", "train", "evaluate", "compare"].index(stage)
    missing = dict.fromkeys(order[max(reached - 1, 0) :])
    failed = make_run(status="failed", stage=stage, error="params.yaml: data.source is 'x', expected a file.")
    return make_records(problem, run=failed, **missing)


def make_context(**changes: object) -> ReviewContext:
    """Return what a policy sees of twelve test rows, eight of which are new to the champion."""
    y_true = np.array([False, False, True] * 4)
    score = np.where(y_true, 0.6, 0.3) - np.linspace(0, 0.2, 12)
    probability = np.column_stack([1 - score, score])
    facts = {
        "rows": pd.DataFrame({"origin": ["EWR", "JFK", "LGA", "LGA"] * 3, "late": y_true}),
        "y_true": y_true,
        "classes": np.array([False, True]),
        "challenger": Prediction(score > 0.5, probability),
        "champion": Prediction(np.zeros(8, dtype=bool), np.full((8, 2), 0.5)),
        "champion_rows": np.arange(4, 12),
        "validation": make_validation(),
        "training": make_training("binary"),
        "evaluation": make_evaluation("binary"),
        "comparison": make_comparison("binary"),
        "settings": make_settings("binary"),
    }
    return ReviewContext(**(facts | changes))

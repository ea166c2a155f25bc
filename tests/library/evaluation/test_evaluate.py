"""The evaluation of a challenger on a test part, small made-up ones here."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import confusion_matrix
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from gitops_ml.core.errors import LifecycleError
from gitops_ml.core.progress import QuietConsole
from gitops_ml.core.records import EvaluationRecord, Importance
from gitops_ml.core.settings import Settings
from gitops_ml.data.split import Split, features_and_target
from gitops_ml.evaluation import importance
from gitops_ml.evaluation.curves import bin_probabilities, measure_calibration
from gitops_ml.evaluation.evaluate import evaluate
from gitops_ml.evaluation.importance import permutation_importances
from gitops_ml.evaluation.paired import PairedPredictions
from gitops_ml.evaluation.slices import cut_slices
from gitops_ml.metrics.prediction import Prediction, predict
from gitops_ml.metrics.registry import find_metric

CLASSIFICATION = ["roc_auc", "average_precision", "log_loss", "brier", "f1", "balanced_accuracy"]


def make_settings(problem: str, metrics: list[str], group: str | None = None, **options: Any) -> Settings:
    return Settings.model_validate(
        {
            "problem": problem,
            "data": {"target": "y", "id": "id", "time": "time", "group": group},
            "train": {"metric": metrics[0], "seed": 1},
            "evaluate": {"metrics": metrics, "replicates": 100, "min_slice_rows": 30} | options,
        }
    )


def make_split(kind: str = "bool", n_rows: int = 400) -> Split:
    """Return data in which ``signal`` matters, ``noise`` does not, and ``shop`` has three sizes."""
    rng = np.random.default_rng(3)
    signal = rng.normal(size=n_rows)
    noisy = signal + rng.normal(size=n_rows)
    labels = {
        "bool": noisy > 0.3,
        "str": np.where(noisy > 0.3, "yes", "no"),
        "three": np.array(["high", "low", "middle"])[np.digitize(noisy, [-0.5, 0.5])],
        "number": 50 + 10 * noisy,
    }
    frame = pd.DataFrame(
        {
            "id": np.arange(n_rows),
            "time": pd.date_range("2024-01-01", periods=n_rows, freq="h"),
            "signal": signal,
            "noise": rng.normal(size=n_rows),
            "shop": rng.choice(["big", "medium", "small"], n_rows, p=[0.6, 0.3, 0.1]),
            "y": labels[kind],
        }
    )
    half = n_rows // 2
    return Split(frame[:half].reset_index(drop=True), frame[half:].reset_index(drop=True), "2024-01-09")


def fit(estimator: BaseEstimator, split: Split, settings: Settings) -> BaseEstimator:
    numbers = make_column_transformer(("passthrough", make_column_selector(dtype_include="number")))
    return make_pipeline(numbers, estimator).fit(*features_and_target(split.train, settings))


def run(split: Split, settings: Settings, estimator: BaseEstimator | None = None) -> EvaluationRecord:
    """Evaluate an estimator, a linear model by default, against a dummy."""
    if settings.problem == "classification":
        estimator, dummy = estimator or LogisticRegression(), DummyClassifier()
    else:
        estimator, dummy = estimator or LinearRegression(), DummyRegressor()
    model, baseline = fit(estimator, split, settings), fit(dummy, split, settings)
    return evaluate(model, baseline, split, settings, QuietConsole().progress).record


@pytest.mark.parametrize("kind", ["bool", "str", "three"])
def test_all_classification_metrics_are_measured(kind: str) -> None:
    """Each has an interval around it and is better than the baseline, for any type of class."""
    record = run(make_split(kind), make_settings("classification", CLASSIFICATION))
    assert CLASSIFICATION == [metric.name for metric in record.metrics]
    assert {} == record.skipped
    for metric in record.metrics:
        assert metric.model.low < metric.model.value < metric.model.high
        assert 0 < metric.difference.low <= metric.difference.value <= metric.difference.high
        gain = metric.model.value - metric.baseline.value
        assert metric.difference.value == pytest.approx(gain if metric.greater_is_better else -gain)


def test_all_regression_metrics_are_measured() -> None:
    """The same for numbers, with residuals and the bound of the errors."""
    record = run(make_split("number"), make_settings("regression", ["mae", "rmse", "r2", "mape"]))
    assert ["mae", "rmse", "r2", "mape"] == [metric.name for metric in record.metrics]
    assert all(metric.difference.low > 0 for metric in record.metrics)
    assert ["predictions", "residuals"] == [curve.name for curve in record.curves]
    assert record.error_p95 is not None
    assert 15 < record.error_p95 < 25


def test_the_record_survives_its_file(tmp_path: Any) -> None:
    """JSON knows neither NaN nor infinity, so there must be none."""
    record = run(make_split(), make_settings("classification", CLASSIFICATION, slices=["shop", "signal"]))
    record.write(tmp_path)
    assert record == EvaluationRecord.read(tmp_path)


def test_the_same_model_has_the_same_numbers() -> None:
    """Intervals and importances are drawn with the seed; only times differ."""
    settings = make_settings("classification", CLASSIFICATION, slices=["shop"])
    clocks = {"latency_ms": 0, "batch_rows_per_second": 0}
    first, second = (run(make_split(), settings).model_copy(update=clocks) for _ in range(2))
    assert first == second


def test_metrics_without_a_value_are_skipped_with_the_reason() -> None:
    """A model without probabilities still has a ROC curve, but no log loss."""
    settings = make_settings("classification", ["roc_auc", "log_loss", "f1"])
    record = run(make_split(), settings, LinearSVC())
    assert {"log_loss": "the model gives no probabilities"} == record.skipped
    assert ["roc_auc", "f1"] == [metric.name for metric in record.metrics]
    assert ["roc", "precision_recall"] == [curve.name for curve in record.curves]
    assert record.calibration_error is None


def test_a_primary_metric_without_a_value_ends_the_run() -> None:
    """Without it there is no verdict."""
    split = make_split()
    split.test["y"] = True
    with pytest.raises(LifecycleError, match=r"'roc_auc' has no value on the test part: all rows are of one"):
        run(split, make_settings("classification", ["roc_auc", "f1"]))


def test_rows_of_one_group_are_drawn_together() -> None:
    """When rows come in copies, naming the group makes the interval wider."""
    split = make_split("number", 200)
    split.test = pd.concat([split.test.assign(shop=split.test["id"])] * 6, ignore_index=True)
    widths = []
    for group in (None, "shop"):
        [metric] = run(split, make_settings("regression", ["mae"], group)).metrics
        widths.append(metric.model.high - metric.model.low)
    assert 6**0.5 == pytest.approx(widths[1] / widths[0], rel=0.4)


def test_slices_are_values_the_largest_first() -> None:
    """Small ones are counted, not shown; together they hold all rows."""
    split, settings = make_split(), make_settings("classification", ["roc_auc"], slices=["shop"])
    record = run(split, settings)
    assert ["big", "medium"] == [one.level for one in record.slices]
    assert 1 == record.small_slices
    assert split.test["shop"].value_counts()["big"] == record.slices[0].rows
    assert record.slices[0].model.low < record.slices[0].model.value < record.slices[0].model.high


def test_slices_of_one_class_are_left_out() -> None:
    """There is no ROC AUC in a shop where everything is late."""
    split, settings = make_split(), make_settings("classification", ["roc_auc"], slices=["shop"])
    split.test["y"] |= split.test["shop"] == "big"
    assert ["medium"] == [one.level for one in run(split, settings).slices]


@pytest.mark.parametrize(
    ("values", "levels"),
    [
        (np.arange(200.0), ["0 to 50", "50 to 100", "100 to 149", "149 to 199"]),
        (np.where(np.arange(200) < 150, 0.0, np.arange(200)), ["0", "0 to 199"]),
        (np.arange(200) % 2 == 0, ["False", "True"]),
        (np.where(np.arange(200) < 80, np.nan, np.arange(200) % 3), ["missing", "0.0", "1.0", "2.0"]),
    ],
)
def test_slices_of_numbers_are_quarters_or_values(values: np.ndarray, levels: list[str]) -> None:
    """Many numbers are cut at their quartiles, few are taken as they are; missing is a slice."""
    settings = make_settings("classification", ["roc_auc"], slices=["x"], min_slice_rows=1)
    slices, _ = cut_slices(pd.DataFrame({"x": values}), settings)
    assert set(levels) == {one.level for one in slices}
    assert list(range(200)) == sorted(row for one in slices for row in one.rows)


def test_slices_of_dates_are_quarters() -> None:
    """Their ends are written as dates."""
    settings = make_settings("classification", ["roc_auc"], slices=["time"], min_slice_rows=1)
    days = pd.DataFrame({"time": pd.date_range("2024-01-01", periods=101)})
    assert "2024-01-01 to 2024-01-26" in [one.level for one in cut_slices(days, settings)[0]]


def test_an_unknown_slice_is_refused() -> None:
    """The nearest column is offered."""
    settings = make_settings("classification", ["roc_auc"], slices=["shoop"])
    with pytest.raises(LifecycleError, match="did you mean 'shop'"):
        cut_slices(make_split().test, settings)


def try_columns(model: BaseEstimator, split: Split, settings: Settings) -> list[Importance]:
    """Rank the columns of the test part by ROC AUC."""
    features, target = features_and_target(split.test, settings)
    prediction = predict(model, features)
    pair = PairedPredictions(target.to_numpy(), (prediction, prediction), model.classes_, None)
    metric = find_metric("roc_auc", "classification")
    return permutation_importances(partial(predict, model), features, pair, metric, seed=1)


def test_columns_that_matter_come_first() -> None:
    """Importance is scikit-learn's, up to chance; a column no model sees has none."""
    split, settings = make_split(n_rows=3000), make_settings("classification", ["roc_auc"])
    model = fit(LogisticRegression(), split, settings)
    features, target = features_and_target(split.test, settings)
    found = {one.column: one.mean for one in try_columns(model, split, settings)}
    reference = permutation_importance(model, features, target, scoring="roc_auc", random_state=1)
    expected = dict(zip(features.columns, reference.importances_mean, strict=True))
    assert "signal" == next(iter(found))
    assert 0 == found["shop"]
    assert expected == pytest.approx(found, abs=0.03)


def test_a_wide_table_is_shuffled_a_few_columns_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """That the copies do not fit in memory together changes nothing."""
    split, settings = make_split(), make_settings("classification", ["roc_auc"])
    model = fit(LogisticRegression(), split, settings)
    expected = try_columns(model, split, settings)
    monkeypatch.setattr(importance, "CELLS", 1)
    assert expected == try_columns(model, split, settings)


def test_confusion_counts_true_by_predicted() -> None:
    """As scikit-learn's matrix, in the order of the classes."""
    split, settings = make_split("three"), make_settings("classification", ["roc_auc"])
    features, target = features_and_target(split.test, settings)
    expected = confusion_matrix(target, fit(LogisticRegression(), split, settings).predict(features))
    assert expected.tolist() == run(split, settings).confusion


def test_curves_are_short_and_keep_their_ends() -> None:
    """At most 200 points, from corner to corner, one curve a class where there are three."""
    record = run(make_split("three", 3000), make_settings("classification", ["roc_auc"]))
    assert ["high", "low", "middle"] == [curve.label for curve in record.curves if curve.name == "roc"]
    for curve in record.curves:
        assert len(curve.x) == len(curve.y) <= 200
    roc = record.curves[0]
    assert (0, 0, 1, 1) == (roc.x[0], roc.y[0], roc.x[-1], roc.y[-1])


def test_calibration_error_is_the_mean_gap() -> None:
    """Half of the rows are promised too much by 0.1, the others too little by 0.3."""
    probability = np.repeat([0.3, 0.5], 500)
    positive = np.concatenate([np.arange(500) < 100, np.arange(500) < 400])
    prediction = Prediction(positive, np.column_stack([1 - probability, probability]))
    assert 0.2 == pytest.approx(measure_calibration(positive, prediction, np.array([False, True])))


def test_equal_probabilities_share_a_bin() -> None:
    """So the order of the rows does not matter."""
    predicted, observed, rows = bin_probabilities(np.arange(100) < 30, np.full(100, 0.2))
    assert ([0.2], [0.3], [100]) == (predicted.round(9).tolist(), observed.tolist(), rows.tolist())


def test_times_are_positive() -> None:
    """Latency and throughput are measured."""
    record = run(make_split(), make_settings("classification", ["roc_auc"]))
    assert record.latency_ms > 0
    assert record.batch_rows_per_second > 0

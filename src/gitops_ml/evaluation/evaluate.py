"""How good the challenger is on rows it has never seen, and how sure that is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from threadpoolctl import threadpool_limits

from ..core.errors import LifecycleError
from ..core.progress import Progress
from ..core.records import EvaluationRecord, Importance, MetricResult, SliceResult
from ..core.settings import Settings
from ..data.split import Split, features_and_target
from ..metrics.prediction import predict
from ..metrics.registry import Metric, find_metric
from . import curves
from .importance import rank_columns
from .paired import Measured, Measurement, Trial, measure, number_groups
from .slices import Slice, cut_slices

# Single rows are predicted this often, or for this long, to measure the latency.
LATENCY_ROWS = 20
LATENCY_SECONDS = 2.0


def evaluate(
    model: BaseEstimator, baseline: BaseEstimator, split: Split, settings: Settings, progress: Progress
) -> EvaluationRecord:
    """Measure challenger and baseline on the test part.

    Parameters
    ----------
    model, baseline : estimator
        Fitted on the training part.
    split : Split
        Only ``split.test`` is used.
    settings : Settings
    progress : callable

    Returns
    -------
    EvaluationRecord

    Raises
    ------
    LifecycleError
        If a metric or a slice is unknown, a model predicts no finite numbers, or the primary
        metric has no value on the test part.
    """
    metrics = [find_metric(name, settings.problem) for name in dict.fromkeys(settings.evaluate.metrics)]
    slices, small_slices = cut_slices(split.test, settings)
    features, _ = features_and_target(split.test, settings)
    progress("evaluating", 0, 3)
    # One thread a model: starting several for each tree takes longer than it saves, and many
    # times longer on a machine that is busy.
    with threadpool_limits(1, "openmp"):
        trial, seconds = _try(model, baseline, split, settings)
        latency_ms = _time_single_rows(model, features)
    progress("evaluating", 1, 3)
    with ThreadPoolExecutor(1) as pool:
        ranking = pool.submit(_rank_columns, model, features, trial, metrics, settings)
        measurement = measure(trial, metrics, slices, settings)
        _require_primary(measurement, settings)
        progress("evaluating", 2, 3)
        importances = ranking.result()
    progress("evaluating", 3, 3)
    shapes = _describe_classes if settings.problem == "classification" else _describe_numbers
    record = EvaluationRecord(
        rows=len(features),
        metrics=[_summarise(measured) for measured in measurement.metrics],
        skipped=measurement.skipped,
        slices=[_summarise_slice(one, measured) for one, measured in measurement.slices],
        small_slices=small_slices,
        importances=importances,
        latency_ms=latency_ms,
        batch_rows_per_second=len(features) / seconds,
    )
    return record.model_copy(update=shapes(trial, settings.train.seed))


def _try(
    model: BaseEstimator, baseline: BaseEstimator, split: Split, settings: Settings
) -> tuple[Trial, float]:
    """Let both models predict the test part once; also return the seconds the challenger took."""
    features, target = features_and_target(split.test, settings)
    started = time.perf_counter()
    prediction = predict(model, features)
    seconds = time.perf_counter() - started
    if settings.problem == "classification":
        y_true, classes = target.to_numpy(), np.asarray(model.classes_)
    else:
        y_true, classes = target.to_numpy(dtype=float), np.empty(0)
    groups = number_groups(split.test, settings)
    return Trial(y_true, (prediction, predict(baseline, features)), classes, groups), seconds


def _require_primary(measurement: Measurement, settings: Settings) -> None:
    reason = measurement.skipped.get(settings.train.metric)
    if reason is not None:
        raise LifecycleError(
            f"params.yaml: train.metric '{settings.train.metric}' has no value on the test part: "
            f"{reason}; choose another metric or another split."
        )


def _summarise(measured: Measured) -> MetricResult:
    return MetricResult(
        name=measured.metric.name,
        greater_is_better=measured.metric.greater_is_better,
        model=measured.challenger,
        baseline=measured.other,
        difference=measured.difference,
    )


def _summarise_slice(one: Slice, measured: Measured) -> SliceResult:
    return SliceResult(
        column=one.column,
        level=one.level,
        rows=len(one.rows),
        model=measured.challenger,
        baseline=measured.other,
    )


def _rank_columns(
    model: BaseEstimator,
    features: pd.DataFrame,
    trial: Trial,
    metrics: Sequence[Metric],
    settings: Settings,
) -> list[Importance]:
    """Rank the columns by the primary metric; for a thread beside the one that resamples."""
    primary = next(metric for metric in metrics if metric.name == settings.train.metric)
    with threadpool_limits(1, "openmp"):
        return rank_columns(partial(predict, model), features, trial, primary, settings.train.seed)


def _describe_classes(trial: Trial, seed: int) -> dict[str, object]:
    y_true, prediction, classes = trial.y_true, trial.predictions[0], trial.classes
    return {
        "curves": curves.trace_classes(y_true, prediction, classes),
        "confusion": curves.count_confusion(y_true, prediction, classes),
        "calibration_error": curves.measure_calibration(y_true, prediction, classes),
    }


def _describe_numbers(trial: Trial, seed: int) -> dict[str, object]:
    y_true, prediction = trial.y_true, trial.predictions[0]
    return {
        "curves": curves.trace_numbers(y_true, prediction, seed),
        "error_p95": float(np.quantile(np.abs(y_true - prediction.label), 0.95)),
    }


def _time_single_rows(model: BaseEstimator, features: pd.DataFrame) -> float:
    """Return the median time to predict one row with one thread, in milliseconds, after a warm-up.

    With more threads a single row takes no less, and many times more where cores are shared.
    """
    answer = getattr(model, "predict_proba", model.predict)
    rows = [
        features.iloc[[place]] for place in np.linspace(0, len(features) - 1, LATENCY_ROWS + 1).astype(int)
    ]
    times: list[float] = []
    with threadpool_limits(1):
        answer(rows.pop())
        for row in rows:
            started = time.perf_counter()
            answer(row)
            times.append(time.perf_counter() - started)
            if sum(times) > LATENCY_SECONDS:
                break
    return float(np.median(times)) * 1000

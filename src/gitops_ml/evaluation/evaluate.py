"""Evaluation of challenger and baseline on the test part, with bootstrap intervals."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

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
from .importance import permutation_importances
from .paired import PairedPredictions, PairedScore, PairedScores, number_groups, read_target, score_pair
from .slices import Slice, cut_slices

# Single rows are predicted this often, or for this long, to measure the latency.
LATENCY_ROWS = 20
LATENCY_SECONDS = 2.0


class Evaluation(NamedTuple):
    """How good the challenger is, and what that was computed from."""

    record: EvaluationRecord
    pair: PairedPredictions
    """Of challenger and baseline, for the test part."""


def evaluate(
    model: BaseEstimator, baseline: BaseEstimator, split: Split, settings: Settings, progress: Progress
) -> Evaluation:
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
    Evaluation

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
        pair, seconds = _predict_both(model, baseline, split, settings)
        latency_ms = _time_single_rows(model, features)
    progress("evaluating", 1, 3)
    with ThreadPoolExecutor(1) as pool:
        importances = pool.submit(_measure_importances, model, features, pair, metrics, settings)
        scores = score_pair(pair, metrics, slices, settings)
        _require_primary(scores, settings)
        progress("evaluating", 2, 3)
    progress("evaluating", 3, 3)
    shapes = _describe_classes if settings.problem == "classification" else _describe_numbers
    record = EvaluationRecord(
        rows=len(features),
        metrics=[_summarise(score) for score in scores.metrics],
        skipped=scores.skipped,
        slices=[_summarise_slice(one, score) for one, score in scores.slices],
        small_slices=small_slices,
        importances=importances.result(),
        latency_ms=latency_ms,
        batch_rows_per_second=len(features) / seconds,
    )
    record = record.model_copy(update=shapes(pair, settings.train.seed))
    return Evaluation(record, pair)


def _predict_both(
    model: BaseEstimator, baseline: BaseEstimator, split: Split, settings: Settings
) -> tuple[PairedPredictions, float]:
    """Predict the test part once with each model; also return the seconds that the challenger took."""
    features, _ = features_and_target(split.test, settings)
    started = time.perf_counter()
    prediction = predict(model, features)
    seconds = time.perf_counter() - started
    pair = PairedPredictions(
        y_true=read_target(split.test, settings),
        predictions=(prediction, predict(baseline, features)),
        classes=np.asarray(getattr(model, "classes_", np.empty(0))),
        groups=number_groups(split.test, settings),
    )
    return pair, seconds


def _require_primary(scores: PairedScores, settings: Settings) -> None:
    reason = scores.skipped.get(settings.train.metric)
    if reason is not None:
        raise LifecycleError(
            f"params.yaml: train.metric '{settings.train.metric}' has no value on the test part: "
            f"{reason}; choose another metric or another split."
        )


def _summarise(score: PairedScore) -> MetricResult:
    return MetricResult(
        name=score.metric.name,
        greater_is_better=score.metric.greater_is_better,
        model=score.challenger,
        baseline=score.other,
        difference=score.difference,
    )


def _summarise_slice(one: Slice, score: PairedScore) -> SliceResult:
    return SliceResult(
        column=one.column,
        level=one.level,
        rows=len(one.rows),
        model=score.challenger,
        baseline=score.other,
    )


def _measure_importances(
    model: BaseEstimator,
    features: pd.DataFrame,
    pair: PairedPredictions,
    metrics: Sequence[Metric],
    settings: Settings,
) -> list[Importance]:
    """Return importances for the primary metric, in a thread beside the one that resamples."""
    primary = next(metric for metric in metrics if metric.name == settings.train.metric)
    with threadpool_limits(1, "openmp"):
        return permutation_importances(partial(predict, model), features, pair, primary, settings.train.seed)


def _describe_classes(pair: PairedPredictions, seed: int) -> dict[str, object]:
    y_true, prediction, classes = pair.y_true, pair.predictions[0], pair.classes
    return {
        "curves": curves.trace_classes(y_true, prediction, classes),
        "confusion": curves.count_confusion(y_true, prediction, classes),
        "calibration_error": curves.measure_calibration(y_true, prediction, classes),
    }


def _describe_numbers(pair: PairedPredictions, seed: int) -> dict[str, object]:
    y_true, prediction = pair.y_true, pair.predictions[0]
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

"""How good the challenger is on rows it has never seen, and how sure that is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from threadpoolctl import threadpool_limits

from . import curves
from .errors import LifecycleError
from .importance import rank_columns
from .metrics import Metric, find_metric
from .prediction import Prediction, predict
from .progress import Progress
from .records import EvaluationRecord, Importance, MetricResult, SliceResult
from .resampling import Draws, Part, bootstrap, estimate
from .scores import UndefinedMetric
from .settings import Settings
from .slices import Slice, cut_slices
from .split import Split, features_and_target

# Single rows are predicted this often, or for this long, to measure the latency.
LATENCY_ROWS = 20
LATENCY_SECONDS = 2.0


@dataclass(frozen=True)
class Trial:
    """What two models say about the same test rows."""

    y_true: np.ndarray
    predictions: tuple[Prediction, Prediction]
    """Of the challenger, and of what it is compared with."""
    classes: np.ndarray
    """Empty for regression."""
    groups: np.ndarray | None
    """Number of the group of each row, if rows belong together."""


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
        results, skipped, slice_results = measure(trial, metrics, slices, settings)
        progress("evaluating", 2, 3)
        importances = ranking.result()
    progress("evaluating", 3, 3)
    shapes = _describe_classes if settings.problem == "classification" else _describe_numbers
    record = EvaluationRecord(
        rows=len(features),
        metrics=results,
        skipped=skipped,
        slices=slice_results,
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
    groups = None
    if settings.data.group is not None:
        groups, _ = pd.factorize(split.test[settings.data.group], use_na_sentinel=False)
    return Trial(y_true, (prediction, predict(baseline, features)), classes, groups), seconds


def measure(
    trial: Trial, metrics: Sequence[Metric], slices: Sequence[Slice], settings: Settings
) -> tuple[list[MetricResult], dict[str, str], list[SliceResult]]:
    """Put intervals on metrics of two models, on their paired differences, and on slices.

    Slices are of the primary metric and share the draws of the whole, so that rows that belong
    together stay together.

    Returns
    -------
    results : list of MetricResult
    skipped : dict of str to str
        Metrics without a value, with the reason.
    slices : list of SliceResult
        Those on which the primary metric has a value.

    Raises
    ------
    LifecycleError
        If the primary metric has no value.
    """
    values, skipped = _score_all(trial, metrics)
    defined = [metric for metric in metrics if metric.name in values]
    primary = [metric for metric in metrics if metric.name == settings.train.metric]
    scored = [(one, _score_slice(trial, primary[0], one.rows)) for one in slices]
    # Nothing can be said of a slice without a value, such as one with a single class.
    sliced = [(one, scores) for one, scores in scored if np.isfinite(scores).all()]
    parts = [Part(None, defined), *(Part(one.rows, primary) for one, _ in sliced)]
    draws = Draws(len(trial.y_true), settings.evaluate.replicates, settings.train.seed, trial.groups)
    whole, *pieces = bootstrap(trial.y_true, trial.predictions, trial.classes, parts, draws)
    results = []
    for metric in defined:
        try:
            results.append(_summarise(metric, values[metric.name], whole[metric.name]))
        except UndefinedMetric as reason:
            skipped[metric.name] = str(reason)
    if settings.train.metric in skipped:
        raise LifecycleError(
            f"params.yaml: train.metric '{settings.train.metric}' has no value on the test part: "
            f"{skipped[settings.train.metric]}; choose another metric or another split."
        )
    return results, skipped, _summarise_slices(sliced, [piece[settings.train.metric] for piece in pieces])


def _score_all(trial: Trial, metrics: Sequence[Metric]) -> tuple[dict[str, list[float]], dict[str, str]]:
    values, skipped = {}, {}
    for metric in metrics:
        try:
            values[metric.name] = [
                metric.score(trial.y_true, one, trial.classes) for one in trial.predictions
            ]
        except UndefinedMetric as reason:
            skipped[metric.name] = str(reason)
    return values, skipped


def _score_slice(trial: Trial, metric: Metric, rows: np.ndarray) -> list[float]:
    y_true = trial.y_true[rows]
    return [metric.score_part(y_true, one.take(rows), trial.classes) for one in trial.predictions]


def _summarise(metric: Metric, values: list[float], replicates: np.ndarray) -> MetricResult:
    sign = 1 if metric.greater_is_better else -1
    return MetricResult(
        name=metric.name,
        greater_is_better=metric.greater_is_better,
        model=estimate(values[0], replicates[0]),
        baseline=estimate(values[1], replicates[1]),
        difference=estimate(sign * (values[0] - values[1]), sign * (replicates[0] - replicates[1])),
    )


def _summarise_slices(
    sliced: Sequence[tuple[Slice, list[float]]], replicates: Sequence[np.ndarray]
) -> list[SliceResult]:
    results = []
    for (one, values), drawn in zip(sliced, replicates, strict=True):
        try:
            model, baseline = (estimate(value, draw) for value, draw in zip(values, drawn, strict=True))
        except UndefinedMetric:
            continue
        results.append(
            SliceResult(
                column=one.column, level=one.level, rows=len(one.rows), model=model, baseline=baseline
            )
        )
    return results


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
        return rank_columns(model, features, trial.y_true, trial.classes, primary, settings.train.seed)


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

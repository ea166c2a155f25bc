"""Paired metrics of two models on the same rows: bootstrap intervals of each and of their difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..core.records import Estimate
from ..core.settings import Settings
from ..metrics.builtin import UndefinedMetric
from ..metrics.prediction import Prediction
from ..metrics.registry import Metric
from .bootstrap.resample import Draws, Subset, bootstrap, estimate
from .slices import Slice


@dataclass(frozen=True)
class PairedPredictions:
    """What two models predict for the same rows."""

    y_true: np.ndarray
    predictions: tuple[Prediction, Prediction]
    """Of the challenger, and of what it is compared with."""
    classes: np.ndarray
    """Empty for regression."""
    groups: np.ndarray | None
    """Number of the group of each row, if rows belong together."""


@dataclass(frozen=True)
class PairedScore:
    """One metric of both models on some rows, as it is and in each bootstrap replicate."""

    metric: Metric
    values: Sequence[float]
    """Of the challenger, and of what it is compared with."""
    replicates: np.ndarray
    """Of shape (2, n_replicates); NaN where a replicate has no value."""

    @property
    def challenger(self) -> Estimate:
        """The metric of the challenger."""
        return estimate(self.values[0], self.replicates[0])

    @property
    def other(self) -> Estimate:
        """The metric of what the challenger is compared with."""
        return estimate(self.values[1], self.replicates[1])

    @property
    def differences(self) -> np.ndarray:
        """Challenger minus the other in each replicate, sign turned so that up is good."""
        return np.asarray(self._sign * (self.replicates[0] - self.replicates[1]))

    @property
    def difference(self) -> Estimate:
        """Challenger minus the other, paired, sign turned so that up is good."""
        return estimate(self._sign * (self.values[0] - self.values[1]), self.differences)

    @property
    def _sign(self) -> int:
        return 1 if self.metric.greater_is_better else -1


@dataclass(frozen=True)
class PairedScores:
    """Metrics of two models, and the primary one on slices."""

    metrics: list[PairedScore]
    skipped: dict[str, str]
    """Metrics without a value, by name, with the reason."""
    slices: list[tuple[Slice, PairedScore]]
    """The primary metric of each slice on which it has a value."""


def read_target(frame: pd.DataFrame, settings: Settings) -> np.ndarray:
    """Return the true classes or numbers, shape (n_rows,)."""
    target = frame[settings.data.target]
    return np.asarray(target if settings.problem == "classification" else target.to_numpy(dtype=float))


def number_groups(frame: pd.DataFrame, settings: Settings) -> np.ndarray | None:
    """Return the number of the group of each row, or None where rows are independent."""
    if settings.data.group is None:
        return None
    return np.asarray(pd.factorize(frame[settings.data.group], use_na_sentinel=False)[0])


def score_pair(
    pair: PairedPredictions, metrics: Sequence[Metric], slices: Sequence[Slice], settings: Settings
) -> PairedScores:
    """Return bootstrap intervals of metrics of two models, of their differences, and of slices.

    Slices are of the primary metric and share the draws of the whole, so that rows that belong
    together stay together.
    """
    values, skipped = _score_all(pair, metrics)
    defined = [metric for metric in metrics if metric.name in values]
    primary = [metric for metric in metrics if metric.name == settings.train.metric]
    scored = [(one, _score_slice(pair, primary[0], one.rows)) for one in slices]
    # Nothing can be said of a slice without a value, such as one with a single class.
    sliced = [(one, scores) for one, scores in scored if np.isfinite(scores).all()]
    subsets = [Subset(None, defined), *(Subset(one.rows, primary) for one, _ in sliced)]
    draws = Draws(len(pair.y_true), settings.evaluate.replicates, settings.train.seed, pair.groups)
    whole, *pieces = bootstrap(pair.y_true, pair.predictions, pair.classes, subsets, draws)
    results = []
    for metric in defined:
        score = PairedScore(metric, values[metric.name], whole[metric.name])
        if reason := _explain_missing(score):
            skipped[metric.name] = reason
        else:
            results.append(score)
    cut = [
        (one, PairedScore(primary[0], scores, piece[primary[0].name]))
        for (one, scores), piece in zip(sliced, pieces, strict=True)
    ]
    return PairedScores(
        results, skipped, [(one, found) for one, found in cut if _explain_missing(found) is None]
    )


def _score_all(
    pair: PairedPredictions, metrics: Sequence[Metric]
) -> tuple[dict[str, list[float]], dict[str, str]]:
    values, skipped = {}, {}
    for metric in metrics:
        try:
            values[metric.name] = [metric.score(pair.y_true, one, pair.classes) for one in pair.predictions]
        except UndefinedMetric as reason:
            skipped[metric.name] = str(reason)
    return values, skipped


def _score_slice(pair: PairedPredictions, metric: Metric, rows: np.ndarray) -> list[float]:
    y_true = pair.y_true[rows]
    return [metric.score_part(y_true, one.take(rows), pair.classes) for one in pair.predictions]


def _explain_missing(score: PairedScore) -> str | None:
    """Return why a metric has no interval, None where it has one."""
    try:
        _ = score.challenger, score.other, score.difference
    except UndefinedMetric as reason:
        return str(reason)
    return None

"""Draws of the bootstrap, and percentile intervals from its replicates.

A replicate draws as many rows as there are, with replacement. It is kept as how often each row
was drawn, not as a copy of the rows: a metric of the replicate is then a weighted metric of the
original rows. Scores are sorted once; each replicate needs one cumulative sum for ROC AUC and
average precision, and one matrix product for all metrics that are made of sums. All models see
the same draws, so the differences between them are paired.

References
----------
B. Efron and R. Tibshirani, An Introduction to the Bootstrap (1993): percentile intervals in
chapter 13, paired differences in chapter 8. C. A. Field and A. H. Welsh, Bootstrapping clustered
data (2007): drawing whole groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import joblib
import numpy as np
from threadpoolctl import threadpool_limits

from ...core.records import Estimate
from ...metrics.builtin import UndefinedMetric
from ...metrics.prediction import Prediction
from ...metrics.registry import Metric
from .weighted import WeightedMetrics

# Counts of this many rows (times replicates) are worked on at a time, by each thread.
CHUNK = 1 << 21
# Units that are drawn from at a time.
BLOCK = 1 << 16
# An interval is made of at least this share of the replicates; the others may have no value.
ENOUGH = 0.1


@dataclass(frozen=True)
class Draws:
    """How often each replicate draws each row.

    Parameters
    ----------
    n_rows : int
    replicates : int
    seed : int
        Replicate ``i`` depends on ``seed`` and ``i`` alone.
    groups : ndarray of shape (n_rows,) or None
        Number of the group of each row, 0 and up without gaps; groups are drawn whole, as many
        as there are. None: each row is a group of its own.
    """

    n_rows: int
    replicates: int
    seed: int
    groups: np.ndarray | None = None

    def count(self, first: int, last: int) -> np.ndarray:
        """Return how often replicates ``first`` to ``last`` - 1 draw each row.

        Returns
        -------
        ndarray of shape (last - first, n_rows), uint8
            Eight bits are enough: the probability of drawing a row 256 times is below 1e-500.
        """
        counts = np.empty((last - first, self.n_rows), dtype=np.uint8)
        for place, replicate in enumerate(range(first, last)):
            counts[place] = self._count_one(np.random.default_rng([self.seed, replicate]))
        return counts

    def _count_one(self, rng: np.random.Generator) -> np.ndarray:
        if self.groups is None:
            return _draw_counts(rng, self.n_rows)
        return _draw_counts(rng, int(self.groups.max()) + 1)[self.groups]


def _draw_counts(rng: np.random.Generator, n_units: int) -> np.ndarray:
    """Draw ``n_units`` times from as many units and return how often each was drawn.

    First how many draws fall into each block, then which units of it: the same distribution as
    drawing from all at once, but within the processor's cache.
    """
    sizes = np.diff([*range(0, n_units, BLOCK), n_units])
    drawn = rng.multinomial(n_units, sizes / n_units)
    blocks = [
        np.bincount(rng.integers(0, size, times), minlength=size)
        for size, times in zip(sizes, drawn, strict=True)
    ]
    return np.concatenate(blocks)


@dataclass(frozen=True)
class Subset:
    """Some of the rows, and the metrics to compute on them."""

    rows: np.ndarray | None
    """Their positions; None for all."""
    metrics: Sequence[Metric]


def bootstrap(
    y_true: np.ndarray,
    predictions: Sequence[Prediction],
    classes: np.ndarray,
    subsets: Sequence[Subset],
    draws: Draws,
) -> list[dict[str, np.ndarray]]:
    """Return metrics of each model in each replicate, all from one pass over the draws.

    Parameters
    ----------
    y_true : ndarray of shape (n_rows,)
    predictions : sequence of Prediction
        One for each model.
    classes : ndarray of shape (n_classes,)
        As for ``Metric.score``.
    subsets : sequence of Subset
        Each is resampled by the draws of all rows, of which it keeps its own.
    draws : Draws

    Returns
    -------
    list of dict of str to ndarray of shape (n_models, replicates)
        For each subset, by name of the metric. NaN where a replicate has no value, for example
        because it drew one class only, and for custom metrics in four replicates of five.

    Raises
    ------
    UndefinedMetric
        If a model has no value for a metric.
    """
    weighted = [
        WeightedMetrics(subset.metrics, subset.rows, y_true, predictions, classes) for subset in subsets
    ]
    cores = joblib.cpu_count()
    # No more at a time than fits the cache, and as much for each core.
    step = min(CHUNK // draws.n_rows, -(-draws.replicates // cores))
    starts = range(0, draws.replicates, max(1, step))
    results = [
        np.full((draws.replicates, len(subset.metrics), len(predictions)), np.nan) for subset in subsets
    ]

    def work(start: int) -> None:
        stop = min(start + starts.step, draws.replicates)
        counts = draws.count(start, stop)
        for metrics, result in zip(weighted, results, strict=True):
            result[start:stop] = metrics(counts, start)

    # One thread a core: NumPy releases the GIL, and matrix products have one thread each.
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(cores) as pool:
        list(pool.map(work, starts))
    return [
        {metric.name: result[:, place].T for place, metric in enumerate(subset.metrics)}
        for subset, result in zip(subsets, results, strict=True)
    ]


def estimate(value: float, replicates: np.ndarray) -> Estimate:
    """Return a value with its 95 % percentile interval.

    Parameters
    ----------
    value : float
        Of the rows as they are.
    replicates : ndarray of shape (n_replicates,)
        NaN where a replicate has no value.

    Raises
    ------
    UndefinedMetric
        If fewer than a tenth of the replicates have a value.
    """
    defined = replicates[np.isfinite(replicates)]
    if len(defined) < ENOUGH * len(replicates):
        raise UndefinedMetric("too few resamples of these rows have a value")
    low, high = np.quantile(defined, [0.025, 0.975])
    return Estimate(value=value, low=float(low), high=float(high))

"""ROC AUC and average precision of weighted rows, for many weightings of the same rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Columns below which all rows are summed up at once.
SHORT = 4096


@dataclass(frozen=True)
class RankSums:
    """Cumulative weights of positives and rows at each score that positives have, from the highest down."""

    found: np.ndarray
    """Positives at the score, shape (n_weightings, n_scores)."""
    hits: np.ndarray
    """Positives at the score and above."""
    seen: np.ndarray
    """Rows at the score and above."""
    above: np.ndarray | None
    """Rows above the score; None where no positive row shares its score."""
    total: np.ndarray
    """All rows, shape (n_weightings,)."""

    def roc_auc(self) -> np.ndarray:
        """Return the area under the ROC curve, NaN where a class has no weight."""
        misses = self.seen - self.hits
        if self.above is not None:
            # The trapezoid: of the negatives with the same score, half count as ranked above.
            misses = (misses + self.above - self.hits + self.found) / 2
        n_positive = self.hits[:, -1].astype(float)
        wrong = np.einsum("ij,ij->i", self.found.astype(float), misses.astype(float))
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(1 - wrong / (n_positive * (self.total - n_positive)))

    def average_precision(self) -> np.ndarray:
        """Return the average precision, NaN where no positive row has weight."""
        precision = self.hits / np.maximum(self.seen, 1)
        with np.errstate(invalid="ignore"):
            return np.asarray(np.einsum("ij,ij->i", self.found.astype(float), precision) / self.hits[:, -1])


class Ranking:
    """The order in which a score puts rows; ties count as in scikit-learn.

    Parameters
    ----------
    positive : ndarray of shape (n_rows,), bool
    score : ndarray of shape (n_rows,)
        High where the model thinks the row is positive.
    """

    def __init__(self, positive: np.ndarray, score: np.ndarray) -> None:
        order = np.argsort(-score, kind="stable")
        self._positives = np.flatnonzero(positive[order])
        steps = np.flatnonzero(np.diff(score[order], prepend=np.inf))
        step_of = np.searchsorted(steps, self._positives, side="right") - 1
        # Steps without a positive row add nothing to either metric.
        held, self._firsts = np.unique(step_of, return_index=True)
        lasts = np.append(steps[1:], len(score)) - 1
        self._tied = bool((lasts[held] > steps[held]).any())
        # A constant, as a baseline predicts, needs no order.
        self._order = order if len(steps) > 1 else None
        # Few steps, as of a small tree, are summed before they are cumulated.
        self._steps = steps if len(steps) < len(score) / 16 else None
        self._ends = lasts[held] if self._steps is None else held
        self._starts = steps[held] if self._steps is None else held

    def accumulate(self, weights: np.ndarray) -> RankSums:
        """Return the cumulative sums of the rows under each weighting.

        Parameters
        ----------
        weights : ndarray of shape (n_weightings, n_rows), uint8
        """
        drawn = weights if self._order is None else np.take(weights, self._order, axis=1)
        found = np.take(drawn, self._positives, axis=1)
        if len(self._firsts) < len(self._positives):
            found = np.add.reduceat(found, self._firsts, axis=1, dtype=np.int32)
        if self._steps is not None:
            drawn = np.add.reduceat(drawn, self._steps, axis=1, dtype=np.int32)
        seen = _cumulate(drawn)
        above = None
        if self._tied:
            above = np.where(self._starts > 0, np.take(seen, self._starts - 1, axis=1), 0)
        ends = np.take(seen, self._ends, axis=1)
        return RankSums(found, _cumulate(found), ends, above, seen[:, -1])


def _cumulate(values: np.ndarray) -> np.ndarray:
    """Return the cumulative sums of each row.

    Long rows one after the other, and without a change of type: only then does NumPy release the
    GIL, so that threads work side by side. Many short ones are faster all at once.
    """
    if values.shape[1] < SHORT:
        return np.cumsum(values, axis=1, dtype=np.int32)
    sums = np.empty(values.shape, dtype=np.int32)
    for row, row_sums in zip(values, sums, strict=True):
        np.cumsum(row.astype(np.int32, copy=False), out=row_sums)
    return sums

"""ROC AUC and average precision of weighted rows, for many weightings of the same rows."""

from __future__ import annotations

import numpy as np


class Ranking:
    """ROC AUC and average precision of one score; ties count as in scikit-learn.

    Parameters
    ----------
    positive : ndarray of shape (n_rows,), bool
    score : ndarray of shape (n_rows,)
        High where the model thinks the row is positive.
    """

    def __init__(self, positive: np.ndarray, score: np.ndarray) -> None:
        self._order = order = np.argsort(-score, kind="stable")
        self._positives = np.flatnonzero(positive[order])
        steps = np.flatnonzero(np.diff(score[order], prepend=np.inf))
        step_of = np.searchsorted(steps, self._positives, side="right") - 1
        # Steps without a positive row add nothing to either metric.
        held, self._firsts = np.unique(step_of, return_index=True)
        # Few steps, as of a tree or a constant, are summed before they are cumulated.
        self._steps = steps if len(steps) < len(score) / 16 else None
        lasts = np.append(steps[1:], len(score)) - 1
        self._ends = held if self._steps is not None else lasts[held]
        self._starts = held if self._steps is not None else steps[held]
        self._tied = bool((lasts[held] > steps[held]).any())

    def __call__(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return ROC AUC and average precision.

        Parameters
        ----------
        weights : ndarray of shape (n_weightings, n_rows), uint8

        Returns
        -------
        roc_auc, average_precision : ndarray of shape (n_weightings,)
            NaN where a class that is needed has no weight.
        """
        drawn = np.take(weights, self._order, axis=1)
        found = np.take(drawn, self._positives, axis=1)
        if len(self._firsts) < len(self._positives):
            found = np.add.reduceat(found, self._firsts, axis=1, dtype=np.int32)
        if self._steps is not None:
            drawn = np.add.reduceat(drawn, self._steps, axis=1, dtype=np.int32)
        seen = _cumulate(drawn)
        hits = _cumulate(found)
        n_positive = hits[:, -1].astype(float)
        n_negative = seen[:, -1] - n_positive
        found, ends = found.astype(float), np.take(seen, self._ends, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            misses = ends - hits
            precision = np.einsum("ij,ij->i", found, hits / np.maximum(ends, 1)) / n_positive
            if self._tied:
                # The trapezoid: of the negatives in the same step, half count as ranked above.
                before = np.where(self._starts > 0, np.take(seen, self._starts - 1, axis=1), 0)
                misses = (misses + before - hits + found) / 2
            area = 1 - np.einsum("ij,ij->i", found, misses.astype(float)) / (n_positive * n_negative)
        return area, precision


def _cumulate(values: np.ndarray) -> np.ndarray:
    """Return the cumulative sums of each row.

    One row after the other, and without a change of type: only then does NumPy let go of the
    interpreter, so that threads work side by side.
    """
    sums = np.empty(values.shape, dtype=np.int32)
    for row, row_sums in zip(values, sums, strict=True):
        np.cumsum(row.astype(np.int32, copy=False), out=row_sums)
    return sums

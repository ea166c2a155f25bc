"""Deduplicate prediction ids by 64-bit hash."""

from __future__ import annotations

import numpy as np


class SeenIds:
    """A set of 64-bit hashes in sorted arrays: eight bytes an id, where a Python set takes sixty.

    Two of ten million different ids have the same hash in one of 300,000 cases.
    """

    def __init__(self) -> None:
        self._runs: list[np.ndarray] = []

    def add(self, ids: np.ndarray) -> np.ndarray:
        """Add ids.

        Parameters
        ----------
        ids : ndarray of shape (n_ids,)
            Text.

        Returns
        -------
        ndarray of shape (n_ids,), bool
            Whether an id is new, its first occurrence in ``ids``.
        """
        hashes = np.fromiter(map(hash, ids), dtype=np.int64, count=len(ids))
        distinct, places = np.unique(hashes, return_index=True)
        new = ~self._contains(distinct)
        first = np.zeros(len(ids), dtype=bool)
        first[places[new]] = True
        self._keep(distinct[new])
        return first

    def _contains(self, hashes: np.ndarray) -> np.ndarray:
        found = np.zeros(len(hashes), dtype=bool)
        for run in self._runs:
            places = np.minimum(np.searchsorted(run, hashes), len(run) - 1)
            found |= run[places] == hashes
        return found

    def _keep(self, run: np.ndarray) -> None:
        """Merge sorted runs until each is at least twice as long as the next: few runs to search."""
        while self._runs and len(self._runs[-1]) < 2 * len(run):
            run = np.concatenate([self._runs.pop(), run])
            run.sort(kind="stable")  # which merges two runs in one pass
        if len(run):
            self._runs.append(run)

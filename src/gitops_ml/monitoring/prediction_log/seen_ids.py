"""Which names have come already, of tens of millions."""

from __future__ import annotations

import numpy as np


class Seen:
    """Remembers names by 64-bit hashes: eight bytes each, and the same text twice is told apart.

    Two of ten million different names have the same hash in one of 300,000 cases.
    """

    def __init__(self) -> None:
        self._runs: list[np.ndarray] = []

    def add(self, names: np.ndarray) -> np.ndarray:
        """Remember names.

        Parameters
        ----------
        names : ndarray of shape (n_names,)
            Text.

        Returns
        -------
        ndarray of shape (n_names,), bool
            Whether a name comes for the first time.
        """
        hashes = np.fromiter(map(hash, names), dtype=np.int64, count=len(names))
        distinct, places = np.unique(hashes, return_index=True)
        new = ~self._contains(distinct)
        first = np.zeros(len(names), dtype=bool)
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
        """Keep few sorted runs, each at least twice as long as the next: little to search, or to sort."""
        while self._runs and len(self._runs[-1]) < 2 * len(run):
            run = np.concatenate([self._runs.pop(), run])
            run.sort(kind="stable")  # which merges two runs in one pass
        if len(run):
            self._runs.append(run)

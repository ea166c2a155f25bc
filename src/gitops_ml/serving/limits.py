"""Quotas: requests beyond them are turned away before memory is in danger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .errors import RequestError

RETRY_AFTER = "1"


class Quota:
    """Counts what all requests hold together, up to a limit.

    Parameters
    ----------
    limit : float
        The most that they may hold.
    unit : {'rows', 'bytes'}
    """

    def __init__(self, limit: float, unit: str) -> None:
        self.limit = limit
        self.unit = unit
        self.used = 0

    def acquire(self, amount: int) -> None:
        """Add to what is held.

        Raises
        ------
        RequestError
            503 with ``Retry-After``, if that would be too much.
        """
        if self.used + amount > self.limit:
            raise RequestError(
                503,
                f"The service is busy with {self.used} {self.unit}; try again after {RETRY_AFTER} s.",
                headers={"Retry-After": RETRY_AFTER},
            )
        self.used += amount

    def release(self, amount: int) -> None:
        """Subtract from what is held."""
        self.used -= amount

    @contextmanager
    def hold(self, amount: int) -> Iterator[None]:
        """Hold an amount for as long as the block lasts."""
        self.acquire(amount)
        try:
            yield
        finally:
            self.release(amount)

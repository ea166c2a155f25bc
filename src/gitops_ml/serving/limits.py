"""Room for requests: what does not fit is turned away before memory is in danger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .errors import Refusal

RETRY_AFTER = "1"


class Room:
    """Counts what requests hold, and refuses what would be too much.

    Parameters
    ----------
    limit : float
        The most that all requests may hold together.
    unit : str
        Of what, for people: ``rows`` or ``bytes``.
    """

    def __init__(self, limit: float, unit: str) -> None:
        self.limit = limit
        self.unit = unit
        self.taken = 0

    def take(self, amount: int) -> None:
        """Take room.

        Raises
        ------
        Refusal
            503 with ``Retry-After``, if it is not there.
        """
        if self.taken + amount > self.limit:
            raise Refusal(
                503,
                f"The service is busy with {self.taken} {self.unit}; try again after {RETRY_AFTER} s.",
                headers={"Retry-After": RETRY_AFTER},
            )
        self.taken += amount

    @contextmanager
    def hold(self, amount: int) -> Iterator[None]:
        """Take room for as long as the block lasts."""
        self.take(amount)
        try:
            yield
        finally:
            self.taken -= amount

"""The verdict on the interval of a difference."""

from __future__ import annotations

from ..core.records import Verdict


def decide(low: float, high: float, margin: float) -> Verdict:
    """Return the verdict on an interval of a difference, where up is good.

    Parameters
    ----------
    low, high : float
        Ends of the 95 % interval of challenger minus what it is compared with.
    margin : float
        How much worse still counts as no worse, 0 or more, in the same unit.

    Returns
    -------
    {"better", "no worse", "worse", "cannot tell"}
        The first that holds: *better* if all of the interval is above 0, *no worse* if all of it
        is above minus the margin, *worse* if all of it is below 0, else *cannot tell*.
    """
    if low > 0:
        return "better"
    if low > -margin:
        return "no worse"
    return "worse" if high < 0 else "cannot tell"

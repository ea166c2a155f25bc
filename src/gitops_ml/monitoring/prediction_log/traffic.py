"""What the service left behind in the window of a check: its log of predictions, and how it did."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from ...contract.export import ContractRecord
from ...core.settings import Settings, parse_period
from ..check.records import ServiceCheck
from ..service import check_service
from .window import PredictionLogWindow


@dataclass(frozen=True)
class Traffic:
    """Predictions and answers of the window."""

    chunks: Iterable[pd.DataFrame]
    """Of the prediction log; drawn once."""
    service: ServiceCheck | None = None
    tell: Callable[[], list[str]] = list
    """What of the log was skipped, a sentence each; asked when all chunks were drawn."""


def read_traffic(settings: Settings, contract: ContractRecord, now: datetime) -> Traffic | None:
    """Return the traffic of the window before a moment; None where the service writes no log.

    Parameters
    ----------
    settings : Settings
    contract : ContractRecord
        Of the champion.
    now : datetime
        With a time zone.

    Raises
    ------
    LifecycleError
        If the place cannot be reached; for the log, while it is drawn.
    """
    url = settings.serve.log.url
    if url is None:
        return None
    since = now - parse_period(settings.monitor.window)
    window = PredictionLogWindow(url, since, now, contract)
    return Traffic(window, check_service(url, since, now, settings), lambda: window.skipped.tell())

"""The service check: failure rate and latency, from the summaries that the service writes beside its log."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from ..core.formatting import plural, write_number, write_share
from ..core.settings import Settings
from ..serving.service_stats import BOUNDS, SUFFIX, ServiceStats
from .check.records import ServiceCheck
from .prediction_log.folder import SLACK, connect, first_line, list_stamped

# Files that are fetched side by side; small enough to be in memory together.
AT_ONCE = 1000
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
# Of the requests, the share that may be slower than `monitor.max_latency_ms`.
SLOW = 0.05
# Files that are named one by one.
NAMED = 3


def check_service(url: str, since: datetime, until: datetime, settings: Settings) -> ServiceCheck | None:
    """Add up the service's summaries of a time window, and compare them with the limits.

    Parameters
    ----------
    url : str
        ``serve.log.url``.
    since, until : datetime
        With a time zone. A summary counts where its period ended.
    settings : Settings
        The limits: ``monitor.max_failure_rate``, and ``monitor.max_latency_ms`` or else
        ``gates.max_latency_ms``.

    Returns
    -------
    ServiceCheck or None
        None where there is no summary that could be read, as nobody has asked.

    Raises
    ------
    LifecycleError
        If the place cannot be reached.
    """
    summaries: list[ServiceStats] = []
    broken: list[str] = []
    for path, summary in _read_summaries(url, since, until):
        if not isinstance(summary, ServiceStats):
            broken.append(f"{'/'.join(path.split('/')[-2:])} ({summary})")
        elif since <= summary.ended < until:
            summaries.append(summary)
    if not summaries and not broken:
        return None
    return _describe(summaries, broken, settings)


def _read_summaries(url: str, since: datetime, until: datetime) -> Iterator[tuple[str, ServiceStats | str]]:
    """Read summaries; where one cannot be read, the reason stands in its place."""
    filesystem, folder = connect(url)
    try:
        stamped = list_stamped(filesystem, folder, since - SLACK, until + SLACK)
    except FileNotFoundError:
        return
    paths = [path for path in stamped if path.endswith(f".{SUFFIX}")]
    for start in range(0, len(paths), AT_ONCE):
        contents = filesystem.cat(paths[start : start + AT_ONCE], on_error="return")
        for path, content in contents.items():
            yield path, _parse(content)


def _parse(content: Any) -> ServiceStats | str:
    if isinstance(content, Exception):
        return first_line(content)
    try:
        return ServiceStats.model_validate_json(content)
    except ValueError:
        return "no summary of the service"


def _describe(summaries: Sequence[ServiceStats], broken: Sequence[str], settings: Settings) -> ServiceCheck:
    answers, seconds = Counter[str](), Counter[float]()
    for summary in summaries:
        answers.update(summary.answers)
        seconds.update(summary.seconds)
    requests, failed = answers.total(), answers["5xx"]
    dropped = sum(summary.dropped for summary in summaries)
    return ServiceCheck(
        requests=requests,
        request_errors=answers["4xx"],
        failed=failed,
        failure_rate=failed / requests if requests else 0.0,
        latency_ms={
            name: 1000 * find_quantile(seconds, share) for name, share in QUANTILES.items() if seconds
        },
        records=sum(summary.records for summary in summaries),
        dropped=dropped,
        limits={
            "failure_rate": settings.monitor.max_failure_rate,
            "p95_ms": _find_latency_limit(settings)[1],
        },
        problems=[*_check_failure_rate(failed, requests, settings), *_check_latency(seconds, settings)],
        notes=_note(broken, dropped),
    )


def _note(broken: Sequence[str], dropped: int) -> list[str]:
    shown = "; ".join(broken[:NAMED]) + ("; ..." if len(broken) > NAMED else "")
    notes = [
        (broken, f"{plural(len(broken), 'file')} of how the service did could not be read: {shown}."),
        (dropped, f"{plural(dropped, 'prediction')} could not be logged."),
    ]
    return [note for holds, note in notes if holds]


def find_quantile(seconds: Counter[float], share: float) -> float:
    """Return a quantile of the latency, in seconds, from its histogram.

    Parameters
    ----------
    seconds : Counter of float
        Answers by upper bound of their bin; not empty.
    share : float
        0 to 1: so many answers took no longer.

    Returns
    -------
    float
        Interpolated in its bin; the last finite bound for what took longer than that.
    """
    bounds, reached = _accumulate(seconds)
    return float(np.interp(share * seconds.total(), reached, bounds))


def count_slower(seconds: Counter[float], limit: float) -> int:
    """Return how many answers took longer than ``limit`` seconds, interpolated in its bin."""
    bounds, reached = _accumulate(seconds)
    return int(seconds.total() - np.interp(limit, bounds, reached))


def _accumulate(seconds: Counter[float]) -> tuple[np.ndarray, np.ndarray]:
    """Return finite bounds from 0 on, ascending, and how many answers took at most so long."""
    bounds = sorted(bound for bound in {*BOUNDS, *seconds} if math.isfinite(bound))
    return np.array([0.0, *bounds]), np.cumsum([0, *(seconds[bound] for bound in bounds)])


def _check_failure_rate(failed: int, requests: int, settings: Settings) -> list[str]:
    limit = settings.monitor.max_failure_rate
    if not is_significantly_above(failed, requests, limit):
        return []
    told = f"{write_share(failed / requests)} of {plural(requests, 'request')} failed"
    return [f"{told}, more than {write_share(limit)} (monitor.max_failure_rate)."]


def _find_latency_limit(settings: Settings) -> tuple[str, float | None]:
    """Return where the limit stands, and the limit in milliseconds."""
    if settings.monitor.max_latency_ms is not None:
        return "monitor.max_latency_ms", settings.monitor.max_latency_ms
    return "gates.max_latency_ms", settings.gates.max_latency_ms


def _check_latency(seconds: Counter[float], settings: Settings) -> list[str]:
    key, limit = _find_latency_limit(settings)
    if limit is None:
        return []
    slower = count_slower(seconds, limit / 1000)
    if not is_significantly_above(slower, seconds.total(), SLOW):
        return []
    reached = write_number(1000 * find_quantile(seconds, 1 - SLOW))
    return [f"The 95th percentile of the time to answer is {reached} ms, above {limit:g} ms ({key})."]


def is_significantly_above(count: int, total: int, share: float) -> bool:
    """Tell whether ``count`` of ``total`` are significantly more than a share.

    The exact (Clopper-Pearson) 95 % interval must lie above it, so that one failure of ten
    requests is no alarm.
    """
    from scipy.stats import binomtest

    return total > 0 and bool(binomtest(count, total).proportion_ci(0.95, method="exact").low > share)

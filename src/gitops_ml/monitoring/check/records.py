"""What a check of production finds out: ``monitoring.json``, and the history of all checks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

from ...core.records import ColumnDrift, Estimate, Finding, Importance, Part, Record


def _require_time(text: str) -> str:
    datetime.fromisoformat(text)
    return text


Time = Annotated[str, AfterValidator(_require_time)]
"""ISO 8601."""
Topic = Literal["data", "performance", "service"]
Source = Literal["files", "log"]


class DataCheck(Part):
    """Whether rows of one source still look like the training data."""

    source: Source
    rows: int
    files: list[str] = []
    """New files that were checked, sorted; empty for the log."""
    first: str | None = None
    """Time of the earliest row, ISO 8601."""
    last: str | None = None
    columns: list[ColumnDrift] = []
    """The farthest first, in units of their thresholds."""
    findings: dict[str, list[Finding]] = {}
    """By file, how it breaks the contract."""
    notes: list[str] = []
    """What was skipped, and why, a sentence each."""


class LiveMetric(Part):
    """One metric on rows whose labels have arrived, against the card's."""

    name: str
    greater_is_better: bool
    live: Estimate
    before: Estimate
    """On the test part, as the card has it."""
    difference: Estimate
    """Live minus before, not paired, sign turned so that up is good."""
    worse: bool
    """Whether it is significantly worse, beyond the margin of the gates."""


class LiveSlice(Part):
    """The primary metric on the labelled rows where ``column`` is ``level``."""

    column: str
    level: str
    rows: int
    live: Estimate
    before: Estimate | None = None
    """None where the slice was too small to be measured then."""
    worse: bool = False
    """Its interval is widened, as several slices are checked."""


class PerformanceCheck(Part):
    """How good the champion is on rows that came after it."""

    rows: int
    first: str | None = None
    last: str | None = None
    metrics: list[LiveMetric] = []
    """The primary one first."""
    slices: list[LiveSlice] = []
    importances: list[Importance] = []
    """On the new rows, most important first."""
    importances_before: list[Importance] = []
    """On the test part, as the card has them."""
    notes: list[str] = []


class ServiceCheck(Part):
    """How the service did in the window."""

    requests: int
    request_errors: int
    """Answered with 4xx."""
    failed: int
    """Answered with 5xx, overload among them."""
    failure_rate: float
    """``failed`` as a share of ``requests``, 0 to 1."""
    latency_ms: dict[str, float] = {}
    """``p50``, ``p95`` and ``p99`` of the time to answer, milliseconds."""
    records: int = 0
    """Predictions in the log."""
    dropped: int = 0
    """Predictions that could not be logged."""
    limits: dict[str, float | None] = {}
    """What ``failure_rate`` and ``p95_ms`` may reach; None where there is no limit."""
    problems: list[str] = []
    """Why it is not well, a sentence each; empty if it is well."""
    notes: list[str] = []


class Alarm(Part):
    """The alarm on one topic."""

    topic: Topic
    violated: bool | None
    """Whether this check found something; None where there was nothing to check."""
    raised: bool
    """Whether enough of the last checks were violated: ``monitor.violations``."""
    reasons: list[str] = []
    """A sentence each."""


class Retraining(Part):
    """Whether a retraining pull request is due."""

    due: bool
    reasons: list[str] = []
    """Why, or why not, a sentence each."""
    files: list[str] = []
    """New files that keep the contract, to be accepted."""
    left_out: list[str] = []
    """New files that break it."""


class MonitoringRecord(Record):
    """``monitoring.json``: one check of production."""

    made_by: ClassVar[str] = "mlops monitor"

    time: Time
    """When it was made, UTC."""
    model: int | None
    """Version of the champion."""
    window: str
    """How far back the log was read, such as ``7 days``."""
    data: list[DataCheck] = []
    """New files, then the log."""
    performance: PerformanceCheck | None = None
    service: ServiceCheck | None = None
    alarms: list[Alarm]
    """One for each topic."""
    retraining: Retraining
    skipped: dict[str, str] = {}
    """By topic or source, why there was nothing to check."""

    @property
    def is_alarming(self) -> bool:
        """Whether any alarm is raised."""
        return any(alarm.raised for alarm in self.alarms)


class Check(BaseModel):
    """One line of ``history.jsonl``: a check in brief, for trends."""

    # A later version of this file may say more.
    model_config = ConfigDict(extra="ignore", frozen=True)

    time: Time
    model: int | None
    violated: dict[Topic, bool]
    """Topics that could be checked."""
    alarm: bool
    drift: dict[Source, dict[str, tuple[float, float]]] = {}
    """By source and column: PSI and its threshold."""
    metrics: dict[str, tuple[float, float, float]] = {}
    """By name: value, low and high on labelled rows."""
    rows: int = 0
    """Labelled rows."""
    requests: int | None = None
    failure_rate: float | None = None
    p95_ms: float | None = None

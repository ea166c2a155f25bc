"""``params.yaml`` as typed, validated settings."""

from __future__ import annotations

import difflib
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from .errors import LifecycleError

PARAMS = "params.yaml"

Read = TypeVar("Read", bound=BaseModel)
Share = Annotated[float, Field(ge=0, le=1)]
WaivableGate = Literal[
    "beats baseline",
    "no worse than champion",
    "slices",
    "calibration",
    "error bound",
    "latency",
    "size",
]
FunctionName = Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$", examples=["module:function"])]
Period = Annotated[str, Field(pattern=r"^\d+ (hours?|days?|weeks?)$", examples=["60 days"])]


class Section(BaseModel):
    """Settings that refuse what they do not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class DataSettings(Section):
    """Where the data come from and what its columns mean."""

    source: str = Field(default="data/*.parquet", min_length=1)
    """A glob below the project, an fsspec URL, or a SQL URL (which needs ``query``)."""
    fetch: Annotated[str, Field(min_length=1)] | None = None
    """Where new files are delivered, for 'mlops data fetch': a glob, an fsspec URL, or ``module:function``,
    which takes a list of the names that are there and yields ``(name, DataFrame)`` of what is new. Keep
    such a module beside the package, as ``src/deliveries.py``: what is in it would count for the run key."""
    query: str | None = None
    """The SELECT statement, for a SQL URL; ORDER BY makes its digest stable."""
    target: str
    """The column to predict."""
    id: str | None = None
    """The column that names a row; never a feature."""
    time: str | None = None
    """The column that says when a row happened."""
    group: str | None = None
    """The column whose equal values belong together (a patient, a shop); never a feature."""
    window: Period | None = None
    """Train and test on this newest period only."""
    max_age: Period | None = None
    """Warn when the newest row is older than this."""
    on_invalid: Literal["fail", "quarantine"] = "fail"
    """What to do with rows that break the contract."""
    max_invalid_share: Share = 0.01
    """With ``quarantine``: the run fails above this share of bad rows."""


class SplitSettings(Section):
    """Which rows are held out."""

    by: Literal["time", "hash", "group"] = "time"
    """``time``: the newest part; ``hash``: by ``data.id``; ``group``: by ``data.group``."""
    test_period: Period = "60 days"
    """With ``time``: how long before the newest row the test part begins."""
    test_share: Annotated[float, Field(gt=0, lt=1)] = 0.25
    """With ``hash`` and ``group``: the share of ids or groups held out."""


class TrainSettings(Section):
    """How candidates train and how the challenger is selected."""

    metric: str
    """The primary metric; one of ``evaluate.metrics``."""
    candidates: list[str] | None = Field(default=None, min_length=1)
    """Names from ``models.py``; all of them by default."""
    folds: Annotated[int, Field(ge=2, le=20)] = 3
    """Folds of the cross-validation that selects the challenger."""
    candidate_timeout: Annotated[float, Field(gt=0)] = 300
    """Seconds after which a candidate counts as failed."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """The seed of everything that draws random numbers."""


class EvaluateSettings(Section):
    """What is measured on the test part."""

    metrics: list[str] = Field(min_length=1)
    """Built-in names, functions of ``models.py``, or ``module:function``."""
    slices: list[str] = []
    """Columns whose values the primary metric is broken down by."""
    min_slice_rows: Annotated[int, Field(ge=1)] = 100
    """Slices with fewer test rows are left out."""
    replicates: Annotated[int, Field(ge=100, le=100_000)] = 1000
    """Bootstrap replicates behind each interval."""


class Waiver(Section):
    """A gate that may fail for a while; an exception is a reviewed diff."""

    gate: WaivableGate | str
    """As the report names it; that of a policy is the first line of its docstring, else its name."""
    reason: Annotated[str, Field(min_length=1)]
    until: date
    """The last day on which it counts (UTC)."""

    @field_validator("gate")
    @classmethod
    def _contract_is_not_waived(cls, gate: str) -> str:
        if gate == "contract holds":
            raise ValueError("data that break the contract are never waived")
        return gate


class GateSettings(Section):
    """Rules that must hold to merge."""

    margin: Annotated[str | float, Field(examples=["1%", 0.005])] = "1%"
    """How much worse still counts as no worse: a share such as ``1%``, or a number in the metric's unit."""
    max_calibration_error: Share | None = None
    """Classification: largest mean gap between predicted and observed probability."""
    max_error: Annotated[float, Field(gt=0)] | None = None
    """Regression: what 95 % of the absolute errors must not exceed, in the target's unit."""
    max_latency_ms: Annotated[float, Field(gt=0)] | None = None
    """Median time to predict one row, milliseconds."""
    max_size_mb: Annotated[float, Field(gt=0)] | None = None
    """Size of the bundle, megabytes."""
    policies: list[FunctionName] = []
    """Gates of your own, each ``module:function``, which takes a ``ReviewContext`` and returns whether the
    gate holds, alone or with the evidence. Keep such a module beside the package, as ``src/policies.py``:
    what is in it would count for the run key."""
    waive: list[Waiver] = []
    """Gates that may fail, each with a reason and an end."""

    @model_validator(mode="after")
    def _margin_is_readable(self) -> GateSettings:
        self.margin_of(1.0)
        return self

    def margin_of(self, value: float) -> float:
        """Return the margin, in the metric's unit, around a metric that is ``value``."""
        if isinstance(self.margin, float | int):
            return float(self.margin)
        if not re.fullmatch(r"\d+(\.\d+)?%", self.margin):
            raise ValueError(f"expected a number or a share such as 1%, got '{self.margin}'")
        return abs(value) * float(self.margin[:-1]) / 100


class ReportSettings(Section):
    """What the report shows besides; it changes no model."""

    sections: Annotated[list[FunctionName], Field(max_length=20)] = []
    """Sections of your own, each ``module:function``, which takes a ``ReviewContext`` and returns Markdown,
    or title and Markdown, or title, Markdown and HTML."""


class TrackSettings(Section):
    """Where runs are written down."""

    experiment: str = "mlops"
    """The MLflow experiment, and the model in MLflow's registry."""


class LogSettings(Section):
    """Which predictions the service writes down, and where."""

    url: str | None = Field(default=None, min_length=1)
    """A folder: a path or an fsspec URL such as ``s3://bucket/predictions``; null writes nothing."""
    format: Literal["jsonl", "parquet"] = "jsonl"
    """JSON lines or Parquet; the records are the same."""
    sample: Share = 1.0
    """The share of predictions that is written."""
    exclude: list[str] = []
    """Columns that are left out, for privacy."""
    seconds: Annotated[float, Field(gt=0)] = 60
    """How long a file of the log is filled before the next one is begun."""


class ServeSettings(Section):
    """Limits of the HTTP service, and its log; they change no model."""

    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """Processes that answer, each with a model of its own."""
    max_rows: Annotated[int, Field(ge=1)] = 10_000
    """The most records of one request."""
    max_body_mb: Annotated[float, Field(gt=0)] = 10
    """The largest body of one request, megabytes."""
    max_waiting_rows: Annotated[int, Field(ge=1)] = 20_000
    """Records a worker holds at a time; what would come on top is answered with 503."""
    max_waiting_mb: Annotated[float, Field(gt=0)] = 40
    """Bodies a worker holds at a time, megabytes; what would come on top is answered with 503."""
    drain_seconds: Annotated[float, Field(ge=0, le=600)] = 2
    """How long, after SIGTERM, new requests are still answered while load balancers look away."""
    log: LogSettings = LogSettings()

    @model_validator(mode="after")
    def _one_request_fits(self) -> ServeSettings:
        if self.max_waiting_rows < self.max_rows or self.max_waiting_mb < self.max_body_mb:
            raise ValueError("expected max_waiting_rows and max_waiting_mb to hold one whole request")
        return self


class RetrainSettings(Section):
    """When a retraining pull request is opened; never without new rows that keep the contract."""

    on_alarm: bool = True
    """When data or performance raise an alarm."""
    every: Period | None = None
    """When the model has been in production for this long."""
    min_new_rows: Annotated[int, Field(ge=1)] | None = None
    """When this many new rows lie there."""


class MonitorSettings(Section):
    """How production is monitored; it changes no model."""

    window: Period = "7 days"
    """How far back the prediction log is read."""
    violations: Annotated[str, Field(pattern=r"^[1-9]\d* of [1-9]\d*$", examples=["2 of 3"])] = "2 of 3"
    """How many of the last checks must be violated before there is an alarm."""
    false_alarms: Annotated[float, Field(gt=0, lt=0.5)] = 0.01
    """Share of the checks that may find drift where there is none, all columns taken together."""
    min_psi: Annotated[float, Field(ge=0)] = 0.1
    """The least drift worth a word, as a population stability index."""
    max_failure_rate: Share = 0.01
    """Of the service's answers."""
    max_latency_ms: Annotated[float, Field(gt=0)] | None = None
    """95th percentile of the time to answer; by default ``gates.max_latency_ms``."""
    retrain: RetrainSettings = RetrainSettings()
    automerge: bool = False
    """Whether a retraining pull request is merged without a person, if every gate holds."""

    @property
    def alarm_rule(self) -> tuple[int, int]:
        """How many checks must be violated, of how many."""
        bad, among = self.violations.split(" of ")
        return int(bad), int(among)

    @model_validator(mode="after")
    def _violations_can_happen(self) -> MonitorSettings:
        bad, among = self.alarm_rule
        if bad > among:
            raise ValueError(f"expected violations such as 2 of 3, got '{self.violations}'")
        return self


class Settings(Section):
    """All of ``params.yaml``."""

    problem: Literal["classification", "regression"]
    """What the model predicts: a class or a number."""
    data: DataSettings
    split: SplitSettings = SplitSettings()
    train: TrainSettings
    evaluate: EvaluateSettings
    gates: GateSettings = GateSettings()
    report: ReportSettings = ReportSettings()
    track: TrackSettings = TrackSettings()
    serve: ServeSettings = ServeSettings()
    monitor: MonitorSettings = MonitorSettings()

    @model_validator(mode="after")
    def _sections_agree(self) -> Settings:
        needed = {"time": self.data.time, "hash": self.data.id, "group": self.data.group}
        if needed[self.split.by] is None:
            column = {"time": "time", "hash": "id", "group": "group"}[self.split.by]
            raise ValueError(f"split.by is '{self.split.by}', which needs data.{column}")
        if self.data.window is not None and self.data.time is None:
            raise ValueError("data.window needs data.time")
        if self.train.metric not in self.evaluate.metrics:
            raise ValueError(f"train.metric '{self.train.metric}' is not one of evaluate.metrics")
        return self


def parse_period(text: str) -> timedelta:
    """Return the length of a period such as ``60 days``."""
    number, unit = text.split()
    return timedelta(**{unit.rstrip("s") + "s": int(number)})


def hide_secrets(text: str) -> str:
    """Return text without the passwords and queries of the addresses in it."""
    return re.sub(r"(://[^/\s:@]*):[^/\s@]*@", r"\1:***@", re.sub(r"(://[^\s?]*\?)\S+", r"\1***", text))


def read_settings(path: Path) -> Settings:
    """Read and validate ``params.yaml``.

    Raises
    ------
    LifecycleError
        If the file is missing, is not YAML, or has a key or a value that is not allowed. An
        unknown key is answered with the nearest known one.
    """
    return _validate(Settings, _read_yaml(path), path)


def read_serve_settings(path: Path) -> ServeSettings:
    """Read the section ``serve`` of ``params.yaml`` alone; without the file, all is at its default.

    Raises
    ------
    LifecycleError
        If the file is not YAML, or the section has a key or a value that is not allowed.
    """
    content = _read_yaml(path) if path.exists() else None
    section = content.get("serve") if isinstance(content, dict) else None
    return _validate(ServeSettings, section or {}, path, "serve")


def _read_yaml(path: Path) -> Any:
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LifecycleError(f"{path} is missing; run mlops in the folder that holds it.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = getattr(error, "problem_mark", None)
        line = f", line {where.line + 1}" if where else ""
        problem = getattr(error, "problem", error)
        raise LifecycleError(f"{path}{line}: expected YAML, but {problem}.") from None


def _validate(model: type[Read], content: Any, path: Path, *section: str) -> Read:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        clauses = "; ".join(_explain(problem, section) for problem in error.errors())
        raise LifecycleError(f"{path}: {clauses}.") from None


def _explain(problem: Any, section: tuple[str, ...]) -> str:
    location = (*section, *problem["loc"])
    key = ".".join(str(part) for part in location)
    if problem["type"] == "extra_forbidden":
        known = _known_keys(location[:-1])
        near = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0)
        return f"unknown key {key}, did you mean '{near[0]}'?"
    if problem["type"] == "missing":
        return f"key {key} is missing"
    message = problem["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    return f"{key} is {problem['input']!r}: {message}" if key else message


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    model: Any = Settings
    for part in location:
        # A number is a place in a list, and leads to what the list is of.
        model = get_args(model)[0] if isinstance(part, int) else model.model_fields[part].annotation
    return list(model.model_fields)

"""The small JSON records that each stage leaves in ``build/``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from .errors import LifecycleError

Verdict = Literal["better", "no worse", "worse", "cannot tell"]


class Part(BaseModel):
    """A piece of a record."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Record(Part):
    """The result of one stage, kept as one JSON file."""

    made_by: ClassVar[str] = "mlops run"

    version: Literal[1] = 1
    """The layout of this record."""

    @classmethod
    def file_name(cls) -> str:
        """Return the name of this record's file, such as ``training.json``."""
        return cls.__name__.removesuffix("Record").lower() + ".json"

    def write(self, folder: Path) -> None:
        """Write the record to its file in ``folder``, in one step."""
        write_text(folder / self.file_name(), self.model_dump_json(indent=1) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the record from its file in ``folder``.

        Raises
        ------
        LifecycleError
            If the file is missing or is not such a record.
        """
        path = folder / cls.file_name()
        try:
            return cls.model_validate(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise LifecycleError(f"{path} is missing; run '{cls.made_by}' to make it.") from None
        except (ValidationError, ValueError):
            raise LifecycleError(f"{path} is no record of this version; run '{cls.made_by}' again.") from None


def write_text(path: Path, text: str) -> None:
    """Write a file atomically: beside its place, then renamed."""
    beside = path.with_name(path.name + ".partial")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


class DataFile(Part):
    """One file of the data, as accepted in ``data.lock``."""

    path: str
    sha256: str
    rows: int
    first: str | None = None
    """Time of the earliest row, ISO 8601; None without ``data.time``."""
    last: str | None = None
    """Time of the latest row."""


class Finding(Part):
    """One way in which the data break the contract or look wrong."""

    level: Literal["error", "warning"]
    """An error stops the run; a warning is only shown."""
    column: str
    """The column, or ``table`` where the whole table is meant."""
    check: str
    """What should hold, in words or as the contract names it."""
    count: int
    """Rows that break it; 0 where rows cannot be counted."""
    share: float
    """``count`` as a share of all rows, 0 to 1."""
    examples: list[str] = []
    """Up to five values that break it, shortened."""


class ValidationRecord(Record):
    """``validation.json``: whether the data are as the contract says."""

    passed: bool
    rows: int
    """Rows read."""
    quarantined: int = 0
    """Rows set aside."""
    files: list[DataFile]
    """The accepted files that were read."""
    waiting: list[str] = []
    """Files that lie there but have not been accepted."""
    findings: list[Finding] = []
    target: dict[str, float] = {}
    """Share of each class, or mean, sd, min, median and max of a numeric target."""


class CandidateResult(Part):
    """Scores of one candidate in cross-validation on the training part."""

    name: str
    status: Literal["ok", "failed"]
    reason: str | None = None
    """Why it failed, in one sentence."""
    scores: list[float] = []
    """The primary metric in each fold; empty where one candidate competes alone."""
    mean: float | None = None
    sd: float | None = None
    seconds: float = 0.0
    """Wall time of its cross-validation, or of its only fit."""
    warning: str | None = None
    """The first thing it warned of, such as that it did not converge."""


class TrainingRecord(Record):
    """``training.json``: which candidate became the challenger, and how."""

    run_key: str
    challenger: str
    """Name of the candidate that won."""
    estimator: str
    """The challenger as scikit-learn prints it."""
    metric: str
    greater_is_better: bool
    candidates: list[CandidateResult]
    train_rows: int
    test_rows: int
    boundary: str
    """Where the split lies: an ISO time, or the share that is held out."""
    features: list[str]
    """Columns the model sees, in order."""
    classes: list[str] = []
    """Class labels in the order of the probabilities; empty for regression."""
    seed: int
    seconds: float
    """Wall time of the stage."""


class Estimate(Part):
    """A number with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


class MetricResult(Part):
    """One metric of challenger and baseline on the same test rows."""

    name: str
    greater_is_better: bool
    model: Estimate
    baseline: Estimate
    difference: Estimate
    """Paired, challenger minus baseline, sign turned so that up is good."""


class SliceResult(Part):
    """The primary metric on the test rows where ``column`` is ``level``."""

    column: str
    level: str
    rows: int
    model: Estimate
    baseline: Estimate


class Importance(Part):
    """Permutation importance: how much the primary metric drops when one column is shuffled."""

    column: str
    mean: float
    sd: float


class Curve(Part):
    """Points of a curve, at most 200 of them."""

    name: Literal["roc", "precision_recall", "calibration", "residuals", "predictions"]
    label: str = ""
    """The class it belongs to, for more than two classes."""
    x: list[float]
    y: list[float]


class EvaluationRecord(Record):
    """``evaluation.json``: how good the challenger is on rows it has never seen."""

    rows: int
    metrics: list[MetricResult]
    skipped: dict[str, str] = {}
    """Metrics that are not defined here, with the reason."""
    slices: list[SliceResult] = []
    small_slices: int = 0
    """Slices left out because they have too few rows."""
    importances: list[Importance] = []
    """Most important first."""
    curves: list[Curve] = []
    confusion: list[list[int]] = []
    """Counts, true class by predicted class."""
    calibration_error: float | None = None
    """Expected calibration error, 0 to 1; None for regression."""
    error_p95: float | None = None
    """95th percentile of the absolute error, in the target's unit; None for classification."""
    latency_ms: float
    """Median time to predict one row."""
    batch_rows_per_second: float
    """Rows predicted a second, in one large batch."""


class PairedMetric(Part):
    """One metric of challenger and champion on the same rows."""

    name: str
    greater_is_better: bool
    challenger: Estimate
    champion: Estimate
    difference: Estimate
    """Challenger minus champion, sign turned so that up is good."""


class PairedSlice(Part):
    """The primary metric of both models on the rows where ``column`` is ``level``."""

    column: str
    level: str
    rows: int
    challenger: Estimate
    champion: Estimate
    difference: Estimate
    """Up is good; its interval is widened, as several slices are looked at."""
    verdict: Verdict


class ChampionResult(Part):
    """The paired comparison of challenger and champion."""

    version: int | None = None
    """Of the model in production; None where nobody said."""
    commit: str | None = None
    run_key: str
    same: bool = False
    """Whether both have the same run key: nothing that can change the model has changed."""
    obstacle: str | None = None
    """Why the two cannot be compared."""
    notes: list[str] = []
    """What had to be done to compare them."""
    rows: int = 0
    """Test rows on which they were compared."""
    known_rows: int = 0
    """Test rows left out because the champion was trained on them, or may have been."""
    metrics: list[PairedMetric] = []
    skipped: dict[str, str] = {}
    """Metrics that are not defined for both, with the reason."""
    slices: list[PairedSlice] = []

    @property
    def name(self) -> str:
        """What to call it: ``champion v3``."""
        return "champion" if self.version is None else f"champion v{self.version}"


class WaiverResult(Part):
    """A gate that somebody let fail, for a while."""

    reason: str
    until: str
    """The last day on which it counts, ISO 8601."""
    expired: bool


class Gate(Part):
    """A rule that must hold to merge."""

    name: str
    passed: bool
    evidence: str
    """The numbers behind it, in a few words."""
    waiver: WaiverResult | None = None
    """Only of a gate that does not hold."""
    policy: str | None = None
    """The function that decides, ``module:function``; None for a built-in gate."""

    @property
    def blocks(self) -> bool:
        """Whether it stands in the way of a merge."""
        return not self.passed and (self.waiver is None or self.waiver.expired)


class ComparisonRecord(Record):
    """``comparison.json``: whether it is better, and may be merged."""

    against: Literal["baseline", "champion"]
    """What the verdict compares the challenger with."""
    verdict: Verdict
    metric: str
    difference: Estimate | None
    """Of the primary metric, up is good; None where champion and challenger cannot be compared."""
    margin: float
    """In the metric's unit."""
    gates: list[Gate]
    champion: ChampionResult | None = None
    """None where there is none yet."""

    @property
    def passed(self) -> bool:
        """Whether no gate stands in the way."""
        return not any(gate.blocks for gate in self.gates)


class FileChange(Part):
    """How one file of ``data.lock`` differs from the base branch."""

    path: str
    change: Literal["added", "removed", "changed"]
    rows: int
    """As accepted now; 0 for a removed file."""
    rows_before: int
    """0 for an added file."""


class SettingChange(Part):
    """How one key of ``params.yaml`` differs from the base branch."""

    key: str
    before: str | None
    """None where the key was not set."""
    after: str | None


class ColumnChange(Part):
    """How one column of the contract differs from the champion's."""

    column: str
    change: Literal["added", "removed", "changed"]
    details: str = ""
    """What of a changed column is different."""


class Drift(Part):
    """How far new rows of one feature lie from the champion's training data."""

    column: str
    psi: float
    """Population stability index, 0 and up."""
    moved: bool
    """Whether that is more than chance and more than 0.1, a moderate shift."""


class ColumnDrift(Part):
    """How far one column of new rows lies from what the champion knows."""

    column: str
    """A feature, the target, or ``score CLASS`` or ``prediction`` for what the model answers."""
    rows: int
    psi: float
    """Population stability index, 0 and up."""
    jensen_shannon: float
    """Distance, base 2, 0 to 1."""
    wasserstein: float | None = None
    """In standard deviations of the reference; None for categories."""
    threshold: float
    """The PSI up to which it counts as the same: what samples of that size reach by chance, or the
    least that is worth a word, whichever is more."""
    moved: bool
    missing: float
    """Share of the new rows, 0 to 1."""
    missing_before: float
    new_levels: list[str] = []
    """Categories that the reference does not have, the most frequent first, at most five."""
    outside: float = 0.0
    """Share of the new rows outside the range of the reference, or of a new category; 0 to 1."""
    change: str = ""
    """The most telling difference in words, such as ``mean 12.1 → 15.3``."""


class ChangesRecord(Record):
    """``changes.json``: what a change changes, apart from code."""

    files: list[FileChange] | None = None
    """None where the base branch is not known."""
    settings: list[SettingChange] = []
    protected: list[str] = []
    """Files that differ and by which changes are judged: those of ``.github`` and ``vendor``."""
    columns: list[ColumnChange] = []
    new_rows: int = 0
    """Rows of added and changed files."""
    drift: list[Drift] = []
    """Of the new rows, the farthest first."""
    card: str = ""
    """Unified diff from the champion's model card to the challenger's."""


class ReportSection(Part):
    """What one function of a team's own adds to the report."""

    title: str
    markdown: str = ""
    html: str | None = None
    """For ``report.html``; None where that shows the Markdown."""
    problem: str | None = None
    """Why there is nothing to show, in one sentence."""


class SectionsRecord(Record):
    """``sections.json``: what ``report.sections`` adds to the report."""

    sections: list[ReportSection] = []


class RunRecord(Record):
    """``run.json``: what was run, from what, and how it ended."""

    status: Literal["finished", "failed"]
    stage: str
    """The last stage that was entered."""
    error: str | None = None
    """Why it failed, in one sentence."""
    run_key: str | None = None
    fingerprint: str | None = None
    """Digest of everything that can change any output; the same fingerprint needs no new run."""
    reused: bool = False
    """Whether the model was taken over from an earlier run with the same run key."""
    commit: str | None = None
    dirty: bool = False
    """Whether files differed from the commit."""
    started: str
    """UTC, ISO 8601."""
    seconds: float = 0.0
    python: str
    libraries: dict[str, str]
    unwritten: list[str] = []
    """Sections of the model card that people still have to write."""
    mlflow_run: str | None = None


class Records(Part):
    """Everything that is known of a run; what a failed run did not reach is None."""

    run: RunRecord
    validation: ValidationRecord | None = None
    training: TrainingRecord | None = None
    evaluation: EvaluationRecord | None = None
    comparison: ComparisonRecord | None = None
    changes: ChangesRecord | None = None
    sections: SectionsRecord | None = None
    """None where ``report.sections`` names none."""

    @property
    def primary(self) -> MetricResult | None:
        """The primary metric of the evaluation, where there is one."""
        if self.evaluation is None or self.training is None:
            return None
        named = {metric.name: metric for metric in self.evaluation.metrics}
        return named.get(self.training.metric)


def read_records(build: Path) -> Records:
    """Read all records of a build; those of stages it did not reach are None."""
    kinds: dict[str, type[Record]] = {
        "validation": ValidationRecord,
        "training": TrainingRecord,
        "evaluation": EvaluationRecord,
        "comparison": ComparisonRecord,
        "changes": ChangesRecord,
        "sections": SectionsRecord,
    }
    found: dict[str, Any] = {
        name: kind.read(build) for name, kind in kinds.items() if (build / kind.file_name()).exists()
    }
    return Records(run=RunRecord.read(build), **found)

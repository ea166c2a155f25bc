"""What a report shows, in the order of importance; the same for Markdown and HTML."""

from __future__ import annotations

import math
from dataclasses import dataclass

import yaml

from ..core import formatting
from ..core.records import (
    CandidateResult,
    ChampionResult,
    ChangesRecord,
    Drift,
    EvaluationRecord,
    Finding,
    Gate,
    MetricResult,
    PairedMetric,
    PairedSlice,
    Records,
    ReportSection,
    RunRecord,
    SliceResult,
    TrainingRecord,
    ValidationRecord,
)
from ..core.settings import Settings, hide_secrets
from .headline import Headline, write_headline

# Files that a warning names.
NAMED = 5


@dataclass(frozen=True)
class Content:
    """The variables of the report's templates. What a failed run did not reach is None or empty."""

    headline: Headline
    warnings: list[str]
    """What a reader must be warned of, one sentence each."""
    run: RunRecord
    validation: ValidationRecord | None
    training: TrainingRecord | None
    evaluation: EvaluationRecord | None
    changes: ChangesRecord | None
    champion: ChampionResult | None
    champion_name: str
    primary: MetricResult | None
    metrics: list[MetricResult]
    """The primary one first."""
    slices: list[SliceResult]
    """The worst first."""
    paired: list[PairedMetric]
    """Of challenger and champion, the primary one first."""
    paired_slices: list[PairedSlice]
    """The greatest loss first."""
    gates: list[Gate]
    """Those that block first, then those that are waived."""
    candidates: list[CandidateResult]
    """The challenger, then the others from best to worst, then those that failed."""
    findings: list[Finding]
    """Errors first."""
    drifted: list[Drift]
    """Features of new rows that have moved."""
    sections: list[ReportSection]
    """Those of the team's own."""
    period: str
    """From when to when the rows are."""
    boundary: str
    """Which rows the test part has."""
    model_text: str
    """The challenger as scikit-learn prints it."""
    settings_text: str
    """``params.yaml`` with defaults."""


def gather_content(records: Records, settings: Settings | None) -> Content:
    """Return what the report of a run shows.

    Parameters
    ----------
    records : Records
    settings : Settings or None
        None where they could not be read.
    """
    validation, training, changes = records.validation, records.training, records.changes
    champion = records.comparison.champion if records.comparison else None
    return Content(
        headline=write_headline(records),
        warnings=_list_warnings(records.run, changes),
        run=records.run,
        validation=validation,
        training=training,
        evaluation=records.evaluation,
        changes=changes,
        champion=champion,
        champion_name=champion.name if champion else "the champion",
        primary=records.primary,
        metrics=sort_metrics(records),
        slices=sort_slices(records),
        paired=_sort_paired_metrics(records),
        paired_slices=_sort_paired_slices(records),
        gates=sorted(records.comparison.gates, key=_rank_gate) if records.comparison else [],
        candidates=_sort_candidates(training) if training else [],
        findings=sorted(validation.findings, key=lambda finding: finding.level) if validation else [],
        drifted=[column for column in changes.drift if column.moved] if changes else [],
        sections=records.sections.sections if records.sections else [],
        period=formatting.write_period(validation.files) if validation else "",
        boundary=formatting.write_boundary(training) if training else "",
        model_text=formatting.write_estimator(training) if training else "",
        settings_text=_dump(settings) if settings else "",
    )


def sort_metrics(records: Records) -> list[MetricResult]:
    """Return the metrics with the primary one first."""
    first = records.primary
    found = records.evaluation.metrics if records.evaluation else []
    return sorted(found, key=lambda metric: metric is not first)


def sort_slices(records: Records) -> list[SliceResult]:
    """Return the slices, the worst first."""
    found = records.evaluation.slices if records.evaluation else []
    sign = 1 if records.training is None or records.training.greater_is_better else -1
    return sorted(found, key=lambda piece: (sign * piece.model.value, piece.column, piece.level))


def _sort_paired_metrics(records: Records) -> list[PairedMetric]:
    """Return the metrics of challenger and champion, the primary one first."""
    if records.comparison is None or records.comparison.champion is None:
        return []
    first = records.comparison.metric
    return sorted(records.comparison.champion.metrics, key=lambda metric: metric.name != first)


def _sort_paired_slices(records: Records) -> list[PairedSlice]:
    """Return the slices of challenger and champion, the greatest loss first."""
    if records.comparison is None or records.comparison.champion is None:
        return []
    slices = records.comparison.champion.slices
    return sorted(slices, key=lambda piece: (piece.difference.value, piece.column, piece.level))


def _sort_candidates(training: TrainingRecord) -> list[CandidateResult]:
    """Return the candidates: the challenger, then the others from best to worst, then those that failed."""
    sign = -1 if training.greater_is_better else 1

    def rank(candidate: CandidateResult) -> tuple[bool, bool, float]:
        mean = math.inf if candidate.mean is None else sign * candidate.mean
        return candidate.name != training.challenger, candidate.status == "failed", mean

    return sorted(training.candidates, key=rank)


def _rank_gate(gate: Gate) -> tuple[bool, bool]:
    return not gate.blocks, gate.passed


def _list_warnings(run: RunRecord, changes: ChangesRecord | None) -> list[str]:
    warnings = []
    if changes and changes.protected:
        warnings.append(_warn_of_judges(changes.protected))
    if run.unwritten:
        sections = ", ".join(run.unwritten)
        warnings.append(
            f"The model card has sections that nobody has written yet: {sections}. See model_cards/."
        )
    if run.dirty:
        warnings.append("Files differed from the commit, so the commit alone does not give this result.")
    return warnings


def _warn_of_judges(paths: list[str]) -> str:
    more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    files = ", ".join(paths[:NAMED]) + more
    return f"This change touches what judges it: {files}. A code owner should look at that first."


def _dump(settings: Settings) -> str:
    """Write the settings as YAML, without what may be secret in an address."""
    text = yaml.safe_dump(settings.model_dump(exclude_none=True), sort_keys=False, allow_unicode=True).strip()
    return hide_secrets(text)

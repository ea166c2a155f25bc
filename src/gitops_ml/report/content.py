"""What a report shows, in the order of importance; the same for Markdown and HTML."""

from __future__ import annotations

from typing import Any

import yaml

from ..core import formatting as wording
from ..core.records import Gate, Records
from ..core.settings import Settings, hide_secrets
from .headline import write_headline


def gather(records: Records, settings: Settings | None) -> dict[str, Any]:
    """Return what the templates of the reports show, sorted so that what matters comes first."""
    validation, training, comparison = records.validation, records.training, records.comparison
    findings = validation.findings if validation else []
    return {
        "headline": write_headline(records),
        "warnings": list_warnings(records),
        "run": records.run,
        "validation": validation,
        "training": training,
        "evaluation": records.evaluation,
        "primary": wording.primary_metric(records),
        "metrics": wording.sort_metrics(records),
        "champion": comparison.champion if comparison else None,
        "champion_name": comparison.champion.name if comparison and comparison.champion else "the champion",
        "paired": wording.sort_paired_metrics(records),
        "paired_slices": wording.sort_paired_slices(records),
        "gates": sorted(comparison.gates, key=_rank_gate) if comparison else [],
        "changes": records.changes,
        "card_diff": records.changes.card if records.changes else "",
        "drifted": [one for one in records.changes.drift if one.moved] if records.changes else [],
        "findings": sorted(findings, key=lambda finding: finding.level),
        "period": wording.write_period(validation.files) if validation else "",
        "boundary": wording.write_boundary(training) if training else "",
        "candidates": wording.sort_candidates(training) if training else [],
        "slices": wording.sort_slices(records),
        "model_text": wording.write_estimator(training) if training else "",
        "settings_text": _dump(settings) if settings else "",
    }


def _rank_gate(gate: Gate) -> tuple[bool, bool]:
    """Put what blocks first, then what is waived."""
    return not gate.blocks, gate.passed


def list_warnings(records: Records) -> list[str]:
    """Return what a reader must be warned of, one sentence each."""
    warnings = []
    if records.run.unwritten:
        sections = ", ".join(records.run.unwritten)
        warnings.append(
            f"The model card has sections that nobody has written yet: {sections}. See model_cards/."
        )
    if records.run.dirty:
        warnings.append("Files differed from the commit, so the commit alone does not give this result.")
    return warnings


def _dump(settings: Settings) -> str:
    """Write the settings as YAML, without what may be secret in an address."""
    text = yaml.safe_dump(settings.model_dump(exclude_none=True), sort_keys=False, allow_unicode=True).strip()
    return hide_secrets(text)

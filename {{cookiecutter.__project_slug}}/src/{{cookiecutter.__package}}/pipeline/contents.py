"""What a report shows, in the order of importance; the same for Markdown and HTML."""

from __future__ import annotations

import re
from typing import Any

import yaml

from . import wording
from .records import Records
from .settings import Settings


def gather(records: Records, settings: Settings | None) -> dict[str, Any]:
    """Return what the templates of the reports show, sorted so that what matters comes first."""
    validation, training = records.validation, records.training
    findings = validation.findings if validation else []
    return {
        "headline": wording.write_headline(records),
        "warnings": list_warnings(records),
        "run": records.run,
        "validation": validation,
        "training": training,
        "evaluation": records.evaluation,
        "primary": wording.primary_metric(records),
        "metrics": wording.sort_metrics(records),
        "gates": sorted(records.comparison.gates, key=lambda gate: gate.passed) if records.comparison else [],
        "findings": sorted(findings, key=lambda finding: finding.level),
        "period": wording.write_period(validation.files) if validation else "",
        "boundary": wording.write_boundary(training) if training else "",
        "candidates": wording.sort_candidates(training) if training else [],
        "slices": wording.sort_slices(records),
        "model_text": wording.write_estimator(training) if training else "",
        "settings_text": _dump(settings) if settings else "",
    }


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
    return re.sub(r"(://[^/\s:@]*):[^/\s@]*@", r"\1:***@", re.sub(r"(://[^\s?]*\?)\S+", r"\1***", text))

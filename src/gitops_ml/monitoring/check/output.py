"""What a check leaves in ``build/monitoring/``: for machines, for an issue, for a browser, for a proposal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...core.records import write_text
from .history import FOLDER
from .html import render_page
from .markdown import render_markdown, render_proposal
from .records import Check, MonitoringRecord


def write_output(build: Path, record: MonitoringRecord, checks: Sequence[Check]) -> Path:
    """Write a check into a folder below the build, and return the folder.

    Parameters
    ----------
    build : Path
    record : MonitoringRecord
    checks : sequence of Check
        The history, the oldest first; the last one is this check.
    """
    folder = build / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    record.write(folder)
    write_text(folder / "monitoring.md", render_markdown(record, checks))
    write_text(folder / "monitoring.html", render_page(record, checks))
    proposal = folder / "retraining.md"
    proposal.unlink(missing_ok=True)
    if record.retraining.due:
        write_text(proposal, render_proposal(record))
    return folder

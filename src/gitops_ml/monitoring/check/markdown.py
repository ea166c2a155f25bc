"""A check of production in Markdown: for the issue that tells of an alarm, and for the retraining."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...report.markdown import LENGTHS, LIMIT, make_markdown_environment, tidy
from .. import TEMPLATES
from ..site.charts import pair_reasons
from . import headline
from .records import Check, MonitoringRecord

# So many checks make one line of signs.
LINE = 30


def render_markdown(record: MonitoringRecord, checks: Sequence[Check]) -> str:
    """Return a check as GitHub's Markdown; the first line says what happened.

    Parameters
    ----------
    record : MonitoringRecord
        What this check found out.
    checks : sequence of Check
        The history, the oldest first; the last one is this check.

    Returns
    -------
    str
        Fewer than ``LIMIT`` characters, whatever the data hold: long lists are cut, and say so.
    """
    performance = record.performance
    reasons = pair_reasons(performance.importances, performance.importances_before) if performance else []
    contents = {
        "record": record,
        "headline": headline.write_headline(record),
        "questions": headline.QUESTIONS,
        "asked": headline.ASKED,
        "marks": [headline.mark(alarm) for alarm in record.alarms],
        "signs": "".join(map(_sign, checks[-LINE:])),
        "reasons": reasons,
    }
    return _render("monitoring.md.jinja", contents)


def render_proposal(record: MonitoringRecord) -> str:
    """Return what a retraining pull request says of itself, as ``render_markdown`` does.

    Parameters
    ----------
    record : MonitoringRecord
        A check of which a retraining is due.
    """
    findings = {path: found for check in record.data for path, found in check.findings.items()}
    contents = {"retraining": record.retraining, "findings": findings}
    return _render("retraining.md.jinja", contents | {"name": headline.name_model(record.model)})


def _render(template: str, contents: Mapping[str, Any]) -> str:
    """Fill a template, with lists cut until the text is short enough."""
    for most in LENGTHS:
        text = tidy(make_markdown_environment(TEMPLATES).get_template(template).render(contents, most=most))
        if len(text) < LIMIT:
            break
    return text


def _sign(check: Check) -> str:
    if check.alarm:
        return "🟥"
    return "🟨" if any(check.violated.values()) else "🟩" if check.violated else "⬜"

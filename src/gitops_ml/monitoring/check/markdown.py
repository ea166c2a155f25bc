"""A look at production in Markdown: for the issue that tells of an alarm, and for the retraining."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...report.environment import make_environment
from ...report.markdown import LENGTHS, LIMIT, tidy
from .. import TEMPLATES
from ..site.charts import pair_reasons
from . import headline
from .records import Look, MonitoringRecord

# So many looks make one line of signs.
LINE = 30


def render_markdown(record: MonitoringRecord, looks: Sequence[Look]) -> str:
    """Return a look as GitHub's Markdown; the first line says what happened.

    Parameters
    ----------
    record : MonitoringRecord
        What this look found out.
    looks : sequence of Look
        The history, the oldest first; the last one is this look.

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
        "marks": [headline.mark(judgement) for judgement in record.judgements],
        "signs": "".join(map(_sign, looks[-LINE:])),
        "reasons": reasons,
    }
    return _render("monitoring.md.jinja", contents)


def render_proposal(record: MonitoringRecord) -> str:
    """Return what a retraining pull request says of itself, as ``render_markdown`` does.

    Parameters
    ----------
    record : MonitoringRecord
        A look at which a retraining is due.
    """
    findings = {path: found for look in record.data for path, found in look.findings.items()}
    contents = {"retraining": record.retraining, "findings": findings}
    return _render("retraining.md.jinja", contents | {"name": headline.name_model(record.model)})


def _render(template: str, contents: Mapping[str, Any]) -> str:
    """Fill a template, with lists cut until the text is short enough."""
    for most in LENGTHS:
        text = tidy(make_environment(TEMPLATES).get_template(template).render(contents, most=most))
        if len(text) < LIMIT:
            break
    return text


def _sign(look: Look) -> str:
    if look.alarm:
        return "🟥"
    return "🟨" if any(look.violated.values()) else "🟩" if look.violated else "⬜"

"""The page of a check: one HTML file that needs nothing from outside."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from jinja2 import Environment

from ... import report
from ...report.html import make_html_environment
from .. import TEMPLATES
from .charts import Charts, draw_history, pair_importances
from .records import Check, MonitoringRecord
from .report import PARTS, QUESTIONS, SOURCES, mark_alarm, name_model, name_state, write_headline
from .trends import write_time

# More of them are folded away.
FIRST = 12


def render_page(record: MonitoringRecord, checks: Sequence[Check]) -> str:
    """Return a check as HTML: no script, no request, the same bytes for the same checks.

    Parameters
    ----------
    record : MonitoringRecord
        What this check found.
    checks : sequence of Check
        The history, the oldest first; the last one is this check.
    """
    template = make_environment().get_template("monitoring.html.jinja")
    text = template.render(
        record=record,
        headline=write_headline(record),
        name=name_model(record.model),
        charts=draw_charts(record, checks),
        importances=pair_importances(record.performance),
        first=FIRST,
    )
    return text + "\n"


def draw_charts(record: MonitoringRecord | None, checks: Sequence[Check]) -> Charts:
    """Draw a history, with what the card of the model in production has, as far as a check tells."""
    if record is None:
        return draw_history(checks, {}, None, {})
    card = {one.name: one.before for one in record.performance.metrics} if record.performance else {}
    limits = record.service.limits if record.service else {}
    return draw_history(checks, card, record.model, limits)


@cache
def make_environment() -> Environment:
    """Return the environment of the report's page, with the templates of monitoring besides."""
    environment = make_html_environment(report.__name__, TEMPLATES)
    environment.filters |= {"mark": mark_alarm, "state": name_state, "when": write_time}
    environment.globals |= {
        "questions": QUESTIONS,
        "sources": SOURCES,
        "parts": PARTS,
        "names": {"data": "Data", "performance": "Performance", "service": "Service"},
        "tone": {"✅": "pass", "⚠️": "warn", "❌": "fail", "–": ""},
    }
    return environment

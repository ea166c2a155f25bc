"""A look at production in Markdown: the text of the issue that tells of an alarm."""

from __future__ import annotations

from collections.abc import Sequence

from ..pipeline.markdown import make_environment
from ..pipeline.report import LENGTHS, LIMIT, tidy
from . import headline
from .charts import pair_reasons
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
        "marks": [headline.mark(judgement) for judgement in record.judgements],
        "signs": "".join(map(_sign, looks[-LINE:])),
        "reasons": reasons,
    }
    template = make_environment(str(__package__)).get_template("monitoring.md.jinja")
    for most in LENGTHS:
        text = tidy(template.render(contents, most=most))
        if len(text) < LIMIT:
            break
    return text


def _sign(look: Look) -> str:
    if look.alarm:
        return "🟥"
    return "🟨" if any(look.violated.values()) else "🟩" if look.violated else "⬜"

"""The report in Markdown: the comment that a reviewer reads in thirty seconds."""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup

from ..core import formatting as wording
from ..core.records import Curve, Records
from ..core.settings import Settings
from . import mermaid as charts
from .content import gather
from .environment import make_environment

# GitHub refuses comments of 65,536 characters, and the workflow that posts the report adds some more.
LIMIT = 57_000
# How many entries of each list are tried, until the report fits.
LENGTHS = (100, 40, 15, 6)


def render_report(records: Records, settings: Settings | None) -> str:
    """Return the report as GitHub's Markdown.

    Parameters
    ----------
    records : Records
        What the stages found out; parts that a failed run did not reach are None.
    settings : Settings or None
        The settings of the run; None where they could not be read.

    Returns
    -------
    str
        Fewer than ``LIMIT`` characters, whatever the data hold: long lists are cut, and say so.
    """
    template = make_environment().get_template("report.md.jinja")
    contents = gather(records, settings)
    fenced = {name: _fence(contents[name]) for name in ("model_text", "settings_text", "card_diff")}
    contents |= fenced | _draw(records)
    for most in LENGTHS:
        text = tidy(template.render(contents, most=most))
        if len(text) < LIMIT:
            break
    return text


def _draw(records: Records) -> dict[str, Any]:
    evaluation, training = records.evaluation, records.training
    if evaluation is None or training is None:
        return {}
    name = wording.name_metric(training.metric)
    roc, calibration = (_find(evaluation.curves, kind) for kind in ("roc", "calibration"))
    return {
        "primary_name": name,
        "importance_chart": Markup(charts.draw_importances(evaluation.importances, name)),
        "roc_chart": Markup(charts.draw_roc(roc) if roc else ""),
        "calibration_chart": Markup(charts.draw_calibration(calibration) if calibration else ""),
        "calibration_label": calibration.label if calibration else "",
    }


def _find(curves: list[Curve], name: str) -> Curve | None:
    """Return the only curve of a kind; the curves of several classes are left to the page."""
    found = [curve for curve in curves if curve.name == name]
    return found[0] if len(found) == 1 else None


def _fence(text: str) -> Markup:
    """Return text that cannot end the fenced block it stands in, and is not endless."""
    return Markup(text[:6000].replace("```", "'''"))


def tidy(text: str) -> str:
    """Leave one empty line where conditions of the template left several."""
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"

"""The report in Markdown: the comment that a reviewer reads in thirty seconds.

Nothing that comes from data can act as Markdown in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ..core import formatting
from ..core.records import Curve, Records
from ..core.settings import Settings
from . import mermaid
from .content import gather_content

# GitHub refuses comments of 65,536 characters, and the workflow that posts the report adds some more.
LIMIT = 57_000
# How many entries of each list are tried, until the report fits.
LENGTHS = (100, 40, 15, 6)
# Characters of a fenced block.
BLOCK = 6000
# Characters of all sections of a team's own together.
SECTIONS = 12_000
# An invisible character that breaks mentions, issue numbers and addresses apart.
_JOINER = "\N{WORD JOINER}"
_LINKING = re.compile(r"(?<=@)|(?<=#)|(?<=\bwww)(?=\.)|(?<=:)(?=//)", re.IGNORECASE)


@dataclass(frozen=True)
class MermaidCharts:
    """MermaidCharts of an evaluation, each as a fenced block; empty where there is nothing to draw."""

    importance: str = ""
    roc: str = ""
    calibration: str = ""
    calibration_label: str = ""
    """The class that the calibration is of."""


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
    template = make_markdown_environment(str(__package__)).get_template("report.md.jinja")
    content, charts = vars(gather_content(records, settings)), _draw_charts(records)
    for most in LENGTHS:
        text = tidy(template.render(content, charts=charts, most=most))
        if len(text) < LIMIT:
            break
    return text


def tidy(text: str) -> str:
    """Leave one empty line where conditions of a template left several."""
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def escape(text: object) -> Markup:
    """Return text that GitHub shows as it is: no markup, HTML, mention or link in it takes effect."""
    line = re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in str(text)))
    line = re.sub(r"([\\`*_~$]|\](?=[(\[:]))", r"\\\1", line)
    line = re.sub(r"^(?=[-+=#] |\d+[.)] |---|===)", _JOINER, line)
    line = _LINKING.sub(_JOINER, line)
    for character, entity in {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}.items():
        line = line.replace(character, entity)
    return Markup(line)


def code(text: object, length: int = 60) -> Markup:
    """Return a value as code, inside or outside of a table.

    A pipe would end the cell and a backtick the code; values that hold one are written in HTML.
    """
    line = formatting.shorten(str(text), length) or '""'
    if not re.search(r"[`|]", line):
        return Markup(f"`{line}`")
    line = _LINKING.sub(_JOINER, line)
    return Markup("<code>" + re.sub(r"[^\w\s.,]|_", lambda found: f"&#{ord(found[0])};", line) + "</code>")


def table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    """Return a table of cells that are Markdown already; where there are no rows, nothing."""
    if not rows:
        return Markup("")
    lines = [names, [":--"] * len(names), *rows]
    return Markup("\n".join(f"| {' | '.join(line)} |" for line in lines))


@cache
def make_markdown_environment(package: str) -> Environment:
    """Return a Jinja environment that escapes each value for Markdown, with the templates of a package."""
    environment = Environment(
        loader=PackageLoader(package, "templates"),
        autoescape=True,
        finalize=lambda value: value if isinstance(value, Markup) else escape(value),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {
        "code": code,
        "block": _cut_block,
        "fit": _fit_section,
        "number": lambda value, decimals=None: Markup(formatting.write_number(value, decimals)),
        "count": lambda value: Markup(f"{value:,}"),
        "share": lambda value: Markup(escape(formatting.write_share(value))),
        "metric_name": lambda name: escape(formatting.name_metric(name)),
        "estimate": lambda metric, estimate, **how: Markup(formatting.write_metric(metric, estimate, **how)),
        "plural": formatting.plural,
        "decimals": formatting.choose_decimals,
        "shorten": formatting.shorten,
    }
    return environment


def _draw_charts(records: Records) -> MermaidCharts:
    evaluation, training = records.evaluation, records.training
    if evaluation is None or training is None:
        return MermaidCharts()
    roc, calibration = (_find_curve(evaluation.curves, name) for name in ("roc", "calibration"))
    metric = formatting.name_metric(training.metric)
    return MermaidCharts(
        importance=mermaid.draw_importances(evaluation.importances, metric),
        roc=mermaid.draw_roc(roc) if roc else "",
        calibration=mermaid.draw_calibration(calibration) if calibration else "",
        calibration_label=calibration.label if calibration else "",
    )


def _find_curve(curves: list[Curve], name: str) -> Curve | None:
    """Return the only curve of a kind; the curves of several classes are left to the page."""
    found = [curve for curve in curves if curve.name == name]
    return found[0] if len(found) == 1 else None


def _cut_block(text: str) -> Markup:
    """Return text that cannot end the fenced block it stands in, and is not endless."""
    return Markup(text[:BLOCK].replace("```", "'''"))


def _fit_section(markdown: str, count: int) -> Markup:
    """Return as much of one of ``count`` sections as the report has room for."""
    # Only for those who have sections: it takes as long to import as all the rest of the report.
    from .fragment import cut

    return Markup(cut(markdown, SECTIONS // count))

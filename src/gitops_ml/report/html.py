"""The report as one HTML page that needs nothing from outside."""

from __future__ import annotations

from functools import cache

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ..core import formatting
from ..core.records import Estimate, Records, ReportSection
from ..core.settings import Settings
from . import svg
from .content import Content, gather_content
from .figures import Figure, draw_figures
from .svg import Box, Scale

# Width and height of the small plot of one interval, and the room for its dot at the ends.
WIDTH, HEIGHT, EDGE = 160, 18, 6


def render_page(records: Records, settings: Settings | None) -> str:
    """Return the report as HTML: no script, no request, the same bytes for the same records.

    Parameters
    ----------
    records : Records
        What the stages found out; parts that a failed run did not reach are None.
    settings : Settings or None
        The settings of the run; None where they could not be read.
    """
    template = make_html_environment(str(__package__)).get_template("page.html.jinja")
    content = gather_content(records, settings)
    return template.render(vars(content), figures=_draw(records), span=_find_span(content)) + "\n"


def draw_interval(estimate: Estimate, span: tuple[float, float], line: float) -> Markup:
    """Draw a value with its interval as a small SVG.

    Parameters
    ----------
    estimate : Estimate
        The value, a dot on the line of its interval.
    span : tuple of float
        What the left and right edges stand for.
    line : float
        Where an upright line through the row stands.
    """
    left, right = span if span[1] > span[0] else (span[0] - 1, span[0] + 1)
    scale = Scale(left, right, 0.0, 1.0, Box(EDGE, 0, WIDTH - EDGE, HEIGHT))
    marks = [
        svg.draw_path("track", f"M0 {HEIGHT / 2:g}H{WIDTH}"),
        svg.draw_stems(scale, [(line, 0.0, 1.0)], "rule"),
        svg.draw_bars(scale, [(0.5, estimate.low, estimate.high)], "range"),
        svg.draw_dots(scale, [(estimate.value, 0.5)], "dot last"),
    ]
    return svg.frame_figure(marks, WIDTH, HEIGHT, kind="interval")


def _render_section(section: ReportSection) -> Markup:
    # Only for those who have sections: it takes as long to import as all the rest of the page.
    from .safe_html import render_markdown, sanitise_html

    return render_markdown(section.markdown) if section.html is None else sanitise_html(section.html)


def _draw_gain(difference: Estimate) -> Markup:
    """Draw a difference around zero; each metric has a scale of its own."""
    return draw_interval(difference, (min(0.0, difference.low), max(0.0, difference.high)), line=0.0)


def _find_span(content: Content) -> tuple[float, float]:
    """Return the range that the intervals of all slices share."""
    ends = [end for piece in content.slices for end in (piece.model.low, piece.model.high)]
    ends += [content.primary.model.value] if content.primary else []
    return (min(ends), max(ends)) if ends else (0.0, 1.0)


def _draw(records: Records) -> list[Figure]:
    if records.evaluation is None or records.training is None:
        return []
    return draw_figures(records.evaluation, records.training)


@cache
def make_html_environment(*packages: str) -> Environment:
    """Return a Jinja environment that escapes each value for HTML, with the templates of some packages."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package, "templates") for package in packages]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {
        "number": formatting.write_number,
        "decimals": formatting.choose_decimals,
        "share": formatting.write_share,
        "metric_name": formatting.name_metric,
        "estimate": formatting.write_metric,
        "judge": formatting.judge,
        "plural": formatting.plural,
        "shorten": formatting.shorten,
        "gain": _draw_gain,
        "interval": draw_interval,
        "section": _render_section,
    }
    return environment

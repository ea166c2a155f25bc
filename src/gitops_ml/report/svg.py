"""SVG of a Matplotlib plot: one style, the page's colours, and bytes that repeat."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
from matplotlib import rcsetup
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

# Colours that stand for those of the page: they are replaced by its CSS variables, so that one
# drawing suits light and dark.
INK, SOFT, GRID = "#010202", "#010203", "#040506"
SERIES = [f"#0a0b0{number}" for number in range(1, 9)]
_VARIABLES = {
    INK: "var(--ink)",
    SOFT: "var(--ink-soft)",
    GRID: "var(--line)",
    **{colour: f"var(--series-{number})" for number, colour in enumerate(SERIES, start=1)},
}
SHADES = LinearSegmentedColormap.from_list("shades", [(0.24, 0.45, 0.86, 0.0), (0.24, 0.45, 0.86, 0.6)])
_STYLE: Any = {
    "svg.fonttype": "none",
    # A dollar sign in a name is no mathematics.
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": SOFT,
    "axes.labelcolor": SOFT,
    "axes.edgecolor": GRID,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": rcsetup.cycler(color=SERIES),
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": SOFT,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "legend.fontsize": 8,
}
_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


def render_svg(name: str, size: tuple[float, float], plot: Callable[[Axes], None]) -> str:
    """Return an SVG, to stand in an HTML page, of what ``plot`` draws on axes of a ``size`` in inches.

    It has a figure of its own, without pyplot's global state. Its ids begin with ``name``.
    """
    with mpl.rc_context(_STYLE | {"svg.hashsalt": name}):
        figure = Figure(figsize=size, layout="constrained")
        plot(figure.add_subplot())
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata=_METADATA, transparent=True)
    return _embed(buffer.getvalue(), name)


def _embed(svg: str, name: str) -> str:
    """Make an SVG file part of a page: no prologue, no size, ids of its own, the page's colours."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'href="#', f'href="#{name}-', svg)
    svg = svg.replace("url(#", f"url(#{name}-")
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    return svg.replace("<svg", f'<svg role="img" aria-labelledby="{name}-title"', 1)

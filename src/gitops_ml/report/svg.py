"""SVG of all pages: marks with classes, whose colours the style of the page gives in light and dark.

Small drawings are 100 wide and 100 high, and a page may stretch them: lines keep their width and dots
stay round, and text stands beside them, in HTML. Figures have axes and text of their own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

Point = tuple[float, float]


class Box(NamedTuple):
    """Where the edges of a plot lie in its drawing."""

    left: float = 0
    top: float = 0
    right: float = 100
    bottom: float = 100


class Scale(NamedTuple):
    """What the edges of a plot stand for."""

    left: float
    right: float
    bottom: float
    top: float
    box: Box = Box()

    def place(self, x: float, y: float) -> str:
        """Return where a point lies, inside the edges."""
        return f"{self.place_x(x)} {self.place_y(y)}"

    def place_x(self, x: float) -> str:
        """Return where a value lies from left to right; where there is but one, it lies at the right."""
        return _write(self.box.left + (self.box.right - self.box.left) * _share(x, self.left, self.right))

    def place_y(self, y: float) -> str:
        """Return where a value lies from top to bottom."""
        return _write(self.box.bottom - (self.box.bottom - self.box.top) * _share(y, self.bottom, self.top))


def frame(marks: Iterable[str], label: str = "") -> Markup:
    """Return a small drawing of some marks, with the words that stand for it where it cannot be seen."""
    return _make_svg('class="plot" viewBox="0 0 100 100" preserveAspectRatio="none"', marks, label)


def frame_figure(
    marks: Iterable[str], width: float, height: float, label: str = "", kind: str = "figure"
) -> Markup:
    """Return a drawing that keeps its proportions."""
    return _make_svg(f'class="plot {kind}" viewBox="0 0 {width:g} {height:g}"', marks, label)


def _make_svg(attributes: str, marks: Iterable[str], label: str) -> Markup:
    role = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    return Markup(f"<svg {attributes} {role}>{''.join(marks)}</svg>")


def draw_line(scale: Scale, points: Sequence[Point], kind: str = "line") -> str:
    """Draw a line through points; a single one is a dot."""
    if len(points) == 1:
        return draw_dots(scale, points)
    return draw_path(kind, "M" + "L".join(scale.place(x, y) for x, y in points)) if points else ""


def draw_dots(scale: Scale, points: Iterable[Point], kind: str = "dot") -> str:
    """Draw a dot at each point: a line without length, whose round ends no stretching bends."""
    return draw_path(kind, "".join(f"M{scale.place(x, y)}h0" for x, y in points))


def draw_band(scale: Scale, xs: Sequence[float], lows: Sequence[float], highs: Sequence[float]) -> str:
    """Draw the area between two lines; where there is one point only, an upright stroke."""
    if len(xs) == 1:
        return draw_stems(scale, [(xs[0], lows[0], highs[0])])
    there = [scale.place(x, y) for x, y in zip(xs, highs, strict=True)]
    back = [scale.place(x, y) for x, y in zip(xs, lows, strict=True)]
    return draw_path("band", f"M{'L'.join([*there, *reversed(back)])}Z") if xs else ""


def draw_stems(scale: Scale, stems: Iterable[tuple[float, float, float]], kind: str = "stem") -> str:
    """Draw upright strokes, each at ``x`` from ``low`` to ``high``."""
    return draw_path(kind, "".join(f"M{scale.place(x, low)}V{scale.place_y(high)}" for x, low, high in stems))


def draw_bars(scale: Scale, bars: Iterable[tuple[float, float, float]], kind: str = "bar") -> str:
    """Draw level strokes, each at ``y`` from ``low`` to ``high``."""
    return draw_path(kind, "".join(f"M{scale.place(low, y)}H{scale.place_x(high)}" for y, low, high in bars))


def draw_rule(scale: Scale, y: float, left: float | None = None) -> str:
    """Draw a level line from ``left``, or from the edge, to the right edge."""
    return draw_bars(scale, [(y, scale.left if left is None else left, scale.right)], "rule")


def draw_cuts(scale: Scale, xs: Iterable[float]) -> str:
    """Draw upright lines where something changed."""
    return draw_path("cut", "".join(f"M{scale.place_x(x)} 0V100" for x in xs))


def draw_zone(scale: Scale, y: float) -> str:
    """Shade all that lies above a value."""
    return draw_path("zone", f"M0 0H100V{scale.place_y(y)}H0Z")


def draw_steps(scale: Scale, points: Sequence[Point], kind: str = "line") -> str:
    """Draw a value that stays until the next point; the last one stays until the right edge."""
    if not points:
        return ""
    path = "".join(f"H{scale.place_x(x)}V{scale.place_y(y)}" for x, y in points[1:])
    return draw_path(kind, f"M{scale.place(*points[0])}{path}H{scale.box.right:g}")


def draw_cells(states: Sequence[str]) -> list[str]:
    """Draw a row of cells, one a state; a state is the name of a class."""
    step = 100 / max(len(states), 1)
    width = _write(step - min(0.16 * step, 0.6))
    return [
        draw_path(state, f"M{_write(place * step)} 0h{width}v100h-{width}z")
        for place, state in enumerate(states)
    ]


def draw_pair(now: float, before: float, most: float) -> Markup:
    """Draw two bars one above the other, as shares of ``most``; a negative one has no length."""
    scale = Scale(0.0, most, 100.0, 0.0)
    bars = (("bar now", 28, now), ("bar before", 72, before))
    return frame(draw_bars(scale, [(y, 0.0, value)], kind) for kind, y, value in bars if value > 0)


def draw_x_axis(scale: Scale, label: str) -> str:
    """Draw upright grid lines with their numbers, and the name of the axis."""
    marks = [draw_x_label(scale, label)]
    for value, text in find_ticks(scale.left, scale.right):
        x = scale.place_x(value)
        marks += [draw_path("grid", f"M{x} {scale.box.top:g}V{scale.box.bottom:g}")]
        marks += [draw_text(text, x, scale.box.bottom + 15, "middle")]
    return "".join(marks)


def draw_y_axis(scale: Scale, label: str) -> str:
    """Draw level grid lines with their numbers, and the name of the axis."""
    marks = [draw_y_label(scale, label)]
    for value, text in find_ticks(scale.bottom, scale.top):
        y = scale.place_y(value)
        marks += [draw_path("grid", f"M{scale.box.left:g} {y}H{scale.box.right:g}")]
        marks += [draw_text(text, scale.box.left - 7, y, "end")]
    return "".join(marks)


def draw_x_label(scale: Scale, label: str, below: float = 36) -> str:
    """Write the name of the axis from left to right."""
    return draw_text(label, (scale.box.left + scale.box.right) / 2, scale.box.bottom + below, "middle")


def draw_y_label(scale: Scale, label: str) -> str:
    """Write the name of the axis from bottom to top."""
    return draw_text(label, 9, (scale.box.top + scale.box.bottom) / 2, "middle", turn=-90)


def draw_matrix(scale: Scale, shares: Sequence[Sequence[float]]) -> str:
    """Draw a matrix of cells, each as dark as its share, 0 to 1; the first row is at the top."""
    paths: dict[str, str] = {}
    for row, parts in enumerate(shares):
        for column, share in enumerate(parts):
            right, bottom = scale.place_x(column + 1), scale.place_y(row + 1)
            path = f"M{scale.place(column, row)}H{right}V{bottom}H{scale.place_x(column)}Z"
            # A hundred classes have ten thousand cells, in few shades.
            shade = f"{0.04 + 0.56 * round(share, 1):.2f}"
            paths[shade] = paths.get(shade, "") + path
    return "".join(f'<path class="cell" fill-opacity="{shade}" d="{path}"/>' for shade, path in paths.items())


def pad(values: Sequence[float]) -> tuple[float, float]:
    """Return the range of some values with a little room at both ends."""
    low, high = min(values), max(values)
    room = (high - low or abs(high) or 1.0) * 0.08
    return low - room, high + room


def find_ticks(low: float, high: float, most: int = 6) -> list[tuple[float, str]]:
    """Return at most so many round numbers of a range, evenly spaced, each with its text."""
    if not high > low:
        return []
    finest = (high - low) / most
    unit = 10.0 ** math.floor(math.log10(finest))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= finest)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    places = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    return [(place * step, f"{place * step:,.{decimals}f}") for place in places]


def draw_text(text: str, x: float | str, y: float | str, kind: str, turn: float = 0) -> str:
    """Write text in a figure, its start, middle or end at the place, turned by some degrees."""
    around = f' transform="rotate({turn:g} {x} {y})"' if turn else ""
    return f'<text class="{kind}" x="{x}" y="{y}"{around}>{escape(text)}</text>'


def draw_path(kind: str, path: str) -> str:
    """Draw a path of SVG as a mark of some kind, the names of its classes."""
    return f'<path class="{kind}" d="{path}"/>' if path else ""


def _share(value: float, start: float, end: float) -> float:
    return min(max((value - start) / (end - start), 0.0), 1.0) if end != start else 1.0


def _write(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")

"""Small drawings in SVG that a page may stretch: their text stands beside them, in HTML.

All are 100 wide and 100 high. Lines keep their width and dots stay round however they are stretched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

Point = tuple[float, float]


class Scale(NamedTuple):
    """What the edges of a drawing stand for."""

    left: float
    right: float
    bottom: float
    top: float

    def place(self, x: float, y: float) -> str:
        """Return where a point lies, inside the edges."""
        return f"{self.place_x(x)} {self.place_y(y)}"

    def place_x(self, x: float) -> str:
        """Return how far from the left a value lies; where there is but one, it lies at the right."""
        return _write(100 * _share(x, self.left, self.right))

    def place_y(self, y: float) -> str:
        """Return how far from the top a value lies."""
        return _write(100 - 100 * _share(y, self.bottom, self.top))


def frame(marks: Iterable[str], label: str = "") -> Markup:
    """Return a drawing of some marks, with the words that stand for it where it cannot be seen."""
    role = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    start = f'<svg class="plot" viewBox="0 0 100 100" preserveAspectRatio="none" {role}>'
    return Markup(f"{start}{''.join(marks)}</svg>")


def draw_line(scale: Scale, points: Sequence[Point]) -> str:
    """Draw a line through points; a single one is a dot."""
    if len(points) == 1:
        return draw_dots(scale, points)
    return _path("line", "M" + "L".join(scale.place(x, y) for x, y in points)) if points else ""


def draw_dots(scale: Scale, points: Iterable[Point], kind: str = "dot") -> str:
    """Draw a dot at each point: a line without length, whose round ends no stretching bends."""
    return _path(kind, "".join(f"M{scale.place(x, y)}h0" for x, y in points))


def draw_band(scale: Scale, xs: Sequence[float], lows: Sequence[float], highs: Sequence[float]) -> str:
    """Draw the area between two lines; where there is one point only, an upright stroke."""
    if len(xs) == 1:
        return draw_stems(scale, [(xs[0], lows[0], highs[0])])
    there = [scale.place(x, y) for x, y in zip(xs, highs, strict=True)]
    back = [scale.place(x, y) for x, y in zip(xs, lows, strict=True)]
    return _path("band", f"M{'L'.join([*there, *reversed(back)])}Z") if xs else ""


def draw_stems(scale: Scale, stems: Iterable[tuple[float, float, float]]) -> str:
    """Draw upright strokes, each at ``x`` from ``low`` to ``high``."""
    return _path("stem", "".join(f"M{scale.place(x, low)}V{scale.place_y(high)}" for x, low, high in stems))


def draw_rule(scale: Scale, y: float, left: float | None = None) -> str:
    """Draw a level line from ``left``, or from the edge."""
    return _path("rule", f"M{scale.place(scale.left if left is None else left, y)}H100")


def draw_cuts(scale: Scale, xs: Iterable[float]) -> str:
    """Draw upright lines where something changed."""
    return _path("cut", "".join(f"M{scale.place_x(x)} 0V100" for x in xs))


def draw_zone(scale: Scale, y: float) -> str:
    """Shade all that lies above a value."""
    return _path("zone", f"M0 0H100V{scale.place_y(y)}H0Z")


def draw_steps(scale: Scale, points: Sequence[Point], kind: str = "line") -> str:
    """Draw a value that stays until the next point; the last one stays until the right edge."""
    if not points:
        return ""
    start, *others = points
    path = "".join(f"H{scale.place_x(x)}V{scale.place_y(y)}" for x, y in others)
    return _path(kind, f"M{scale.place(*start)}{path}H100")


def draw_cells(states: Sequence[str]) -> list[str]:
    """Draw a row of cells, one a state; a state is the name of a class."""
    step = 100 / max(len(states), 1)
    width = _write(step - min(0.16 * step, 0.6))
    return [
        _path(state, f"M{_write(place * step)} 0h{width}v100h-{width}z") for place, state in enumerate(states)
    ]


def draw_pair(now: float, before: float, most: float) -> Markup:
    """Draw two bars one above the other, as shares of ``most``; a negative one has no length."""
    scale = Scale(0.0, most, 0.0, 1.0)
    return frame(
        _path(f"bar {kind}", f"M0 {height}H{scale.place_x(value)}")
        for kind, height, value in (("now", 28, now), ("before", 72, before))
        if value > 0
    )


def _path(kind: str, path: str) -> str:
    return f'<path class="{kind}" d="{path}"/>' if path else ""


def _share(value: float, start: float, end: float) -> float:
    return min(max((value - start) / (end - start), 0.0), 1.0) if end > start else 1.0


def _write(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")

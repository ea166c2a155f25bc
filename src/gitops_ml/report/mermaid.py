"""Charts in Mermaid, which GitHub draws inside a comment."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from ..core.records import Curve, Importance

POINTS = 20
# Mermaid's own colours are too pale for lines; these are seen on white and on black.
_INIT = (
    '%%{init: {"xyChart": {"width": 640, "height": 320}, '
    '"themeVariables": {"xyChart": {"plotColorPalette": "#2f81f7, #8b949e"}}}}%%'
)


def draw_importances(importances: Sequence[Importance], metric: str, most: int = 8) -> str:
    """Return a bar chart of how much the metric loses when a column is shuffled."""
    shown = [importance for importance in importances if importance.mean > 0][:most]
    if not shown:
        return ""
    highest = max(importance.mean for importance in shown)
    return _fence(
        "xychart-beta horizontal",
        f"x-axis [{', '.join(_quote(importance.column) for importance in shown)}]",
        f"y-axis {_quote('loss of ' + metric)} 0 --> {highest * 1.05:.6g}",
        f"bar [{', '.join(f'{importance.mean:.6g}' for importance in shown)}]",
    )


def draw_calibration(curve: Curve) -> str:
    """Return a line chart of observed against predicted probability, with the ideal line."""
    return _draw_unit_square(curve, "predicted probability", "observed share")


def draw_roc(curve: Curve) -> str:
    """Return a line chart of the ROC curve, with the line of chance."""
    return _draw_unit_square(curve, "false positive rate", "true positive rate")


def _draw_unit_square(curve: Curve, across: str, up: str) -> str:
    """Draw a curve over the span of its x; Mermaid spaces points evenly, so it is interpolated."""
    points = sorted(zip(curve.x, curve.y, strict=True))
    if len(points) < 2 or points[0][0] == points[-1][0]:
        return ""
    first, last = points[0][0], points[-1][0]
    grid = [first + (last - first) * step / POINTS for step in range(POINTS + 1)]
    heights = [_interpolate(points, x) for x in grid]
    top = min(1.0, max(*heights, last) * 1.05)
    return _fence(
        "xychart-beta",
        f"x-axis {_quote(across)} {first:.4g} --> {last:.4g}",
        f"y-axis {_quote(up)} 0 --> {top:.4g}",
        f"line [{', '.join(f'{height:.4g}' for height in heights)}]",
        f"line [{', '.join(f'{x:.4g}' for x in grid)}]",
    )


def _interpolate(points: list[tuple[float, float]], x: float) -> float:
    after = min(max(bisect_left(points, (x, float("-inf"))), 1), len(points) - 1)
    (x0, y0), (x1, y1) = points[after - 1], points[after]
    return y1 if x1 == x0 else y0 + (y1 - y0) * min(max((x - x0) / (x1 - x0), 0), 1)


def _quote(text: str) -> str:
    """Return a label that Mermaid's grammar cannot stumble over."""
    return '"' + (re.sub(r"[^\w .,()%+-]", "·", text)[:30].strip() or "·") + '"'


def _fence(*lines: str) -> str:
    return "\n".join(["```mermaid", _INIT, *lines, "```"])

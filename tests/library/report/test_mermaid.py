"""Charts in Mermaid."""

from __future__ import annotations

import re

from gitops_ml.core.records import Curve, Importance
from gitops_ml.report import mermaid


def test_importances_are_bars_without_those_that_do_not_help() -> None:
    """A bar chart shows the columns that matter."""
    importances = [Importance(column="hour", mean=0.1, sd=0), Importance(column="noise", mean=-0.1, sd=0)]
    chart = mermaid.draw_importances(importances, "ROC AUC")
    assert 'x-axis ["hour"]' in chart
    assert "bar [0.1]" in chart


def test_curves_are_drawn_at_even_steps_because_mermaid_spaces_points_evenly() -> None:
    """A curve through (0, 0), (0.1, 0.8) and (1, 1) must not become a straight line."""
    chart = mermaid.draw_roc(Curve(name="roc", x=[0, 0.1, 1], y=[0, 0.8, 1]))
    heights = [float(height) for height in re.findall(r"line \[(.*?)\]", chart)[0].split(", ")]
    assert mermaid.POINTS + 1 == len(heights)
    assert [0, 0.4, 0.8] == heights[:3]


def test_names_cannot_leave_their_quotes() -> None:
    """A column may be called anything."""
    chart = mermaid.draw_importances([Importance(column='a"]\n```%%{x', mean=0.1, sd=0)], "f1")
    assert 'x-axis ["a····' in chart
    assert 2 == chart.count("```")


def test_a_curve_of_one_point_is_not_drawn() -> None:
    """There is no line through one point."""
    assert "" == mermaid.draw_calibration(Curve(name="calibration", x=[0.2, 0.2], y=[0.1, 0.3]))

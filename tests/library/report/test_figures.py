"""Figures of the page."""

from __future__ import annotations

import pytest

from examples import make_evaluation, make_training
from gitops_ml.core.records import Curve
from gitops_ml.report.figures import draw_figures


@pytest.mark.parametrize(
    ("problem", "names"),
    [
        ("binary", ["roc", "precision_recall", "calibration", "confusion", "importance"]),
        ("multiclass", ["roc", "precision_recall", "calibration", "confusion", "importance"]),
        ("regression", ["predictions", "residuals", "importance"]),
    ],
)
def test_each_problem_has_its_figures(problem: str, names: list[str]) -> None:
    """What is drawn depends on what the record holds, and on nothing else."""
    drawings = draw_figures(make_evaluation(problem), make_training(problem))
    assert names == [drawing.name for drawing in drawings]


def test_figures_take_the_colours_of_the_page() -> None:
    """One drawing suits light and dark, so no colour is fixed."""
    for drawing in draw_figures(make_evaluation("multiclass"), make_training("multiclass")):
        assert "var(--ink-soft)" in drawing.svg
        assert "#0" not in drawing.svg.replace("&#0", "")


def test_figures_hold_no_date_and_no_size() -> None:
    """The same points give the same bytes, and the page decides the width."""
    svg = draw_figures(make_evaluation("binary"), make_training("binary"))[0].svg
    assert "<metadata" not in svg
    assert "width=" not in svg[: svg.index(">")]
    assert 'aria-labelledby="roc-title"' in svg


def test_many_classes_are_cut_and_it_says_so() -> None:
    """Forty lines in one figure show nothing."""
    curves = [Curve(name="roc", label=f"class {number}", x=[0, 1], y=[0, 1]) for number in range(40)]
    training = make_training("multiclass", classes=[f"class {number}" for number in range(40)])
    evaluation = make_evaluation("multiclass", curves=curves, confusion=[[1] * 40] * 40)
    drawing = draw_figures(evaluation, training)[0]
    assert "Only 8 of 40 classes are drawn." in drawing.caption
    assert "class 8" not in drawing.svg


def test_names_are_not_read_as_mathematics() -> None:
    """A class may be called $a_b$."""
    evaluation = make_evaluation("binary")
    drawing = draw_figures(evaluation, make_training("binary", classes=["$a_b$", "x^"]))[3]
    assert "$a_b$" in drawing.svg

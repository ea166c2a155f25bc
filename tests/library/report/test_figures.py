"""Figures of the page."""

from __future__ import annotations

import re

import pytest

from examples import make_evaluation, make_training
from gitops_ml.core.records import Curve
from gitops_ml.report.figures import BOX, draw_figures
from gitops_ml.report.svg import find_ticks


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
    figures = draw_figures(make_evaluation(problem), make_training(problem))
    assert names == [figure.name for figure in figures]


def test_figures_take_the_colours_of_the_page() -> None:
    """One drawing suits light and dark, so it names classes, and no colour."""
    for figure in draw_figures(make_evaluation("multiclass"), make_training("multiclass")):
        assert not re.search(r"#[0-9a-f]{3}|rgb|stroke=|fill=|style=", figure.drawing)
        assert " width=" not in figure.drawing


def test_figures_are_small() -> None:
    """A hundred classes make a page that can still be opened."""
    classes = [f"class {number}" for number in range(100)]
    confusion = [[row * column % 17 for column in range(100)] for row in range(100)]
    many = make_evaluation("multiclass", confusion=confusion)
    for evaluation, names, most in (
        (many, classes, 350_000),
        (make_evaluation("binary"), ["a", "b"], 12_000),
    ):
        figures = draw_figures(evaluation, make_training("multiclass", classes=names))
        assert sum(len(figure.drawing) for figure in figures) < most


def test_many_classes_are_cut_and_it_says_so() -> None:
    """Forty lines in one figure show nothing."""
    curves = [Curve(name="roc", label=f"class {number}", x=[0, 1], y=[0, 1]) for number in range(40)]
    training = make_training("multiclass", classes=[f"class {number}" for number in range(40)])
    evaluation = make_evaluation("multiclass", curves=curves, confusion=[[1] * 40] * 40)
    figure = draw_figures(evaluation, training)[0]
    assert "Only 8 of 40 classes are drawn." in figure.caption
    assert [f"class {number}" for number in range(8)] == list(figure.legend)
    assert 8 == figure.drawing.count('class="line series-')


def test_curves_lie_where_their_points_are() -> None:
    """On axes from 0 to 1; precision stays until the next recall."""
    curves = [Curve(name="roc", x=[0, 0.5, 1], y=[0, 0.5, 1])]
    curves += [Curve(name="precision_recall", x=[1, 0.5, 0], y=[0, 0.5, 1])]
    roc, steps = draw_figures(make_evaluation("binary", curves=curves), make_training("binary"))[:2]
    left, top, right, bottom = BOX
    x, y = (left + right) // 2, (top + bottom) // 2
    assert f'd="M{left} {bottom}L{x} {y}L{right} {top}"' in roc.drawing
    assert f'<path class="rule" d="M{left} {bottom}L{right} {top}"/>' in roc.drawing
    assert f'd="M{right} {bottom}L{x} {bottom}L{x} {y}L{left} {y}L{left} {top}"' in steps.drawing


def test_confusion_matrix_has_a_number_in_each_cell() -> None:
    """And the share of its row; the more, the darker."""
    confusion = draw_figures(make_evaluation("binary"), make_training("binary"))[3]
    texts = re.findall(r'<text class="number[^>]*>([^<]*)<', confusion.drawing)
    assert ["820", "88%", "110", "12%", "160", "59%", "110", "41%"] == texts
    assert ["0.54", "0.10", "0.38", "0.26"] == re.findall(r'fill-opacity="([^"]+)"', confusion.drawing)


def test_a_column_that_does_harm_points_to_the_left() -> None:
    """Zero is where all bars begin."""
    figure = draw_figures(make_evaluation("binary"), make_training("binary"))[-1]
    [bars] = re.findall(r'<path class="bar thick" d="([^"]+)"', figure.drawing)
    starts = [float(start) for start in re.findall(r"M([\d.]+) ", bars)]
    ends = [float(end) for end in re.findall(r"H([\d.]+)", bars)]
    assert 1 == len(set(starts))
    assert [True, True, True, False] == [end > starts[0] for end in ends]
    assert sorted(ends, reverse=True) == ends


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (-23, 21, ["-20", "-10", "0", "10", "20"]),
        (0.001, 0.0042, ["0.001", "0.002", "0.003", "0.004"]),
        (150_000, 1_250_000, ["200,000", "400,000", "600,000", "800,000", "1,000,000", "1,200,000"]),
        (1, 1, []),
    ],
)
def test_ticks_are_round_numbers(low: float, high: float, expected: list[str]) -> None:
    """A few of them, inside the range."""
    assert expected == [text for _, text in find_ticks(low, high)]


def test_names_are_text() -> None:
    """A class may be called $a_b$, or be markup."""
    training = make_training("binary", classes=["$a_b$", "<b>"])
    drawing = draw_figures(make_evaluation("binary"), training)[3].drawing
    assert "$a_b$" in drawing
    assert "&lt;b&gt;" in drawing
    assert "<b>" not in drawing

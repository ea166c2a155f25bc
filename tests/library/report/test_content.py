"""Tests of what a report shows, and in which order."""

from __future__ import annotations

from examples import make_records
from gitops_ml.report.content import gather_content


def test_worst_slice_comes_first_in_both_directions() -> None:
    """Worst is low for a score and high for an error."""
    score, error = (gather_content(make_records(problem), None) for problem in ("binary", "regression"))

    assert ["EWR", "JFK", "LGA"] == [piece.level for piece in score.slices]
    assert ["LGA", "JFK", "EWR"] == [piece.level for piece in error.slices]


def test_candidates_are_listed_winner_first_and_failed_last() -> None:
    """The order of the table is the order of the result."""
    content = gather_content(make_records("binary"), None)

    assert ["boosting", "linear", "forest"] == [candidate.name for candidate in content.candidates]

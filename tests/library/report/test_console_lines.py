"""Tests of the sentences that people who watch a run read."""

from __future__ import annotations

import pytest

from gitops_ml.core.records import ComparisonRecord, DataFile, Estimate, Finding, Gate, ValidationRecord
from gitops_ml.report import console_lines

GATES = [
    Gate(name="size", passed=True, evidence="1 MB of 25 MB"),
    Gate(name="latency", passed=False, evidence="200 ms of 100 ms"),
]


def test_a_finding_says_where_how_often_and_what() -> None:
    """One line is enough to start looking."""
    finding = Finding(
        level="error", column="distance", check="in range", count=3, share=0.015, examples=["-1", "-2"]
    )

    assert "distance: in range, 3 rows (1.5%), such as -1" == console_lines.describe_finding(finding)


def test_a_finding_about_the_whole_table() -> None:
    """It has no rows to count."""
    finding = Finding(level="warning", column="table", check="is fresh", count=0, share=0.0)

    assert "the table: is fresh" == console_lines.describe_finding(finding)


def test_validation_mentions_what_waits() -> None:
    """Data that nobody has accepted are easy to forget."""
    files = [DataFile(path="a", sha256="0", rows=1200)]
    record = ValidationRecord(passed=True, rows=1200, files=files, waiting=["b", "c"])

    expected = "1,200 rows from 1 file, the contract holds, 2 files not accepted yet (mlops data status)"
    assert expected == console_lines.describe_validation(record)


@pytest.mark.parametrize(
    ("verdict", "words"),
    [("better", "better than the baseline"), ("cannot tell", "cannot tell it from the baseline")],
)
def test_comparison_names_the_gates_that_fail(verdict: str, words: str) -> None:
    """The verdict comes first, then what stands in the way."""
    record = ComparisonRecord.model_validate(
        {
            "against": "baseline",
            "verdict": verdict,
            "metric": "roc_auc",
            "difference": Estimate(value=0.2, low=0.1, high=0.3),
            "margin": 0.01,
            "gates": GATES,
        }
    )

    expected = f"{words}: roc_auc +0.2 [+0.1, +0.3]; 1 of 2 gates hold; latency does not: 200 ms of 100 ms"
    assert expected == console_lines.describe_comparison(record)

"""The verdict and the gates."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_ml.comparison.compare import compare
from gitops_ml.comparison.verdict import decide
from gitops_ml.core.errors import LifecycleError
from gitops_ml.core.records import (
    ComparisonRecord,
    Estimate,
    EvaluationRecord,
    Finding,
    MetricResult,
    ValidationRecord,
)
from gitops_ml.core.settings import Settings


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.001, 0.02, "better"),
        (0.0, 0.02, "no worse"),
        (-0.009, 0.02, "no worse"),
        (-0.009, -0.001, "no worse"),
        (-0.010, 0.02, "cannot tell"),
        (-0.030, 0.0, "cannot tell"),
        (-0.030, -0.001, "worse"),
    ],
)
def test_the_verdict_follows_from_the_interval_and_the_margin(low: float, high: float, verdict: str) -> None:
    """Better above 0, no worse above minus the margin of 0.01, worse below 0, else cannot tell."""
    assert verdict == decide(low, high, 0.01)


def make_settings(problem: str = "classification", **gates: Any) -> Settings:
    metric = "roc_auc" if problem == "classification" else "mae"
    return Settings.model_validate(
        {
            "problem": problem,
            "data": {"target": "y", "time": "time"},
            "train": {"metric": metric},
            "evaluate": {"metrics": [metric]},
            "gates": gates,
        }
    )


def make_evaluation(low: float = 0.21, metric: str = "roc_auc", **changes: Any) -> EvaluationRecord:
    """Return an evaluation whose gain over the baseline is at least ``low``."""
    result = MetricResult(
        name=metric,
        greater_is_better=metric == "roc_auc",
        model=Estimate(value=0.727, low=0.71, high=0.743),
        baseline=Estimate(value=0.5, low=0.5, high=0.5),
        difference=Estimate(value=0.227, low=low, high=0.243),
    )
    values: dict[str, Any] = {"rows": 900, "latency_ms": 4.2, "batch_rows_per_second": 1e5}
    return EvaluationRecord(metrics=[result], **values, **changes)


def make_validation(passed: bool = True) -> ValidationRecord:
    finding = Finding(level="error", column="distance", check="in_range(50, 6000)", count=3, share=0.01)
    return ValidationRecord(passed=passed, rows=1200, files=[], findings=[] if passed else [finding])


def tell_gates(record: ComparisonRecord) -> dict[str, tuple[bool, str]]:
    return {gate.name: (gate.passed, gate.evidence) for gate in record.gates}


def test_gates_without_a_limit_are_not_listed() -> None:
    """What nobody asked for is not shown as if it had been checked."""
    record = compare(make_validation(), make_evaluation(calibration_error=0.02), None, make_settings(), 10)
    expected = {
        "contract holds": (True, "1,200 rows checked"),
        "beats baseline": (True, "ROC AUC +0.227 [+0.210, +0.243] over the baseline"),
    }
    assert expected == tell_gates(record)


def test_each_limit_is_a_gate_with_its_numbers() -> None:
    """The evidence holds what was found and what is allowed."""
    settings = make_settings(max_calibration_error=0.05, max_latency_ms=4, max_size_mb=25)
    record = compare(make_validation(), make_evaluation(calibration_error=0.02), None, settings, 1_200_000)
    expected = {
        "calibration": (True, "calibration error 0.0200, at most 0.05"),
        "latency": (False, "one row in 4.20 ms, at most 4 ms"),
        "size": (True, "bundle of 1.20 MB, at most 25 MB"),
    }
    found = tell_gates(record)
    assert expected == {name: found[name] for name in expected}
    assert not record.passed


@pytest.mark.parametrize(("limit", "passed"), [(17.2, True), (17.1, False)])
def test_errors_of_numbers_are_bounded(limit: float, passed: bool) -> None:
    """For regression, 95 % of the absolute errors must be within the limit; the limit itself is."""
    evaluation = make_evaluation(metric="mae", error_p95=17.2)
    record = compare(make_validation(), evaluation, None, make_settings("regression", max_error=limit), 10)
    assert (passed, f"95 % of errors within 17.2, at most {limit:g}") == tell_gates(record)["error bound"]


def test_broken_data_fail_a_gate_that_names_the_check() -> None:
    """The first failed check stands in the evidence."""
    record = compare(make_validation(False), make_evaluation(), None, make_settings(), 10)
    expected = (False, "1 check failed on 1,200 rows, first distance: in_range(50, 6000)")
    assert expected == tell_gates(record)["contract holds"]


def test_a_gain_that_may_be_chance_fails() -> None:
    """The whole interval must be above the baseline."""
    record = compare(make_validation(), make_evaluation(low=-0.001), None, make_settings(), 10)
    assert not tell_gates(record)["beats baseline"][0]
    assert "no worse" == record.verdict


def test_calibration_cannot_be_checked_without_probabilities() -> None:
    """A limit that nothing can be held against fails, and says what to do."""
    record = compare(make_validation(), make_evaluation(), None, make_settings(max_calibration_error=0.1), 10)
    assert "gives no probabilities" in tell_gates(record)["calibration"][1]


@pytest.mark.parametrize(("margin", "expected"), [("2%", 0.01), (0.003, 0.003)])
def test_the_margin_is_a_share_or_a_number(margin: str | float, expected: float) -> None:
    """A share is one of what the challenger is compared with, here 0.5."""
    assert (
        expected
        == compare(make_validation(), make_evaluation(), None, make_settings(margin=margin), 10).margin
    )


def test_a_missing_primary_metric_is_explained() -> None:
    """After a change of params.yaml the old evaluation may lack it."""
    with pytest.raises(LifecycleError, match="run 'mlops evaluate'"):
        compare(make_validation(), make_evaluation(metric="mae"), None, make_settings(), 10)

"""What checks come to: alarms after enough of them, and retraining where it can help."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_ml.core.records import ColumnDrift, Estimate, Finding
from gitops_ml.core.settings import MonitorSettings, RetrainSettings
from gitops_ml.monitoring.check.alarms import raise_alarms
from gitops_ml.monitoring.check.new_files import NewFiles
from gitops_ml.monitoring.check.records import (
    Alarm,
    Check,
    DataCheck,
    LiveMetric,
    LiveSlice,
    PerformanceCheck,
    ServiceCheck,
    Topic,
)
from gitops_ml.monitoring.check.retraining import decide_retraining, find_start
from gitops_ml.production.branch import Deployment, State

NOW = datetime(2024, 6, 1, tzinfo=UTC)
SOME = Estimate(value=0.7, low=0.6, high=0.8)


def make_data(moved: bool, **changes: object) -> DataCheck:
    column = ColumnDrift(
        column="temp",
        rows=9,
        psi=0.3,
        jensen_shannon=0.2,
        threshold=0.1,
        moved=moved,
        missing=0,
        missing_before=0,
        change="mean 1 → 2",
    )
    return DataCheck(source="files", rows=9, columns=[column]).model_copy(update=changes)


def make_performance(worse: bool, slice_worse: bool = False) -> PerformanceCheck:
    metric = LiveMetric(
        name="roc_auc", greater_is_better=True, live=SOME, before=SOME, difference=SOME, worse=worse
    )
    piece = LiveSlice(column="origin", level="JFK", rows=200, live=SOME, before=SOME, worse=slice_worse)
    return PerformanceCheck(rows=300, metrics=[metric], slices=[piece])


def make_check(data: bool | None, model: int = 3) -> Check:
    violated: dict[Topic, bool] = {} if data is None else {"data": data}
    return Check(time="2024-05-01T00:00:00+00:00", model=model, violated=violated, alarm=False)


def alarm_on_data(now: bool | None, checks: list[Check], violations: str = "2 of 3") -> Alarm:
    data = [] if now is None else [make_data(now)]
    settings = MonitorSettings(violations=violations)
    return raise_alarms(data, None, None, checks, 3, settings)[0]


@given(st.lists(st.booleans(), max_size=8), st.booleans(), st.integers(1, 4), st.integers(0, 3))
def test_an_alarm_needs_enough_of_the_last_checks(
    earlier: list[bool], now: bool, bad: int, more: int
) -> None:
    """Of the last n checks, this one included, k found something."""
    found = alarm_on_data(now, [make_check(one) for one in earlier], f"{bad} of {bad + more}")
    last = [*earlier, now][-(bad + more) :]
    assert (now, sum(last) >= bad) == (found.violated, found.raised)
    assert bool(found.reasons) == (found.violated or found.raised)


def test_checks_of_another_model_do_not_count() -> None:
    """A new champion starts afresh, and so does one that came back."""
    assert alarm_on_data(True, [make_check(True), make_check(True)]).raised
    assert not alarm_on_data(True, [make_check(True, model=2), make_check(True, model=2)]).raised
    assert not alarm_on_data(True, [make_check(True), make_check(False, model=4)]).raised


def test_checks_without_an_answer_are_passed_over() -> None:
    """A day without new files says nothing, for or against."""
    assert alarm_on_data(True, [make_check(True), make_check(None), make_check(None)]).raised


def test_nothing_to_check_at_is_no_alarm() -> None:
    """Whatever was found before has been dealt with."""
    found = alarm_on_data(None, [make_check(True), make_check(True)])
    assert (None, False, []) == (found.violated, found.raised, found.reasons)


def test_reasons_name_what_moved() -> None:
    """A person must know where to look."""
    assert "1 column of the new files moved: temp (mean 1 → 2)." == alarm_on_data(True, []).reasons[0]


def test_a_broken_contract_is_a_violation_of_the_data() -> None:
    """Such rows are no longer what the model was made for."""
    broken = Finding(level="error", column="temp", check="is at most 120", count=4, share=0.1)
    data = [make_data(False, findings={"data/x.parquet": [broken]})]
    found = raise_alarms(data, None, None, [], 3, MonitorSettings())[0]
    assert found.violated
    assert "data/x.parquet breaks the contract: temp is at most 120." == found.reasons[0]


@pytest.mark.parametrize(
    ("worse", "slice_worse", "expected"),
    [(False, False, ""), (True, False, "ROC AUC is"), (False, True, "Worse in 1 slice: origin JFK")],
)
def test_a_worse_metric_or_slice_is_a_violation(worse: bool, slice_worse: bool, expected: str) -> None:
    """As a whole, or in a slice."""
    found = raise_alarms([], make_performance(worse, slice_worse), None, [], 3, MonitorSettings())[1]
    assert (worse or slice_worse) == found.violated
    assert (not expected and not found.reasons) or found.reasons[0].startswith(expected)


def test_the_service_says_its_problems_itself() -> None:
    """They are the reasons."""
    service = ServiceCheck(requests=9, request_errors=0, failed=9, failure_rate=1, problems=["All failed."])
    found = raise_alarms([], None, service, [], 3, MonitorSettings(violations="1 of 1"))[2]
    assert (True, "All failed.") == (found.raised, found.reasons[0])


ALARM = [Alarm(topic="data", violated=True, raised=True)]
SERVICE = [Alarm(topic="service", violated=True, raised=True)]
NEW = NewFiles(
    frame=pd.DataFrame({"x": range(50)}), files=["a.csv"], findings={"b.csv": []}, notes=["c.csv is empty."]
)


@pytest.mark.parametrize(
    ("alarms", "new_files", "rules", "expected"),
    [
        (ALARM, NEW, {}, True),
        (ALARM, NEW, {"on_alarm": False}, False),
        (ALARM, NewFiles(), {}, False),
        (SERVICE, NEW, {}, False),
        ([], NEW, {}, False),
        ([], NEW, {"min_new_rows": 50}, True),
        ([], NEW, {"min_new_rows": 51}, False),
        ([], NEW, {"every": "30 days"}, True),
        ([], NEW, {"every": "32 days"}, False),
        ([], NewFiles(), {"every": "30 days"}, False),
    ],
)
def test_when_retraining_is_due(
    alarms: list[Alarm], new_files: NewFiles, rules: dict[str, object], expected: bool
) -> None:
    """On an alarm that new rows can mend, after a while, or when enough of them lie there."""
    since = datetime(2024, 5, 1, 12, tzinfo=UTC)
    found = decide_retraining(alarms, new_files, since, NOW, RetrainSettings.model_validate(rules))
    assert expected == found.due
    assert found.reasons


def test_retraining_names_its_files() -> None:
    """Those that keep the contract, and those that break it."""
    found = decide_retraining(ALARM, NEW, None, NOW, RetrainSettings())
    assert (["a.csv"], ["b.csv"], ["Alarm: data."]) == (found.files, found.left_out, found.reasons)


def deploy(version: int, time: str) -> Deployment:
    state = State(version=version, commit=None, run_key="", bundle_sha256="0" * 64, verdict="better")
    return Deployment(sha="", time=time, subject="", state=state)


def test_a_model_is_in_production_since_its_last_deployment() -> None:
    """Checks of it are commits too; an earlier time of its own does not count."""
    history = [
        deploy(2, "2024-05-20T00:00:00+02:00"),
        deploy(2, "2024-05-10T00:00:00+02:00"),
        deploy(3, "2024-05-05T00:00:00+02:00"),
        deploy(2, "2024-05-01T00:00:00+02:00"),
    ]
    assert datetime(2024, 5, 9, 22, tzinfo=UTC) == find_start(history, 2)
    assert find_start(history, 3) is None
    assert find_start([], 2) is None

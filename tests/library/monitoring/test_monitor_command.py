"""``mlops monitor`` checks a real project: new files against the model of a finished run."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gitops_ml.comparison.champion import Champion, read_champion
from gitops_ml.comparison.replay import Answers, IncomparableError
from gitops_ml.core.settings import Settings, read_settings
from gitops_ml.monitoring.check import check as module
from gitops_ml.monitoring.check.check import check_production
from gitops_ml.monitoring.check.context import Context
from gitops_ml.monitoring.check.history import summarise
from gitops_ml.monitoring.check.new_files import read_new_files
from gitops_ml.monitoring.check.records import MonitoringRecord, ServiceCheck
from gitops_ml.monitoring.prediction_log.window import TIME, VERSION, PredictionLogWindow, Skipped
from toys import BINARY, deploy, edit_params, mlops, replay_here, run

BUNDLE = Path("build/bundle")
NOW = datetime(2024, 1, 1, tzinfo=UTC)
MARCH = "data/flights-2013-03.parquet"


@pytest.fixture
def march(done: Path) -> Path:
    """A finished project to which a month has come that nobody has accepted."""
    shutil.copy(BINARY / MARCH, done / MARCH)
    return done


@pytest.fixture
def champion(march: Path, monkeypatch: pytest.MonkeyPatch) -> Champion:
    """The model of the run, in production; it answers in this process."""
    replay_here(monkeypatch)
    return read_champion(BUNDLE)


class Log(list[pd.DataFrame]):
    """A prediction log that has been read, but for one line."""

    skipped = Skipped(lines=1)


def read() -> Settings:
    return read_settings(Path("params.yaml"))


def check(champion: Champion, **known: Any) -> MonitoringRecord:
    """Check production in the current folder."""
    return check_production(Context(Path(), read(), champion, NOW, **known))


def test_a_check_of_a_new_month(march: Path) -> None:
    """Data and performance are answered, the service is skipped with a word, the record is kept."""
    output = run("monitor", "--champion", "build/bundle").output
    record = MonitoringRecord.read(Path("build/monitoring"))
    assert [MARCH] == record.data[0].files == record.retraining.files
    assert record.performance is not None
    assert record.performance.rows == record.data[0].rows == 400
    assert [read().train.metric] == [one.name for one in record.performance.metrics[:1]]
    assert record.performance.slices[0].before is not None
    assert {one.column for one in record.performance.importances} <= set(pd.read_parquet(MARCH).columns)
    assert {"log", "service"} == set(record.skipped)
    assert "temp" in {one.column for one in record.data[0].columns if one.moved}
    assert "skipped: serve.log.url is not set in params.yaml" in output


def test_machines_read_the_record(done: Path) -> None:
    """The same as is written down; a quiet check succeeds too."""
    output = run("monitor", "--champion", "build/bundle", "--json").stdout
    assert json.loads(output) == json.loads((done / "build/monitoring/monitoring.json").read_text())
    record = MonitoringRecord.model_validate_json(output)
    assert not record.is_alarming
    assert {"files", "performance", "log", "service"} == set(record.skipped)


@pytest.mark.usefixtures("champion")
def test_scripts_read_what_to_do(march: Path) -> None:
    """Lines that a shell or a workflow takes as they are; people read the rest on standard error."""
    edit_params(march, monitor={"retrain": {"min_new_rows": 400}, "automerge": True})
    result = run("monitor", "--champion", "build/bundle", "--env")
    assert "alarm=false\ndue=true\nautomerge=true\n" == result.stdout
    assert "retraining   due." in result.stderr
    assert 2 == mlops("monitor", "--env", "--json").exit_code


def test_checks_that_cannot_be_read_are_missed(deploying: Path) -> None:
    """Without what was seen before there is no alarm to keep up, so that the check fails."""
    deploy(deploying, "1" * 64)
    shutil.rmtree(deploying / "remote.git" / "objects")
    result = mlops("monitor", "--champion", "build/bundle")
    assert 1 == result.exit_code
    assert "failed for branch production" in result.output
    assert not Path("build/monitoring").exists()


def test_nowhere_to_deploy_to(done: Path) -> None:
    """A project that was never pushed is checked all the same, and told so."""
    result = run("monitor", "--champion", "build/bundle")
    assert "Checking without earlier checks. There is no repository 'origin'" in result.stderr


def test_nothing_in_production_is_said(done: Path) -> None:
    """There is nothing to watch, and a sentence helps."""
    result = mlops("monitor")
    assert 1 == result.exit_code
    assert "no model to check" in result.output
    assert not Path("build/monitoring").exists()


def test_broken_files_are_left_out(champion: Champion) -> None:
    """One that breaks the contract is a finding, one that cannot be read is left for the next check."""
    pd.read_parquet(MARCH).assign(temp=500.0).to_parquet("data/hot.parquet")
    Path("data/half.parquet").write_bytes(Path(MARCH).read_bytes()[:2000])
    Path("data/empty.parquet").touch()
    record = check(champion)
    data = record.data[0]
    assert ["data/flights-2013-03.parquet", "data/hot.parquet"] == data.files
    assert ("temp", "error") == (
        data.findings["data/hot.parquet"][0].column,
        data.findings["data/hot.parquet"][0].level,
    )
    assert (["data/hot.parquet"], [MARCH]) == (record.retraining.left_out, record.retraining.files)
    assert data.rows == len(pd.read_parquet(MARCH))
    assert 2 == sum(note.startswith("Left for the next check") for note in data.notes)


def test_rows_that_come_twice_count_once(champion: Champion) -> None:
    """The same flight may be delivered in two files."""
    rows = pd.read_parquet(MARCH)
    rows[:100].to_parquet("data/again.parquet")
    found = read_new_files(read(), Path())
    assert len(rows) == len(found.frame)
    assert ["100 rows came twice, by 'flight_id', and counted once."] == found.notes


def test_a_champion_that_cannot_answer_is_no_failure(
    champion: Champion, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its features can be checked all the same."""

    def fail(bundle: Path, rows: pd.DataFrame, timeout: float) -> Answers:
        raise IncomparableError("its model raised MemoryError")

    monkeypatch.setattr(module, "replay", fail)
    record = check(champion)
    assert "its model raised MemoryError" == record.skipped["performance"]
    assert "temp" in {one.column for one in record.data[0].columns}
    assert not any(one.column.startswith(("score", "prediction")) for one in record.data[0].columns)


def test_new_rows_the_champion_cannot_see(champion: Champion) -> None:
    """A column that the contract no longer has is named."""
    contract = champion.contract.model_copy(update={"features": [*champion.contract.features, "gate"]})
    old = Champion(champion.bundle, 3, contract, champion.lineage)
    record = check(old)
    assert "the champion needs 'gate', which the new rows do not have" == record.skipped["performance"]


def test_the_log_and_the_service_are_checked_where_they_are(champion: Champion) -> None:
    """Their rows are a second source."""
    rows = pd.read_parquet(MARCH).assign(**{VERSION: "3", TIME: pd.Timestamp("2024-01-01", tz="UTC")})
    service = ServiceCheck(requests=10, request_errors=0, failed=0, failure_rate=0.0, latency_ms={"p95": 4.0})
    record = check(champion, log=Log([rows[:100], rows[100:]]), service=service)
    assert ["files", "log"] == [one.source for one in record.data]
    log = record.data[1]
    assert (len(rows), ["1 line of the log could not be read: skipped."]) == (log.rows, log.notes)
    assert {} == record.skipped
    line = summarise(record)
    assert {"files", "log"} == set(line.drift)
    assert (10, 0.0, 4.0) == (line.requests, line.failure_rate, line.p95_ms)


def test_an_empty_log_is_said(champion: Champion) -> None:
    """It is no failure."""
    record = check(champion, log=PredictionLogWindow(str(Path().absolute()), NOW, NOW, champion.contract))
    assert "the prediction log has no rows of the last 7 days" == record.skipped["log"]
    assert "nobody asked the service in the last 7 days" == record.skipped["service"]
    assert ["files"] == [one.source for one in record.data]


def test_history_makes_an_alarm_and_retraining(champion: Champion) -> None:
    """A second check that finds the same raises it, by 2 of 3."""
    first = check(champion)
    second = check(champion, checks=[summarise(first)])
    assert (False, True) == (first.is_alarming, second.is_alarming)
    assert (False, True) == (first.retraining.due, second.retraining.due)
    line = summarise(second)
    assert (True, True) == (line.violated["data"], line.alarm)
    assert "service" not in line.violated
    assert second.data[0].rows == line.rows
    assert (
        set(line.metrics) == {one.name for one in second.performance.metrics} if second.performance else False
    )


def test_enough_new_rows_are_a_reason(champion: Champion, march: Path) -> None:
    """At the first check already."""
    rules = {"min_new_rows": 400}
    edit_params(march, monitor={"retrain": rules})
    assert "retraining   due." in run("monitor", "--champion", "build/bundle").output

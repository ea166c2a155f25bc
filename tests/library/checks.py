"""Made-up checks of production, for the tests of what is written about them."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from gitops_ml.core.records import ColumnDrift, Estimate, Finding, Importance, Verdict
from gitops_ml.monitoring.check import records as m
from gitops_ml.monitoring.site.timeline import Acceptance, Timeline, order_steps
from gitops_ml.production.branch import Deployment, Score, State

START = datetime(2026, 10, 27, 6, 0, tzinfo=UTC)
COLUMNS = ["temp", "dewp", "humid", "dest", "carrier", "wind_gust", "visib", "pressure"]
COLUMNS += ["scheduled_departure", "distance", "origin", "wind_dir", "precip", "score True"]
# How fast the first columns drift, a check.
GROWTH = [0.11, 0.05, 0.03, 0.016]
IMPORTANCES = {"scheduled_departure": 0.084, "dest": 0.031, "temp": 0.024, "carrier": 0.021, "humid": 0.009}
IMPORTANCES_NOW = {"scheduled_departure": 0.061, "dest": 0.035, "temp": 0.006, "carrier": 0.024}
CHANGES = {"temp": "mean 56.2 → 38.9", "dewp": "mean 41.0 → 27.7", "humid": "missing 0 % → 3.1 %"}
# What a record may not say in other words.
WORDS = {"files", "log", "data", "performance", "service", "error", "warning"}
CARD = "---\nmodel_name: x\n---\n\n# Late flights\n\nPredicts `late`.\n"
# Value and verdict of each version.
VERSIONS: dict[int, tuple[float, Verdict]] = {
    1: (0.701, "better"),
    2: (0.719, "better"),
    3: (0.724, "no worse"),
}


def make_time(days: float) -> str:
    """Return a time so many days after the first check."""
    return (START + timedelta(days=days)).isoformat()


def make_checks(count: int = 30, columns: Sequence[str] = COLUMNS, since: int = 20) -> list[m.Check]:
    """Return checks of model 2, then 3, then 2 again, in which a few columns drift after a while."""
    chance = random.Random(7)
    return [make_check(place, columns, max(place - since, 0), chance) for place in range(count)]


def make_check(place: int, columns: Sequence[str], late: int, chance: random.Random) -> m.Check:
    """Return one check of them, so many checks after the drift began."""
    drift = {
        column: (0.008 + late * growth + chance.random() * 0.05, 0.1 + chance.random() * 0.02)
        for column, growth in zip(columns, [*GROWTH, *[0.0] * len(columns)], strict=False)
    }
    area = 0.724 - 0.004 * late + (0.004 * math.sin(place * 2.3) if late < 9 else 0)
    brier = 0.151 + 0.001 * late + 0.001 * math.sin(place * 1.7)
    measured = {"roc_auc": (area, area - 0.017, area + 0.016), "brier": (brier, brier - 0.005, brier + 0.005)}
    slow = place == 11
    violated: dict[m.Topic, bool] = {"data": late > 0, "performance": late > 6}
    return m.Check(
        time=make_time(place),
        model=3 if 9 <= place <= 13 else 2,
        violated=violated | ({"service": slow} if place > 4 else {}),
        alarm=late > 2,
        drift={"log": drift},
        metrics=measured if place > 2 else {},
        rows=4200,
        requests=round(52_000 + 9_000 * math.sin(place * math.tau / 7)),
        failure_rate=0.018 if slow else 0.0006 + 0.0004 * chance.random(),
        p95_ms=11 + 2 * chance.random() + 20 * slow,
    )


def make_columns(names: Sequence[str] = COLUMNS) -> list[ColumnDrift]:
    """Return columns of which the first four have moved."""
    return [
        ColumnDrift(
            column=name,
            rows=51_204,
            psi=[1.004, 0.47, 0.31, 0.163, 0.021][min(rank, 4)],
            jensen_shannon=[0.41, 0.3, 0.24, 0.15, 0.05][min(rank, 4)],
            wasserstein=None
            if name in ("dest", "carrier", "origin")
            else [1.4, 0.8, 0.5, 0.2, 0.03][min(rank, 4)],
            threshold=0.11,
            moved=rank < 4,
            missing=0.031 if name == "humid" else 0.0,
            missing_before=0.0,
            new_levels=["HNL", "SAN"] if name == "dest" else [],
            outside=0.12 if rank == 0 else 0.0,
            change=CHANGES.get(name, ""),
        )
        for rank, name in enumerate(names)
    ]


def make_metric(name: str, live: float, before: float, greater_is_better: bool, width: float) -> m.LiveMetric:
    """Return a metric as it is and as it was, with intervals of a width."""
    gain = (live - before) * (1 if greater_is_better else -1)
    return m.LiveMetric(
        name=name,
        greater_is_better=greater_is_better,
        live=Estimate(value=live, low=live - width, high=live + width),
        before=Estimate(value=before, low=before - width, high=before + width),
        difference=Estimate(value=gain, low=gain - 1.3 * width, high=gain + 1.3 * width),
        worse=gain < -1.3 * width,
    )


def make_performance(**changes: object) -> m.PerformanceCheck:
    """Return how the champion does on rows whose labels have arrived."""
    return m.PerformanceCheck(
        rows=4187,
        first="2026-11-18T05:00:00",
        last="2026-11-25T05:00:00",
        metrics=[
            make_metric("roc_auc", 0.688, 0.719, True, 0.016),
            make_metric("brier", 0.159, 0.151, False, 0.005),
        ],
        slices=[
            m.LiveSlice(
                column="origin",
                level=level,
                rows=1400,
                live=Estimate(value=value, low=value - 0.03, high=value + 0.03),
                before=None if level == "LGA" else Estimate(value=0.72, low=0.7, high=0.74),
                worse=level == "EWR",
            )
            for level, value in {"JFK": 0.71, "LGA": 0.7, "EWR": 0.65}.items()
        ],
        importances=[Importance(column=name, mean=mean, sd=0.003) for name, mean in IMPORTANCES_NOW.items()],
        importances_before=[
            Importance(column=name, mean=mean, sd=0.003) for name, mean in IMPORTANCES.items()
        ],
    ).model_copy(update=changes)


def make_service(**changes: object) -> m.ServiceCheck:
    """Return a service that is well."""
    return m.ServiceCheck(
        requests=51_877,
        request_errors=312,
        failed=41,
        failure_rate=0.0008,
        latency_ms={"p50": 4.1, "p95": 11.8, "p99": 19.2},
        records=51_204,
        limits={"failure_rate": 0.01, "p95_ms": 50},
    ).model_copy(update=changes)


def make_log(**changes: object) -> m.DataCheck:
    """Return a log in which four columns have moved."""
    return m.DataCheck(
        source="log",
        rows=51_204,
        first="2026-11-18T06:00:00",
        last="2026-11-25T05:59:00",
        columns=make_columns(),
    ).model_copy(update=changes)


def make_files(**changes: object) -> m.DataCheck:
    """Return two new files, of which one breaks the contract."""
    broken = Finding(
        level="error", column="temp", check="at most 130", count=19, share=0.0042, examples=["212.0", "198.5"]
    )
    return m.DataCheck(
        source="files",
        rows=9_210,
        files=["data/flights-2026-10.parquet", "data/flights-2026-11.parquet"],
        first="2026-10-01T05:00:00",
        last="2026-11-24T23:00:00",
        columns=make_columns(COLUMNS[:-1]),
        findings={"data/flights-2026-11.parquet": [broken]},
    ).model_copy(update=changes)


def make_alarm(topic: m.Topic, violated: bool | None, alarm: bool, *reasons: str) -> m.Alarm:
    """Return the alarm on one topic."""
    return m.Alarm(topic=topic, violated=violated, raised=alarm, reasons=list(reasons))


def make_record(**changes: object) -> m.MonitoringRecord:
    """Return a check that finds that data have moved, and that the model has become worse."""
    moved = "4 of 14 columns of the log have moved, temp the farthest (PSI 1.00, same up to 0.11)."
    worse = "ROC AUC 0.688 [0.672, 0.704] is significantly below the 0.719 of the card."
    return m.MonitoringRecord(
        time=make_time(29),
        model=2,
        window="7 days",
        data=[make_files(), make_log()],
        performance=make_performance(),
        service=make_service(),
        alarms=[
            make_alarm("data", True, True, moved, "Something was found at 3 of 3 checks."),
            make_alarm("performance", True, True, worse),
            make_alarm("service", False, False, "Fewer than 0.1 % of 51,877 requests failed."),
        ],
        retraining=m.Retraining(
            due=True,
            reasons=["The data and the performance raise an alarm."],
            files=["data/flights-2026-10.parquet"],
            left_out=["data/flights-2026-11.parquet"],
        ),
    ).model_copy(update=changes)


def make_empty(**changes: object) -> m.MonitoringRecord:
    """Return a check that had nothing to check."""
    return m.MonitoringRecord(
        time=make_time(0),
        model=1,
        window="7 days",
        alarms=[
            make_alarm("data", None, False),
            make_alarm("performance", None, False),
            make_alarm("service", None, False),
        ],
        retraining=m.Retraining(due=False, reasons=["No new file lies there."]),
        skipped={"files": "No new file lies there.", "log": "serve.log.url names no folder."},
    ).model_copy(update=changes)


def make_deployment(version: int, days: float, subject: str, **changes: object) -> Deployment:
    """Return a commit of production, so many days after the first check."""
    value, verdict = VERSIONS[version]
    state = State(
        version=version,
        commit=digest(f"commit {version}")[:40],
        run_key=digest(f"run key {version}"),
        bundle_sha256=digest(f"bundle {version}"),
        image=f"registry.example.org/me/model@sha256:{digest(f'image {version}')}",
        verdict=verdict,
        score=Score(metric="roc_auc", estimate=Estimate(value=value, low=value - 0.015, high=value + 0.015)),
    )
    state = state.model_copy(update=changes)
    return Deployment(
        sha=digest(f"{subject} {days}")[:40], time=make_time(days), subject=subject, state=state
    )


def digest(text: str) -> str:
    """Return a digest such as Git and others show them."""
    return sha256(text.encode()).hexdigest()


def make_history() -> list[Deployment]:
    """Return three deployments and a rollback, the newest first."""
    return [
        make_deployment(2, 13.5, "Roll back to model 2"),
        make_deployment(3, 8.7, "Deploy model 3"),
        make_deployment(2, -38.4, "Deploy model 2"),
        make_deployment(1, -70.2, "Deploy model 1"),
    ]


def make_timeline(**changes: object) -> Timeline:
    """Return a timeline of three versions, a rollback, thirty checks, and data accepted twice."""
    timeline = Timeline(
        tip="5e" * 20,
        steps=order_steps(make_history()),
        cards=dict.fromkeys((1, 2, 3), CARD),
        checks=make_checks(),
        record=make_record(),
        accepted=[
            Acceptance(make_time(-80), "a1" * 20, "Accept the first flights", 1, 1000),
            Acceptance(make_time(-10), "a2" * 20, "Accept September", 2, 2500),
        ],
        shallow=False,
    )
    return timeline._replace(**changes)  # type: ignore[arg-type]


def poison(value: object, text: str, keep: frozenset[str] = frozenset()) -> object:
    """Return plain data in which each text that comes from data, keys included, is another one.

    Those at keys that ``keep`` names, and the words that a record chooses among, stay.
    """
    if isinstance(value, str):
        return value if value in WORDS else text
    if isinstance(value, list | tuple):
        return [poison(one, text, keep) for one in value]
    if isinstance(value, dict):
        return {
            key if key.isidentifier() else f"{text} {place}": one if key in keep else poison(one, text, keep)
            for place, (key, one) in enumerate(value.items())
        }
    return value

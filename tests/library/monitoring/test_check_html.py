"""A check of production as an HTML page."""

from __future__ import annotations

import re

import pytest

from checks import (
    COLUMNS,
    make_alarm,
    make_checks,
    make_columns,
    make_empty,
    make_log,
    make_performance,
    make_record,
    make_service,
    make_time,
    poison,
)
from gitops_ml.core.records import Importance
from gitops_ml.monitoring.check import records as m
from gitops_ml.monitoring.check.charts import pair_importances
from gitops_ml.monitoring.check.html import FIRST, render_page
from gitops_ml.monitoring.check.trends import MOST
from reader import Reader

# Too short to be cut, long enough to break out of text and of attributes.
EVIL = "\"'><script>a</script>"


def find_cell(html: str, title: str) -> str:
    """Return the small chart with a title."""
    [cell] = [cell for cell in html.split('<div class="trend')[1:] if f"<h3>{title}</h3>" in cell]
    return cell.partition("</svg>")[0]


def make_change(place: int, model: int) -> m.Check:
    """Return a check of a model."""
    return m.Check(
        time=make_time(place),
        model=model,
        violated={"data": False},
        alarm=False,
        drift={"files": {"temp": (0.05, 0.1)}},
    )


@pytest.fixture(scope="module")
def html() -> str:
    """Return the page of a check that raises an alarm."""
    return render_page(make_record(), make_checks())


def test_page_is_whole_and_its_ids_are_unique(html: str) -> None:
    """Each element is closed in order, each section has its heading."""
    reader = Reader(html)
    assert [] == reader.open
    assert len(set(reader.ids)) == len(reader.ids)
    assert set(re.findall(r'aria-labelledby="([^"]+)"', html)) <= set(reader.ids)


def test_page_asks_nothing_of_the_network_and_runs_nothing(html: str) -> None:
    """The page can be opened from an artifact, offline, by anybody."""
    reader = Reader(html)
    assert all(address.startswith(("#", "data:")) for address in reader.addresses)
    assert "script" not in reader.tags
    assert "url(" not in html
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in html


def test_same_checks_give_the_same_bytes(html: str) -> None:
    """A page of one check is one file."""
    assert html == render_page(make_record(), make_checks())


@pytest.mark.parametrize(
    ("states", "title", "tone"),
    [
        ({"data": (True, True)}, "Model 2: its data have moved", "fail"),
        (
            {"data": (True, True), "service": (True, True), "performance": (True, False)},
            "Model 2: its data have moved and the service is not well",
            "fail",
        ),
        ({"performance": (True, False)}, "Model 2: it may have become worse", "warn"),
        ({}, "Model 2 is doing well", "pass"),
        ({"data": (None, False), "service": (None, False)}, "Model 2 is doing well", "pass"),
    ],
)
def test_headline_says_what_it_comes_to(
    states: dict[str, tuple[bool | None, bool]], title: str, tone: str
) -> None:
    """An alarm outweighs a suspicion, a suspicion all that is quiet."""
    questions: list[m.Topic] = ["data", "performance", "service"]
    alarms = [make_alarm(one, *states.get(one, (False, False))) for one in questions]
    html = render_page(make_record(alarms=alarms), make_checks())
    assert f'<div class="verdict {tone}">\n<h1>{title}</h1>' in html


def test_nothing_to_check_at_has_a_page_too() -> None:
    """It says why, and draws nothing."""
    html = render_page(make_empty(), [])
    assert "<h1>Model 1: there was nothing to check</h1>" in html
    question = html.partition("training data?</h3>")[2].partition("</div>")[0]
    assert "<p>The prediction log: serve.log.url names no folder.</p>" in question
    assert "<svg" not in html


def test_farthest_column_comes_first_and_the_rest_is_folded(html: str) -> None:
    """What moved is seen at once."""
    titles = re.findall(r'<div class="trend[^>]*>\n<h3>([^<]*)</h3>', html)
    assert ["temp", "dewp", "humid", "dest"] == titles[:4]
    assert f"<summary>{len(COLUMNS) - FIRST} more columns</summary>" in html
    assert 4 == html.count('<div class="trend moved">')


def test_drift_is_drawn_in_units_of_the_threshold() -> None:
    """The threshold lies at a quarter of the height in every chart, and what is above it is marked."""
    checks = [
        make_checks(1)[0].model_copy(
            update={"time": make_time(place), "drift": {"log": {"temp": (psi, 0.2)}}}
        )
        for place, psi in enumerate([0.0, 0.4, 8.0])
    ]
    cell = find_cell(render_page(make_record(), checks), "temp")
    assert '<path class="rule" d="M0 75H100"/>' in cell
    assert '<path class="line" d="M0 100L50 50L100 0"/>' in cell
    assert '<path class="dot moved" d="M50 50h0M100 0h0"/>' in cell


def test_metric_is_drawn_with_its_interval_and_the_card() -> None:
    """The line of the card begins where the model it belongs to came."""
    checks = [
        make_change(place, model).model_copy(update={"metrics": {"roc_auc": (0.7, 0.6, 0.8)}})
        for place, model in enumerate([1, 2, 2])
    ]
    metrics = make_performance().metrics[:1]
    metrics[0] = metrics[0].model_copy(update={"before": metrics[0].before.model_copy(update={"value": 0.7})})
    record = make_record(performance=make_performance(metrics=metrics))
    cell = find_cell(render_page(record, checks), "ROC AUC")
    assert '<path class="band" d="M0 6.9L50 6.9L100 6.9L100 93.1L50 93.1L0 93.1Z"/>' in cell
    assert '<path class="rule" d="M50 50H100"/>' in cell
    assert '<path class="cut" d="M50 0V100"/>' in cell


def test_service_is_drawn_with_its_limits() -> None:
    """A limit lies in the chart however far away it is; what has none is drawn without."""
    checks = [
        make_change(place, 2).model_copy(update={"failure_rate": 0.002, "p95_ms": 20.0}) for place in (0, 1)
    ]
    for limit, height, told in ((0.01, 9.1, "limit 1.0 %"), (0.0, 100, "limit 0.0 %")):
        service = make_service(limits={"failure_rate": limit, "p95_ms": None})
        html = render_page(make_record(service=service), checks)
        assert f'<path class="rule" d="M0 {height}H100"/>' in find_cell(html, "Failed")
        assert told in html
        assert "rule" not in find_cell(html, "95th percentile of the latency")


def test_one_check_is_a_dot() -> None:
    """The first day has trends, of one point."""
    cell = find_cell(render_page(make_record(), [make_change(0, 2)]), "temp")
    assert 'class="line"' not in cell
    assert '<path class="dot last" d="M100 87.5h0"/>' in cell


def test_many_columns_and_checks_stay_small() -> None:
    """Two hundred columns and a year of checks make a page that a phone can show."""
    names = [f"column_{number}" for number in range(200)]
    record = make_record(data=[make_log(columns=make_columns(names))])
    html = render_page(record, make_checks(365, names, since=350))
    assert len(html) < 500_000
    assert f"The last {MOST} checks" in html


def test_text_from_data_is_escaped() -> None:
    """Names of columns, levels, files and all other words change no element of the page."""
    pages = []
    for text in (EVIL, "x" * len(EVIL)):
        keep = frozenset({"time"})
        record = m.MonitoringRecord.model_validate(poison(make_record().model_dump(), text, keep))
        record = record.model_copy(update={"skipped": {text: text}})
        drift = {"log": {text: (0.5, 0.1)}, "files": {text: (0.0, 0.1)}}
        metrics = {text: (0.5, 0.4, 0.6)}
        checks = [check.model_copy(update={"drift": drift, "metrics": metrics}) for check in make_checks(3)]
        pages.append(Reader(render_page(record, checks)))
    evil, plain = pages
    assert plain.order == evil.order
    assert plain.attributes == evil.attributes
    assert evil.text.count(EVIL) == plain.text.count("x" * len(EVIL)) > 60


def test_problems_of_the_service_stand_out() -> None:
    """What is not well is said before the numbers."""
    html = render_page(make_record(service=make_service(problems=["2.1 % of the answers failed."])), [])
    assert '<p class="note fail">2.1 % of the answers failed.</p>' in html


def test_importances_are_paired() -> None:
    """A column that has no importance on one side is shown all the same, the greatest first."""
    now = [Importance(column="a", mean=0.1, sd=0), Importance(column="c", mean=-0.01, sd=0)]
    before = [Importance(column="b", mean=0.2, sd=0), Importance(column="a", mean=0.05, sd=0)]
    pairs = pair_importances(make_performance(importances=now, importances_before=before))
    assert [("b", None, 0.2), ("a", 0.1, 0.05), ("c", -0.01, None)] == [pair[:3] for pair in pairs]
    assert '<path class="bar now" d="M0 28H50"/><path class="bar before" d="M0 72H25"/>' in pairs[1].bars
    assert "path" not in pairs[2].bars

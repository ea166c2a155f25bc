"""Whether the champion is still as good as its card says, on rows that came after it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from gitops_ml.bundle.manifest import MetricsRecord
from gitops_ml.comparison.replay import IncomparableError
from gitops_ml.core.records import Estimate
from gitops_ml.monitoring.check import performance as module
from gitops_ml.monitoring.check.performance import check_performance, subtract
from gitops_ml.monitoring.check.records import PerformanceCheck
from watched import BOUNDARY, World, draw_rows, make_settings, make_world


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A champion that answers in this process."""
    world = make_world(tmp_path)
    monkeypatch.setattr(module, "replay", world.stand_in())
    return world


def check(world: World, rows: pd.DataFrame, **sections: object) -> PerformanceCheck:
    return check_performance(world.champion, rows, world.answer(rows), make_settings(**sections))


def test_a_model_that_is_as_good_as_it_was_is_not_worse(world: World) -> None:
    """Its difference from the card is around nothing, its primary metric comes first."""
    found = check(world, draw_rows(3000, 40))
    primary = found.metrics[0]
    assert (3000, "roc_auc", False) == (found.rows, primary.name, primary.worse)
    assert primary.difference.low < 0 < primary.difference.high
    assert not any(one.worse for one in found.metrics)
    assert not any(one.worse for one in found.slices)


def test_another_concept_is_worse(world: World) -> None:
    """The same rows mean something else: nothing moves but the labels' relation to them."""
    found = check(world, draw_rows(1500, 41, weight=0.5))
    assert found.metrics[0].worse
    assert found.metrics[0].difference.high < 0


def test_one_slice_alone_can_be_worse(world: World) -> None:
    """A tenth of the rows hides in the whole."""
    rows, odd = draw_rows(3000, 42), draw_rows(3000, 42, weight=-1.0)
    rows["y"] = rows["y"].where(rows["level"] != "z", odd["y"])
    worse = {one.level for one in check(world, rows).slices if one.worse}
    assert {"z"} == worse


def test_a_loss_below_the_margin_is_not_worse(world: World) -> None:
    """What the gates let through raises no alarm either."""
    rows = draw_rows(6000, 43, weight=1.4)
    assert check(world, rows).metrics[0].worse
    assert not check(world, rows, gates={"margin": 0.2}).metrics[0].worse


def test_reasons_are_told_then_and_now(world: World) -> None:
    """Permutation importance on the new rows, beside that of the card."""
    found = check(world, draw_rows(1000, 44))
    assert "a" == found.importances[0].column == found.importances_before[0].column
    assert MetricsRecord.read(world.champion.bundle).importances == found.importances_before


def test_rows_of_the_training_time_do_not_count(world: World) -> None:
    """The model may know them."""
    rows = pd.concat([draw_rows(200, 45, BOUNDARY - pd.Timedelta("1 day")), draw_rows(300, 46)])
    found = check(world, rows.reset_index(drop=True))
    assert 300 == found.rows
    assert "200 rows of the time that it was trained on do not count." in found.notes


def test_few_labels_say_nothing(world: World) -> None:
    """An interval from a handful of rows would promise too much."""
    with pytest.raises(IncomparableError, match="99 labelled rows to measure it on, at least 100 are needed"):
        check(world, draw_rows(99, 47))


def test_labels_that_did_not_come_are_no_labels(world: World) -> None:
    """Rows wait for theirs."""
    with pytest.raises(IncomparableError, match="0 labelled rows"):
        check(world, draw_rows(500, 48).drop(columns="y"))


def test_one_class_alone_has_no_roc_auc(world: World) -> None:
    """It is said, not guessed."""
    with pytest.raises(IncomparableError, match="roc_auc has no value on the new rows: all rows are"):
        check(world, draw_rows(300, 49).assign(y=False))


def test_another_question_is_not_answered(world: World) -> None:
    """A model of another target is no better or worse."""
    with pytest.raises(IncomparableError, match=r"while params\.yaml asks for a classification of 'z'"):
        check(world, draw_rows(300, 50), data={"target": "z", "time": "time"})


def test_a_metric_that_is_gone_is_named(world: World) -> None:
    """A function of one's own may have been removed since."""
    card = MetricsRecord.read(world.champion.bundle)
    lost = card.metrics[1].model_copy(update={"name": "profit"})
    card.model_copy(update={"metrics": [*card.metrics, lost]}).write(world.champion.bundle)
    found = check(world, draw_rows(300, 51))
    assert "The metric 'profit' is no longer there." in found.notes
    assert ["roc_auc", "log_loss"] == [one.name for one in found.metrics]


def test_the_same_question_is_asked_as_then(world: World) -> None:
    """Another primary metric in params.yaml changes nothing about the card."""
    found = check(world, draw_rows(300, 52), train={"metric": "log_loss"})
    assert "roc_auc" == found.metrics[0].name


def test_differences_hold_the_truth_as_often_as_they_say() -> None:
    """Two independent means: 95 % of the intervals hold the difference of the true ones."""
    rng, held, trials = np.random.default_rng(1), 0, 2000
    for _ in range(trials):
        estimates = []
        for error in (0.1, 0.2):
            value = rng.normal(1.0, error)
            reach = norm.isf(0.025) * error
            estimates.append(Estimate(value=value, low=value - reach, high=value + reach))
        difference = subtract(estimates[0], estimates[1], greater_is_better=True)
        held += difference.low <= 0 <= difference.high
    assert 0.95 == pytest.approx(held / trials, abs=0.015)


@pytest.mark.parametrize(("greater", "sign"), [(True, 1), (False, -1)])
def test_up_is_good(greater: bool, sign: int) -> None:
    """Whatever the metric's own direction."""
    live, before = (Estimate(value=value, low=value - 1, high=value + 1) for value in (5.0, 3.0))
    assert 2 * sign == subtract(live, before, greater).value

"""How good the champion is on rows that came after it, whose labels have arrived."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot

import numpy as np
import pandas as pd
from scipy.stats import norm

from ...bundle.manifest import MetricsRecord
from ...comparison.champion import Champion, find_unknown_rows
from ...comparison.replay import Answers, Incomparable, replay
from ...contract.export import to_json
from ...contract.validation import MIN_TEST_ROWS
from ...core.errors import LifecycleError
from ...core.formatting import plural
from ...core.records import Estimate, Importance
from ...core.settings import Settings
from ...evaluation.importance import permutation_importances
from ...evaluation.paired import (
    PairedPredictions,
    PairedScore,
    PairedScores,
    number_groups,
    read_target,
    score_pair,
)
from ...evaluation.slices import Slice, cut_slices
from ...metrics.prediction import Prediction
from ...metrics.registry import Metric, find_metric
from .records import LiveMetric, LiveSlice, PerformanceCheck

# Half of a 95 % interval, in standard errors.
REACH = float(norm.isf(0.025))


def check_performance(
    champion: Champion, frame: pd.DataFrame, features: pd.DataFrame, answers: Answers, settings: Settings
) -> PerformanceCheck:
    """Measure the champion on labelled rows, and hold that against what its bundle says.

    Parameters
    ----------
    champion : Champion
    frame : DataFrame of shape (n_rows, n_columns)
        Valid rows.
    features : DataFrame of shape (n_rows, n_features)
        The same rows as the champion sees them.
    answers : Answers
        What it predicts for them.
    settings : Settings

    Raises
    ------
    Incomparable
        If it answers another question than these settings ask, or too few labels have arrived.
    """
    _require_same_target(champion, settings)
    places, notes = _find_labelled(champion, frame, settings)
    rows, seen = (table.iloc[places].reset_index(drop=True) for table in (frame, features))
    card = MetricsRecord.read(champion.bundle)
    settings = _ask_as_then(settings, card)
    metrics = _find_metrics(card, settings, notes)
    pair = _pair_predictions(rows, answers, places, settings)
    slices, _ = cut_slices(rows, settings)
    found = score_pair(pair, metrics, slices, settings)
    if reason := found.skipped.get(card.primary):
        raise Incomparable(f"{card.primary} has no value on the new rows: {reason}")
    notes += [f"{name} has no value: {reason}." for name, reason in found.skipped.items()]
    return PerformanceCheck(
        rows=len(rows),
        **_tell_period(rows, settings),
        metrics=_compare_metrics(found, card, settings),
        slices=_compare_slices(found.slices, card, settings),
        importances=_rank(champion, seen, pair, metrics[0], settings),
        importances_before=card.importances,
        notes=notes,
    )


def subtract(live: Estimate, before: Estimate, greater_is_better: bool, reach: float = REACH) -> Estimate:
    """Return live minus before, turned so that up is good, for estimates from different rows.

    Independent errors add up as squares. Half of each 95 % interval stands for 1.96 standard errors,
    as if the bootstrap's distribution were normal.

    Parameters
    ----------
    live, before : Estimate
    greater_is_better : bool
    reach : float
        Half of the interval wanted, in standard errors.
    """
    value = (live.value - before.value) * (1 if greater_is_better else -1)
    error = hypot(live.high - live.low, before.high - before.low) / 2 / REACH
    return Estimate(value=value, low=value - reach * error, high=value + reach * error)


def _require_same_target(champion: Champion, settings: Settings) -> None:
    contract = champion.contract
    if (contract.problem, contract.target) != (settings.problem, settings.data.target):
        raise Incomparable(
            f"the champion answers a {contract.problem} of '{contract.target}', "
            f"while params.yaml asks for a {settings.problem} of '{settings.data.target}'"
        )


def _find_labelled(
    champion: Champion, frame: pd.DataFrame, settings: Settings
) -> tuple[np.ndarray, list[str]]:
    """Return the positions of rows with a label on which the champion may be judged, and notes."""
    target = settings.data.target
    labelled = frame[target].notna().to_numpy() if target in frame else np.zeros(len(frame), dtype=bool)
    notes = []
    # The ids that the champion was trained on are not known; the time at which its training ended is.
    if champion.lineage.split == "time" and labelled.any():
        known = labelled & ~find_unknown_rows(champion, frame)
        labelled = labelled & ~known
        if known.any():
            notes.append(
                f"{plural(int(known.sum()), 'row')} of the time that it was trained on do not count."
            )
    if labelled.sum() < MIN_TEST_ROWS:
        count = plural(int(labelled.sum()), "labelled row")
        raise Incomparable(f"{count} to measure it on, at least {MIN_TEST_ROWS} are needed")
    return np.flatnonzero(labelled), notes


def _ask_as_then(settings: Settings, card: MetricsRecord) -> Settings:
    """Return settings whose primary metric is the one that the card was written for."""
    train = settings.train.model_copy(update={"metric": card.primary})
    return settings.model_copy(update={"train": train})


def _find_metrics(card: MetricsRecord, settings: Settings, notes: list[str]) -> list[Metric]:
    """Return the metrics of the card that this commit still has, the primary one first."""
    names = [card.primary, *(metric.name for metric in card.metrics if metric.name != card.primary)]
    found = []
    for name in names:
        try:
            found.append(find_metric(name, settings.problem))
        except LifecycleError:
            if name == card.primary:
                raise Incomparable(f"its primary metric '{name}' is no longer there") from None
            notes.append(f"The metric '{name}' is no longer there.")
    return found


def _pair_predictions(
    rows: pd.DataFrame, answers: Answers, places: np.ndarray, settings: Settings
) -> PairedPredictions:
    """Return the predictions of a single model as a pair of two that are the same."""
    y_true = read_target(rows, settings)
    prediction = answers.prediction.take(places)
    return PairedPredictions(y_true, (prediction, prediction), answers.classes, number_groups(rows, settings))


def _tell_period(rows: pd.DataFrame, settings: Settings) -> dict[str, str | None]:
    if settings.data.time is None:
        return {}
    times = rows[settings.data.time]
    return {"first": to_json(times.min()), "last": to_json(times.max())}


def _compare_metrics(found: PairedScores, card: MetricsRecord, settings: Settings) -> list[LiveMetric]:
    before = {metric.name: metric.model for metric in card.metrics}
    return [_compare_metric(score, before[score.metric.name], settings) for score in found.metrics]


def _compare_metric(score: PairedScore, before: Estimate, settings: Settings) -> LiveMetric:
    metric, live = score.metric, score.challenger
    difference = subtract(live, before, metric.greater_is_better)
    return LiveMetric(
        name=metric.name,
        greater_is_better=metric.greater_is_better,
        live=live,
        before=before,
        difference=difference,
        worse=difference.high < -settings.gates.margin_of(before.value),
    )


def _compare_slices(
    slices: Sequence[tuple[Slice, PairedScore]], card: MetricsRecord, settings: Settings
) -> list[LiveSlice]:
    before = {(one.column, one.level): one.model for one in card.slices}
    count = sum((one.column, one.level) in before for one, _ in slices)
    # Of all slices together, a share of false_alarms may look worse by chance.
    reach = float(norm.isf(settings.monitor.false_alarms / max(1, count)))
    return [
        _compare_slice(one, score, before.get((one.column, one.level)), reach, settings)
        for one, score in slices
    ]


def _compare_slice(
    one: Slice, score: PairedScore, before: Estimate | None, reach: float, settings: Settings
) -> LiveSlice:
    live, worse = score.challenger, False
    if before is not None:
        difference = subtract(live, before, score.metric.greater_is_better, reach)
        worse = difference.high < -settings.gates.margin_of(before.value)
    return LiveSlice(
        column=one.column, level=one.level, rows=len(one.rows), live=live, before=before, worse=worse
    )


def _rank(
    champion: Champion, features: pd.DataFrame, pair: PairedPredictions, metric: Metric, settings: Settings
) -> list[Importance]:
    def ask(rows: pd.DataFrame) -> Prediction:
        return replay(champion.bundle, rows, settings.train.candidate_timeout).prediction

    return permutation_importances(ask, features, pair, metric, settings.train.seed)

"""The performance check: metrics of the champion on rows whose labels came after it was made."""

from __future__ import annotations

from math import hypot

import numpy as np
import pandas as pd
from scipy.stats import norm

from ...bundle.manifest import MetricsRecord
from ...comparison.champion import Champion, find_unknown_rows, select_features
from ...comparison.replay import Answers, IncomparableError, replay
from ...contract.export import to_json
from ...contract.validation import MIN_TEST_ROWS
from ...core.errors import LifecycleError
from ...core.formatting import plural
from ...core.records import Estimate, Importance
from ...core.settings import Settings
from ...evaluation.importance import permutation_importances
from ...evaluation.paired import PairedPredictions, PairedScores, number_groups, read_target, score_pair
from ...evaluation.slices import cut_slices
from ...metrics.prediction import Prediction
from ...metrics.registry import Metric, find_metric
from .records import LiveMetric, LiveSlice, PerformanceCheck

# Half of a 95 % interval, in standard errors.
REACH = float(norm.isf(0.025))


def check_performance(
    champion: Champion, frame: pd.DataFrame, predictions: Answers, settings: Settings
) -> PerformanceCheck:
    """Measure the champion on labelled rows, and compare that with the metrics of its bundle.

    Parameters
    ----------
    champion : Champion
    frame : DataFrame of shape (n_rows, n_columns)
        Valid rows.
    predictions : Answers
        What the champion predicts for them.
    settings : Settings

    Raises
    ------
    IncomparableError
        If the champion predicts something else than these settings ask for, or too few labels have
        arrived.
    """
    _require_same_target(champion, settings)
    places, known = _find_labelled(champion, frame, settings)
    rows = frame.iloc[places].reset_index(drop=True)
    card = MetricsRecord.read(champion.bundle)
    settings = _select_metric(settings, card.primary)
    metrics, gone = _find_metrics(card, settings)
    pair = _pair_with_itself(rows, predictions, places, settings)
    scores = score_pair(pair, metrics, cut_slices(rows, settings)[0], settings)
    if reason := scores.skipped.get(card.primary):
        raise IncomparableError(f"{card.primary} has no value on the new rows: {reason}")
    first, last = _find_period(rows, settings.data.time)
    return PerformanceCheck(
        rows=len(rows),
        first=first,
        last=last,
        metrics=_compare_metrics(scores, card, settings),
        slices=_compare_slices(scores, card, settings),
        importances=_measure_importances(champion, rows, pair, metrics[0], settings),
        importances_before=card.importances,
        notes=_list_notes(known, gone, scores),
    )


def subtract(live: Estimate, before: Estimate, greater_is_better: bool, reach: float = REACH) -> Estimate:
    """Return the difference of two independent estimates, live minus before, turned so that up is good.

    Independent errors add up as squares. Half of each 95 % interval stands for 1.96 standard errors,
    as if the bootstrap's distribution were normal.

    Parameters
    ----------
    live, before : Estimate
        From different rows.
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
        raise IncomparableError(
            f"the champion answers a {contract.problem} of '{contract.target}', "
            f"while params.yaml asks for a {settings.problem} of '{settings.data.target}'"
        )


def _find_labelled(champion: Champion, frame: pd.DataFrame, settings: Settings) -> tuple[np.ndarray, int]:
    """Return the positions of labelled rows that count, and how many the champion may know."""
    target = settings.data.target
    labelled = frame[target].notna().to_numpy() if target in frame else np.zeros(len(frame), dtype=bool)
    known = np.zeros(len(frame), dtype=bool)
    # The ids that the champion was trained on are not known; the time at which its training ended is.
    if champion.lineage.split == "time" and labelled.any():
        known = labelled & ~find_unknown_rows(champion, frame)
    places = np.flatnonzero(labelled & ~known)
    if len(places) < MIN_TEST_ROWS:
        count = plural(len(places), "labelled row")
        raise IncomparableError(f"{count} to measure it on, at least {MIN_TEST_ROWS} are needed")
    return places, int(known.sum())


def _select_metric(settings: Settings, name: str) -> Settings:
    """Return settings with another primary metric: that of the card, to which the new rows are held."""
    train = settings.train.model_copy(update={"metric": name})
    return settings.model_copy(update={"train": train})


def _find_metrics(card: MetricsRecord, settings: Settings) -> tuple[list[Metric], list[str]]:
    """Return the metrics of the card that this commit still has, the primary one first, and the others."""
    found, gone = [], []
    for name in dict.fromkeys([card.primary, *(metric.name for metric in card.metrics)]):
        try:
            found.append(find_metric(name, settings.problem))
        except LifecycleError:
            gone.append(name)
    if card.primary in gone:
        raise IncomparableError(f"its primary metric '{card.primary}' is no longer there")
    return found, gone


def _pair_with_itself(
    rows: pd.DataFrame, predictions: Answers, places: np.ndarray, settings: Settings
) -> PairedPredictions:
    """Return the predictions as both models of a pair: intervals of one model are asked for here."""
    prediction = predictions.prediction.take(places)
    return PairedPredictions(
        y_true=read_target(rows, settings),
        predictions=(prediction, prediction),
        classes=predictions.classes,
        groups=number_groups(rows, settings),
    )


def _find_period(rows: pd.DataFrame, time: str | None) -> tuple[str | None, str | None]:
    return (None, None) if time is None else (to_json(rows[time].min()), to_json(rows[time].max()))


def _compare_metrics(scores: PairedScores, card: MetricsRecord, settings: Settings) -> list[LiveMetric]:
    """Compare each metric with the card; it is worse if all of the interval is beyond the margin."""
    card_values = {metric.name: metric.model for metric in card.metrics}
    compared = []
    for score in scores.metrics:
        metric, live, before = score.metric, score.challenger, card_values[score.metric.name]
        difference = subtract(live, before, metric.greater_is_better)
        compared.append(
            LiveMetric(
                name=metric.name,
                greater_is_better=metric.greater_is_better,
                live=live,
                before=before,
                difference=difference,
                worse=difference.high < -settings.gates.margin_of(before.value),
            )
        )
    return compared


def _compare_slices(scores: PairedScores, card: MetricsRecord, settings: Settings) -> list[LiveSlice]:
    """Compare the primary metric of each slice with the card, with wider intervals (Bonferroni)."""
    card_values = {(one.column, one.level): one.model for one in card.slices}
    count = sum((one.column, one.level) in card_values for one, _ in scores.slices)
    # Of all slices together, a share of false_alarms may look worse by chance.
    reach = float(norm.isf(settings.monitor.false_alarms / max(1, count)))
    compared = []
    for one, score in scores.slices:
        live, before, worse = score.challenger, card_values.get((one.column, one.level)), False
        if before is not None:
            difference = subtract(live, before, score.metric.greater_is_better, reach)
            worse = difference.high < -settings.gates.margin_of(before.value)
        compared.append(
            LiveSlice(
                column=one.column, level=one.level, rows=len(one.rows), live=live, before=before, worse=worse
            )
        )
    return compared


def _measure_importances(
    champion: Champion, rows: pd.DataFrame, pair: PairedPredictions, metric: Metric, settings: Settings
) -> list[Importance]:
    def predict(features: pd.DataFrame) -> Prediction:
        return replay(champion.bundle, features, settings.train.candidate_timeout).prediction

    features = select_features(champion, rows)
    return permutation_importances(predict, features, pair, metric, settings.train.seed)


def _list_notes(known: int, gone: list[str], scores: PairedScores) -> list[str]:
    notes = [f"{plural(known, 'row')} of the time that it was trained on do not count."] if known else []
    notes += [f"The metric '{name}' is no longer there." for name in gone]
    return notes + [f"{name} has no value: {reason}." for name, reason in scores.skipped.items()]

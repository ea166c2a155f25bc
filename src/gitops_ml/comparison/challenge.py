"""Paired comparison of challenger and champion, on test rows that neither was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm
from sklearn.base import BaseEstimator
from threadpoolctl import threadpool_limits

from ..core.errors import describe_error
from ..core.records import ChampionResult, Estimate, PairedMetric, PairedSlice
from ..core.settings import Settings
from ..data.split import features_and_target
from ..evaluation.paired import (
    PairedPredictions,
    PairedScore,
    PairedScores,
    number_groups,
    read_target,
    score_pair,
)
from ..evaluation.slices import Slice, cut_slices
from ..metrics.prediction import Prediction, predict
from ..metrics.registry import find_metric
from .champion import Champion, find_unknown_rows, list_missing, select_features
from .replay import Answers, IncomparableError, replay
from .verdict import decide

# Of the differences on all slices together, this share may look significant by chance.
SLICE_ERRORS = 0.05


@dataclass(frozen=True)
class SharedRows:
    """The test rows on which two models are compared."""

    places: np.ndarray
    """Their positions in the test part."""
    rows: pd.DataFrame
    """As the contract has them, target included."""
    features: pd.DataFrame
    """The same rows as the champion sees them."""


class Challenge(NamedTuple):
    """A comparison with the champion, and what the champion predicts."""

    result: ChampionResult
    prediction: Prediction | None = None
    """Its classes are those of the challenger; None where the two cannot be compared."""
    places: np.ndarray = np.empty(0, dtype=int)
    """Positions of the rows in the test part that it predicts."""


def predict_test(model: BaseEstimator, test: pd.DataFrame, settings: Settings) -> Answers:
    """Return what a fitted model predicts for the test part."""
    features, _ = features_and_target(test, settings)
    with threadpool_limits(1, "openmp"):
        return Answers(predict(model, features), np.asarray(getattr(model, "classes_", np.empty(0))))


def challenge(
    challenger: Answers, champion: Champion, test: pd.DataFrame, dropped: pd.DataFrame, settings: Settings
) -> Challenge:
    """Compare two models on the test rows that neither of them was trained on.

    Parameters
    ----------
    challenger : Answers
        What the challenger predicts for the test part.
    champion : Champion
    test : DataFrame of shape (n_rows, n_columns)
        The test part.
    dropped : DataFrame of shape (n_rows, n_dropped)
        Of the same rows, columns that the champion needs and the contract no longer has.
    settings : Settings

    Returns
    -------
    Challenge
        What cannot be compared has an ``obstacle`` in its result; nothing is raised for it.
    """
    lineage = champion.lineage
    result = ChampionResult(version=champion.version, commit=lineage.commit, run_key=lineage.run_key)
    try:
        _require_same_question(champion, settings)
        shared = _select_rows(champion, test, dropped)
        answers = replay(champion.bundle, shared.features, settings.train.candidate_timeout)
        prediction = _align(answers, challenger.classes)
        scores = _score(challenger, prediction, shared, settings)
    except IncomparableError as obstacle:
        return Challenge(result.model_copy(update={"obstacle": str(obstacle)}))
    compared = {
        "notes": _list_notes(dropped),
        "rows": len(shared.rows),
        "known_rows": len(test) - len(shared.rows),
        "metrics": [_pair_metric(score) for score in scores.metrics],
        "skipped": scores.skipped,
        "slices": _pair_slices(scores.slices, settings),
    }
    return Challenge(result.model_copy(update=compared), prediction, shared.places)


def _require_same_question(champion: Champion, settings: Settings) -> None:
    contract = champion.contract
    if contract.problem != settings.problem:
        raise IncomparableError(
            f"the champion answers a {contract.problem}, the challenger a {settings.problem}"
        )
    if contract.target != settings.data.target:
        raise IncomparableError(
            f"the champion predicts '{contract.target}', the challenger '{settings.data.target}'"
        )


def _select_rows(champion: Champion, test: pd.DataFrame, dropped: pd.DataFrame) -> SharedRows:
    frame = pd.concat([test, dropped], axis=1)
    if missing := list_missing(champion, frame):
        names = ", ".join(f"'{name}'" for name in missing)
        raise IncomparableError(f"the champion needs {names}, which the data no longer have")
    try:
        unknown = find_unknown_rows(champion, frame)
        seen = select_features(champion, frame)
    except (TypeError, ValueError) as error:
        raise IncomparableError(
            f"the data are no longer of the champion's types ({describe_error(error)})"
        ) from None
    if not unknown.any():
        raise IncomparableError(f"the champion may have been trained on all of the {len(test):,} test rows")
    places = np.flatnonzero(unknown)
    return SharedRows(
        places=places,
        rows=test.iloc[places].reset_index(drop=True),
        features=seen.iloc[places].reset_index(drop=True),
    )


def _score(challenger: Answers, champion: Prediction, shared: SharedRows, settings: Settings) -> PairedScores:
    pair = PairedPredictions(
        y_true=read_target(shared.rows, settings),
        predictions=(challenger.prediction.take(shared.places), champion),
        classes=challenger.classes,
        groups=number_groups(shared.rows, settings),
    )
    metrics = [find_metric(name, settings.problem) for name in dict.fromkeys(settings.evaluate.metrics)]
    slices, _ = cut_slices(shared.rows, settings)
    scores = score_pair(pair, metrics, slices, settings)
    if reason := scores.skipped.get(settings.train.metric):
        raise IncomparableError(f"{settings.train.metric} has no value for both: {reason}")
    return scores


def _align(answers: Answers, classes: np.ndarray) -> Prediction:
    """Put a champion's scores in the order of the challenger's classes; one it does not know has 0."""
    places = pd.Index(answers.classes).get_indexer(pd.Index(classes))
    if np.array_equal(places, np.arange(len(answers.classes))):
        return answers.prediction
    prediction = answers.prediction
    probability = None
    if prediction.probability is not None:
        probability = np.where(places >= 0, prediction.probability[:, places], 0.0)
    # Scores that are no probabilities have no zero that would mean "never".
    return Prediction(prediction.label, probability)


def _pair_metric(score: PairedScore) -> PairedMetric:
    return PairedMetric(
        name=score.metric.name,
        greater_is_better=score.metric.greater_is_better,
        challenger=score.challenger,
        champion=score.other,
        difference=score.difference,
    )


def _pair_slices(slices: Sequence[tuple[Slice, PairedScore]], settings: Settings) -> list[PairedSlice]:
    return [_pair_slice(one, score, len(slices), settings) for one, score in slices]


def _pair_slice(one: Slice, score: PairedScore, count: int, settings: Settings) -> PairedSlice:
    difference = _widen(score, count)
    margin = settings.gates.margin_of(score.other.value)
    return PairedSlice(
        column=one.column,
        level=one.level,
        rows=len(one.rows),
        challenger=score.challenger,
        champion=score.other,
        difference=difference,
        verdict=decide(difference.low, difference.high, margin),
    )


def _widen(score: PairedScore, count: int) -> Estimate:
    """Return a difference whose interval holds the truth for all of ``count`` slices at once.

    Bonferroni's correction. The ends lie so far out that too few replicates reach them: they are
    those of a normal distribution with the standard error of the bootstrap (Efron and Tibshirani,
    An Introduction to the Bootstrap, 1993, section 12.4).
    """
    value = score.difference.value
    reach = norm.isf(SLICE_ERRORS / 2 / count) * np.nanstd(score.differences, ddof=1)
    return Estimate(value=value, low=value - reach, high=value + reach)


def _list_notes(dropped: pd.DataFrame) -> list[str]:
    if dropped.empty:
        return []
    names = ", ".join(f"'{name}'" for name in dropped)
    return [f"The contract no longer has {names}; the champion was given it as the files have it."]

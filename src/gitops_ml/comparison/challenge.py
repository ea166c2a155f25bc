"""The challenger against the champion: both predict the same rows, which neither was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm
from sklearn.base import BaseEstimator
from threadpoolctl import threadpool_limits

from ..core.records import ChampionResult, Estimate, PairedMetric, PairedSlice
from ..core.settings import Settings
from ..data.split import features_and_target
from ..evaluation.paired import PairedPredictions, PairedScore, PairedScores, number_groups, score_pair
from ..evaluation.slices import Slice, cut_slices
from ..metrics.prediction import Prediction, predict
from ..metrics.registry import find_metric
from ..training.processes import describe
from .champion import Champion, find_unknown_rows, list_missing, select_features
from .replay import Answers, Incomparable, replay
from .verdict import decide

# Of the differences on all slices together, this share may look significant by chance.
SLICE_ERRORS = 0.05


@dataclass(frozen=True)
class Ground:
    """The test rows on which two models are compared."""

    rows: pd.DataFrame
    """As the challenger sees them, target included."""
    champion_rows: pd.DataFrame
    """The same rows as the champion sees them, features alone."""
    known_rows: int
    """How many test rows were left out."""


def challenge(
    model: BaseEstimator, champion: Champion, test: pd.DataFrame, dropped: pd.DataFrame, settings: Settings
) -> ChampionResult:
    """Compare two models on the test rows that neither of them was trained on.

    Parameters
    ----------
    model : estimator
        The challenger, fitted.
    champion : Champion
    test : DataFrame of shape (n_rows, n_columns)
        The test part.
    dropped : DataFrame of shape (n_rows, n_dropped)
        Of the same rows, columns that the champion needs and the contract no longer has.
    settings : Settings

    Returns
    -------
    ChampionResult
        What cannot be compared has an ``obstacle``; nothing is raised for it.
    """
    lineage = champion.lineage
    result = ChampionResult(version=champion.version, commit=lineage.commit, run_key=lineage.run_key)
    try:
        _require_same_question(champion, settings)
        ground = _find_ground(champion, test, dropped)
        answers = replay(champion.bundle, ground.champion_rows, settings.train.candidate_timeout)
        found = _measure(model, answers, ground, settings)
    except Incomparable as obstacle:
        return result.model_copy(update={"obstacle": str(obstacle)})
    return result.model_copy(
        update={
            "notes": _list_notes(dropped),
            "rows": len(ground.rows),
            "known_rows": ground.known_rows,
            "metrics": [_pair_metric(score) for score in found.metrics],
            "skipped": found.skipped,
            "slices": _pair_slices(found.slices, settings),
        }
    )


def _require_same_question(champion: Champion, settings: Settings) -> None:
    contract = champion.contract
    if contract.problem != settings.problem:
        raise Incomparable(f"the champion answers a {contract.problem}, the challenger a {settings.problem}")
    if contract.target != settings.data.target:
        raise Incomparable(
            f"the champion predicts '{contract.target}', the challenger '{settings.data.target}'"
        )


def _find_ground(champion: Champion, test: pd.DataFrame, dropped: pd.DataFrame) -> Ground:
    frame = pd.concat([test, dropped], axis=1)
    if missing := list_missing(champion, frame):
        names = ", ".join(f"'{name}'" for name in missing)
        raise Incomparable(f"the champion needs {names}, which the data no longer have")
    try:
        unknown = find_unknown_rows(champion, frame)
        seen = select_features(champion, frame)
    except (TypeError, ValueError) as error:
        raise Incomparable(f"the data are no longer of the champion's types ({describe(error)})") from None
    if not unknown.any():
        raise Incomparable(f"the champion may have been trained on all of the {len(test):,} test rows")
    places = np.flatnonzero(unknown)
    return Ground(
        rows=test.iloc[places].reset_index(drop=True),
        champion_rows=seen.iloc[places].reset_index(drop=True),
        known_rows=len(test) - len(places),
    )


def _measure(model: BaseEstimator, answers: Answers, ground: Ground, settings: Settings) -> PairedScores:
    features, target = features_and_target(ground.rows, settings)
    with threadpool_limits(1, "openmp"):
        prediction = predict(model, features)
    if settings.problem == "classification":
        y_true, classes = target.to_numpy(), np.asarray(model.classes_)
        other = _align(answers, classes)
    else:
        y_true, classes, other = target.to_numpy(dtype=float), np.empty(0), answers.prediction
    pair = PairedPredictions(y_true, (prediction, other), classes, number_groups(ground.rows, settings))
    metrics = [find_metric(name, settings.problem) for name in dict.fromkeys(settings.evaluate.metrics)]
    slices, _ = cut_slices(ground.rows, settings)
    found = score_pair(pair, metrics, slices, settings)
    if reason := found.skipped.get(settings.train.metric):
        raise Incomparable(f"{settings.train.metric} has no value for both: {reason}")
    return found


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

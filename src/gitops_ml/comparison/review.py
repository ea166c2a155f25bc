"""What a run knows of challenger and champion, for functions of a team's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..core.records import ComparisonRecord, EvaluationRecord, Records, TrainingRecord, ValidationRecord
from ..core.settings import Settings
from ..evaluation.paired import read_target
from ..metrics.prediction import Prediction

if TYPE_CHECKING:
    from .challenge import Challenge
    from .replay import Answers


@dataclass(frozen=True)
class ReviewContext:
    """The argument of policies and of sections of the report.

    Parameters
    ----------
    rows : DataFrame of shape (n_rows, n_columns)
        The test part: all columns of the contract, target, id and group included.
    y_true : ndarray of shape (n_rows,)
        The target of these rows.
    classes : ndarray of shape (n_classes,)
        In the order of the probabilities; empty for regression.
    challenger : Prediction
        What the challenger predicts for these rows: ``label`` of shape (n_rows,), and ``probability`` of
        shape (n_rows, n_classes), None for regression and for models without.
    champion : Prediction or None
        What the champion predicts for the rows ``champion_rows``, in their order; None where there is no
        champion, or the two cannot be compared.
    champion_rows : ndarray of shape (n_champion_rows,)
        Positions of the test rows that the champion was not trained on.
    validation, training, evaluation, comparison
        The records of the stages. To a policy, ``comparison`` has the built-in gates alone; to a section,
        those of the policies as well.
    settings : Settings
        The content of ``params.yaml``.
    """

    rows: pd.DataFrame
    y_true: np.ndarray
    classes: np.ndarray
    challenger: Prediction
    champion: Prediction | None
    champion_rows: np.ndarray
    validation: ValidationRecord
    training: TrainingRecord
    evaluation: EvaluationRecord
    comparison: ComparisonRecord
    settings: Settings


def describe_review(
    answers: Answers, challenge: Challenge | None, test: pd.DataFrame, records: Records, settings: Settings
) -> ReviewContext:
    """Return what functions of a team's own are told.

    Parameters
    ----------
    answers : Answers
        What the challenger predicts for the test part.
    challenge : Challenge or None
        None where there is no champion. One that is the same model predicts the same.
    test : DataFrame of shape (n_rows, n_columns)
        The test part.
    records : Records
        Of all stages up to the comparison.
    settings : Settings
    """
    champion, places = None, np.empty(0, dtype=int)
    if challenge is not None and challenge.result.same:
        champion, places = answers.prediction, np.arange(len(test))
    elif challenge is not None:
        champion, places = challenge.prediction, challenge.places
    validation, training = records.validation, records.training
    evaluation, comparison = records.evaluation, records.comparison
    assert validation is not None
    assert training is not None
    assert evaluation is not None
    assert comparison is not None
    return ReviewContext(
        rows=test,
        y_true=read_target(test, settings),
        classes=answers.classes,
        challenger=answers.prediction,
        champion=champion,
        champion_rows=places,
        validation=validation,
        training=training,
        evaluation=evaluation,
        comparison=comparison,
        settings=settings,
    )

"""The data check: drift of new files and of the prediction log from the training data."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...comparison.replay import Answers
from ...contract.export import to_json
from ...drift.columns import measure_columns
from ...drift.histogram import Histograms, name_scores
from ...drift.profile import ProfileRecord
from ..prediction_log.window import TIME, VERSION
from .context import Context
from .new_files import NewFiles
from .records import DataCheck


def check_files(context: Context, new_files: NewFiles, predictions: Answers | None) -> DataCheck:
    """Measure the drift of new files from the champion's profile.

    Parameters
    ----------
    context : Context
    new_files : NewFiles
    predictions : Answers or None
        What the champion predicts for the valid rows, in their order; None where it cannot.
    """
    data, profile = context.settings.data, context.profile
    # The target of another problem is another column, even under the same name.
    same_target = context.champion.contract.target == data.target
    histograms = Histograms(profile, data.target if same_target else None, data.time)
    scores = {} if predictions is None else _name_predictions(predictions, profile)
    histograms.add(new_files.frame.assign(**scores))
    return DataCheck(
        source="files",
        files=new_files.checked,
        findings=new_files.findings,
        notes=[*new_files.notes, *_note_absent(histograms, profile)],
        **_describe(histograms, context),
    )


def check_log(context: Context) -> DataCheck:
    """Measure the drift of the prediction log from the champion's profile, in the memory of one chunk.

    Predictions of another version than the champion's do not count as its scores.
    """
    assert context.log is not None
    profile, version = context.profile, context.champion.version
    histograms, scores = Histograms(profile, time=TIME), list(name_scores(profile))
    for chunk in context.log:
        histograms.add(chunk.drop(columns=scores, errors="ignore"))
        own = chunk if version is None else chunk[chunk[VERSION].isin([str(version)])]
        histograms.add_columns(own[own.columns.intersection(scores)])
    notes = [*_note_absent(histograms, profile), *context.log.skipped.describe()]
    return DataCheck(source="log", notes=notes, **_describe(histograms, context))


def _name_predictions(predictions: Answers, profile: ProfileRecord) -> dict[str, np.ndarray]:
    """Return what the champion predicts as the columns that the profile has of it."""
    prediction, classes = predictions.prediction, [str(name) for name in predictions.classes]
    if prediction.probability is None:
        return dict.fromkeys(name_scores(profile), prediction.label)
    return {
        column: prediction.probability[:, classes.index(name)]
        for column, name in zip(name_scores(profile), profile.scores, strict=True)
    }


def _describe(histograms: Histograms, context: Context) -> dict[str, Any]:
    return {
        "rows": histograms.rows,
        "first": to_json(histograms.first),
        "last": to_json(histograms.last),
        "columns": measure_columns(histograms, context.settings.monitor, context.sources),
    }


def _note_absent(histograms: Histograms, profile: ProfileRecord) -> list[str]:
    features = histograms.columns.keys() & profile.features.keys()
    absent = sorted(name for name in features if not histograms.columns[name].counts.any())
    if not absent or not histograms.rows:
        return []
    return [f"The rows do not have {', '.join(map(repr, absent))}."]

"""Whether new rows still look like the training data: of new files, and of the prediction log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from ...comparison.champion import Champion
from ...comparison.replay import Answers
from ...contract.export import to_json
from ...core.settings import Settings
from ...drift.columns import measure_columns
from ...drift.histogram import Histograms, name_scores
from ...drift.profile import ProfileRecord
from ..prediction_log.window import TIME, VERSION
from .new_files import NewFiles
from .records import DataCheck


def check_files(
    new_files: NewFiles,
    answers: Answers | None,
    champion: Champion,
    profile: ProfileRecord,
    settings: Settings,
    sources: int,
) -> DataCheck:
    """Hold new files against the profile of the champion.

    Parameters
    ----------
    new_files : NewFiles
    answers : Answers or None
        What the champion predicts for the valid rows, in their order; None where it cannot.
    champion : Champion
    profile : ProfileRecord
        Of its bundle.
    settings : Settings
    sources : int
        How many sources this check has.
    """
    # Another target is another question, even under the same name of a column.
    same_target = champion.contract.target == settings.data.target
    histograms = Histograms(profile, settings.data.target if same_target else None, settings.data.time)
    scores = {} if answers is None else _tell_scores(answers, profile)
    histograms.add(new_files.frame.assign(**scores))
    return DataCheck(
        source="files",
        files=new_files.checked,
        findings=new_files.findings,
        notes=[*new_files.notes, *_note_absent(histograms, profile)],
        **_summarise(histograms, settings, sources),
    )


def check_log(
    chunks: Iterable[pd.DataFrame],
    champion: Champion,
    profile: ProfileRecord,
    settings: Settings,
    sources: int,
) -> DataCheck:
    """Hold the prediction log against the profile of the champion, in the memory of one chunk.

    Parameters
    ----------
    chunks : iterable of DataFrame
        Of the log: ``log time``, ``log version``, the features by their names, and ``score CLASS``
        or ``prediction``. Answers of another version than the champion's do not count as its scores.
    champion : Champion
    profile : ProfileRecord
        Of its bundle.
    settings : Settings
    sources : int
        How many sources this check has.
    """
    histograms, answers = Histograms(profile, time=TIME), list(name_scores(profile))
    for chunk in chunks:
        histograms.add(chunk.drop(columns=answers, errors="ignore"))
        own = chunk[VERSION].isin([str(champion.version)]) if champion.version is not None else slice(None)
        histograms.add_columns(chunk.loc[own, chunk.columns.intersection(answers)])
    return DataCheck(
        source="log", notes=_note_absent(histograms, profile), **_summarise(histograms, settings, sources)
    )


def _tell_scores(answers: Answers, profile: ProfileRecord) -> dict[str, np.ndarray]:
    """Return what the champion answered as the columns that the profile has of it."""
    prediction, classes = answers.prediction, [str(name) for name in answers.classes]
    if prediction.probability is None:
        return dict.fromkeys(name_scores(profile), prediction.label)
    return {
        column: prediction.probability[:, classes.index(name)]
        for column, name in zip(name_scores(profile), profile.scores, strict=True)
    }


def _summarise(histograms: Histograms, settings: Settings, sources: int) -> dict[str, Any]:
    return {
        "rows": histograms.rows,
        "first": to_json(histograms.first),
        "last": to_json(histograms.last),
        "columns": measure_columns(histograms, settings.monitor, sources),
    }


def _note_absent(histograms: Histograms, profile: ProfileRecord) -> list[str]:
    features = histograms.columns.keys() & profile.features.keys()
    absent = sorted(name for name in features if not histograms.columns[name].counts.any())
    if not absent or not histograms.rows:
        return []
    return [f"The rows do not have {', '.join(map(repr, absent))}."]

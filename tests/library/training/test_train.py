"""Training: who wins, who fails, and that it ends the same way every time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from gitops_ml.core.errors import LifecycleError
from gitops_ml.core.progress import QuietConsole
from gitops_ml.core.settings import Settings
from gitops_ml.data.split import Split, features_and_target
from gitops_ml.training import train as training
from gitops_ml.training.processes import Job, run
from misfits import ROWS, able, hopeless, numeric, stuck, troubled
from toy_binary import models
from toy_binary.schema import Contract


def make_settings(problem: str = "classification", **train: Any) -> Settings:
    """Return settings for the table below."""
    metric = {"classification": "roc_auc", "regression": "mae"}[problem]
    return Settings.model_validate(
        {
            "problem": problem,
            "data": {"target": "y", "id": "id"},
            "split": {"by": "hash"},
            "train": {"metric": metric, "folds": 2, **train},
            "evaluate": {"metrics": [metric]},
        }
    )


@pytest.fixture(scope="module", autouse=True)
def _server() -> None:
    """Start what workers are forked from, which takes time of no candidate and leaves a file."""
    assert 1 == len(list(run([Job(0, abs, (1,), timeout=60)], parallel=1)))


@pytest.fixture
def table() -> Split:
    """Rows on which x tells y, apart from some noise."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=ROWS)
    y = (x + generator.normal(size=ROWS) > 0).astype(int)
    frame = pd.DataFrame({"id": range(ROWS), "x": x, "y": y})
    return Split(train=frame, test=frame.head(0), boundary="0.25")


def test_best_mean_score_wins_and_among_equals_the_first(
    table: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The challenger has the best mean in cross-validation; simpler candidates are listed first."""
    monkeypatch.setattr("gitops_ml.core.project.load_candidates", lambda: able)

    record = training.train(table, make_settings(), "key", QuietConsole().progress).record

    assert "first" == record.challenger
    assert [0.5, 0.5] == record.candidates[0].scores
    assert record.candidates[1].scores == record.candidates[2].scores
    assert "LogisticRegression()" == record.estimator
    assert (["x"], ["0", "1"], "key") == (record.features, record.classes, record.run_key)


def test_lower_is_better_for_errors(table: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an error as metric the smallest wins."""
    monkeypatch.setattr("gitops_ml.core.project.load_candidates", lambda: numeric)

    record = training.train(table, make_settings("regression"), "key", QuietConsole().progress).record

    assert "line" == record.challenger
    assert [] == record.classes


def test_challenger_is_fitted_on_the_whole_training_part(
    table: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is deployed has seen every training row, and it is what the candidate makes of them."""
    monkeypatch.setattr("gitops_ml.core.project.load_candidates", lambda: able)
    X, y = features_and_target(table.train, make_settings())

    model = training.train(table, make_settings(candidates=["second"]), "key", QuietConsole().progress).model

    assert np.array_equal(LogisticRegression().fit(X, y).predict_proba(X), model.predict_proba(X))


def test_single_candidate_is_not_cross_validated(table: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to select."""
    monkeypatch.setattr("gitops_ml.core.project.load_candidates", lambda: able)

    record = training.train(table, make_settings(candidates=["dull"]), "key", QuietConsole().progress).record

    assert ["dull"] == [candidate.name for candidate in record.candidates]
    assert [] == record.candidates[0].scores
    assert record.candidates[0].seconds > 0


def test_failed_candidates_are_listed_and_the_others_go_on(
    table: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever happens to a candidate, it happens to that one alone, and the record says what."""
    monkeypatch.setattr("gitops_ml.core.project.load_candidates", lambda: troubled)
    steps: list[tuple[int, int]] = []

    def note(task: str, done: int, total: int) -> None:
        steps.append((done, total))

    record = training.train(table, make_settings(), "key", note).record

    assert "warns" == record.challenger
    in_the_end = "(on the whole training part)"
    assert {
        "raises": "raised ValueError: no luck",
        "is_killed": "was killed; out of memory?",
        "cannot_be_saved": f"raised TypeError: cannot pickle '_thread.lock' object {in_the_end}",
        "raises_in_the_end": f"ran out of memory {in_the_end}",
        "warns": None,
    } == {candidate.name: candidate.reason for candidate in record.candidates}
    assert str(record.candidates[-1].warning).startswith("ConvergenceWarning: ")
    assert steps[0][0] == 0
    assert steps[-1][0] == steps[-1][1]


def test_a_candidate_that_hangs_is_ended(table: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    """After ``train.candidate_timeout`` it has failed."""
    monkeypatch.setattr("gitops_ml.core.project.load_candidates", lambda: stuck)

    with pytest.raises(LifecycleError, match=r"hangs timed out after 1 s;"):
        training.train(table, make_settings(candidate_timeout=1), "key", QuietConsole().progress)


def test_all_reasons_are_told_if_every_candidate_fails(table: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any model the run fails, with one sentence that has every reason."""
    monkeypatch.setattr("gitops_ml.core.project.load_candidates", lambda: hopeless)

    with pytest.raises(LifecycleError, match=r"raises raised ValueError: no luck; is_killed was killed.*\.$"):
        training.train(table, make_settings(), "key", QuietConsole().progress)


def test_unknown_candidate_is_answered_with_the_nearest(
    table: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A typo in the parameters is named before anything is trained."""
    monkeypatch.setattr("gitops_ml.core.project.load_candidates", lambda: able)

    with pytest.raises(LifecycleError, match=r"candidates has 'secnd'.* did you mean 'second'\?"):
        training.train(table, make_settings(candidates=["secnd"]), "key", QuietConsole().progress)


def test_nothing_is_left_behind(table: Split, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The copy of the data that workers read is removed, also after a failure."""
    monkeypatch.setattr("gitops_ml.core.project.load_candidates", lambda: hopeless)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with pytest.raises(LifecycleError):
        training.train(table, make_settings(), "key", QuietConsole().progress)

    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("name", list(models.candidates(0)))
def test_same_commit_trains_the_same_model(
    name: str, settings: Settings, raw: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every candidate of this project predicts the same bytes when it is trained again.

    Also on a machine with another number of cores.
    """
    train = Contract.validate(raw).sample(800, random_state=0, ignore_index=True)
    part = Split(train=train, test=train.head(0), boundary="")
    alone = settings.model_copy(update={"train": settings.train.model_copy(update={"candidates": [name]})})
    X, _ = features_and_target(train, settings)

    predictions = []
    for cores in (1, 2):
        monkeypatch.setattr(joblib, "cpu_count", lambda cores=cores: cores)
        model = training.train(part, alone, "key", QuietConsole().progress).model
        predictions.append(getattr(model, "predict_proba", model.predict)(X))

    assert predictions[0].tobytes() == predictions[1].tobytes()
    assert len(np.unique(predictions[0])) > 10


def test_baseline_is_fitted(settings: Settings, raw: pd.DataFrame) -> None:
    """The baseline predicts from the training part alone, and one thing for every row."""
    train = Contract.validate(raw)
    X, _ = features_and_target(train, settings)

    baseline = training.fit_baseline(Split(train=train, test=train.head(0), boundary=""), settings)

    assert 1 == len(np.unique(baseline.predict(X)))

"""The profile holds what drift will be measured against."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier

from gitops_ml.core.settings import Settings
from gitops_ml.data.split import Split
from gitops_ml.drift import profile


def choose(settings: Settings, problem: str) -> Settings:
    """Settings for a table with a target ``y``."""
    data = settings.data.model_copy(update={"target": "y", "id": None, "group": None, "time": None})
    return settings.model_copy(update={"problem": problem, "data": data})


VALUES = st.floats(-5, 5) | st.sampled_from([0.0, 1.0, np.nan, np.inf])


@limits(max_examples=50, deadline=None)
@given(values=st.lists(VALUES, min_size=1, max_size=80))
def test_every_finite_number_is_in_one_bin(values: list[float]) -> None:
    """Bins are ascending, and their counts are those of ``edges[i - 1] <= x < edges[i]``."""
    result = profile.profile_numbers(pd.Series(values, dtype=float))
    finite = np.array([value for value in values if np.isfinite(value)])
    edges = np.array(result.edges)
    assert len(finite) == sum(result.counts)
    assert (np.diff(edges) > 0).all()
    expected = np.bincount(np.searchsorted(edges, finite, side="right"), minlength=len(edges) + 1)
    assert expected.tolist() == result.counts
    assert np.isnan(values).mean() == pytest.approx(result.missing)


def test_bins_hold_about_equally_many() -> None:
    """Edges are quantiles, so that a shift shows wherever it happens."""
    result = profile.profile_numbers(pd.Series(np.random.default_rng(0).lognormal(size=2000)))
    assert len(result.counts) == profile.BINS
    assert max(result.counts) - min(result.counts) <= 2


def test_integers_with_missing_values_are_numbers() -> None:
    """pandas' own integers know missing values."""
    result = profile.profile_column(pd.Series([1, 2, None], dtype="Int64"))
    assert isinstance(result, profile.NumberProfile)
    assert (1.0, 2.0, 1 / 3) == (result.minimum, result.maximum, result.missing)


def test_durations_count_in_seconds() -> None:
    """A duration is a number."""
    result = profile.profile_column(pd.Series(pd.to_timedelta(["1min", "2min"])))
    assert isinstance(result, profile.NumberProfile)
    assert (60.0, 120.0) == (result.minimum, result.maximum)


def test_rare_levels_are_counted_together() -> None:
    """A column with thousands of levels does not make a profile of thousands of lines."""
    levels = [f"level{number:03}" for number in range(80) for _ in range(80 - number)]
    result = profile.profile_column(pd.Series([*levels, None], dtype="str"))
    assert isinstance(result, profile.CategoryProfile)
    assert len(result.counts) == profile.MAX_LEVELS
    assert len(levels) == sum(result.counts.values()) + result.other
    assert next(iter(result.counts.items())) == ("level000", 80)


def test_dates_are_counted_by_calendar() -> None:
    """Months, days of the week and hours, with the first and the last date."""
    dates = pd.to_datetime(pd.Series(["2024-01-01 05:00", "2024-01-02 05:30", "2024-12-31 23:59", None]))
    result = profile.profile_column(dates)
    assert isinstance(result, profile.DateProfile)
    assert [2, *[0] * 10, 1] == result.month
    assert [1, 2, 0, 0, 0, 0, 0] == result.weekday
    assert (2, 1, 0.25) == (result.hour[5], result.hour[23], result.missing)
    assert ("2024-01-01T05:00:00", "2024-12-31T23:59:00") == (result.first, result.last)


def test_an_empty_column_is_profiled() -> None:
    """A column without any value is a fact, not a failure."""
    for dtype in ("float64", "str", "datetime64[ns]"):
        result = profile.profile_column(pd.Series([None, None], dtype=dtype))
        assert result.missing == 1.0


@pytest.mark.parametrize(
    ("model", "labels", "expected"),
    [
        (LogisticRegression(), [0, 1], ["1"]),
        (LogisticRegression(), ["a", "b", "c"], ["a", "b", "c"]),
        (RidgeClassifier(), [0, 1], []),
    ],
)
def test_scores_of_a_classifier(
    model: LogisticRegression, labels: list[str], expected: list[str], settings: Settings
) -> None:
    """One class where there are two, each where there are more, none without probabilities."""
    frame = pd.DataFrame({"x": np.arange(60.0), "y": np.resize(labels, 60)})
    model.fit(frame[["x"]], frame["y"])
    result = profile.profile_data(model, Split(frame, frame, ""), choose(settings, "classification"))
    assert expected == list(result.scores)
    assert all(score.rows == 60 for score in result.scores.values())
    assert isinstance(result.target, profile.CategoryProfile)


def test_scores_of_a_regression(settings: Settings) -> None:
    """Predictions of the test part, while the features are those of the training part."""
    frame = pd.DataFrame({"x": np.arange(60.0), "y": np.arange(60.0) * 2})
    model = LinearRegression().fit(frame[["x"]], frame["y"])
    split = Split(frame[:40], frame[40:], "")
    result = profile.profile_data(model, split, choose(settings, "regression"))
    assert pytest.approx(80) == result.scores["prediction"].minimum
    assert (40, 20) == (result.rows, result.scores["prediction"].rows)
    assert isinstance(result.target, profile.NumberProfile)


def test_a_profile_comes_back_from_its_file(settings: Settings, tmp_path: Path) -> None:
    """Each kind of column is read back as what it was, and the file is strict JSON."""
    frame = pd.DataFrame({"n": [1.0, np.inf], "c": ["a", None], "t": [pd.Timestamp("2024-01-01"), pd.NaT]})
    frame["y"] = [True, False]
    model = DummyClassifier().fit(frame[["n"]], frame["y"])
    written = profile.profile_data(model, Split(frame, frame, ""), choose(settings, "classification"))
    written.write(tmp_path)
    assert written == profile.ProfileRecord.read(tmp_path)
    json.loads((tmp_path / "profile.json").read_text(), parse_constant=pytest.fail)


def test_only_a_sample_of_many_rows_is_scored(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand rows show the distribution; the first and the last row are among them."""
    monkeypatch.setattr(profile, "MAX_SCORED_ROWS", 7)
    frame = pd.DataFrame({"x": np.arange(60.0), "y": np.arange(60.0)})
    model = LinearRegression().fit(frame[["x"]], frame["y"])
    result = profile.profile_data(model, Split(frame, frame, ""), choose(settings, "regression"))
    score = result.scores["prediction"]
    assert score.rows == 7
    assert pytest.approx([0, 59]) == [score.minimum, score.maximum]


def test_a_constant_column_has_a_profile(settings: Settings) -> None:
    """A constant has no spread, and all rows are in one bin."""
    result = profile.profile_column(pd.Series([3.0] * 10))
    assert isinstance(result, profile.NumberProfile)
    assert ([3.0], [0, 10], 0.0) == (result.edges, result.counts, result.sd)
    frame = pd.DataFrame({"x": [1.0, 2.0], "y": [5.0, 5.0]})
    model = DummyRegressor().fit(frame[["x"]], frame["y"])
    scores = profile.profile_data(model, Split(frame, frame, ""), choose(settings, "regression")).scores
    assert [0, 2] == scores["prediction"].counts

"""What any model of this project must do, whatever its scores: invariances and directions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
{%- if cookiecutter.problem == "classification" %}
from sklearn.metrics import roc_auc_score
{%- else %}
from sklearn.metrics import mean_absolute_error
{%- endif %}
from threadpoolctl import threadpool_limits

from {{ cookiecutter.__package }}.models import baseline, candidates
from {{ cookiecutter.__package }}.pipeline.contract import apply_contract, read_contract
from {{ cookiecutter.__package }}.pipeline.settings import Settings
from {{ cookiecutter.__package }}.pipeline.split import Split, features_and_target

LEAKS = ["dep_time", "dep_delay", "arr_time", "arr_delay", "late", "air_time"]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Keep fits from waiting for each other's threads when tests run side by side."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def split(raw: pd.DataFrame) -> Split:
    """Two months of flights, the last quarter of them held out."""
    flights = apply_contract(raw, read_contract()).frame.sort_values("scheduled_departure")
    cut = len(flights) * 3 // 4
    return Split(flights.iloc[:cut], flights.iloc[cut:], str(flights["scheduled_departure"].iloc[cut]))


@pytest.fixture(scope="module")
def model(split: Split, settings: Settings) -> BaseEstimator:
    """The boosting candidate, the quickest that is good."""
    X, y = features_and_target(split.train, settings)
    return candidates(settings.train.seed)["boosting"].fit(X, y)


@pytest.fixture(scope="module")
def flights(split: Split, settings: Settings) -> pd.DataFrame:
    """The features of flights that the model has not seen."""
    return features_and_target(split.test, settings)[0]


def predict(model: BaseEstimator, flights: pd.DataFrame) -> np.ndarray:
    """Return one number a flight: {{ "the probability to be late" if cookiecutter.problem == "classification" else "minutes in the air" }}."""
{%- if cookiecutter.problem == "classification" %}
    return np.asarray(model.predict_proba(flights)[:, 1])
{%- else %}
    return np.asarray(model.predict(flights))
{%- endif %}


@pytest.mark.parametrize("name", sorted(candidates(0)))
def test_candidate_beats_the_baseline(name: str, split: Split, settings: Settings) -> None:
    """Every candidate predicts later flights better than a model that looks at nothing."""
    X, y = features_and_target(split.train, settings)
    unseen, truth = features_and_target(split.test, settings)
    guess, answer = (predict(m.fit(X, y), unseen) for m in (baseline(), candidates(0)[name]))
{% if cookiecutter.problem == "classification" %}
    assert roc_auc_score(truth, answer) > roc_auc_score(truth, guess) + 0.05
{%- else %}
    assert mean_absolute_error(truth, answer) < 0.3 * mean_absolute_error(truth, guess)
{%- endif %}


def test_order_of_rows_does_not_matter(model: BaseEstimator, flights: pd.DataFrame) -> None:
    """A flight gets the same prediction wherever it stands in a batch."""
    order = np.random.default_rng(0).permutation(len(flights))

    np.testing.assert_array_equal(predict(model, flights)[order], predict(model, flights.iloc[order]))


def test_one_flight_is_predicted_as_in_a_batch(model: BaseEstimator, flights: pd.DataFrame) -> None:
    """Serving one flight at a time answers what testing measured."""
    assert predict(model, flights)[0] == pytest.approx(predict(model, flights.head(1))[0])


def test_number_of_the_flight_does_not_matter(split: Split, settings: Settings) -> None:
    """Flights numbered anew train the same model."""
    answers = []
    for shift in (0, 1_000_000):
        part = split.train.head(1000)
        X, y = features_and_target(part.assign(flight_id=part["flight_id"] + shift), settings)
        answers.append(predict(candidates(0)["boosting"].fit(X, y), X))

    np.testing.assert_array_equal(answers[0], answers[1])


def test_model_sees_nothing_from_after_the_flight(model: BaseEstimator, flights: pd.DataFrame) -> None:
    """Neither a column that leaks nor the number of the flight is among the inputs."""
    assert set() == {*LEAKS, "flight_id"} & set(model.feature_names_in_)
    assert list(flights.columns) == list(model.feature_names_in_)


def test_missing_weather_is_no_obstacle(model: BaseEstimator, flights: pd.DataFrame) -> None:
    """Without any weather report there still is a finite prediction."""
    weather = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]

    assert np.isfinite(predict(model, flights.assign(**dict.fromkeys(weather, np.nan)))).all()
{%- if cookiecutter.problem == "classification" %}


def test_probabilities_are_probabilities(model: BaseEstimator, flights: pd.DataFrame) -> None:
    """They lie between 0 and 1, and those of the two classes add up to 1."""
    both = model.predict_proba(flights)

    assert ((both >= 0) & (both <= 1)).all()
    np.testing.assert_allclose(1.0, both.sum(axis=1))


def test_evenings_are_later_than_mornings(model: BaseEstimator, flights: pd.DataFrame) -> None:
    """Delays add up over a day: the same flights are later at 19:00 than at 6:00."""
    midnight = flights["scheduled_departure"].dt.normalize()
    morning, evening = (
        predict(model, flights.assign(scheduled_departure=midnight + pd.Timedelta(hours=hour))).mean()
        for hour in (6, 19)
    )

    assert morning < evening
{%- else %}


def test_longer_flights_take_longer(model: BaseEstimator, flights: pd.DataFrame) -> None:
    """The same flights take more time when the distance and the schedule are longer."""
    longer = flights.assign(
        distance=flights["distance"] + 500, scheduled_minutes=flights["scheduled_minutes"] + 60
    )

    assert predict(model, flights).mean() + 30 < predict(model, longer).mean()
    assert 0.95 < (predict(model, flights) <= predict(model, longer)).mean()
{%- endif %}

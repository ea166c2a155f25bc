"""What a model of flights must do, whatever its scores: directions and invariances."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
{%- if cookiecutter.problem == "classification" %}
from sklearn.metrics import roc_auc_score
{%- else %}
from sklearn.metrics import mean_absolute_error
{%- endif %}

from {{ cookiecutter.__package }}.models import baseline, candidates
from {{ cookiecutter.__package }}.schema import Contract

Part = tuple[pd.DataFrame, pd.Series]
WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]


@pytest.fixture(scope="module")
def parts(raw: pd.DataFrame) -> tuple[Part, Part]:
    """Features and target of two months of flights, the last quarter of them held out."""
    flights = Contract.validate(raw).sort_values("scheduled_departure").drop(columns="flight_id")
    X, y = flights.drop(columns="{{ "late" if cookiecutter.problem == "classification" else "air_time" }}"), flights["{{ "late" if cookiecutter.problem == "classification" else "air_time" }}"]
    cut = len(flights) * 3 // 4
    return (X.iloc[:cut], y.iloc[:cut]), (X.iloc[cut:], y.iloc[cut:])


@pytest.fixture(scope="module")
def model(parts: tuple[Part, Part]) -> BaseEstimator:
    """The boosting candidate, the quickest that is good."""
    return candidates(0)["boosting"].fit(*parts[0])


@pytest.fixture(scope="module")
def flights(parts: tuple[Part, Part]) -> pd.DataFrame:
    """The features of flights that the model has not seen."""
    return parts[1][0]


def predict(model: BaseEstimator, flights: pd.DataFrame) -> np.ndarray:
    """Return one number a flight: {{ "the probability to be late" if cookiecutter.problem == "classification" else "minutes in the air" }}."""
{%- if cookiecutter.problem == "classification" %}
    return np.asarray(model.predict_proba(flights)[:, 1])
{%- else %}
    return np.asarray(model.predict(flights))
{%- endif %}


@pytest.mark.parametrize("name", sorted(candidates(0)))
def test_candidate_beats_the_baseline(name: str, parts: tuple[Part, Part]) -> None:
    """Every candidate predicts later flights better than a model that ignores the features."""
    known, (X, y) = parts
    base, answers = (predict(one.fit(*known), X) for one in (baseline(), candidates(0)[name]))
{% if cookiecutter.problem == "classification" %}
    assert roc_auc_score(y, answers) > roc_auc_score(y, base) + 0.05
{%- else %}
    assert mean_absolute_error(y, answers) < 0.3 * mean_absolute_error(y, base)
{%- endif %}


def test_no_weather_report_is_no_obstacle(model: BaseEstimator, flights: pd.DataFrame) -> None:
    """Without any weather there still is a finite prediction."""
    assert np.isfinite(predict(model, flights.assign(**dict.fromkeys(WEATHER, np.nan)))).all()
{%- if cookiecutter.problem == "classification" %}


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

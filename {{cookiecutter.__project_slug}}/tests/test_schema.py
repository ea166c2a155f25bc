"""The data contract of the flights."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from {{ cookiecutter.__package }}.pipeline.contract import apply_contract
from {{ cookiecutter.__package }}.pipeline.settings import Settings
from {{ cookiecutter.__package }}.pipeline.split import features_and_target
from {{ cookiecutter.__package }}.schema import Contract

# Known only after the flight: a model that saw them would be useless before it.
LEAKS = ["dep_time", "dep_delay", "arr_time", "arr_delay", {{ '"air_time"' if cookiecutter.problem == "classification" else '"late"' }}]


def break_contract(flights: pd.DataFrame, **values: Any) -> set[tuple[str, str]]:
    """Return column and check of all that is wrong once the first flight has these values."""
    flights = flights.astype({name: object for name in values if name != "scheduled_departure"})
    for name, value in values.items():
        flights.loc[0, name] = value
    outcome = apply_contract(flights, Contract.to_schema())
    return {(breach.column, breach.check) for breach in outcome.breaches}


def test_real_flights_keep_the_contract(raw: pd.DataFrame) -> None:
    """The data that the project ships with have no finding."""
    assert [] == apply_contract(raw, Contract.to_schema()).breaches


def test_leaking_columns_never_reach_a_model(raw: pd.DataFrame, settings: Settings) -> None:
    """What is known only after the flight is in the files, and dropped by the contract."""
    assert set(LEAKS) <= set(raw.columns)

    valid = apply_contract(raw, Contract.to_schema()).frame
    X, _ = features_and_target(valid, settings)

    assert set() == set(LEAKS) & (set(valid.columns) | set(X.columns))
    assert settings.data.target not in X.columns


@pytest.mark.parametrize(
    ("column", "value", "check"),
    [
        ("carrier", None, "is not null"),
        ("distance", 49, "is at least 50"),
        ("distance", "far", "is int64"),
        ("origin", "BOS", "is one of ['EWR', 'JFK', 'LGA']"),
        ("dest", "Boston", "matches ^[A-Z]{3}$"),
        ("scheduled_departure", pd.Timestamp("2014-01-01"), "is below 2014-01-01 00:00:00"),
        ("visib", 10.5, "is at most 10"),
    ],
)
def test_contract_refuses(raw: pd.DataFrame, column: str, value: Any, check: str) -> None:
    """One flight with an impossible value is one breach."""
    assert {(column, check)} == break_contract(raw, **{column: value})


def test_dew_point_is_never_above_temperature(raw: pd.DataFrame) -> None:
    """Each is possible alone, both together are not."""
    expected = {("table", "dew point is not above temperature")}

    assert expected == break_contract(raw, temp=20.0, dewp=40.0)


def test_flights_are_unique(raw: pd.DataFrame) -> None:
    """A number of a flight occurs once."""
    expected = {("flight_id", "is unique")}

    assert expected == break_contract(raw, flight_id=raw.loc[1, "flight_id"])


def test_weather_may_be_missing(raw: pd.DataFrame) -> None:
    """Flights without a weather report are flights."""
    weather = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]

    assert set() == break_contract(raw, **dict.fromkeys(weather))
{%- if cookiecutter.problem == "regression" %}


def test_no_flight_is_faster_than_sound(raw: pd.DataFrame) -> None:
    """A flight over 2475 miles takes more than three hours."""
    expected = {("table", "no faster than sound")}

    assert expected == break_contract(raw, distance=2475, air_time=180.0)
{%- endif %}

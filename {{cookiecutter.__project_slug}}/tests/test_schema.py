"""The data contract of the flights."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from gitops_ml.testing import find_violations

from {{ cookiecutter.__package }}.schema import Contract

# Known only after the flight: a model that saw them would be useless before it.
LEAKS = ["dep_time", "dep_delay", "arr_time", "arr_delay", {{ '"air_time"' if cookiecutter.problem == "classification" else '"late"' }}]
WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]


def violate(flights: pd.DataFrame, **values: Any) -> set[tuple[str, str]]:
    """Return column and rule of all that is wrong once the first flight has these values."""
    flights = flights.astype({name: object for name in values if name != "scheduled_departure"})
    for name, value in values.items():
        flights.loc[0, name] = value
    return find_violations(flights)


def test_leaking_columns_are_dropped(raw: pd.DataFrame) -> None:
    """What is known only after the flight is in the files, and the contract lets none of it through."""
    assert set(LEAKS) <= set(raw.columns)

    assert set() == set(LEAKS) & set(Contract.validate(raw).columns)


@pytest.mark.parametrize(
    ("column", "value", "rule"),
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
def test_impossible_value(raw: pd.DataFrame, column: str, value: Any, rule: str) -> None:
    """One flight with an impossible value is one violation."""
    assert {(column, rule)} == violate(raw, **{column: value})


def test_dew_point_is_never_above_temperature(raw: pd.DataFrame) -> None:
    """Each is possible alone, both together are not."""
    expected = {("table", "dew point is not above temperature")}

    assert expected == violate(raw, temp=20.0, dewp=40.0)


def test_flights_are_unique(raw: pd.DataFrame) -> None:
    """A number of a flight occurs once."""
    assert {("flight_id", "is unique")} == violate(raw, flight_id=raw.loc[1, "flight_id"])


def test_weather_may_be_missing(raw: pd.DataFrame) -> None:
    """Flights without a weather report are flights."""
    assert set() == violate(raw, **dict.fromkeys(WEATHER))
{%- if cookiecutter.problem == "regression" %}


def test_no_flight_is_faster_than_sound(raw: pd.DataFrame) -> None:
    """A flight over 2475 miles takes more than three hours."""
    expected = {("table", "no faster than sound")}

    assert expected == violate(raw, distance=2475, air_time=180.0)
{%- endif %}

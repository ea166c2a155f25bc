"""The data contract: what a row must look like before a model may see it."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa

CARRIERS = ["9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV"]


class Contract(pa.DataFrameModel):
    """Scheduled flights out of New York with the weather at departure.

    Columns that are not named here are dropped (``strict = "filter"``). That is how the columns
    known only after the flight, such as ``dep_delay``, never reach a model.
    """

    flight_id: int = pa.Field(unique=True, ge=0, description="number of the flight")
    scheduled_departure: pd.Timestamp = pa.Field(
        ge=pd.Timestamp("2013-01-01"), lt=pd.Timestamp("2014-01-01"), description="local time at the origin"
    )
    scheduled_minutes: int = pa.Field(ge=20, le=900, description="arrival minus departure by local clocks")
    carrier: str = pa.Field(isin=CARRIERS, description="two-letter code of the airline")
    origin: str = pa.Field(isin=["EWR", "JFK", "LGA"], description="airport of departure")
    dest: str = pa.Field(str_matches=r"^[A-Z]{3}$", description="airport of arrival")
    distance: int = pa.Field(ge=50, le=6000, description="miles")
    temp: float = pa.Field(nullable=True, ge=-30, le=120, description="degrees Fahrenheit")
    dewp: float = pa.Field(nullable=True, ge=-50, le=100, description="degrees Fahrenheit")
    humid: float = pa.Field(nullable=True, ge=0, le=100, description="relative, percent")
    wind_dir: float = pa.Field(nullable=True, ge=0, le=360, description="degrees")
    wind_speed: float = pa.Field(nullable=True, ge=0, le=150, description="miles an hour")
    wind_gust: float = pa.Field(nullable=True, ge=0, le=200, description="miles an hour")
    precip: float = pa.Field(nullable=True, ge=0, le=10, description="inches an hour")
    pressure: float = pa.Field(nullable=True, ge=870, le=1085, description="millibar")
    visib: float = pa.Field(nullable=True, ge=0, le=10, description="miles")
    late: bool = pa.Field(description="arrived more than 15 minutes late (the target)")

    class Config:
        strict = "filter"
        coerce = True

    @pa.dataframe_check(name="dew point is not above temperature")
    def dew_point_is_possible(cls, flights: pd.DataFrame) -> pd.Series:
        """Air cannot hold more water than it can hold."""
        return ~(flights["dewp"] > flights["temp"] + 0.1)

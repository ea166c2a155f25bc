"""Changes of flights of which it is known what they change, for ``drift.py``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

Change = Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]


@dataclass(frozen=True)
class Shift:
    """One change, and where a check has to see it."""

    name: str
    change: Change
    seen_in: str
    """The column that moves, or ``performance``."""


def replace_some(
    flights: pd.DataFrame, column: str, value: object, share: float, rng: np.random.Generator
) -> pd.DataFrame:
    """Give a column another value in a share of the rows."""
    chosen = rng.random(len(flights)) < share
    return flights.assign(**{column: flights[column].mask(chosen, value)})


def move_mean(flights: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return flights.assign(temp=flights["temp"] + 0.5 * flights["temp"].std())


def stretch(flights: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    middle = flights["pressure"].mean()
    return flights.assign(pressure=middle + 1.5 * (flights["pressure"] - middle))


def swap(flights: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return flights.assign(temp=flights["dewp"], dewp=flights["temp"])


def draw_labels(flights: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Draw as many flights again, such that half of them are late."""
    late = flights["late"].to_numpy()
    chance = np.where(late, 0.5 / late.sum(), 0.5 / (~late).sum())
    return flights.iloc[rng.choice(len(flights), len(flights), p=chance)].reset_index(drop=True)


def change_concept(flights: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Deal the labels of half of the flights anew, among each other: what made them late no longer does."""
    chosen = np.flatnonzero(rng.random(len(flights)) < 0.5)
    late = flights["late"].to_numpy().copy()
    late[chosen] = rng.permutation(late[chosen])
    return flights.assign(late=late)


SHIFTS = [
    Shift("mean: `temp` half a standard deviation warmer", move_mean, "temp"),
    Shift("scale: `pressure` spread by half more", stretch, "pressure"),
    Shift(
        "new category: 5 % of the flights of an unknown `carrier`",
        lambda flights, rng: replace_some(flights, "carrier", "ZZ", 0.05, rng),
        "carrier",
    ),
    Shift(
        "missing values: 10 % of `humid`",
        lambda flights, rng: replace_some(flights, "humid", np.nan, 0.1, rng),
        "humid",
    ),
    Shift(
        "range: 5 % of `distance` as kilometres a hundredfold",
        lambda flights, rng: replace_some(flights, "distance", 160_000, 0.05, rng),
        "distance",
    ),
    Shift("swapped columns: `temp` and `dewp`", swap, "dewp"),
    Shift("labels: half of the flights late, instead of a quarter", draw_labels, "late"),
    Shift("concept: labels of half of the flights dealt anew", change_concept, "performance"),
]

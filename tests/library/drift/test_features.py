"""New rows are held against what a champion was trained on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gitops_ml.core.records import Drift
from gitops_ml.drift.features import measure_features
from gitops_ml.drift.profile import CategoryProfile, DateProfile, ProfileRecord, profile_column

RNG = np.random.default_rng(5)


def make_rows(n_rows: int, shift: float = 0.0, rare: float = 0.1) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "number": RNG.normal(shift, 1, n_rows),
            "level": np.where(RNG.random(n_rows) < rare, "rare", "common"),
            "gap": np.where(RNG.random(n_rows) < 0.2, np.nan, RNG.normal(size=n_rows)),
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.integers(0, 9, n_rows), unit="D"),
        }
    )


def make_profile(rows: pd.DataFrame) -> ProfileRecord:
    features = {str(name): profile_column(column) for name, column in rows.items()}
    target = features["level"]
    assert isinstance(target, CategoryProfile)
    return ProfileRecord(rows=len(rows), features=features, target=target, scores={})


def measure(profile: pd.DataFrame, rows: pd.DataFrame) -> dict[str, Drift]:
    return {drift.column: drift for drift in measure_features(make_profile(profile), rows)}


@pytest.mark.parametrize("size", [20, 200, 2000])
def test_rows_of_the_same_kind_have_not_moved(size: int) -> None:
    """Few rows scatter, and that alone is no drift: one false alarm in a hundred is allowed."""
    old = make_rows(5000)
    alarms = [any(drift.moved for drift in measure(old, make_rows(size)).values()) for _ in range(40)]
    assert sum(alarms) <= 2


def test_a_shifted_number_has_moved_and_comes_first() -> None:
    """One standard deviation is a large shift."""
    found = list(measure(make_rows(5000), make_rows(2000, shift=1)).values())
    assert ("number", True) == (found[0].column, found[0].moved)
    assert found[0].psi > 0.25
    assert not any(drift.moved for drift in found[1:])


def test_a_level_that_gets_common_has_moved() -> None:
    """Categories are compared level by level; this is the index written out."""
    old, new = make_rows(5000), make_rows(5000, rare=0.5)
    before, after = (rows["level"].value_counts(normalize=True).sort_index() for rows in (old, new))
    expected = float(((after - before) * np.log(after / before)).sum())
    drift = measure(old, new)["level"]
    assert expected == pytest.approx(drift.psi)
    assert drift.moved


def test_new_levels_and_missing_values_count() -> None:
    """What the champion never saw is a bin of its own."""
    found = measure(make_rows(5000), make_rows(1000).assign(level="new", gap=np.nan))
    assert found["level"].moved
    assert found["gap"].moved


def test_dates_are_left_out() -> None:
    """New rows are of another time by nature."""
    old = make_rows(100)
    assert isinstance(make_profile(old).features["when"], DateProfile)
    assert "when" not in measure(old, make_rows(100))


def test_columns_that_only_one_has_are_left_out() -> None:
    """The contract's own changes are told elsewhere."""
    found = measure(make_rows(100), make_rows(100).drop(columns="gap").assign(more=1))
    assert {"number", "level"} == set(found)

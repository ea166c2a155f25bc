"""Fixtures that tests share."""

from __future__ import annotations

import os
from pathlib import Path

# So few rows are fitted as fast by one thread, and much faster where the machine is busy.
os.environ["OMP_NUM_THREADS"] = "1"

import pandas as pd
import pytest


@pytest.fixture(scope="session")
def raw() -> pd.DataFrame:
    """Two months of flights as they lie in the files, columns that leak included."""
    data = Path(__file__).parents[1] / "data"
    months = [pd.read_parquet(data / f"flights-2013-{month}.parquet") for month in ("01", "02")]
    return pd.concat(months, ignore_index=True)

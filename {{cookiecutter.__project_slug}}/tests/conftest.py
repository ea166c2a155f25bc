"""Fixtures that tests share."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest


@pytest.fixture(scope="session")
def raw() -> pd.DataFrame:
    """Two months of flights as they lie in the files, columns that leak included."""
    data = Path(__file__).parents[1] / "data"
    months = [pd.read_parquet(data / f"flights-2013-{month}.parquet") for month in ("01", "02")]
    return pd.concat(months, ignore_index=True)

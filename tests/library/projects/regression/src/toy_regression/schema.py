"""The data contract."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa


class Contract(pa.DataFrameModel):
    """Houses that were sold."""

    house_id: int = pa.Field(unique=True, ge=0)
    street: str = pa.Field(description="houses of one street cost alike")
    sold: pd.Timestamp = pa.Field(ge=pd.Timestamp("2024-01-01"), lt=pd.Timestamp("2026-01-01"))
    kind: str = pa.Field(isin=["flat", "terraced", "detached"])
    area: float = pa.Field(gt=0, le=1000, description="square metres")
    rooms: int = pa.Field(ge=1, le=50)
    built: pd.Int64Dtype = pa.Field(nullable=True, ge=1700, le=2030, description="year")
    price: float = pa.Field(gt=0, description="thousands (the target)")

    class Config:
        strict = "filter"
        coerce = True

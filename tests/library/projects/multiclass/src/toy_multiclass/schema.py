"""The data contract."""

from __future__ import annotations

import pandera.pandas as pa


class Contract(pa.DataFrameModel):
    """Parcels that have arrived."""

    parcel_id: int = pa.Field(unique=True, ge=0)
    service: str = pa.Field(isin=["economy", "standard", "express"])
    distance: float = pa.Field(ge=0, description="kilometres")
    weight: float = pa.Field(nullable=True, gt=0, le=50, description="kilograms")
    holiday: bool = pa.Field(description="whether a holiday was on the way")
    arrival: str = pa.Field(isin=["early", "on time", "late"], description="the target")

    class Config:
        strict = "filter"
        coerce = True

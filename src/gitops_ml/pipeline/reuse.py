"""Models that need no training, because one with the same run key is at hand."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..core.errors import LifecycleError
from ..core.records import TrainingRecord

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator


class Reused(NamedTuple):
    """A model that was trained before."""

    model: BaseEstimator
    record: TrainingRecord
    path: Path
    """Its file."""


def find_model(paths: Iterable[Path], run_key: str) -> Reused | None:
    """Return the first model of this run key that can be loaded.

    Parameters
    ----------
    paths : iterable of Path
        Where models may lie, each with ``training.json`` beside it.
    run_key : str
    """
    found = (_load(path, run_key) for path in paths)
    return next((reused for reused in found if reused is not None), None)


def _load(path: Path, run_key: str) -> Reused | None:
    try:
        record = TrainingRecord.read(path.parent)
    except LifecycleError:
        return None
    if record.run_key != run_key:
        return None
    from ..bundle.model_file import load_model

    try:
        return Reused(load_model(path), record, path)
    except LifecycleError:
        return None  # It is gone or somebody damaged it; training makes it anew.

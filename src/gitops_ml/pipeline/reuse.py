"""What of earlier runs can be reused: all of the last build, or a model of the same run key."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..comparison.champion import locate_champion
from ..core.errors import LifecycleError
from ..core.layout import BUILD, BUNDLE, CARD, CHALLENGER, MANIFEST, REPORT, REPORT_PAGE
from ..core.records import Records, TrainingRecord, read_records
from ..core.settings import PARAMS, read_settings
from ..data import lock
from . import run_key

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

# What a finished run leaves; where one is missing, the run is made anew.
OUTPUTS = [
    "validation.json",
    "training.json",
    "evaluation.json",
    "comparison.json",
    "run.json",
    CHALLENGER,
    REPORT,
    REPORT_PAGE,
    CARD,
    f"{BUNDLE}/{MANIFEST}",
]


def find_finished(root: Path, champion: Path | None = None) -> Records | None:
    """Return the records of ``build/`` if nothing has changed since that could change them.

    Where settings or data cannot be read there is None: a run meets the same problem, and reports it.

    Parameters
    ----------
    root : Path
        The project.
    champion : Path or None
        A folder with its bundle; by default ``champion/``, if it is there.
    """
    build = root / BUILD
    if not all((build / name).exists() for name in OUTPUTS):
        return None
    try:
        settings, records = read_settings(root / PARAMS), read_records(build)
        lock.require_unchanged(lock.inspect(settings, root))
        bundle = locate_champion(root, champion)
        key = run_key.compute_run_key(settings, root)
        fingerprint = run_key.compute_fingerprint(settings, root, key, bundle)
    except LifecycleError:
        return None
    return records if records.run.fingerprint == fingerprint else None


class Reused(NamedTuple):
    """A model that was trained before."""

    model: BaseEstimator
    record: TrainingRecord
    path: Path
    """Its file."""


def find_model(paths: Iterable[Path], key: str) -> Reused | None:
    """Return the first model of this run key that can be loaded, which needs no training.

    Parameters
    ----------
    paths : iterable of Path
        Where models may lie, each with ``training.json`` beside it.
    key : str
        The run key.
    """
    found = (_load(path, key) for path in paths)
    return next((reused for reused in found if reused is not None), None)


def _load(path: Path, key: str) -> Reused | None:
    try:
        record = TrainingRecord.read(path.parent)
    except LifecycleError:
        return None
    if record.run_key != key:
        return None
    from ..bundle.model_file import load_model

    try:
        return Reused(load_model(path), record, path)
    except LifecycleError:
        return None  # It is gone or somebody damaged it; training makes it anew.

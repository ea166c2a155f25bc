"""The manifest of a bundle, which holds the digest of each file, and the records of where it comes from.

Nothing here loads a model, so that what only moves bundles about needs none of its libraries.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from ..core.errors import LifecycleError
from ..core.layout import MANIFEST
from ..core.records import Importance, MetricResult, Part, Record, SliceResult


class MetricsRecord(Record):
    """``metrics.json``: how good the model is on rows it has never seen."""

    rows: int
    primary: str
    """The metric that decides."""
    metrics: list[MetricResult]
    slices: list[SliceResult] = []
    importances: list[Importance] = []
    """Most important first."""


class LineageRecord(Record):
    """``lineage.json``: where the model comes from. It holds no wall time: same inputs, same bytes."""

    commit: str | None
    dirty: bool
    """Whether files differed from the commit."""
    run_key: str
    data_lock: str
    """sha256 of ``data.lock``."""
    challenger: str
    """Name of the candidate."""
    split: str
    """``time``, ``hash`` or ``group``."""
    boundary: str
    """Where the split lies: an ISO time, or the share that is held out."""
    train_rows: int
    test_rows: int
    python: str
    libraries: dict[str, str]


class FileDigest(Part):
    """One file of a bundle."""

    sha256: str
    size: int
    """Bytes."""


class ManifestRecord(Record):
    """``MANIFEST.json``: every other file of the bundle."""

    files: dict[str, FileDigest]

    @classmethod
    def file_name(cls) -> str:
        """Return ``MANIFEST.json``."""
        return MANIFEST


def write_manifest(folder: Path) -> None:
    """Write ``MANIFEST.json``, the last file of a bundle."""
    names = _list_names(folder)
    ManifestRecord(files={name: _digest(folder / name) for name in names}).write(folder)


def measure_bundle(folder: Path) -> int:
    """Return the size of a bundle's files, in bytes."""
    return sum((folder / name).stat().st_size for name in _list_names(folder))


def verify_bundle(folder: Path) -> None:
    """Verify the files of a bundle by its manifest.

    Raises
    ------
    LifecycleError
        If a file is missing, is one too many, or has changed since the manifest was written.
    """
    expected = ManifestRecord.read(folder).files
    names = set(_list_names(folder))
    problems = [f"{name} is missing" for name in sorted(expected.keys() - names)]
    problems += [f"{name} does not belong to it" for name in sorted(names - expected.keys())]
    common = sorted(names & expected.keys())
    problems += [f"{name} has changed" for name in common if _digest(folder / name) != expected[name]]
    if problems:
        raise LifecycleError(f"{folder} is not as its manifest says: {'; '.join(problems)}.")


def _list_names(folder: Path) -> list[str]:
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
    return [name for name in names if name != ManifestRecord.file_name()]


def _digest(path: Path) -> FileDigest:
    content = path.read_bytes()
    return FileDigest(sha256=sha256(content).hexdigest(), size=len(content))

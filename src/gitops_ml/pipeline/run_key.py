"""The run key: one digest of everything that can change a model."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..comparison.changes import list_protected_changes
from ..core.errors import LifecycleError
from ..core.layout import BASE, MANIFEST, REQUIREMENTS, STATE
from ..core.project import SOURCE, find_folder, list_modules
from ..core.settings import Settings
from ..data.lock import read_lock
from ..data.sources import list_files

LIBRARY = Path(__file__).parents[1]
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"

# Of the library, what stands between the data and the fitted challenger: how rows are read, held against
# the contract and divided, what selects among candidates, and how they train.
ROOMS = ["data", "contract", "metrics", "training"]

# Which rows and columns there are. The source itself is not named: the lock has the digest of
# everything that was read from it. How old data may be changes a warning, no model.
DATA_KEYS = {"target", "id", "time", "group", "window", "on_invalid"}
MODEL_KEYS: dict[str, Any] = {"problem": True, "split": True, "train": True, "data": DATA_KEYS}


def compute_run_key(settings: Settings, root: Path) -> str:
    """Return the digest of everything that can change a model, and of nothing else.

    That is: paths and digests in ``data.lock``; ``problem``, ``split``, ``train`` and parts of
    ``data`` in ``params.yaml``, defaults included, however they are written down; the project's
    package; the rooms of this library up to training, as installed, whatever its version; the
    locked requirements, among which this library's own pin is not; the minor version of Python.
    Line endings, comments in YAML and in the requirements do not count.

    Parameters
    ----------
    settings : Settings
    root : Path
        The project folder.

    Returns
    -------
    str
        SHA-256 in hexadecimal, 64 characters.

    Raises
    ------
    LifecycleError
        If ``data.lock`` or ``requirements.txt`` is missing or cannot be read.
    """
    return _digest(
        {
            "python": PYTHON,
            "data": [[file.path, file.sha256] for file in read_lock(root).files],
            "settings": settings.model_dump(mode="json", include=MODEL_KEYS),
            "source": _digest_files(list_modules(), find_folder()),
            "library": _digest_files(_list_stages(), LIBRARY),
            "metric": _digest_files(_metric_module(settings, root), root),
            "requirements": _requirements(root),
        }
    )


def compute_fingerprint(settings: Settings, root: Path, run_key: str, champion: Path | None) -> str:
    """Return the digest of everything that can change any output of a run.

    That is: the run key, the whole of ``params.yaml`` and ``data.lock``, the names of the files
    that are present (reports list those not accepted yet), every file of this library and of ``src/``
    (policies, sections of the report, metrics, and what they need), what people wrote in
    ``model_cards/``, ``pyproject.toml``, what the change is compared with (the champion, and files
    of the base branch), the exact Python, and today's date where something ages.

    Parameters
    ----------
    settings : Settings
    root : Path
        The project folder.
    run_key : str
        Of the same settings and folder.
    champion : Path or None
        The folder of its bundle, whose manifest speaks for all of it.

    Returns
    -------
    str
        SHA-256 in hexadecimal, 64 characters.
    """
    return _digest(
        {
            "run_key": run_key,
            "settings": settings.model_dump(mode="json"),
            "lock": read_lock(root).model_dump(mode="json"),
            "listed": list_files(settings.data, root),
            "library": _digest_files(_files_below(LIBRARY), LIBRARY),
            "functions": _digest_files(_files_below(root / SOURCE), root),
            "cards": _digest_files(_files_below(root / "model_cards"), root),
            "project": _digest_files(root.glob("pyproject.toml"), root),
            "champion": _digest_champion(champion),
            "base": _digest_files(_files_below(root / BASE), root),
            "protected": list_protected_changes(root),
            "python": sys.version,
            "day": datetime.now(UTC).date().isoformat() if _ages(settings) else None,
        }
    )


def _digest_champion(bundle: Path | None) -> list[tuple[str, str]]:
    if bundle is None:
        return []
    paths = [path for path in (bundle / MANIFEST, bundle.parent / STATE) if path.is_file()]
    return _digest_files(paths, bundle.parent)


def _ages(settings: Settings) -> bool:
    """Return whether an output depends on the day: data grow old, waivers expire."""
    return bool(settings.data.max_age or settings.gates.waive)


def _list_stages() -> list[Path]:
    return [path for room in ROOMS for path in sorted((LIBRARY / room).rglob("*.py"))]


def _metric_module(settings: Settings, root: Path) -> list[Path]:
    """Return the file of a selecting metric such as ``costs:weekly`` that lies beside the package."""
    module, colon, _ = settings.train.metric.partition(":")
    file = f"{module.replace('.', '/')}.py"
    return [path for path in (root / file, root / "src" / file) if colon and path.is_file()]


def _requirements(root: Path) -> list[str]:
    path = root / REQUIREMENTS
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except FileNotFoundError:
        raise LifecycleError(f"{path} is missing: it pins the libraries; run 'make lock'.") from None
    return [line for line in lines if line and not line.startswith("#")]


def _files_below(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]


def _digest_files(paths: Iterable[Path], base: Path) -> list[tuple[str, str]]:
    """Return path below ``base`` and digest of each file, Windows line endings aside."""
    return sorted((path.relative_to(base).as_posix(), _digest_file(path)) for path in paths)


def _digest_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

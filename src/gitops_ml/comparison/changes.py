"""Changes of a commit in data, contract, settings and card, for those who review it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import LifecycleError
from ..core.git import list_blobs
from ..core.layout import BASE
from ..core.records import ChangesRecord, ColumnChange, DataFile, FileChange, SettingChange
from ..core.settings import PARAMS, Settings, hide_secrets
from ..data.lock import read_lock

if TYPE_CHECKING:
    from ..contract.export import Column
    from ..contract.validation import Validation
    from ..data.loading import Loaded
    from .champion import Champion

# What a change is judged by, and what the base branch has there: the blob's hash and the path, a line each.
PROTECTED = (".github", "vendor")
PROTECTED_LIST = "protected.txt"
# Lines of unchanged text around a change of the card.
CONTEXT = 1


def begin_changes(root: Path) -> ChangesRecord:
    """Return what differs from the base branch in data, settings, and in what judges the change.

    Raises
    ------
    LifecycleError
        If the project's own lock cannot be read.
    """
    return ChangesRecord(
        files=list_file_changes(root),
        settings=list_setting_changes(root),
        protected=list_protected_changes(root),
    )


def add_rows(
    changes: ChangesRecord, champion: Champion, loaded: Loaded, validation: Validation, settings: Settings
) -> ChangesRecord:
    """Add how contract and new rows differ from what the champion was made with.

    Parameters
    ----------
    changes : ChangesRecord
        Says which files are new or changed.
    champion : Champion
    loaded : Loaded
    validation : Validation
        Of the loaded rows.
    settings : Settings
    """
    import numpy as np

    from ..contract.export import describe_columns
    from ..drift.features import measure_features
    from ..drift.profile import ProfileRecord

    columns = describe_columns(validation.valid, settings)
    fresh = {change.path for change in changes.files or [] if change.change != "removed"}
    numbers = [number for number, file in enumerate(loaded.files) if file.path in fresh]
    rows = validation.valid[np.isin(loaded.origin[validation.kept], numbers)]
    drift = measure_features(ProfileRecord.read(champion.bundle), rows) if len(rows) else []
    return changes.model_copy(
        update={
            "columns": list_column_changes(champion.contract.columns, columns),
            "new_rows": len(rows),
            "drift": drift,
        }
    )


def list_file_changes(root: Path) -> list[FileChange] | None:
    """Return how ``data.lock`` differs from that of the base branch, by path; None without a base.

    Raises
    ------
    LifecycleError
        If the project's own lock cannot be read.
    """
    before = _read_base_lock(root)
    if before is None:
        return None
    after = {file.path: file for file in read_lock(root).files}
    changes = [_compare_file(path, before.get(path), after.get(path)) for path in sorted({*before, *after})]
    return [change for change in changes if change is not None]


def list_setting_changes(root: Path) -> list[SettingChange]:
    """Return the keys of ``params.yaml`` that differ from the base branch, in order; none without a base."""
    before, after = (_flatten(_read_yaml(folder / PARAMS)) for folder in (root / BASE, root))
    if not before:
        return []
    keys = [key for key in {**after, **before} if before.get(key) != after.get(key)]
    return [SettingChange(key=key, before=before.get(key), after=after.get(key)) for key in sorted(keys)]


def list_protected_changes(root: Path) -> list[str]:
    """Return the files of ``.github`` and ``vendor`` that differ from the base branch, if there is one."""
    try:
        lines = (root / BASE / PROTECTED_LIST).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    before = {path: blob for blob, path in (line.split(" ", 1) for line in lines)}
    after = list_blobs(root, *PROTECTED)
    return sorted(path for path in {*before, *after} if before.get(path) != after.get(path))


def list_column_changes(before: Sequence[Column], after: Sequence[Column]) -> list[ColumnChange]:
    """Return how the columns of a contract differ from those of the champion's."""
    old = {column.name: column.model_dump(mode="json") for column in before}
    new = {column.name: column.model_dump(mode="json") for column in after}
    changes = [ColumnChange(column=name, change="added") for name in new if name not in old]
    changes += [ColumnChange(column=name, change="removed") for name in old if name not in new]
    for name in new:
        if name in old and new[name] != old[name]:
            details = _describe_differences(old[name], new[name])
            changes.append(ColumnChange(column=name, change="changed", details=details))
    return changes


def diff_cards(before: str, after: str) -> str:
    """Return the unified diff of two model cards, without the lines that name files."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=CONTEXT)
    return "\n".join(list(lines)[2:])


def _read_base_lock(root: Path) -> dict[str, DataFile] | None:
    if not (root / BASE).is_dir():
        return None
    try:
        return {file.path: file for file in read_lock(root / BASE).files}
    except LifecycleError:  # the base branch accepted no data, or none that this version can read
        return {}


def _compare_file(path: str, before: DataFile | None, after: DataFile | None) -> FileChange | None:
    if before is None and after is not None:
        return FileChange(path=path, change="added", rows=after.rows, rows_before=0)
    if before is not None and after is None:
        return FileChange(path=path, change="removed", rows=0, rows_before=before.rows)
    if before is not None and after is not None and before.sha256 != after.sha256:
        return FileChange(path=path, change="changed", rows=after.rows, rows_before=before.rows)
    return None


def _read_yaml(path: Path) -> Any:
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None  # The settings themselves are read, and complained of, elsewhere.


def _flatten(content: Any, prefix: str = "") -> dict[str, str]:
    """Return settings as ``section.key`` and text, without what may be secret in an address."""
    if not isinstance(content, dict):
        return {prefix: hide_secrets(_write(content))} if prefix else {}
    flat: dict[str, str] = {}
    for key, value in content.items():
        flat |= _flatten(value, f"{prefix}.{key}" if prefix else str(key))
    return flat


def _write(value: Any) -> str:
    """Return a value as YAML has it in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_write(item)}" for key, item in value.items()) + "}"
    return "[" + ", ".join(map(_write, value)) + "]" if isinstance(value, list) else str(value)


def _describe_differences(old: dict[str, Any], new: dict[str, Any]) -> str:
    changed = [key for key in new if old[key] != new[key]]
    return "; ".join(f"{key} {_write_optional(old[key])} → {_write_optional(new[key])}" for key in changed)


def _write_optional(value: Any) -> str:
    if value is None or value == []:
        return "none"
    return _write(value)

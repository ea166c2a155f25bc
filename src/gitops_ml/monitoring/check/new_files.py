"""New files: what ``data.source`` names and ``data.lock`` does not accept yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from ...contract.validation import check, validate
from ...core.errors import LifecycleError
from ...core.formatting import plural
from ...core.records import Finding
from ...core.settings import Settings
from ...data.loading import Loaded
from ...data.lock import read_lock
from ...data.sources import list_files, read_file


@dataclass
class NewFiles:
    """Files that nobody has accepted yet, each validated against the contract."""

    frame: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Valid rows: the contract's columns, of its types, each id once."""
    files: list[str] = field(default_factory=list)
    """Files that keep the contract, sorted."""
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    """By file that breaks it, how."""
    notes: list[str] = field(default_factory=list)

    @property
    def checked(self) -> list[str]:
        """All files that could be read, sorted."""
        return sorted([*self.files, *self.findings])


def read_new_files(settings: Settings, root: Path) -> NewFiles:
    """Read the new files and validate each against the contract.

    A file that cannot be read, or is still being written, gets a note and is left for the next check.

    Raises
    ------
    LifecycleError
        If ``data.lock`` cannot be read, or ``data.source`` cannot be listed.
    """
    accepted = {file.path for file in read_lock(root).files}
    found, frames = NewFiles(), []
    for path in list_files(settings.data, root):
        if path in accepted:
            continue
        try:
            frame, _ = read_file(path, settings.data, root)
        except LifecycleError as problem:
            found.notes.append(f"Left for the next check: {problem}")
            continue
        findings = check(frame, settings)
        if any(finding.level == "error" for finding in findings):
            found.findings[path] = findings
        else:
            found.files.append(path)
            frames.append(_select_valid(frame, settings))
    if frames:
        found.frame = _drop_known_ids(pd.concat(frames, ignore_index=True), settings, found.notes)
    return found


def _select_valid(frame: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Return the rows that accepting the file would bring, of the contract's types."""
    nothing = np.zeros(len(frame), dtype=int)
    return validate(Loaded(frame=frame, origin=nothing, files=[], waiting=[]), settings).valid


def _drop_known_ids(frame: pd.DataFrame, settings: Settings, notes: list[str]) -> pd.DataFrame:
    """Keep the first row of each id: the same row may have been delivered in two files."""
    name = settings.data.id
    if name is None:
        return frame
    again = frame[name].duplicated().to_numpy()
    if again.any():
        notes.append(f"{plural(int(again.sum()), 'row')} came twice, by '{name}', and counted once.")
    return frame[~again].reset_index(drop=True)

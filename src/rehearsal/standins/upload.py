"""Stands in for actions/upload-artifact: keeps files as ``$ARTIFACTS/NAME``."""

from __future__ import annotations

import glob
import os
import shutil
from pathlib import Path

from .errors import StandInError
from .inputs import read_flag, read_input, read_lines

FORBIDDEN = set('":<>|*?\r\n\\/')


def main(arguments: list[str]) -> None:
    """Upload what the inputs name."""
    name = read_input("name") or "artifact"
    if set(name) & FORBIDDEN:
        raise StandInError(f"The artifact name is not valid: {name}.")
    paths = read_lines("path")
    files = find_files(paths, hidden=read_flag("include-hidden-files"))
    if not files:
        _miss(", ".join(paths))
        return
    folder = Path(os.environ["ARTIFACTS"]) / name
    if folder.exists() and not read_flag("overwrite"):
        raise StandInError(
            "Failed to CreateArtifact: an artifact with this name already exists on the run (409)."
        )
    shutil.rmtree(folder, ignore_errors=True)
    root = find_root(paths, files)
    for file in files:
        target = folder / file.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)  # like the real one, what a link leads to
    print(f"Artifact {name} has been uploaded: {len(files)} files.")


def find_files(paths: list[str], hidden: bool) -> list[Path]:
    """Return the files that patterns name, without those that patterns with ``!`` take away."""
    taken = {file for pattern in paths if not pattern.startswith("!") for file in _expand(pattern)}
    left = {file for pattern in paths if pattern.startswith("!") for file in _expand(pattern[1:])}
    return sorted(file for file in taken - left if hidden or not _is_hidden(file))


def _expand(pattern: str) -> set[Path]:
    names = glob.glob(pattern, recursive=True, include_hidden=True)  # noqa: PTH207
    found = [Path(name).absolute() for name in names]
    files = {path for path in found if path.is_file()}
    below = {path for folder in found if folder.is_dir() for path in folder.rglob("*") if path.is_file()}
    return files | below


def _is_hidden(file: Path) -> bool:
    """Return whether a part of a path, seen from here, begins with a dot."""
    here = Path.cwd()
    return any(
        part.startswith(".") for part in (file.relative_to(here) if here in file.parents else file).parts
    )


def find_root(paths: list[str], files: list[Path]) -> Path:
    """Return the folder that the archive's paths are relative to."""
    wanted = [Path(path).absolute() for path in paths if not path.startswith("!")]
    if len(wanted) == 1 and wanted[0].is_dir():
        return wanted[0]
    if len(files) == 1:
        return files[0].parent
    return Path(os.path.commonpath(files if len(wanted) == 1 else [*files, *wanted]))


def _miss(paths: str) -> None:
    message = f"No files were found with the provided path: {paths}. No artifacts will be uploaded."
    if read_input("if-no-files-found") == "error":
        raise StandInError(message)
    if read_input("if-no-files-found") != "ignore":
        print(f"::warning::{message}")

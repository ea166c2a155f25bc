"""Stands in for actions/download-artifact: from this run's folder, or from another run on the forge."""

from __future__ import annotations

import fnmatch
import io
import os
import shutil
from pathlib import Path
from zipfile import ZipFile

from ..client import Client, ClientError
from .errors import StandInError
from .inputs import read_flag, read_input


def main(arguments: list[str]) -> None:
    """Download what the inputs name."""
    target = Path(read_input("path") or ".")
    name = read_input("name")
    names = [name] if name else fnmatch.filter(_list_names(), read_input("pattern") or "*")
    for each in names:
        apart = not name and not read_flag("merge-multiple")
        folder = target / each if apart else target
        folder.mkdir(parents=True, exist_ok=True)
        _fetch(each, folder)
        print(f"Artifact {each} has been downloaded to {folder}.")


def _list_names() -> list[str]:
    if read_input("run-id"):
        return [artifact["name"] for artifact in _list_of_run()]
    return sorted(path.name for path in Path(os.environ["ARTIFACTS"]).iterdir())


def _fetch(name: str, folder: Path) -> None:
    if read_input("run-id"):
        found = [artifact for artifact in _list_of_run() if artifact["name"] == name]
        if not found:
            raise StandInError(f"Artifact not found for name: {name}")
        archive = _client().download(found[0]["archive_download_url"])
        ZipFile(io.BytesIO(archive)).extractall(folder)
        return
    source = Path(os.environ["ARTIFACTS"]) / name
    if not source.is_dir():
        raise StandInError(f"Artifact not found for name: {name}")
    shutil.copytree(source, folder, dirs_exist_ok=True)


def _list_of_run() -> list[dict[str, str]]:
    repository = read_input("repository") or os.environ["GITHUB_REPOSITORY"]
    path = f"repos/{repository}/actions/runs/{read_input('run-id')}/artifacts?per_page=100"
    try:
        artifacts: list[dict[str, str]] = _client().get(path)["artifacts"]
    except ClientError as error:
        raise StandInError(str(error)) from None
    return artifacts


def _client() -> Client:
    return Client(os.environ["GITHUB_API_URL"], read_input("github-token"))

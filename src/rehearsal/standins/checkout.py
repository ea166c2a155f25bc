"""Stands in for actions/checkout where another commit than the event's is wanted."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from .errors import StandInError
from .inputs import read_input, read_lines


def main(arguments: list[str]) -> None:
    """Check out what the inputs name, from the forge's own folder."""
    repository = read_input("repository") or os.environ["GITHUB_REPOSITORY"]
    remote = Path(os.environ["REMOTES"]) / f"{repository}.git"
    folder = Path(read_input("path") or ".").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    _git(folder, "init", "--quiet", "--initial-branch", "main")
    _git(folder, "remote", "add", "origin", f"{os.environ['GITHUB_SERVER_URL']}/{repository}.git")
    ref = read_input("ref") or "HEAD"
    depth = read_input("fetch-depth") or "1"
    shallow = [] if depth == "0" else [f"--depth={depth}"]
    everything = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"] if depth == "0" else []
    _git(folder, "fetch", "--quiet", "--no-tags", *shallow, f"file://{remote}", ref, *everything)
    commit = _git(folder, "rev-parse", "--verify", "FETCH_HEAD^{commit}")
    _choose(folder, read_lines("sparse-checkout"))
    branch = ref.removeprefix("refs/heads/")
    if _git(folder, "ls-remote", f"file://{remote}", f"refs/heads/{branch}"):
        _git(folder, "checkout", "--quiet", "--force", "-B", branch, commit)
    else:
        _git(folder, "checkout", "--quiet", "--force", "--detach", commit)


def _choose(folder: Path, paths: list[str]) -> None:
    """Leave out all but some paths, where the workflow says so."""
    if paths:
        cone = "--no-cone" if read_input("sparse-checkout-cone-mode") == "false" else "--cone"
        _git(folder, "sparse-checkout", "set", cone, *paths)


def _git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "safe.directory=*", *words]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if ended.returncode:
        raise StandInError(f"git {words[0]}: {ended.stderr.strip()}")
    return ended.stdout.strip()

"""Fixtures that the tests of the library share."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

# Tests run side by side: threads of theirs would only wait for each other.
os.environ["OMP_NUM_THREADS"] = "1"

import pandas as pd
import pytest

from gitops_ml.core import project as project_at_hand
from gitops_ml.core.settings import Settings, read_settings
from toys import BINARY, copy_project, enter, git, make_store, run

# A shell lets what it starts in the background ignore Ctrl-C, which some tests send to what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _package() -> Iterator[None]:
    """Work for the first toy project, wherever the current folder is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(project_at_hand, "_chosen", "toy_binary")
        yield


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The settings of this project."""
    return read_settings(BINARY / "params.yaml")


@pytest.fixture(scope="session")
def raw() -> pd.DataFrame:
    """Two months of flights as they lie in the files, columns that leak included."""
    paths = sorted(BINARY.glob("data/*.parquet"))[:2]
    return pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)


@pytest.fixture(scope="session")
def accepted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project whose data are accepted, with an empty tracking store; copy it, do not change it."""
    root = tmp_path_factory.mktemp("accepted")
    copy_project(root)
    with pytest.MonkeyPatch.context() as patch:
        enter(root, patch)
        run("data", "accept")
        make_store()
    return root


@pytest.fixture
def project(accepted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project to work in, its data accepted; it is the current folder."""
    shutil.copytree(accepted, tmp_path, dirs_exist_ok=True)
    enter(tmp_path, monkeypatch)
    return tmp_path


@pytest.fixture(scope="session")
def finished(accepted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project after `mlops run`; copy it, do not change it."""
    root = tmp_path_factory.mktemp("finished")
    shutil.copytree(accepted, root, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        enter(root, patch)
        run("run")
    return root


@pytest.fixture
def done(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the finished project to work in; it is the current folder."""
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    enter(tmp_path, monkeypatch)
    return tmp_path


@pytest.fixture
def deploying(done: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished and packed project with a remote on which nothing was ever deployed."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    git(done, "init", "--quiet", "--initial-branch", "main")
    git(done, "init", "--quiet", "--bare", "remote.git")
    git(done, "remote", "add", "origin", "remote.git")
    run("package")
    return done

"""Fixtures that all tests share."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

# Tests run side by side: threads of theirs would only wait for each other.
os.environ["OMP_NUM_THREADS"] = "1"

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner, Result

from gitops_ml.cli.app import app
from gitops_ml.core.settings import Settings, read_settings

ROOT = Path(__file__).parents[1]

# A shell lets what it starts in the background ignore Ctrl-C, which some tests send to what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The settings of this project."""
    return read_settings(ROOT / "params.yaml")


@pytest.fixture(scope="session")
def raw() -> pd.DataFrame:
    """Two months of flights as they lie in the files, columns that leak included."""
    paths = sorted(ROOT.glob("data/*.parquet"))[:2]
    return pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)


def mlops(*arguments: str) -> Result:
    """Run a command in this process, in the current folder."""
    return CliRunner().invoke(app, list(arguments))


def run(*arguments: str) -> Result:
    """Run a command that must succeed."""
    result = mlops(*arguments)
    assert 0 == result.exit_code, result.output
    return result


def git(folder: Path, *words: str) -> str:
    """Run Git and return what it says."""
    ended = subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True)
    return ended.stdout.strip()


def deploy(root: Path, *run_keys: str) -> None:
    """Deploy the finished run again and again, each time as a model of another run key."""
    for run_key in run_keys:
        make_next_model(root, run_key)
        run("promote")


def make_next_model(root: Path, run_key: str, **lineage: str) -> None:
    """Let the finished run have another run key and lineage, sealed and packed."""
    from gitops_ml.bundle.manifest import seal_bundle

    path = root / "build/bundle/lineage.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"run_key": run_key} | lineage))
    seal_bundle(root / "build/bundle")
    run("package")


def edit_params(root: Path, **sections: dict[str, object]) -> None:
    """Change some keys of a project's params.yaml."""
    path = root / "params.yaml"
    params = yaml.safe_load(path.read_text())
    for name, values in sections.items():
        params[name] |= values
    path.write_text(yaml.safe_dump(params))


def copy_project(target: Path) -> None:
    """Copy what a run reads, with two months of data and a quick candidate."""
    for name in ("params.yaml", "pyproject.toml", "requirements.txt"):
        shutil.copy(ROOT / name, target / name)
    for name in ("deploy", "model_cards"):
        shutil.copytree(ROOT / name, target / name)
    (target / "data").mkdir()
    for path in sorted(ROOT.glob("data/*.parquet"))[:2]:
        shutil.copy(path, target / "data")
    edit_params(
        target,
        split={"test_period": "20 days"},
        train={"candidates": ["linear"]},
        evaluate={"replicates": 100},
        # Two months make no good model, and many tests at once no quick one.
        gates={"max_calibration_error": 1, "max_error": 1000, "max_latency_ms": 10_000},
    )


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project to work in, its data accepted; it is the current folder."""
    copy_project(tmp_path)
    enter(tmp_path, monkeypatch)
    assert mlops("data", "accept").exit_code == 0
    return tmp_path


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project after `mlops run`; copy it, do not change it."""
    root = tmp_path_factory.mktemp("finished")
    copy_project(root)
    with pytest.MonkeyPatch.context() as patch:
        enter(root, patch)
        assert mlops("data", "accept").exit_code == 0
        result = mlops("run")
    assert result.exit_code == 0, result.output
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


def enter(root: Path, patch: pytest.MonkeyPatch) -> None:
    """Make a project the current folder, with a tracking store and a console of its own."""
    patch.chdir(root)
    patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{root}/mlflow.db")
    for name in ("CI", "GITHUB_ACTIONS"):
        patch.delenv(name, raising=False)

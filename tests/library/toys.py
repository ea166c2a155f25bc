"""Toy projects, and commands on them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner, Result

from gitops_ml.bundle.bundle import load_bundle
from gitops_ml.cli.app import app
from gitops_ml.comparison.replay import Answers
from gitops_ml.metrics.prediction import predict

ROOT = Path(__file__).parents[2]
# What a bake copies as it is: the toys have no such files of their own.
TEMPLATE = ROOT / "{{cookiecutter.__project_slug}}"
PROJECTS = Path(__file__).parent / "projects"
BINARY = PROJECTS / "binary"


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
    """Let the finished run have another run key and lineage, with its manifest, and packed."""
    from gitops_ml.bundle.manifest import write_manifest

    path = root / "build/bundle/lineage.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"run_key": run_key} | lineage))
    write_manifest(root / "build/bundle")
    run("package")


def edit_params(root: Path, **sections: dict[str, object]) -> None:
    """Change some keys of a project's params.yaml."""
    path = root / "params.yaml"
    params = yaml.safe_load(path.read_text())
    for name, values in sections.items():
        params[name] = params.get(name, {}) | values
    path.write_text(yaml.safe_dump(params))


def copy_project(target: Path, toy: Path = BINARY) -> None:
    """Copy what a run reads, with the first two files of data."""
    for name in ("params.yaml", "pyproject.toml"):
        shutil.copy(toy / name, target / name)
    shutil.copytree(toy / "src", target / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(PROJECTS / "model_cards", target / "model_cards")
    for name in ("deploy", "vendor"):
        shutil.copytree(TEMPLATE / name, target / name)
    shutil.copy(ROOT / "requirements.txt", target)
    (target / "data").mkdir()
    for path in sorted((toy / "data").iterdir())[:2]:
        shutil.copy(path, target / "data")


def replay_here(patch: pytest.MonkeyPatch) -> None:
    """Let champions predict in this process: quick, and right where their code is that of the toy project."""
    for module in ("comparison.challenge", "monitoring.check.check", "monitoring.check.performance"):
        patch.setattr(f"gitops_ml.{module}.replay", _answer)


def _answer(bundle: Path, rows: pd.DataFrame, timeout: float) -> Answers:
    model = load_bundle(bundle).model
    return Answers(predict(model, rows), pd.Index(getattr(model, "classes_", [])).to_numpy())


def make_store() -> None:
    """Make the tables of the tracking store that the environment names, which takes MLflow a second."""
    from mlflow import MlflowClient

    MlflowClient(os.environ["MLFLOW_TRACKING_URI"]).search_experiments()


def enter(root: Path, patch: pytest.MonkeyPatch) -> None:
    """Make a project the current folder, with a tracking store and a console of its own."""
    patch.chdir(root)
    patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{root}/mlflow.db")
    for name in ("CI", "GITHUB_ACTIONS"):
        patch.delenv(name, raising=False)

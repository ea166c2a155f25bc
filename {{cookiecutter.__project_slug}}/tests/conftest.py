"""Fixtures that all tests share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from {{ cookiecutter.__package }}.pipeline.settings import Settings, read_settings

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The settings of this project."""
    return read_settings(ROOT / "params.yaml")


@pytest.fixture(scope="session")
def raw() -> pd.DataFrame:
    """Two months of flights as they lie in the files, columns that leak included."""
    paths = sorted(ROOT.glob("data/*.parquet"))[:2]
    return pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of this project to work in: its params, lock and data; also the current folder."""
    for name in ("params.yaml", "data.lock", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("data", "model_cards"):
        shutil.copytree(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    return tmp_path

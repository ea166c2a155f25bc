"""A clean environment, or one sentence that says why there is none."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest

from gitops_ml.core.errors import LifecycleError
from gitops_ml.production.smoke.venv import make_venv


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let uv look for nothing in the network."""
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS", "never")


def test_python_that_is_not_there(tmp_path: Path) -> None:
    """A model of a Python that cannot be had cannot be served."""
    with pytest.raises(LifecycleError, match=r"since uv says: .*Python 3\.99"):
        make_venv(tmp_path / "requirements.txt", "3.99.0", tmp_path / "environment")


def test_package_that_is_not_there(tmp_path: Path) -> None:
    """A package that cannot be had is named."""
    (tmp_path / "requirements.txt").write_text("no-such-package==1.0\n")
    with pytest.raises(LifecycleError, match=r"since uv says: .*no-such-package"):
        make_venv(tmp_path / "requirements.txt", platform.python_version(), tmp_path / "environment")


def test_no_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without uv, the command that brings it is named."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(LifecycleError, match=r"uv is missing.*make setup"):
        make_venv(tmp_path / "requirements.txt", "3.11.7", tmp_path / "environment")

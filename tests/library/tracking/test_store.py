"""The MLflow store is refused in one sentence where it cannot be used."""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path

import pytest

from gitops_ml.core.errors import LifecycleError
from gitops_ml.tracking import store


def test_the_default_store_is_a_file_in_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without settings a fresh clone has a store of its own."""
    monkeypatch.delenv(store.VARIABLE, raising=False)
    assert f"sqlite:///{tmp_path}/mlflow.db" == store.find_uri(tmp_path)


def test_the_environment_names_another_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A team sets one variable."""
    monkeypatch.setenv(store.VARIABLE, "https://mlflow.example.org")
    assert store.find_uri(tmp_path) == "https://mlflow.example.org"


def test_a_locked_store_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's long write ends in one sentence that names the file."""
    monkeypatch.setattr(store, "PATIENCE", 0.1)
    path = tmp_path / "mlflow.db"
    other = sqlite3.connect(path)
    try:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LifecycleError, match=r"mlflow\.db.* locked.*; wait for the process"):
            store.require_unlocked(f"sqlite:///{path}")
    finally:
        other.close()
    store.require_unlocked(f"sqlite:///{path}")


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    """A file that is no database is not overwritten."""
    path = tmp_path / "mlflow.db"
    path.write_text("a shopping list " * 100)
    with pytest.raises(LifecycleError, match=r"mlflow\.db.* not a database"):
        store.require_unlocked(f"sqlite:///{path}")
    assert path.read_text() == "a shopping list " * 100


def test_a_store_in_a_folder_that_takes_no_files_is_refused(tmp_path: Path) -> None:
    """Where SQLite cannot open a file, the path is named."""
    (tmp_path / "mlflow.db").mkdir()
    with pytest.raises(LifecycleError, match=r"mlflow\.db, the MLflow store, cannot be written"):
        store.require_unlocked(f"sqlite:///{tmp_path}/mlflow.db")


def test_passwords_are_not_shown() -> None:
    """Error messages end in public logs."""
    uri = "postgresql://me:secret@db/mlflow"
    assert store.hide_password(uri) == "postgresql://me:***@db/mlflow"
    with pytest.raises(LifecycleError) as caught, store.explain_errors(uri):
        raise ConnectionError(f"cannot reach {uri}")
    assert "secret" not in str(caught.value)


def test_known_problems_keep_their_sentence() -> None:
    """What is already said well is not said again."""
    with pytest.raises(LifecycleError, match=r"^said$"), store.explain_errors("sqlite:///x.db"):
        raise LifecycleError("said")


def test_the_pages_are_served_to_this_machine_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store has no password: it must not be reachable from outside."""
    monkeypatch.delenv(store.VARIABLE, raising=False)
    calls: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda program, command: calls.append([program, *command]))
    store.start_ui(tmp_path)
    store_options = ["--backend-store-uri", f"sqlite:///{tmp_path}/mlflow.db"]
    expected = [sys.executable, "-m", "mlflow", "ui", "--host", "127.0.0.1", *store_options]
    assert [[sys.executable, *expected]] == calls


def test_a_server_has_its_own_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is started where there is something already."""
    monkeypatch.setenv(store.VARIABLE, "https://me:secret@mlflow.example.org")
    with pytest.raises(LifecycleError, match=r"open https://me:\*\*\*@mlflow\.example\.org"):
        store.start_ui(tmp_path)


def test_a_server_that_does_not_answer_is_named() -> None:
    """The sentence says what to do, not what urllib3 calls it."""
    uri = "http://127.0.0.1:9"
    with pytest.raises(LifecycleError, match="does not answer; start it"), store.explain_errors(uri):
        raise ConnectionError("HTTPConnectionPool: Max retries exceeded with url")

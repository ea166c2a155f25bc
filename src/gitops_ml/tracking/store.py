"""The MLflow store: where it is, whether it can be written, and what its errors mean."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from ..core.errors import LifecycleError

VARIABLE = "MLFLOW_TRACKING_URI"
TOKEN = "MLFLOW_TRACKING_TOKEN"
# Beside the default store; both are ignored by Git.
STORE = "mlflow.db"
ARTIFACTS = "mlartifacts"
# Seconds to wait for somebody else's write to an SQLite store, or for an answer of a server.
PATIENCE = 5


def find_uri(root: Path) -> str:
    """Return the tracking URI: ``MLFLOW_TRACKING_URI``, by default an SQLite file in the project."""
    return os.environ.get(VARIABLE) or f"sqlite:///{(root / STORE).absolute()}"


def is_named() -> bool:
    """Return whether ``MLFLOW_TRACKING_URI`` names a store, which others may then see as well."""
    return bool(os.environ.get(VARIABLE))


def is_server(uri: str) -> bool:
    """Return whether a store is behind an MLflow server."""
    return urlsplit(uri).scheme in ("http", "https")


def prepare_environment() -> None:
    """Set the variables that MLflow reads when imported: no telemetry, few lines of log, few retries."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    quiet = {"MLFLOW_LOGGING_LEVEL": "ERROR", "GIT_PYTHON_REFRESH": "quiet"}
    server = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": str(PATIENCE)}
    for name, value in (quiet | server).items():
        os.environ.setdefault(name, value)


def start_ui(root: Path) -> None:
    """Replace this process by MLflow's web server on the loopback address, with the project's store.

    Raises
    ------
    LifecycleError
        If the runs are on a server, which has pages of its own.
    """
    uri = find_uri(root)
    if is_server(uri):
        raise LifecycleError(f"{VARIABLE} names a server with pages of its own; open {hide_password(uri)}.")
    prepare_environment()
    sys.stdout.flush()
    command = [sys.executable, "-m", "mlflow", "ui", "--host", "127.0.0.1", "--backend-store-uri", uri]
    os.execv(sys.executable, command)


def require_unlocked(uri: str) -> None:
    """Require that an SQLite store can be written, for which MLflow would wait a minute.

    Raises
    ------
    LifecycleError
        If another process keeps it locked, or it cannot be opened, or is no database.
    """
    if not uri.startswith("sqlite:///") or ":memory:" in uri:
        return
    path = Path(uri.removeprefix("sqlite:///").partition("?")[0])
    if not path.parent.exists():  # MLflow makes it
        return
    try:
        with closing(sqlite3.connect(path, timeout=PATIENCE)) as store:
            store.execute("BEGIN IMMEDIATE")
            store.rollback()
    except sqlite3.Error as error:
        remedy = "wait for the process that holds it" if "locked" in str(error) else "mend or move it"
        raise LifecycleError(f"{path}, the MLflow store, cannot be written ({error}); {remedy}.") from None


@contextmanager
def explain_errors(uri: str) -> Iterator[None]:
    """Turn what MLflow, its database and the network raise into one sentence."""
    try:
        yield
    except LifecycleError:
        raise
    except Exception as error:
        raise LifecycleError(_explain(error, uri)) from error


def _explain(error: Exception, uri: str) -> str:
    message = " ".join(str(error).split()).replace(uri, hide_password(uri))
    store = f"the MLflow store {hide_password(uri)}"
    if "out-of-date database schema" in message or "Can't locate revision" in message:
        return f"{store} is of another MLflow version; back it up and run 'mlflow db upgrade' on it."
    if is_server(uri) and ("Max retries" in message or "refused" in message or "timed out" in message):
        return f"{store} does not answer; start it, or unset {VARIABLE} to use {STORE}."
    if is_server(uri) and ("code 401" in message or "code 403" in message):
        return f"{store} does not let you in; see {TOKEN}."
    return f"{store} cannot be used ({type(error).__name__}: {message[:300]}); see {VARIABLE}."


def hide_password(uri: str) -> str:
    """Return an address without the password in it."""
    password = urlsplit(uri).password
    return uri.replace(f":{password}@", ":***@") if password else uri

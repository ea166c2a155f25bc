"""Logged models of MLflow: found by their run key, or logged from a bundle."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..core.errors import LifecycleError
from ..core.settings import PARAMS, read_settings
from ..production.branch import State
from .payload import COMMIT, RUN_KEY

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

# Of one run key, the newest; only a model that many commits share has more.
MOST_RUNS = 100


class Tracked(NamedTuple):
    """A logged model of MLflow, and its run."""

    run: str
    model: str
    source: str
    """URI of its artifacts."""


def find_tracked(client: MlflowClient, experiment: str, state: State) -> Tracked | None:
    """Return the model of a finished run with the run key of ``state``; None where there is none.

    The run of the same commit comes first, then the newest one: the same run key, the same model.
    """
    found = client.get_experiment_by_name(experiment)
    if found is None:
        return None
    query = f"tags.{RUN_KEY} = '{state.run_key}' and attributes.status = 'FINISHED'"
    runs = client.search_runs([found.experiment_id], query, max_results=MOST_RUNS)
    ranked = sorted(runs, key=lambda run: run.data.tags.get(COMMIT) != state.commit)
    return next((tracked for run in ranked for tracked in _list_models(client, run)), None)


def log_bundle(bundle: Path, root: Path) -> None:
    """Log the model of a bundle in MLflow, as a run, with the code that it was made with.

    That happens in a process of its own, since this one may have imported other code.

    Parameters
    ----------
    bundle : Path
        Verified.
    root : Path
        The project.

    Raises
    ------
    LifecycleError
        If the model cannot be loaded, or MLflow cannot be written.
    """
    command = [sys.executable, "-m", f"{__package__}.models", str(bundle.absolute())]
    ended = subprocess.run(
        command, cwd=root, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    if ended.returncode:
        reason = ended.stderr.strip().splitlines() or [f"its process ended with {ended.returncode}"]
        raise LifecycleError(reason[-1])


def _list_models(client: MlflowClient, run: Run) -> Iterator[Tracked]:
    """Yield the models of a run that are whole and were not deleted."""
    query = f"source_run_id = '{run.info.run_id}'"
    for model in client.search_logged_models([run.info.experiment_id], filter_string=query):
        if str(model.status) == "READY":
            yield Tracked(run.info.run_id, model.model_id, model.artifact_location)


def _log(bundle: Path) -> None:
    """Log a bundle, in the process that has its code."""
    from ..bundle.bundle import load_bundle, use_code

    use_code(bundle)
    from .tracker import open_tracker

    loaded = load_bundle(bundle)
    open_tracker(read_settings(Path(PARAMS)), Path()).log_bundle(loaded)


if __name__ == "__main__":
    try:
        _log(Path(sys.argv[1]))
    except LifecycleError as error:
        sys.exit(str(error))

"""From the project folder to ``build/``: doing stages, or seeing that there is nothing to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..comparison.champion import locate_champion
from ..core.errors import LifecycleError
from ..core.layout import BUILD
from ..core.progress import Console
from ..core.records import Records, read_records
from ..core.settings import Settings
from ..data import lock
from . import run_key as runkey
from .build_dir import stage_build
from .run import MODEL, Run

# What a finished run leaves; where one is missing, the run is made anew.
OUTPUTS = [
    "validation.json",
    "training.json",
    "evaluation.json",
    "comparison.json",
    "run.json",
    MODEL,
    "report.md",
    "report.html",
    "model_card.md",
    "bundle/MANIFEST.json",
]


def find_finished(root: Path, settings: Settings, champion: Path | None = None) -> Records | None:
    """Return the records of ``build/`` if nothing has changed since that could change them.

    Parameters
    ----------
    root : Path
        The project.
    settings : Settings
    champion : Path or None
        A folder with its bundle; by default ``champion/``, if it is there.

    Raises
    ------
    LifecycleError
        If a file of data has changed behind ``data.lock``, or ``champion`` holds no bundle.
    """
    lock.require_unchanged(lock.inspect(settings, root))
    build = root / BUILD
    if not all((build / name).exists() for name in OUTPUTS):
        return None
    try:
        records = read_records(build)
    except LifecycleError:
        return None
    bundle = locate_champion(root, champion)
    fingerprint = runkey.compute_fingerprint(settings, root, runkey.compute_run_key(settings, root), bundle)
    return records if records.run.fingerprint == fingerprint else None


def perform(
    root: Path, console: Console, stages: Callable[[Run], None], champion: Path | None = None
) -> Records:
    """Do stages on a staged build and make it ``build/``, also where they fail.

    Whatever happens, ``build/report.md`` says it afterwards. A run that is interrupted leaves
    ``build/`` as it was.

    Parameters
    ----------
    root : Path
        The project.
    console : Console
    stages : callable
        Takes the run and does some of its stages.
    champion : Path or None
        A folder with its bundle; by default ``champion/``, if it is there.

    Raises
    ------
    LifecycleError
        The expected problem that ended the run, after its report was written.
    """
    bundle = locate_champion(root, champion)
    with stage_build(root) as staged:
        run = Run(root, staged, console, bundle)
        problem: Exception | None = None
        try:
            stages(run)
        except Exception as error:
            problem = error
        run.finish(problem)
    if problem is not None:
        raise problem
    return run.records

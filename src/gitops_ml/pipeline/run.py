"""A run: stages in order on a staged build, with console, clock and what must hold if one fails."""

from __future__ import annotations

import atexit
import gc
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ..comparison.champion import locate_champion
from ..core.errors import LifecycleError
from ..core.layout import BUILD, BUNDLE, CHALLENGER, MANIFEST, REPORT
from ..core.progress import Console, QuietConsole
from ..core.records import EvaluationRecord, Record, Records, read_records, write_text
from ..core.settings import PARAMS, read_settings
from ..report.console_lines import describe_record
from . import stages
from .build_dir import carry, stage_build
from .context import RunContext, describe_start
from .reuse import find_finished

# What took time to make and still holds after fewer stages or a failure: the model and its bundle.
LASTING = ["training.json", CHALLENGER, BUNDLE]


class Stage(NamedTuple):
    """A part of a run, under the name that console and reports have for it."""

    name: str
    do: Callable[[RunContext], Record | None]


VALIDATE = Stage("validate", stages.validate)
TRAIN = Stage("train", stages.train)
RECALL = Stage("train", stages.recall)
EVALUATE = Stage("evaluate", stages.evaluate)
COMPARE = Stage("compare", stages.compare)
WRITE_CARD = Stage("card", stages.write_card)
WRITE_REPORT = Stage("report", stages.report)
TRACK = Stage("track", stages.track)
ALL = [Stage("validate", stages.begin), TRAIN, EVALUATE, COMPARE, WRITE_CARD, WRITE_REPORT, TRACK]


def run(champion: Path | str | None = None) -> Records:
    """Do every stage in the project of the current folder, or reuse its last build if nothing has changed.

    It is ``mlops run`` without a console. Everything is in ``build/`` afterwards.

    Parameters
    ----------
    champion : Path or str or None
        A folder with the champion's bundle; by default ``champion/``, if it is there.

    Returns
    -------
    Records
        What the stages found out, such as ``records.comparison.verdict``.

    Raises
    ------
    LifecycleError
        The expected problem that ended the run, after ``build/report.md`` was written.
    """
    root, bundle = Path(), None if champion is None else Path(champion)
    return find_finished(root, bundle) or perform(root, ALL, QuietConsole(), bundle)


def perform(
    root: Path,
    plan: Sequence[Stage],
    console: Console,
    champion: Path | None = None,
    *,
    resume: bool = False,
) -> Records:
    """Do stages on a staged build and make it ``build/``, also where they fail.

    Whatever happens, ``build/report.md`` says it afterwards. A run that is interrupted leaves
    ``build/`` as it was.

    Parameters
    ----------
    root : Path
        The project.
    plan : sequence of Stage
        What to do, in order.
    console : Console
    champion : Path or None
        A folder with its bundle; by default ``champion/``, if it is there.
    resume : bool
        Whether all of the last build is taken over first, to do stages of it again.

    Raises
    ------
    LifecycleError
        The expected problem that ended the run, after its report was written.
    """
    bundle = locate_champion(root, champion)
    problem: Exception | None = None
    with _rare_collection(), stage_build(root) as staged:
        context = RunContext(root, staged, console, bundle, Records(run=describe_start(root)))
        try:
            if resume:
                _resume(context)
            context.settings = read_settings(root / PARAMS)
            for stage in plan:
                _do(stage, context)
        except Exception as error:
            problem = error
        _finish(context, problem)
    if problem is not None:
        raise problem
    return context.records


def _resume(context: RunContext) -> None:
    """Take over all of the last build.

    Raises
    ------
    LifecycleError
        If there is no finished evaluation to go on from.
    """
    build = context.root / BUILD
    EvaluationRecord.read(build)
    context.records = read_records(build)
    context.note(status="finished", stage="settings", error=None, fingerprint=None)
    carry(context.root, context.staged, [path.name for path in build.iterdir()])


def _do(stage: Stage, context: RunContext) -> None:
    context.note(stage=stage.name)
    with context.console.stage(stage.name):
        record = stage.do(context)
        if record is not None:
            context.keep(record)
            if sentence := describe_record(record, context.records):
                context.console.tell(sentence)


def _finish(context: RunContext, problem: Exception | None) -> None:
    """Write down how the stages ended, and keep what still holds of the last build."""
    staged = context.staged
    context.note(seconds=context.seconds)
    if problem is not None:
        expected = isinstance(problem, LifecycleError)
        error = str(problem) if expected else f"{type(problem).__name__}: {problem}"
        context.note(status="failed", error=error, fingerprint=None)
        if not (staged / BUNDLE / MANIFEST).exists():
            shutil.rmtree(staged / BUNDLE, ignore_errors=True)
    if problem is not None or not (staged / REPORT).exists():
        from ..report.markdown import render_report

        # Where they cannot be read, there are no settings.
        settings = getattr(context, "settings", None)
        write_text(staged / REPORT, render_report(context.records, settings))
    carry(context.root, staged, LASTING)
    context.records.run.write(staged)


@contextmanager
def _rare_collection() -> Iterator[None]:
    """Spare the garbage collector, which takes a sixth of a run to walk what libraries have built up."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 50, 100)
    atexit.register(gc.freeze)
    try:
        yield
    finally:
        gc.set_threshold(*before)

"""The stages of a run, together or one by one, and what they came to."""

from __future__ import annotations

import atexit
import gc
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ..core.errors import LifecycleError
from .console import open_console, say_error
from .options import AsJson, Champion

if TYPE_CHECKING:
    from ..core.records import Records
    from ..pipeline.run import Run

app = typer.Typer()


@app.command()
def run(as_json: AsJson = False, champion: Champion = None) -> None:
    """Do every stage; do nothing if nothing has changed."""
    from ..core.settings import PARAMS, read_settings
    from ..pipeline.lifecycle import find_finished, perform
    from ..pipeline.run import Run

    try:
        records = find_finished(Path(), read_settings(Path(PARAMS)), champion)
    except LifecycleError:
        records = None  # The run meets the same problem, and writes the report of it.
    unchanged = records is not None
    if records is None:
        _collect_rarely()
        records = perform(Path(), open_console(), Run.run_all, champion)
    _print_outcome(records, unchanged, as_json)


@app.command()
def validate() -> None:
    """Hold the accepted data against the contract."""
    _perform(lambda run: run.validate())


@app.command()
def train() -> None:
    """Train the candidates and select the challenger."""
    _perform(lambda run: run.train(run.validate()))


@app.command()
def evaluate() -> None:
    """Measure the trained challenger on the test part, and write the bundle."""

    def stages(run: Run) -> None:
        split = run.validate()
        run.evaluate(split, run.recall())

    _perform(stages)


@app.command()
def compare(champion: Champion = None) -> None:
    """Compare with the champion again, with the gates as they are now in params.yaml."""

    def stages(run: Run) -> None:
        run.resume()
        split = run.validate()
        run.compare(split, run.recall())
        run.report()

    _perform(stages, champion)


@app.command()
def report() -> None:
    """Write report.md and report.html again."""

    def stages(run: Run) -> None:
        run.resume()
        run.report()

    _perform(stages)
    typer.echo("build/report.md, build/report.html")


@app.command()
def card() -> None:
    """Write the model card again, after its human sections have changed."""

    def stages(run: Run) -> None:
        run.resume()
        run.write_card(run.recall())

    _perform(stages)
    typer.echo("build/model_card.md")


@app.command()
def gate(as_json: AsJson = False) -> None:
    """Exit with status 1 unless the last run finished and every gate holds."""
    from ..core.layout import BUILD
    from ..core.records import ComparisonRecord, RunRecord
    from ..report.console_lines import describe_failure, describe_success

    build = Path(BUILD)
    last = RunRecord.read(build)
    if last.status == "failed":
        raise LifecycleError(f"the run failed at stage {last.stage}: {last.error}")
    comparison = ComparisonRecord.read(build)
    if as_json:
        gates = [gate.model_dump() for gate in comparison.gates]
        typer.echo(json.dumps({"passed": comparison.passed, "gates": gates}))
    for failing in (gate for gate in comparison.gates if gate.blocks):
        say_error(describe_failure(failing))
    if not comparison.passed:
        raise typer.Exit(1)
    if not as_json:
        typer.echo(describe_success(comparison))


@app.command()
def schema() -> None:
    """Print the JSON schema of params.yaml, for editors and linters."""
    from ..core.settings import Settings

    typer.echo(json.dumps(Settings.model_json_schema(), indent=2))


@app.command()
def ui() -> None:
    """Open MLflow's pages about the runs, on this machine only."""
    from ..tracking.store import start_ui

    start_ui(Path())


def _perform(stages: Callable[[Run], Any], champion: Path | None = None) -> Records:
    from ..pipeline.lifecycle import perform

    _collect_rarely()
    return perform(Path(), open_console(), stages, champion)


def _collect_rarely() -> None:
    """Spare the garbage collector, which takes a sixth of a run to walk what libraries have built up."""
    gc.set_threshold(200_000, 50, 100)
    atexit.register(gc.freeze)


def _print_outcome(records: Records, unchanged: bool, as_json: bool) -> None:
    from ..report.console_lines import describe_comparison

    assert records.comparison is not None
    if as_json:
        run, comparison = records.run.model_dump(), records.comparison.model_dump()
        typer.echo(json.dumps({"unchanged": unchanged, "run": run, "comparison": comparison}))
        return
    if unchanged:
        typer.echo(f"Nothing has changed since the run of {records.run.started}: reused build/ as it is.")
    typer.echo(f"Verdict: {describe_comparison(records.comparison)}")
    typer.echo("Report:  build/report.md, build/report.html")

"""The stages of a run, together or one by one, and what they came to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from .console import open_console, say_error
from .options import AsJson, Champion

if TYPE_CHECKING:
    from ..core.records import Records

app = typer.Typer()


@app.command()
def run(as_json: AsJson = False, champion: Champion = None) -> None:
    """Do every stage; do nothing if nothing has changed."""
    from ..pipeline.reuse import find_finished
    from ..pipeline.run import ALL, perform

    finished = find_finished(Path(), champion)
    records = finished or perform(Path(), ALL, open_console(), champion)
    _print_outcome(records, finished is not None, as_json)


@app.command()
def validate() -> None:
    """Hold the accepted data against the contract."""
    from ..pipeline.run import VALIDATE, perform

    perform(Path(), [VALIDATE], open_console())


@app.command()
def train() -> None:
    """Train the candidates and select the challenger."""
    from ..pipeline.run import TRAIN, VALIDATE, perform

    perform(Path(), [VALIDATE, TRAIN], open_console())


@app.command()
def evaluate() -> None:
    """Measure the trained challenger on the test part, and write the bundle."""
    from ..pipeline.run import EVALUATE, RECALL, VALIDATE, perform

    perform(Path(), [VALIDATE, RECALL, EVALUATE], open_console())


@app.command()
def compare(champion: Champion = None) -> None:
    """Compare with the champion again, with the gates as they are now in params.yaml."""
    from ..pipeline.run import COMPARE, RECALL, VALIDATE, WRITE_REPORT, perform

    stages = [VALIDATE, RECALL, COMPARE, WRITE_REPORT]
    perform(Path(), stages, open_console(), champion, resume=True)


@app.command()
def report() -> None:
    """Write report.md and report.html again."""
    from ..pipeline.run import WRITE_REPORT, perform

    perform(Path(), [WRITE_REPORT], open_console(), resume=True)
    typer.echo("build/report.md, build/report.html")


@app.command()
def card() -> None:
    """Write the model card again, after its human sections have changed."""
    from ..pipeline.run import RECALL, WRITE_CARD, perform

    perform(Path(), [RECALL, WRITE_CARD], open_console(), resume=True)
    typer.echo("build/model_card.md")


@app.command()
def gate(as_json: AsJson = False) -> None:
    """Exit with status 1 unless the last run finished and every gate holds."""
    from ..comparison.compare import read_comparison
    from ..core.layout import BUILD
    from ..report.console_lines import describe_failure, describe_success

    comparison = read_comparison(Path(BUILD))
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

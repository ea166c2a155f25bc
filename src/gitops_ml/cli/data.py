"""Data: what is accepted, what is new, and the act of accepting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from ..core.errors import LifecycleError
from .options import AsJson, Files, Print0, Replace, Valid

app = typer.Typer(no_args_is_help=True, help="See and accept data.")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show which files are accepted, new, changed or missing."""
    from ..core.settings import PARAMS, read_settings
    from ..data.lock import inspect

    found = inspect(read_settings(Path(PARAMS)), Path())
    if as_json:
        typer.echo(found.model_dump_json())
        return
    for state, paths in found.model_dump().items():
        for path in paths:
            typer.echo(f"{state:<9} {path}")
    if found.new or found.changed or found.missing:
        typer.echo("\nAccept files with: mlops data accept FILE ...", err=True)


@app.command()
def fetch(as_json: AsJson = False) -> None:
    """Copy the new files that are delivered where data.fetch says, to where data.source names them."""
    from ..core.settings import PARAMS, read_settings
    from ..data import fetch as fetching

    data = read_settings(Path(PARAMS)).data
    obstacle = fetching.find_obstacle(data)
    fetched = fetching.Fetched(files=[], left={}) if obstacle else fetching.fetch(data, Path())
    if as_json:
        typer.echo(fetched.model_dump_json())
        return
    typer.echo(obstacle or "\n".join(fetched.files) or "Nothing new has been delivered.")
    for reason in fetched.left.values():
        typer.echo(f"Left for the next time: {reason}", err=True)


@app.command()
def accept(
    files: Files = None,
    replace: Replace = False,
    valid: Valid = False,
    as_json: AsJson = False,
    print0: Print0 = False,
) -> None:
    """Validate files against the contract and write data.lock."""
    from ..contract.validation import check
    from ..core.formatting import plural
    from ..core.settings import PARAMS, read_settings
    from ..data import acceptance
    from ..data.lock import LOCK

    if valid and (files or replace):
        raise typer.BadParameter("--valid checks all new files; it goes with neither FILES nor --replace.")
    if as_json and print0:
        raise typer.BadParameter("--json and --print0 are two formats; give one of them.")
    settings = read_settings(Path(PARAMS))

    def judge(frame: Any) -> Any:
        return check(frame, settings)

    if valid:
        done = acceptance.accept_valid(settings, Path(), judge)
    else:
        done = acceptance.accept(settings, Path(), files or [], replace, judge)
    if as_json:
        typer.echo(done.model_dump_json())
    for reason in [] if as_json else done.left_out.values():
        typer.echo(f"Left out: {reason}", err=True)
    if done.left_out and not done.accepted:
        raise LifecycleError(f"No new file keeps the contract; {LOCK} is as it was.")
    if as_json:
        return
    if print0:
        typer.echo("".join(f"{path}\0" for path in acceptance.list_changed(done, Path())), nl=False)
    typer.echo(
        f"{LOCK} lists {plural(done.files, 'file')} with {done.rows:,} rows; commit it to train on them.",
        err=print0,
    )

"""Answering over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def serve(
    bundle: Annotated[Path, typer.Option(help="Folder of the bundle.")] = Path("build/bundle"),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
    check: Annotated[bool, typer.Option("--check", help="Only tell whether it could be served.")] = False,
) -> None:
    """Answer HTTP requests with the model of a bundle."""
    from ..core.settings import PARAMS, read_serve_settings
    from ..serving import server

    params = Path(PARAMS)
    settings = read_serve_settings(params)
    if not params.exists():
        typer.echo(f"{PARAMS} is not here: all settings are at their defaults, without a log.", err=True)
    if check:
        server.check(bundle)
        typer.echo(f"{bundle.as_posix()} can be served.")
    else:
        server.serve(bundle, settings, host, port)

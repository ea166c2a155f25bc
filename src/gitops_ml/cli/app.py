"""``mlops``: the lifecycle from the command line."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from .. import __version__
from ..core.errors import LifecycleError
from . import data, monitoring, production, run, serving
from .console import say_error


class Verbs(TyperGroup):
    """Commands whose expected problems end in one sentence and exit status 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; say expected problems instead of showing a traceback."""
        try:
            return super().invoke(ctx)
        except LifecycleError as error:
            say_error(str(error))
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            typer.echo("Interrupted; build/ is as it was.", err=True)
            raise typer.Exit(130) from None


app = typer.Typer(
    cls=Verbs,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="From data to a model that can be trusted: train, compare, deploy, watch.",
)
for group in (run, production, serving, monitoring):
    app.add_typer(group.app)
app.add_typer(data.app, name="data")


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"gitops-ml {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Read the options that come before the command."""

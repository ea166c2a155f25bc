"""``mlops``: the lifecycle from the command line."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from .commands import data, deployment, stages, watching
from .console import say_error
from .pipeline.errors import LifecycleError


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
for group in (stages, deployment, watching):
    app.add_typer(group.app)
app.add_typer(data.app, name="data")


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        name = (__package__ or "").partition(".")[0]
        typer.echo(f"{name} {version(name.replace('_', '-'))}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Read the options that come before the command."""

"""Commands about production as it runs: alarms, trends, pages."""

from __future__ import annotations

from pathlib import Path

import typer

from .options import AsEnv, AsJson, Champion, Out, Remote

app = typer.Typer()


@app.command()
def monitor(
    champion: Champion = None, remote: Remote = "origin", as_json: AsJson = False, as_env: AsEnv = False
) -> None:
    """Check production: whether data are as they were, the model is as good, and the service is well."""
    from datetime import UTC, datetime

    from ..monitoring.check.check import check_production, write_check
    from ..monitoring.check.context import read_context
    from ..monitoring.check.report import list_decisions, write_lines

    if as_json and as_env:
        raise typer.BadParameter("--json and --env are two formats; give one of them.")
    context = read_context(Path(), champion, remote, datetime.now(UTC), _warn)
    record = check_production(context)
    folder = write_check(context, record)
    if as_json:
        typer.echo(record.model_dump_json())
    else:
        typer.echo("\n".join(write_lines(record)), err=as_env)
    for name, value in list_decisions(record, context.settings.monitor).items() if as_env else ():
        typer.echo(f"{name}={str(value).lower()}")
    typer.echo(f"{folder.as_posix()}/monitoring.html shows it in full.", err=True)


@app.command()
def record(remote: Remote = "origin") -> None:
    """Keep the last check on the branch production, for trends; nothing of what runs changes."""
    from ..core.layout import BUILD
    from ..monitoring.check.history import FOLDER, record_check
    from ..monitoring.check.records import MonitoringRecord

    last = MonitoringRecord.read(Path(BUILD) / FOLDER)
    record_check(Path(), remote, last)
    typer.echo(f"The check of {last.time} is kept on the branch production.")


@app.command()
def site(out: Out = Path("site"), remote: Remote = "origin") -> None:
    """Write static pages about production: what runs, what ran, how it is doing."""
    from ..core.formatting import plural
    from ..monitoring.site.site import build_site

    pages = build_site(Path(), remote, out)
    typer.echo(f"{plural(len(pages), 'page')} about production: open {(out / pages[0]).as_posix()}.")


def _warn(sentence: str) -> None:
    typer.echo(sentence, err=True)

"""Commands about production as it runs: alarms, trends, pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..core.errors import LifecycleError
from .options import AsJson, Champion, Out, Remote

if TYPE_CHECKING:
    from ..production.branch import Branch

app = typer.Typer()


@app.command()
def monitor(champion: Champion = None, remote: Remote = "origin", as_json: AsJson = False) -> None:
    """Check at production: whether data are as they were, the model as good, and the service well."""
    from datetime import UTC, datetime

    from ..comparison.champion import locate_champion, read_champion
    from ..core.layout import BUILD
    from ..core.settings import PARAMS, read_settings
    from ..monitoring.check.check import check_production
    from ..monitoring.check.console_lines import describe_record
    from ..monitoring.check.history import brief, read_checks
    from ..monitoring.check.output import write_output
    from ..monitoring.check.retraining import find_start
    from ..monitoring.prediction_log.traffic import read_traffic

    root, now = Path(), datetime.now(UTC)
    settings, bundle = read_settings(Path(PARAMS)), locate_champion(root, champion)
    if bundle is None:
        raise LifecycleError(
            "champion/bundle is missing: no model to watch; fetch what runs in production to champion/, "
            "or name a bundle with 'mlops monitor --champion build/bundle'."
        )
    watched = read_champion(bundle)
    branch = _read_branch(remote)
    checks = read_checks(root, branch.tip) if branch.tip else []
    traffic = read_traffic(settings, watched.contract, now)
    since = find_start(branch.deployments, watched.version)
    record = check_production(settings, root, watched, checks, now, since, traffic)
    folder = write_output(Path(BUILD), record, [*checks, brief(record)])
    typer.echo(record.model_dump_json() if as_json else "\n".join(describe_record(record)))
    typer.echo(f"{folder.as_posix()}/monitoring.html shows it in full.", err=True)


@app.command()
def record(remote: Remote = "origin") -> None:
    """Keep the last check on the branch production, for trends; nothing of what runs changes."""
    from ..core.layout import BUILD
    from ..monitoring.check.history import FOLDER, brief, record_check
    from ..monitoring.check.records import MonitoringRecord

    last = MonitoringRecord.read(Path(BUILD) / FOLDER)
    record_check(Path(), remote, last, brief(last))
    typer.echo(f"The check of {last.time} is kept on the branch production.")


@app.command()
def site(out: Out = Path("site"), remote: Remote = "origin") -> None:
    """Write static pages about production: what runs, what ran, how it is doing."""
    from ..monitoring.site.site import build_site

    pages = build_site(Path(), remote, out)
    count = "1 page" if len(pages) == 1 else f"{len(pages)} pages"
    typer.echo(f"{count} about production: open {(out / pages[0]).as_posix()}.")


def _read_branch(remote: str) -> Branch:
    """Return what the branch says; nothing where there is no repository that could have it."""
    from ..production.branch import Branch, NoRemoteError, read_branch

    try:
        return read_branch(Path(), remote)
    except NoRemoteError as problem:
        typer.echo(f"Checking without what was seen before. {problem}", err=True)
        return Branch(tip=None, deployments=[])

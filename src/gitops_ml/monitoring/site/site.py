"""The static site about production: what runs, what ran, how it is doing."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

from ...core.errors import LifecycleError
from ...core.formatting import name_metric
from ...production.branch import State
from ..check.html import FIRST, draw_charts, make_environment, render_page
from ..check.report import write_headline
from ..check.trends import read_time
from .safe_markdown import read_title, render_prose
from .timeline import Timeline, read_timeline
from .versions import draw_rows, draw_versions

INDEX, CHECK = "index.html", "monitoring.html"
# The names of all pages, and what tells the first one from any other index.html.
NAMES = re.compile(r"index\.html|monitoring\.html|model-\d+\.html")
GENERATOR = '<meta name="generator" content="mlops site">'


def build_site(root: Path, remote: str, out: Path) -> list[str]:
    """Write the pages about production into a folder.

    Parameters
    ----------
    root : Path
        The project, a Git repository.
    remote : str
        Name or address of the repository that has the branch ``production``.
    out : Path
        The folder, which is made, or replaced as a whole if it holds an earlier site and nothing else.

    Returns
    -------
    list of str
        Names of the pages.

    Raises
    ------
    LifecycleError
        If the repository cannot be asked, or the folder holds something else or cannot be written.
        Then the folder is as it was.
    """
    _require_own(out)
    pages = render_site(read_timeline(root, remote))
    try:
        _replace(out, pages)
    except OSError as error:
        raise LifecycleError(f"{out} cannot be written: {error.strerror}.") from None
    return list(pages)


def render_site(timeline: Timeline) -> dict[str, str]:
    """Return all pages by name: the same bytes for the same timeline."""
    pages = {INDEX: _render_index(timeline)}
    if timeline.record is not None:
        pages[CHECK] = render_page(timeline.record, timeline.checks)
    return pages | {
        _name_card(version): _render_card(version, text) for version, text in timeline.cards.items()
    }


def _render_index(timeline: Timeline) -> str:
    running = timeline.steps[0].deployment.state if timeline.steps else None
    charts = draw_charts(timeline.record, timeline.checks)
    # The primary metric stands among the versions, beside the values in their cards.
    primary = name_metric(running.score.metric) if running and running.score else None
    return _render(
        "site.html.jinja",
        timeline=timeline,
        running=running,
        project=_read_project(timeline, running),
        check=write_headline(timeline.record) if timeline.record else None,
        versions=draw_versions(timeline.steps, timeline.checks),
        rows=draw_rows(timeline.accepted) if timeline.accepted else None,
        charts=charts,
        metrics=[chart for chart in charts.metrics if chart.title != primary],
        source="log" if charts.drift["log"] else "files",
        span=_span(timeline),
        first=FIRST,
    )


def _read_project(timeline: Timeline, running: State | None) -> str:
    """Return what the card of what runs calls the model."""
    return read_title(timeline.cards.get(running.version, "")) if running else ""


def _span(timeline: Timeline) -> tuple[float, float]:
    """Return the range that the intervals of all versions share."""
    scores = [step.deployment.state.score for step in timeline.steps]
    metric = scores[0].metric if scores and scores[0] else None
    shown = [one.estimate for one in scores if one is not None and one.metric == metric]
    return min((one.low for one in shown), default=0.0), max((one.high for one in shown), default=1.0)


def _render_card(version: int, text: str) -> str:
    return _render("card.html.jinja", version=version, title=read_title(text), prose=render_prose(text))


def _render(template: str, **contents: Any) -> str:
    helpers = {"generator": GENERATOR, "write_length": _write_length, "name_card": _name_card}
    return make_environment().get_template(template).render(contents | helpers) + "\n"


def _name_card(version: int) -> str:
    return f"model-{version}.html"


def _write_length(start: str, end: str) -> str:
    """Say how long something took, in the unit that suits."""
    hours = (read_time(end) - read_time(start)) / 3600
    if hours >= 48:
        return f"{hours / 24:.0f} days"
    return f"{hours:.0f} h" if hours >= 2 else f"{hours * 60:.0f} min"


def _require_own(out: Path) -> None:
    """Stop unless a folder is not there, is empty, or holds an earlier site and nothing else."""
    if not out.exists():
        return
    names = sorted(path.name for path in out.iterdir()) if out.is_dir() else [out.name]
    strange = [name for name in names if not NAMES.fullmatch(name)]
    if names and not strange and not _is_ours(out / INDEX):
        strange = names
    if strange:
        raise LifecycleError(
            f"{out} holds {strange[0]}, which 'mlops site' did not make; name another folder with --out."
        )


def _is_ours(index: Path) -> bool:
    return index.is_file() and GENERATOR in index.read_text(encoding="utf-8", errors="replace")


def _replace(out: Path, pages: dict[str, str]) -> None:
    """Write pages into a folder beside, and let it take the place of the one that is there."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", suffix=".partial", dir=out.parent) as beside:
        fresh, old = Path(beside) / "fresh", Path(beside) / "old"
        fresh.mkdir()
        for name, text in pages.items():
            (fresh / name).write_text(text, encoding="utf-8")
        if out.exists():
            out.rename(old)
        try:
            fresh.rename(out)
        except OSError:
            if old.exists():
                old.rename(out)
            raise

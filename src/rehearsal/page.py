"""The rehearsal's page: what GitHub would show of each pull request, in one folder that works offline."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping
from hashlib import sha256
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from .diff import ChangedFile, parse_diff
from .markdown import find_heading, render_markdown
from .story import Check, Event, PullRequest, Story, dump_story

TEMPLATES = Path(__file__).parent / "templates"
CHARTS = "mermaid.min.js"
# Whoever else writes a comment is not believed.
REPORTER = "github-actions[bot]"
# Lines of one file that are shown.
LONGEST = 400
_TONES = {"✅": "good", "❌": "bad", "⚠": "doubtful"}


def render_page(story: Story, folder: Path, mermaid: Path | None) -> Path:
    """Write the page of a story and what it needs into ``folder``.

    Parameters
    ----------
    story : Story
        What happened.
    folder : Path
        Made where it is missing.
    mermaid : Path or None
        Mermaid's ``dist/mermaid.min.js``, copied beside the page; None shows charts as text.

    Returns
    -------
    Path
        The page, the same bytes for the same story.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CHARTS).unlink(missing_ok=True)
    if mermaid is not None:
        shutil.copyfile(mermaid, folder / CHARTS)
    page = folder / "index.html"
    page.write_bytes(_render(story, CHARTS if mermaid else None).encode("utf-8", "xmlcharrefreplace"))
    return page


def find_verdict(pull_request: PullRequest) -> str:
    """Return the first heading of the report on a pull request, or nothing where there is none."""
    headings = (find_heading(each.body) for each in pull_request.comments if each.author == REPORTER)
    return next((heading for heading in headings if heading), "")


def _render(story: Story, charts: str | None) -> str:
    template = _make_environment(story).get_template("index.html.jinja")
    # Scripts run by this word alone. No comment can contain it: it is the digest of all comments.
    nonce = sha256(dump_story(story).encode("utf-8", "replace")).hexdigest()
    return template.render(story=story, scenes=_group(story.events), charts=charts, nonce=nonce, most=LONGEST)


def _make_environment(story: Story) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    places = {pull_request.number: f"pr-{pull_request.number}" for pull_request in story.pull_requests}
    places |= {issue.number: f"issue-{issue.number}" for issue in story.issues}
    environment.filters.update(
        clock=_write_clock,
        files=parse_diff,
        lines=_count_lines,
        link=lambda text: _link(text, places),
        markdown=render_markdown,
        plural=_plural,
        sum_up=_sum_up,
        tone=_choose_tone,
        verdict=find_verdict,
    )
    return environment


def _group(events: Iterable[Event]) -> list[tuple[str, list[Event]]]:
    """Return the scenes in their order, each with what happened in it."""
    return [(scene, list(group)) for scene, group in groupby(events, key=lambda event: event.scene)]


def _write_clock(seconds: float) -> str:
    minutes, rest = divmod(max(round(seconds), 0), 60)
    return f"{minutes}:{rest:02}"


def _link(text: str, places: Mapping[int, str]) -> Markup:
    """Lead from ``#3`` to that pull request or issue, where there is one."""

    def link(found: re.Match[str]) -> str:
        number = int(found[1])
        return f'<a href="#{places[number]}">#{number}</a>' if number in places else found[0]

    # Not inside of an escaped sign such as &#39;
    return Markup(re.sub(r"(?<![&\w])#([1-9][0-9]{0,8})\b", link, str(escape(text))))


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun if count == 1 else noun + 's'}"


def _count_lines(files: list[ChangedFile]) -> tuple[int, int]:
    """Return how many lines were added and how many removed."""
    return sum(file.count("added") for file in files), sum(file.count("removed") for file in files)


def _sum_up(checks: list[Check]) -> tuple[str, str, str]:
    """Return tone, title and numbers of all checks, in GitHub's words."""
    names = {"failure": "failing", "cancelled": "cancelled", "skipped": "skipped", "success": "successful"}
    counts = {name: sum(check.conclusion == kind for check in checks) for kind, name in names.items()}
    told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    numbers = f"{told} {'check' if len(checks) == 1 else 'checks'}"
    if counts["failing"] or counts["cancelled"]:
        return "bad", "Some checks were not successful", numbers
    return "good", "All checks have passed", numbers


def _choose_tone(verdict: str) -> str:
    """Return how a verdict is coloured, by the sign it begins with."""
    return _TONES.get(verdict[:1], "plain")

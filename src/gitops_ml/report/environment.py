"""Templates of GitHub's Markdown in which nothing that comes from data can act as Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ..core import formatting as wording

# An invisible character that breaks mentions, issue numbers and addresses apart.
_JOINER = "\N{WORD JOINER}"
_LINKING = re.compile(r"(?<=@)|(?<=#)|(?<=\bwww)(?=\.)|(?<=:)(?=//)", re.IGNORECASE)


def escape(text: object) -> Markup:
    """Return text that GitHub shows as it is: no markup, HTML, mention or link in it takes effect."""
    line = re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in str(text)))
    line = re.sub(r"([\\`*_~$]|\](?=[(\[:]))", r"\\\1", line)
    line = re.sub(r"^(?=[-+=#] |\d+[.)] |---|===)", _JOINER, line)
    line = _LINKING.sub(_JOINER, line)
    for character, entity in {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}.items():
        line = line.replace(character, entity)
    return Markup(line)


def code(text: object, length: int = 60) -> Markup:
    """Return a value as code, inside or outside of a table.

    A pipe would end the cell and a backtick the code; values that hold one are written in HTML.
    """
    line = wording.shorten(str(text), length) or '""'
    if not re.search(r"[`|]", line):
        return Markup(f"`{line}`")
    line = _LINKING.sub(_JOINER, line)
    return Markup("<code>" + re.sub(r"[^\w\s.,]|_", lambda found: f"&#{ord(found[0])};", line) + "</code>")


def table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    """Return a table of cells that are Markdown already; where there are no rows, nothing."""
    if not rows:
        return Markup("")
    lines = [names, [":--"] * len(names), *rows]
    return Markup("\n".join(f"| {' | '.join(line)} |" for line in lines))


@cache
def make_environment(package: str = str(__package__)) -> Environment:
    """Return a Jinja environment that escapes each value for Markdown, with the templates of a package."""
    environment = Environment(
        loader=PackageLoader(package, "templates"),
        autoescape=True,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {
        "code": code,
        "number": lambda value, decimals=None: Markup(wording.write_number(value, decimals)),
        "count": lambda value: Markup(f"{value:,}"),
        "share": lambda value: Markup(escape(wording.write_share(value))),
        "metric_name": lambda name: escape(wording.name_metric(name)),
        "estimate": lambda metric, estimate, **how: Markup(wording.write_metric(metric, estimate, **how)),
        "plural": wording.plural,
        "decimals": wording.choose_decimals,
        "shorten": wording.shorten,
    }
    return environment


def _finalize(value: Any) -> Any:
    return value if isinstance(value, Markup) else escape(value)

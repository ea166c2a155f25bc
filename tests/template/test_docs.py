"""The documents speak of what is there: paths, links, commands and targets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from gitops_ml.cli.app import app
from rehearsal.scenes import SCENES
from rehearsal.vendor import ROOT

TEMPLATE = ROOT / "{{cookiecutter.__project_slug}}"
DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted(ROOT.glob("docs/*.md")),
    *sorted(ROOT.glob("benchmarks/*.md")),
    ROOT / "src/gitops_ml/README.md",
    TEMPLATE / "README.md",
]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
MLOPS = re.compile(r"(?<![\w./-])(?:\.venv/bin/)?mlops((?: +[^\s|;&#()]+)*)")
# What commands make lies elsewhere.
PATH = re.compile(
    r"(?<![\w./-])(?:src|tests|docs|hooks|benchmarks|deploy|vendor|\.github|\{\{\w[\w.]+}})/[\w.{}/-]*"
)
each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())


def read_prose(path: Path) -> str:
    """Return a document without its blocks of code."""
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def read_code(path: Path) -> Iterator[str]:
    """Yield what a document says in code: each line of a block, each span in the text."""
    for language, block in FENCE.findall(path.read_text(encoding="utf-8")):
        if language == "sh":
            yield from block.splitlines()
    yield from SPAN.findall(read_prose(path))


@each_document
def test_links(path: Path) -> None:
    """A link leads to a file that is there, and to a heading in it."""
    missing = []
    for link in LINK.findall(SPAN.sub("", read_prose(path))):
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        if "://" not in link and not (target.exists() and (not anchor or anchor in list_anchors(target))):
            missing.append(link)
    assert [] == missing


@cache
def list_anchors(path: Path) -> list[str]:
    """Return the names that GitHub gives to the headings of a document."""
    headings = re.findall(r"^#+ (.+)$", read_prose(path), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


@each_document
def test_commands(path: Path) -> None:
    """Each ``mlops`` command that a document names is one, with the options that it is given."""
    said = [found.group(1).split() for code in read_code(path) for found in MLOPS.finditer(code)]
    assert [] == [" ".join(words) for words in said if not is_command(words)]


def is_command(words: list[str]) -> bool:
    """Return whether words after ``mlops`` name a command and options of it."""
    command = get_command(app)
    while words and isinstance(command, TyperGroup) and not words[0].startswith("-"):
        if words[0] not in command.commands:
            return False
        command, words = command.commands[words[0]], words[1:]
    known = {name for parameter in command.params for name in parameter.opts} | {"--help"}
    return {word.partition("=")[0] for word in words if word.startswith("--")} <= known


@each_document
def test_targets(path: Path) -> None:
    """Each target of ``make`` that a document names is one: of a bake, or of this repository."""
    makefiles = (
        [TEMPLATE / "Makefile"] if path.parent == TEMPLATE else [ROOT / "Makefile", TEMPLATE / "Makefile"]
    )
    known = {name for file in makefiles for name in re.findall(r"^([a-z]+):", file.read_text(), re.MULTILINE)}
    said = {name for code in read_code(path) for name in re.findall(r"(?<![\w-])make ([a-z]+)", code)}
    assert set() == said - known


@each_document
def test_scenes(path: Path) -> None:
    """Each scene that a document plays can be rehearsed."""
    said = [code.partition("#")[0].split() for code in read_code(path) if code.startswith("./rehearse ")]
    words = {word for _, *rest in said for word in rest if re.fullmatch("[a-z]+", word)}
    assert set() == words - {*SCENES, "play"}


@each_document
def test_paths(path: Path) -> None:
    """Each file that a document names is there, but for modules that a team puts beside its package."""
    code = [code.replace("{{ ", "{{").replace(" }}", "}}") for code in read_code(path)]
    said = {found for line in code for found in PATH.findall(line)}
    places = [TEMPLATE] if path.parent == TEMPLATE else [ROOT, TEMPLATE]
    missing = {name for name in said if not any((place / name).exists() for place in places)}
    assert set() == {name for name in missing if not re.fullmatch(r"src/\w+\.py", name)}

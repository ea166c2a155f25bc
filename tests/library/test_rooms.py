"""The rooms of the library stand in the order in which data flow, and none reaches forward."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import gitops_ml

ROOMS = [
    "core", "data", "contract", "metrics", "training", "evaluation", "drift", "bundle", "comparison",
    "report", "production", "tracking", "pipeline", "serving", "monitoring", "testing", "cli",
]  # fmt: skip
LIBRARY = Path(gitops_ml.__file__).parent
CONTRIBUTING = Path(__file__).parents[2] / "CONTRIBUTING.md"
MODULES = sorted(LIBRARY.rglob("*.py"))
PACKAGES = [path for path in MODULES if path.name == "__init__.py" and path.parent != LIBRARY]


def find_forward_imports(library: Path) -> list[str]:
    """Return each import of a room that stands later in the list, also those within functions."""
    found = []
    for path in sorted(library.rglob("*.py")):
        room = path.relative_to(library).parts[0]
        if room in ROOMS:
            later = ROOMS[ROOMS.index(room) + 1 :]
            imported = (name.split(".") for name in list_imports(path, library))
            found += [
                f"{path.relative_to(library)} imports {name[0]}" for name in imported if name[0] in later
            ]
    return found


def list_imports(path: Path, library: Path) -> Iterator[str]:
    """Yield what a module imports of the library, by names such as ``data.split.folds``."""
    package = [library.name, *path.relative_to(library).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        own = f"{library.name}."
        yield from (name.removeprefix(own) for name in names if name.startswith(own))


def test_each_folder_is_a_room() -> None:
    """The list is whole."""
    folders = {path.parent.relative_to(LIBRARY).parts[0] for path in PACKAGES}
    assert set(ROOMS) == folders


def test_a_room_imports_only_rooms_before_it() -> None:
    """So that whoever reads a room need not know what comes after it."""
    assert [] == find_forward_imports(LIBRARY)


@pytest.mark.parametrize(
    "code",
    [
        "from ..training import train",
        "from .. import training",
        "from ..training.train import train",
        "import gitops_ml.training.train",
        "from gitops_ml.training import train",
        "from gitops_ml import training",
        "def late():\n    from ..training.train import train",
        "if TYPE_CHECKING:\n    from ..training.train import train",
    ],
)
def test_an_import_of_a_later_room_is_found(code: str, tmp_path: Path) -> None:
    """However it is written."""
    library = tmp_path / "gitops_ml"
    for room in ("metrics", "training"):
        (library / room).mkdir(parents=True)
    (library / "metrics/registry.py").write_text(f"import numpy\nfrom ..data import split\n{code}\n")
    (library / "training/train.py").write_text("from ..metrics import registry\nfrom . import worker\n")
    assert ["metrics/registry.py imports training"] == find_forward_imports(library)


@pytest.mark.parametrize("path", PACKAGES, ids=lambda path: str(path.parent.relative_to(LIBRARY)))
def test_a_room_says_in_a_sentence_what_it_is_for(path: Path) -> None:
    """In the first paragraph of its docstring."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    assert re.fullmatch(r"[^\n]+?[^.]\.", docstring.split("\n\n")[0])
    assert ". " not in docstring.split("\n\n")[0]


def test_the_drawing_shows_each_room() -> None:
    """Whoever wants to help finds all of them, each with what it builds on above it."""
    above = read_drawing()
    assert set(ROOMS) == set(above)
    imports = {(path.relative_to(LIBRARY).parts[0], name) for path in MODULES for name in list_rooms(path)}
    assert [] == [f"{room} imports {name}" for room, name in sorted(imports) if name not in above[room]]


def list_rooms(path: Path) -> set[str]:
    """Return the other rooms that a module of a room imports."""
    room = path.relative_to(LIBRARY).parts[0]
    imported = {name.split(".")[0] for name in list_imports(path, LIBRARY)}
    return (imported & set(ROOMS)) - {room} if room in ROOMS else set()


def read_drawing() -> dict[str, set[str]]:
    """Return which rooms are drawn above each room."""
    _, _, drawing = CONTRIBUTING.read_text(encoding="utf-8").partition("```mermaid\nflowchart TD\n")
    above: dict[str, set[str]] = {}
    for line in drawing.partition("```")[0].splitlines():  # from top to bottom
        left, right = (re.findall(r"\w+", side) for side in line.split("-->"))
        for room in left:
            above.setdefault(room, set())
        for room in right:
            above.setdefault(room, set()).update(left, *(above[other] for other in left))
    return above

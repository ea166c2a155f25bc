"""The sections of the model card that people write, in ``model_cards/``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import yaml

from ..core.errors import LifecycleError

FOLDER = "model_cards"
METADATA = "metadata.yaml"
# What a section says on its first line until somebody has written it.
MARKER = "> TO BE WRITTEN"
TITLES = {
    "description": "Description",
    "intended_use": "Intended use",
    "limitations": "Limitations",
    "ethics": "Ethical considerations",
    "contact": "Contact",
}


class CardSection(NamedTuple):
    """One file of ``model_cards/``."""

    title: str
    path: str
    """Relative to the project."""
    text: str
    written: bool
    """False while the file is missing, empty, or still holds the text it came with."""


def read_sections(root: Path) -> dict[str, CardSection]:
    """Read the sections by their names, such as ``intended_use``."""
    return {name: _read_section(root, name, title) for name, title in TITLES.items()}


def list_unwritten(root: Path) -> list[str]:
    """Return the titles of the sections that somebody still has to write."""
    return [section.title for section in read_sections(root).values() if not section.written]


def read_metadata(root: Path) -> dict[str, Any]:
    """Read the part of the card's front matter that people write.

    Raises
    ------
    LifecycleError
        If the file is missing or is not a YAML mapping with a ``model_name``.
    """
    path = Path(FOLDER) / METADATA
    try:
        content = yaml.safe_load((root / path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LifecycleError(f"{path} is missing; restore it with 'git checkout -- {path}'.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LifecycleError(f"{path}: expected YAML, but {getattr(error, 'problem', error)}.") from None
    if not isinstance(content, dict) or not content.get("model_name"):
        raise LifecycleError(f"{path}: expected a mapping with the key 'model_name'.")
    return content


def _read_section(root: Path, name: str, title: str) -> CardSection:
    path = Path(FOLDER) / f"{name}.md"
    text = (root / path).read_text(encoding="utf-8").strip() if (root / path).exists() else ""
    return CardSection(title, path.as_posix(), text, written=bool(text) and not text.startswith(MARKER))

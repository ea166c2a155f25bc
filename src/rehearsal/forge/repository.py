"""A repository of the forge: what is remembered of it, and its Git folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import git
from .records import Record, Records


@dataclass(frozen=True)
class Repository:
    """What belongs to ``OWNER/NAME``."""

    name: str
    path: Path
    """The bare repository; people push to it as to any other remote."""
    records: Records

    @property
    def owner(self) -> str:
        """Whose it is."""
        return self.name.split("/")[0]

    @property
    def record(self) -> Record:
        """What is remembered of the repository itself."""
        return self.records.list(self.name, "repository")[0]

    @property
    def default_branch(self) -> str:
        """The branch that workflows of finished runs come from."""
        return str(self.record["default_branch"])

    def head(self, branch: str) -> str | None:
        """Return the newest commit of a branch."""
        return git.references(self.path, f"refs/heads/{branch}").get(f"refs/heads/{branch}")

    def add(self, kind: str, record: Record) -> Record:
        """Remember something new."""
        return self.records.add(self.name, kind, record)

    def get(self, kind: str, key: int) -> Record:
        """Return what is remembered under an id or number; KeyError if nothing is."""
        return self.records.get(self.name, kind, key)

    def list(self, kind: str) -> list[Record]:
        """Return all that is remembered of a kind, the oldest first."""
        return self.records.list(self.name, kind)

    def change(self, kind: str, key: int, **values: Any) -> Record:
        """Change what is remembered."""
        return self.records.change(self.name, kind, key, **values)

    def change_itself(self, **values: Any) -> Record:
        """Change what is remembered of the repository itself."""
        return self.change("repository", self.record["id"], **values)

    def remove(self, kind: str, key: int) -> None:
        """Forget something."""
        self.records.remove(self.name, kind, key)

"""What the forge remembers: a JSON file for each thing, so that anybody can look at it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import Any

Record = dict[str, Any]


class Records:
    """JSON files ``OWNER/NAME/KIND/ID.json`` below a folder.

    A record keeps what was said about a thing; what follows from it, such as addresses, is added
    when it is shown.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = RLock()

    def add(self, repository: str, kind: str, record: Record) -> Record:
        """Keep a new record under the next free id, with the time of its making."""
        with self._lock:
            return self.save(repository, kind, {"id": self._next("id"), **_times(), **record})

    def add_numbered(self, repository: str, kind: str, record: Record) -> Record:
        """Keep a new issue or pull request, which share their numbers."""
        with self._lock:
            number = self._next(f"{repository}/number")
            return self.add(repository, kind, {"number": number, **record})

    def save(self, repository: str, kind: str, record: Record) -> Record:
        """Write a record, changed or new."""
        path = self._path(repository, kind, record["number" if "number" in record else "id"])
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock:
            partial = path.with_suffix(".partial")
            partial.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
            partial.replace(path)
        return record

    def change(self, repository: str, kind: str, key: int, **values: Any) -> Record:
        """Replace some values of a record."""
        with self._lock:
            record = self.get(repository, kind, key) | {"updated_at": now()} | values
            return self.save(repository, kind, record)

    def get(self, repository: str, kind: str, key: int) -> Record:
        """Return a record.

        Raises
        ------
        KeyError
            If there is none with that id or number.
        """
        path = self._path(repository, kind, key)
        if not path.is_file():
            raise KeyError(f"{repository}: {kind} {key}")
        record: Record = json.loads(path.read_text(encoding="utf-8"))
        return record

    def list(self, repository: str, kind: str) -> list[Record]:
        """Return all records of a kind, the oldest first."""
        paths = (self.folder / repository / kind).glob("*.json")
        return [self.get(repository, kind, int(path.stem)) for path in sorted(paths, key=_order)]

    def remove(self, repository: str, kind: str, key: int) -> None:
        """Forget a record."""
        self._path(repository, kind, key).unlink()

    def _path(self, repository: str, kind: str, key: int) -> Path:
        return self.folder / repository / kind / f"{key}.json"

    def _next(self, name: str) -> int:
        path = self.folder / f"{name}.counter"
        value = int(path.read_text()) + 1 if path.is_file() else 1
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value}\n")
        return value


def now() -> str:
    """Return the time as GitHub writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _times() -> Record:
    return {"created_at": now(), "updated_at": now()}


def _order(path: Path) -> int:
    return int(path.stem)

"""A unified diff, read into files and lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["hunk", "context", "added", "removed", "note"]
_KINDS: dict[str, Kind] = {" ": "context", "+": "added", "-": "removed", "\\": "note"}
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_PREFIX = re.compile(r"^[a-z]/")


@dataclass(frozen=True)
class Line:
    """One line of a diff, with its number in the old and in the new file where it has one."""

    kind: Kind
    old: int | None
    new: int | None
    text: str


@dataclass(frozen=True)
class ChangedFile:
    """What a diff says about one file."""

    name: str
    note: str
    """What happened beside changed lines: new, deleted, binary, renamed; or nothing."""
    lines: list[Line]

    def count(self, kind: Kind) -> int:
        """Return how many lines are of a kind."""
        return sum(line.kind == kind for line in self.lines)


def parse_diff(text: str) -> list[ChangedFile]:
    """Return the files of what ``git diff`` says, in its order."""
    parts = re.split(r"^(?=diff --git )", text, flags=re.MULTILINE)
    return [_read_file(part) for part in parts if part.startswith("diff --git ")]


def _read_file(part: str) -> ChangedFile:
    # Nothing inside a hunk starts with @@: its lines begin with a sign.
    header, mark, body = part.removesuffix("\n").partition("\n@@ ")
    lines = header.split("\n")
    return ChangedFile(_find_name(lines), _find_note(lines), _read_hunks("@@ " + body) if mark else [])


def _find_name(header: list[str]) -> str:
    named = {line[:4]: line[4:] for line in header if line.startswith(("--- ", "+++ "))}
    renamed = [line.removeprefix("rename to ") for line in header if line.startswith("rename to ")]
    for name in (named.get("+++ "), named.get("--- ")):
        if name and name != "/dev/null":
            return _PREFIX.sub("", name.strip('"\t'))
    # Without changed lines both names of the first line are the same: a/NAME b/NAME.
    first = header[0].removeprefix("diff --git ")
    return renamed[0].strip('"') if renamed else _PREFIX.sub("", first[len(first) // 2 + 1 :].strip('"'))


def _find_note(header: list[str]) -> str:
    notes = []
    for line in header[1:]:
        if line.startswith("new file"):
            notes.append("new")
        elif line.startswith("deleted file"):
            notes.append("deleted")
        elif line.startswith("rename from "):
            notes.append(f"renamed from {line.removeprefix('rename from ')}")
        elif line.startswith("new mode "):
            notes.append(f"mode {line.removeprefix('new mode ')}")
        elif line.startswith(("Binary files ", "GIT binary patch")):
            notes.append("binary")
    return ", ".join(notes)


def _read_hunks(body: str) -> list[Line]:
    lines = []
    old = new = 0
    for text in body.split("\n"):
        start = _HUNK.match(text)
        if start:
            old, new = int(start[1]), int(start[2])
            lines.append(Line("hunk", None, None, text))
            continue
        kind = _KINDS.get(text[:1], "context")
        counts_old, counts_new = kind in ("context", "removed"), kind in ("context", "added")
        lines.append(Line(kind, old if counts_old else None, new if counts_new else None, text[1:]))
        old, new = old + counts_old, new + counts_new
    return lines

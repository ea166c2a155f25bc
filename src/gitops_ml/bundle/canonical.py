"""The canonical form of skops files: the same model gives the same bytes."""

from __future__ import annotations

import io
import json
from itertools import count
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np

SCHEMA = "schema.json"
# The earliest time a zip file can hold.
EPOCH = (1980, 1, 1, 0, 0, 0)
# Twice as fast as zlib's default level, and files only a few percent larger.
LEVEL = 3


def make_canonical(data: bytes) -> bytes:
    """Rewrite a skops file so that its bytes depend on the model alone.

    skops numbers objects by their address in memory, names the members of the archive after
    those numbers, lists sets in hash order and stamps the time. Here objects are numbered in the
    order in which they appear, sets are sorted, the time is fixed, and the gaps between the fields
    of tree nodes, which hold whatever lay in memory, are zero. Which attributes share one object,
    and so what is loaded, stays the same.

    Parameters
    ----------
    data : bytes
        A file as ``skops.io.dumps`` makes it.

    Returns
    -------
    bytes
        The same content, compressed.
    """
    with ZipFile(io.BytesIO(data)) as source:
        schema = json.loads(source.read(SCHEMA))
        members = _renumber(schema)
        target = io.BytesIO()
        with ZipFile(target, "w") as archive:
            _write(archive, SCHEMA, json.dumps(schema, separators=(",", ":")).encode())
            for old, new in members.items():
                _write(archive, new, _clean(source.read(old)))
    return target.getvalue()


def _write(archive: ZipFile, name: str, content: bytes) -> None:
    member = ZipInfo(name, EPOCH)
    member.create_system = 3
    archive.writestr(member, content, ZIP_DEFLATED, LEVEL)


def _clean(content: bytes) -> bytes:
    """Return a member with zeros in the gaps between the fields of a structured array."""
    if not content.startswith(b"\x93NUMPY") or b"('', '|V" not in content[:1000]:
        return content
    records = np.load(io.BytesIO(content), allow_pickle=False)
    clean = np.zeros(records.shape, records.dtype)
    for field in records.dtype.names:
        clean[field] = records[field]
    buffer = io.BytesIO()
    np.save(buffer, clean, allow_pickle=False)
    return buffer.getvalue()


def _renumber(schema: dict[str, Any]) -> dict[str, str]:
    """Number objects and members by appearance, in place; return the new name of each member."""
    numbers: dict[int, int] = {}
    members: dict[str, str] = {}
    fresh = count(1)
    for node in _walk(schema):
        if node["__loader__"] == "JsonNode":
            # Whether two equal strings are one object is an accident of the interpreter.
            node.pop("__id__", None)
        elif "__id__" in node:
            node["__id__"] = numbers.setdefault(node["__id__"], len(numbers) + 1)
        if isinstance(file := node.get("file"), str):
            if file not in members:
                members[file] = f"{next(fresh)}.{file.rpartition('.')[2]}"
            node["file"] = members[file]
    return members


def _walk(part: Any) -> Any:
    """Yield every node of a schema, parents first."""
    if isinstance(part, dict):
        # A user's dict may have a key of that name too; its value is a node, not a string.
        if isinstance(part.get("__loader__"), str):
            if part["__loader__"] == "SetNode":
                part["content"].sort(key=_order)
            yield part
        part = list(part.values())
    if isinstance(part, list):
        for child in part:
            yield from _walk(child)


def _order(node: dict[str, Any]) -> tuple[str, str]:
    """Return where a member of a set belongs."""
    return node["__class__"], json.dumps(node.get("content")) if node["__loader__"] == "JsonNode" else ""

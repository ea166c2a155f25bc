"""The fields that GitHub's answers must have, each empty until the forge knows better."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

Shape = dict[str, Any]
# Made by `description.py`, so that nothing needs npm at run time.
FILE = Path(__file__).with_name("required.json")


def complete(answer: str, record: Mapping[str, Any] | None = None, /, **known: Any) -> Shape:
    """Return an answer with all its required fields.

    Parameters
    ----------
    answer : str
        GitHub's name of it.
    record : mapping, optional
        Fields that are shown as they are remembered; those that the answer does not need are left out.
    known
        Fields that are shown like this; an object may leave out fields of its own.
    """
    required = _read()[answer]
    remembered = {name: value for name, value in (record or {}).items() if name in required}
    return _lay(required, remembered | known)


def _lay(required: Mapping[str, Any], known: Mapping[str, Any]) -> Shape:
    nested = {name for name, value in known.items() if isinstance(value, dict) and required.get(name)}
    return {**required, **known, **{name: _lay(required[name], known[name]) for name in nested}}


@cache
def _read() -> dict[str, Shape]:
    found: dict[str, Shape] = json.loads(FILE.read_text(encoding="utf-8"))
    return found

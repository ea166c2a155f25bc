"""Runs a workflow of a project with act; see ``rehearsal.act``."""

from __future__ import annotations

from rehearsal.act import STAND_INS as ALL
from rehearsal.act import Outcome, act
from rehearsal.surroundings import tool

# Those that the workflows use now.
STAND_INS = {action: name for action, name in ALL.items() if name in ("setup-uv", "upload-artifact")}

__all__ = ["STAND_INS", "Outcome", "act", "tool"]

"""A small GitHub on this machine: REST over HTTPS on loopback, bare Git repositories, JSON files."""

from .forge import Forge
from .records import Record

__all__ = ["Forge", "Record"]

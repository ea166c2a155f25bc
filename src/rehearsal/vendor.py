"""The library's wheel that the template brings along, and its pin."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[2]
FOLDER = "{{cookiecutter.__project_slug}}/vendor"


def find_wheel(root: Path = ROOT) -> Path:
    """Return the one wheel of a checkout; ValueError if there is none, or more than one."""
    [wheel] = (root / FOLDER).glob("*.whl")
    return wheel


def read_members(path: Path) -> dict[str, bytes]:
    """Return the files of a wheel; how they are compressed depends on the zlib at hand."""
    with ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pin_wheel(path: Path) -> str:
    """Return a requirements file for the wheel beside it."""
    name, version = path.name.split("-")[:2]
    digest = sha256(path.read_bytes()).hexdigest()
    return f"--find-links .\n{name.replace('_', '-')}=={version} --hash=sha256:{digest}\n"

"""``make wheel``: the library as the wheel that the template brings along, pinned by its hash."""

from __future__ import annotations

import os
import shutil
import tempfile
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

from flit_core import wheel

from .bake import ROOT

VENDOR = ROOT / "{{cookiecutter.__project_slug}}" / "vendor"
# The times that members of the wheel have; zip knows none before 1980.
EPOCH = "315532800"


def main() -> None:
    """Build the wheel and pin it, unless the one that is there has the same members."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = build_wheel(Path(folder))
        kept = VENDOR / fresh.name
        if not kept.is_file() or read_members(kept) != read_members(fresh):
            for old in VENDOR.glob("*.whl"):
                old.unlink()
            VENDOR.mkdir(exist_ok=True)
            shutil.copyfile(fresh, kept)
    (VENDOR / "requirements.txt").write_text(pin_wheel(kept), encoding="utf-8")
    print(kept.relative_to(ROOT))


def build_wheel(folder: Path) -> Path:
    """Build the library's wheel; the same sources give the same members."""
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = EPOCH
    try:
        return Path(wheel.make_wheel_in(ROOT / "pyproject.toml", folder).file)
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]
        else:
            os.environ["SOURCE_DATE_EPOCH"] = before


def read_members(path: Path) -> dict[str, bytes]:
    """Return the files of a wheel; how they are compressed depends on the zlib at hand."""
    with ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pin_wheel(path: Path) -> str:
    """Return a requirements file for the wheel beside it."""
    name, version = path.name.split("-")[:2]
    digest = sha256(path.read_bytes()).hexdigest()
    return f"--find-links .\n{name.replace('_', '-')}=={version} --hash=sha256:{digest}\n"


if __name__ == "__main__":
    main()

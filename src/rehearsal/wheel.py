"""``make wheel``: the library as the wheel that the template brings along, pinned by its hash."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from flit_core import wheel

from .vendor import FOLDER, ROOT, pin_wheel, read_members

# The times that members of the wheel have; zip knows none before 1980.
EPOCH = "315532800"


def main() -> None:
    """Build the wheel and pin it, unless the one that is there has the same members."""
    print(renew_wheel(ROOT).relative_to(ROOT))


def renew_wheel(root: Path) -> Path:
    """Return the wheel of a checkout, built anew and pinned unless it has the members of its sources."""
    vendor = root / FOLDER
    with tempfile.TemporaryDirectory() as folder:
        fresh = build_wheel(root, Path(folder))
        kept = vendor / fresh.name
        if not kept.is_file() or read_members(kept) != read_members(fresh):
            for old in vendor.glob("*.whl"):
                old.unlink()
            vendor.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(fresh, kept)
    (vendor / "requirements.txt").write_text(pin_wheel(kept), encoding="utf-8")
    return kept


def build_wheel(root: Path, folder: Path) -> Path:
    """Build the library's wheel; the same sources give the same members."""
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = EPOCH
    try:
        return Path(wheel.make_wheel_in(root / "pyproject.toml", folder).file)
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]
        else:
            os.environ["SOURCE_DATE_EPOCH"] = before


if __name__ == "__main__":
    main()

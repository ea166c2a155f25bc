"""``stand-in NAME``: runs the one that the first word names."""

from __future__ import annotations

import sys
from collections.abc import Callable

from . import checkout, cml, download, upload
from .errors import StandInError

PROGRAMS: dict[str, Callable[[list[str]], None]] = {
    "checkout": checkout.main,
    "cml": cml.main,
    "download-artifact": download.main,
    "upload-artifact": upload.main,
}


def main() -> int:
    """Run a stand-in and return the exit status."""
    _, name, *arguments = sys.argv
    try:
        PROGRAMS[name](arguments)
    except StandInError as error:
        print(f"::error::{error}" if name != "cml" else f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

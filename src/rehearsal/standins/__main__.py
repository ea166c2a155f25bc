"""``stand-in NAME``: runs the one that the first word names."""

from __future__ import annotations

import sys
from collections.abc import Callable

from . import attestation, checkout, cml, download, image, login, pages, upload
from .errors import StandInError

PROGRAMS: dict[str, Callable[[list[str]], None]] = {
    "attest": attestation.main,
    "build-push": image.main,
    "checkout": checkout.main,
    "cml": cml.main,
    "deploy-pages": pages.main,
    "download-artifact": download.main,
    "login": login.main,
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

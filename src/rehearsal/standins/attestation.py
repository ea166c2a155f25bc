"""Stands in for actions/attest: looks at the subject and at what is said about it."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path

from .errors import StandInError
from .inputs import read_input


def main(arguments: list[str]) -> None:
    """Say what would be attested about which subject."""
    name, digest = find_subject()
    print(f"Attested {describe_predicate()} of {name}@{digest}.")


def find_subject() -> tuple[str, str]:
    """Return name and digest of what the inputs mean: a file, or an image in a registry."""
    path, name, digest = (read_input(f"subject-{part}") for part in ("path", "name", "digest"))
    if bool(path) == bool(digest):
        raise StandInError("One of subject-path, subject-digest, or subject-checksums must be provided")
    if path:
        if not Path(path).is_file():
            raise StandInError(f"Could not find subject at path {path}")
        return Path(path).name, f"sha256:{sha256(Path(path).read_bytes()).hexdigest()}"
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest) or not name:
        raise StandInError('subject-digest must be in the format "sha256:<hex-digest>", with a name')
    return name, digest


def describe_predicate() -> str:
    """Return what is said about it: a bill of materials, or where it comes from."""
    path = read_input("sbom-path")
    if not path:
        return "the provenance"
    if json.loads(Path(path).read_text(encoding="utf-8")).get("bomFormat") != "CycloneDX":
        raise StandInError("Unsupported SBOM format")
    return "the bill of materials"

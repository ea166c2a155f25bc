"""Stands in for actions/attest: looks at the subject and at what is said about it."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path

from .errors import StandInError
from .inputs import read_input


def main(arguments: list[str]) -> None:
    """Say what would be attested about which subjects."""
    for name, digest in find_subjects():
        print(f"Attested {describe_predicate()} of {name}@{digest}.")


def find_subjects() -> list[tuple[str, str]]:
    """Return name and digest of what the inputs mean: files, by a pattern, or an image in a registry."""
    pattern, name, digest = (read_input(f"subject-{part}") for part in ("path", "name", "digest"))
    if bool(pattern) == bool(digest):
        raise StandInError("One of subject-path, subject-digest, or subject-checksums must be provided")
    if pattern:
        files = [path for path in sorted(Path().glob(pattern)) if path.is_file()]
        if not files:
            raise StandInError(f"Could not find subject at path {pattern}")
        return [(path.name, f"sha256:{sha256(path.read_bytes()).hexdigest()}") for path in files]
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest) or not name:
        raise StandInError('subject-digest must be in the format "sha256:<hex-digest>", with a name')
    return [(name, digest)]


def describe_predicate() -> str:
    """Return what is said about it: a bill of materials, or where it comes from."""
    path = read_input("sbom-path")
    if not path:
        return "the provenance"
    if json.loads(Path(path).read_text(encoding="utf-8")).get("bomFormat") != "CycloneDX":
        raise StandInError("Unsupported SBOM format")
    return "the bill of materials"

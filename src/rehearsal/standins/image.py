"""Stands in for docker/build-push-action: an image is the files that would go into it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from .errors import StandInError
from .inputs import read_flag, read_input, read_lines
from .login import list_registries


def main(arguments: list[str]) -> None:
    """Name an image by what would go into it, as the inputs say."""
    context = Path(read_input("context") or ".")
    dockerfile = Path(read_input("file") or context / "Dockerfile")
    if not dockerfile.is_file():
        raise StandInError(f"failed to read dockerfile: open {dockerfile}: no such file or directory")
    digest = f"sha256:{digest_image(dockerfile, context, read_lines('build-args'))}"
    for tag in read_lines("tags"):
        _check_tag(tag)
        print(f"{'Pushed' if read_flag('push') else 'Built'} {tag}@{digest}.")
    with Path(os.environ["GITHUB_OUTPUT"]).open("a") as output:
        output.write(f"digest={digest}\n")


def digest_image(dockerfile: Path, context: Path, arguments: list[str]) -> str:
    """Return a digest of a Dockerfile, its arguments, and the files that it copies."""
    digest = sha256("\n".join([dockerfile.read_text(encoding="utf-8"), *arguments]).encode())
    for source in list_sources(dockerfile.read_text(encoding="utf-8")):
        found = sorted(context.glob(source))
        if not found:
            raise StandInError(f'failed to calculate checksum of "/{source}": not found')
        files = [file for path in found for file in [path, *sorted(path.rglob("*"))] if file.is_file()]
        for file in files:
            digest.update(f"\0{file.relative_to(context).as_posix()}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def list_sources(dockerfile: str) -> Iterator[str]:
    """Yield what a Dockerfile copies from its context, not from another of its stages."""
    for line in re.sub(r"\\\n", " ", dockerfile).splitlines():
        verb, *words = line.split() or [""]
        paths = [word for word in words if not word.startswith("--")]
        if verb.upper() == "COPY" and not any(word.startswith("--from=") for word in words):
            yield from (path.removeprefix("./") for path in paths[:-1])


def _check_tag(tag: str) -> None:
    registry, _, name = tag.partition("/")
    if name != name.lower():
        raise StandInError(f'invalid tag "{tag}": repository name must be lowercase')
    if read_flag("push") and registry not in list_registries():
        raise StandInError(f"failed to push {tag}: denied")

"""Stands in for actions/deploy-pages: says which site would be published, and where."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import StandInError
from .inputs import read_input


def main(arguments: list[str]) -> None:
    """Publish the artifact that the inputs name."""
    name = read_input("name")
    folder = Path(os.environ["ARTIFACTS"]) / name
    if not (folder / "index.html").is_file():
        raise StandInError(f"No artifact named {name} with an index.html was found for this run.")
    address = f"{os.environ['GITHUB_SERVER_URL']}/pages/{os.environ['GITHUB_REPOSITORY']}/"
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as output:
        output.write(f"page_url={address}\n")
    pages = sum(1 for _ in folder.rglob("*.html"))
    print(f"Published {pages} pages at {address}.")

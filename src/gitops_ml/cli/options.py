"""Options that commands share, or that take more than a line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def _check_image(image: str | None) -> str | None:
    from ..production.manifests import IMAGE

    if image is not None and not IMAGE.fullmatch(image):
        raise typer.BadParameter(f"{image!r} is no image by digest; expected NAME@sha256:DIGEST.")
    return image


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
AsEnv = Annotated[
    bool, typer.Option("--env", help="Print NAME=value lines, for scripts; all else to standard error.")
]
Champion = Annotated[
    Path | None,
    typer.Option(help="Folder of the champion's bundle; by default champion/, where it is there."),
]
Package = Annotated[Path | None, typer.Argument(help="By default build/bundle.tar.gz.")]
Packages = Annotated[
    list[Path] | None,
    typer.Argument(help="Packages of versions that MLflow may not know, besides build/bundle.tar.gz."),
]
Remote = Annotated[
    str, typer.Option(help="The repository, by name or address, that has the branch production.")
]
Image = Annotated[
    str | None,
    typer.Option(
        metavar="NAME@sha256:DIGEST",
        callback=_check_image,
        help="The image that serves the model; k8s/ and compose.yaml run it.",
    ),
]
Out = Annotated[Path, typer.Option(help="Folder to write; an earlier site in it is replaced.")]
Expect = Annotated[
    int | None, typer.Option(metavar="VERSION", help="Change nothing if it would become another version.")
]
Plan = Annotated[bool, typer.Option("--plan", help="Only say what would change.")]
To = Annotated[
    int | None, typer.Option(metavar="VERSION", help="Which; by default the one before what runs.")
]
Files = Annotated[list[str] | None, typer.Argument(help="Files; by default all new and changed ones.")]
Valid = Annotated[
    bool, typer.Option("--valid", help="Accept the new files that keep the contract; leave the others out.")
]
Print0 = Annotated[
    bool, typer.Option("--print0", help="Print the paths to commit, each ended by NUL, for tar and xargs.")
]
Replace = Annotated[bool, typer.Option("--replace", help="Forget all files accepted before.")]

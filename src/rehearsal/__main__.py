"""Play the life of a project on this machine, without GitHub."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from .act import ActError
from .bake import PROBLEMS, refresh
from .edits import EditError
from .expectations import SceneError
from .rehearse import rehearse
from .scenes import SCENES

FOLDER = Path("rehearsal")


def main(arguments: list[str] | None = None) -> int:
    """Play the scenes that are asked for; return the exit status."""
    asked = _parse(arguments)
    if asked.list:
        for scene in SCENES.values():
            print(f"{scene.name:<12}{scene.summary}")
        return 0
    folder = asked.keep or FOLDER
    try:
        project = asked.project or _bake(folder / "bake" / "flight-delays", asked.problem)
        surprises = rehearse(asked.scenes or list(SCENES), project, folder, keep=asked.keep is not None)
    except (EditError, SceneError, ActError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    print(f"In full: {folder / 'index.html'}")
    return 1 if surprises else 0


def _bake(project: Path, problem: str) -> Path:
    refresh(project, problem=problem)
    return project


def _parse(arguments: list[str] | None) -> Namespace:
    parser = ArgumentParser(prog="rehearse", description=__doc__)
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help="what to play; all scenes by default")
    parser.add_argument("--list", action="store_true", help="list the scenes")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="keep forge, runs and project in a new folder"
    )
    parser.add_argument(
        "--project", type=Path, metavar="PATH", help="a copy of this project; else one is baked"
    )
    parser.add_argument("--problem", choices=PROBLEMS, default=PROBLEMS[0], help="which project is baked")
    asked = parser.parse_args(arguments)
    for name in asked.scenes:
        if name not in SCENES:
            parser.error(f"there is no scene '{name}'; the scenes are {', '.join(SCENES)}")
    if asked.project is not None and not (asked.project / "params.yaml").is_file():
        parser.error(f"{asked.project} has no params.yaml; --project wants the folder of a baked project")
    if asked.keep is not None and asked.keep.exists() and any(asked.keep.iterdir()):
        parser.error(f"{asked.keep} is not empty; --keep wants a new folder")
    return asked


if __name__ == "__main__":
    sys.exit(main())

"""Plays scenes with a project, and leaves a page that shows what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from .bake import ROOT
from .forge import Forge
from .page import render_page
from .scenes import FIRST, SCENES
from .stage import Stage, set_stage
from .story import write_story
from .telling import tell_story
from .timeline import Timeline

MERMAID = ROOT / "src/rehearsal/npm/node_modules/mermaid/dist/mermaid.min.js"


def rehearse(names: Sequence[str], project: Path, folder: Path, keep: bool) -> int:
    """Play scenes, the first push before all others.

    Parameters
    ----------
    names
        The scenes, in their order.
    project
        The project; a copy of it is played with.
    folder
        Where the page and all else is written. Environments stay there for the next time.
    keep
        Whether forge, runs and the copy of the project stay too.

    Returns
    -------
    int
        How often something else came than a scene expects.
    """
    project, folder = project.resolve(), folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    timeline = Timeline()
    with ExitStack() as stack:
        scratch = folder if keep else Path(stack.enter_context(TemporaryDirectory(dir=folder)))
        forge = stack.enter_context(Forge(scratch / "forge"))
        stage = set_stage(forge, project, scratch, folder / "environments", timeline)
        try:
            _play([FIRST, *(name for name in names if name != FIRST)], stage)
        finally:
            story = tell_story(stage, folder)
            write_story(story, folder / "story.json")
            render_page(story, folder, MERMAID if MERMAID.is_file() else None)
    return timeline.surprises


def _play(names: Sequence[str], stage: Stage) -> None:
    for name in names:
        stage.timeline.begin(name)
        SCENES[name].play(stage)

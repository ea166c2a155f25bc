"""A rehearsal of all scenes, which several files of tests look at."""

from __future__ import annotations

import re
from pathlib import Path

from rehearsal.edits import choose_candidates
from rehearsal.expectations import SceneError
from rehearsal.rehearse import rehearse
from rehearsal.scenes import SCENES
from rehearsal.story import read_story
from rehearsal.timeline import DOUBTFUL


def lighten(project: Path) -> None:
    """Let a project say the same of its models in less time, on a machine that is busy."""
    params = project / "params.yaml"
    text = re.sub(r"replicates: \d+", "replicates: 300", params.read_text())
    params.write_text(re.sub(r"max_latency_ms: \d+", "max_latency_ms: 10000", text))
    # It is the one that wins.
    choose_candidates(project, "boosting")
    [models] = project.glob("src/*/models.py")
    models.write_text(models.read_text().replace("n_estimators=60", "n_estimators=20"))


def play_all(project: Path, folder: Path) -> None:
    """Play all scenes with a project; they must come out as they should."""
    try:
        rehearse(list(SCENES), project, folder, keep=True)
        end = ""
    except SceneError as error:
        end = str(error)
    told = read_story(folder / "story.json").events
    assert ([], "") == ([event.text for event in told if event.mark == DOUBTFUL], end)

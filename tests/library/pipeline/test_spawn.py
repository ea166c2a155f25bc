"""macOS and Windows start processes from scratch: what trains and compares under Linux does so there, too."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import gitops_ml
from gitops_ml.core.records import read_records
from toys import edit_params

# A new interpreter, since this one has imported the toy projects and started its server.
SPAWN = """
import multiprocessing, sys
from unittest.mock import patch
from gitops_ml.cli.app import app
from gitops_ml.training import processes
with patch.object(processes, "_context", lambda: multiprocessing.get_context("spawn")):
    app(sys.argv[1:])
"""


def spawn(*arguments: str) -> None:
    """Run a command, which must succeed, in an interpreter that finds its project by the current folder."""
    source = str(Path(gitops_ml.__file__).parents[1])
    ended = subprocess.run(
        [sys.executable, "-c", SPAWN, *arguments],
        env={**os.environ, "PYTHONPATH": source},
        capture_output=True,
        text=True,
    )
    assert 0 == ended.returncode, ended.stdout + ended.stderr


def test_the_same_model_is_trained(project: Path, finished: Path) -> None:
    """To the last bit: a start method is none of the things that can change a model."""
    spawn("train")
    expected, actual = (root / "build/challenger.skops" for root in (finished, project))
    assert expected.read_bytes() == actual.read_bytes()


def test_candidates_compete_and_meet_the_champion(project: Path, finished: Path) -> None:
    """Candidates and scores go from process to process, and the champion answers with its own code."""
    shutil.copytree(finished / "build/bundle", project / "champion/bundle")
    (project / "champion/model.json").write_text(json.dumps({"version": 1}))
    edit_params(project, train={"candidates": ["linear", "boosting"], "folds": 2})
    spawn("run")
    records = read_records(project / "build")
    assert records.training is not None
    assert records.comparison is not None
    assert [("linear", "ok", 2), ("boosting", "ok", 2)] == [
        (one.name, one.status, len(one.scores)) for one in records.training.candidates
    ]
    assert records.comparison.champion is not None
    assert ("champion", None) == (records.comparison.against, records.comparison.champion.obstacle)

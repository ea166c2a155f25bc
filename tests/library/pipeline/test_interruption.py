"""Tests of runs that are ended from outside: the last build stays, and the next run works."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gitops_ml.core.records import read_records
from toys import edit_params, mlops

COMMAND = "from gitops_ml.cli.app import app; app()"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize(("ending", "after"), [("SIGINT", "validate"), ("SIGKILL", "evaluate")])
def test_a_run_ended_in_the_middle(done: Path, ending: str, after: str) -> None:
    """Whatever ends it, build/ is as it was and nothing stands in the way of the next run."""
    before = read_records(done / "build")
    edit_params(done, train={"seed": 5})
    run = subprocess.Popen([sys.executable, "-c", COMMAND, "run"], stderr=subprocess.PIPE, text=True)
    assert run.stderr is not None
    for line in run.stderr:
        if line.startswith(after):
            break
    run.send_signal(signal.Signals[ending])
    run.communicate(timeout=120)

    assert run.returncode != 0
    assert before == read_records(done / "build")
    assert 0 == mlops("run").exit_code
    assert before.run.run_key != read_records(done / "build").run.run_key
    assert [] == list(done.glob(".build-*"))

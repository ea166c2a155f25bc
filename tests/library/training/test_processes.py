"""Functions in processes of their own: what they return, and how they may fail."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gitops_ml.training import processes
from gitops_ml.training.processes import Job, Outcome, run

MODULE = processes.__name__


@pytest.fixture(params=["forkserver", "spawn"])
def start_method(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How processes start: on Linux, and on macOS and Windows."""
    context = multiprocessing.get_context(request.param)
    monkeypatch.setattr(processes, "_context", lambda: context)
    return str(request.param)


def call(function: Callable[..., Any], *arguments: Any, **limits: Any) -> Outcome:
    """Run one job."""
    [(_, outcome)] = run([Job("only", function, arguments, **{"timeout": 30, **limits})], parallel=1)
    return outcome


def draw() -> tuple[float, float]:
    """Draw from both global generators."""
    return random.random(), float(np.random.rand())  # noqa: NPY002


def count_threads() -> dict[str, int]:
    """Return the number of threads by kind of library."""
    import joblib
    import sklearn.ensemble  # noqa: F401 - loads OpenMP
    from threadpoolctl import threadpool_info

    pools = {pool["user_api"]: pool["num_threads"] for pool in threadpool_info()}
    return pools | {"joblib": joblib.Parallel().n_jobs}


@pytest.mark.usefixtures("start_method")
def test_value_comes_back() -> None:
    """What a function returns is its outcome, from another process."""
    outcome = call(os.getpid)

    assert outcome.reason is None
    assert outcome.value not in (None, os.getpid())


@pytest.mark.usefixtures("start_method")
@pytest.mark.parametrize(
    ("function", "arguments", "reason"),
    [
        (int, ("late",), "raised ValueError: invalid literal for int() with base 10: 'late'"),
        (sys.exit, (3,), "raised SystemExit: 3"),
        (threading.Lock, (), "raised TypeError: cannot pickle '_thread.lock' object"),
        (os._exit, (3,), "ended its process with exit code 3"),
        (signal.raise_signal, (signal.SIGKILL,), "was killed; out of memory?"),
        (signal.raise_signal, (signal.SIGSEGV,), "died of SIGSEGV"),
        (bytes, (2**62,), "ran out of memory"),
    ],
)
def test_failure_has_a_reason(function: Callable[..., Any], arguments: tuple[Any, ...], reason: str) -> None:
    """However a function fails, one sentence says how."""
    outcome = call(function, *arguments)

    assert reason == outcome.reason
    assert outcome.value is None


def test_others_go_on_beside_a_job_that_hangs_and_one_that_dies() -> None:
    """A job that exceeds its time is ended; it costs the others nothing."""
    jobs = [
        Job("hangs", time.sleep, (600,), timeout=0.5),
        Job("dies", os._exit, (1,), timeout=30),
        Job("works", abs, (-1,), timeout=30),
    ]

    outcomes = {job.key: outcome for job, outcome in run(jobs, parallel=2)}

    assert "timed out after 0.5 s" == outcomes["hangs"].reason
    assert 1 == outcomes["works"].value
    assert outcomes["hangs"].seconds < 600


def test_jobs_are_drawn_late() -> None:
    """A job is drawn only when there is room, so that earlier outcomes may change what comes."""
    drawn = []

    def jobs() -> Any:
        for key in range(3):
            drawn.append(key)
            yield Job(key, abs, (key,), timeout=30)

    seen = [len(drawn) for _ in run(jobs(), parallel=1)]

    assert [1, 2, 3] == seen


@pytest.mark.usefixtures("start_method")
def test_seed_fixes_the_global_generators() -> None:
    """The same seed draws the same numbers, another one others."""
    assert call(draw, seed=1).value == call(draw, seed=1).value
    assert call(draw, seed=1).value != call(draw, seed=2).value


@pytest.mark.usefixtures("start_method")
def test_order_of_sets_is_the_same_in_every_run() -> None:
    """Text hashes to the same number in every run, so that sets of names keep their order."""
    command = [sys.executable, "-c", "print(hash('carrier'))"]
    expected = subprocess.run(command, env={"PYTHONHASHSEED": "0"}, capture_output=True, check=True)

    assert int(expected.stdout) == call(hash, "carrier").value


@pytest.mark.usefixtures("start_method")
@pytest.mark.parametrize("threads", [1, 2])
def test_threads_are_limited(threads: int) -> None:
    """Libraries use the threads they are given; linear algebra uses one."""
    pools = call(count_threads, threads=threads).value

    assert {"openmp": threads, "blas": 1, "joblib": threads} == pools


def test_prints_do_not_reach_standard_output() -> None:
    """Results for machines go to standard output; what a job prints must not mix with them."""
    code = (
        f"from {MODULE} import PRELOADED, Job, run; PRELOADED.clear()\n"
        "for _ in run([Job(1, print, ('noise',), timeout=30)], parallel=1): print('result')"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True)

    assert "result\n" == done.stdout
    assert "noise\n" == done.stderr


def test_sigint_is_blocked_from_the_first_moment() -> None:
    """On a terminal it reaches a process that has only just begun; the parent alone may handle it."""
    code = (
        f"from {MODULE} import PRELOADED, Job, run; import signal; PRELOADED.clear()\n"
        "job = Job(1, signal.pthread_sigmask, (signal.SIG_BLOCK, ()), timeout=30)\n"
        "for _, outcome in run([job], parallel=1): print(signal.SIGINT in outcome.value)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True)

    assert "True\n" == done.stdout


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_nothing_outlives_the_parent(sent: signal.Signals) -> None:
    """Ctrl-C ends parent and workers at once, and so does the death of the parent."""
    code = (
        f"from {MODULE} import PRELOADED, Job, run; import time; PRELOADED.clear()\n"
        "jobs = [Job(seconds, time.sleep, (seconds,), timeout=999) for seconds in (0, 600, 600)]\n"
        "for _ in run(jobs, parallel=2): print('running', flush=True)"
    )
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, env=environment(), start_new_session=True, **pipes) as parent:
        assert parent.stdout is not None
        assert "running\n" == parent.stdout.readline()
        time.sleep(0.2)
        # On a terminal Ctrl-C reaches all processes of the group.
        (os.killpg if sent == signal.SIGINT else os.kill)(parent.pid, sent)
        _, errors = parent.communicate(timeout=60)

    assert -sent == parent.returncode
    assert errors.count("Traceback") == (1 if sent == signal.SIGINT else 0)
    assert is_gone(parent.pid)


def environment() -> dict[str, str]:
    """Return an environment in which the project can be imported."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}


def is_gone(group: int) -> bool:
    """Wait up to a minute for the last process of a group to end."""
    for _ in range(1200):
        if not any(state != "Z" for state in read_states(group)):
            return True
        time.sleep(0.05)
    return False


def read_states(group: int) -> list[str]:
    """Return the states of the processes of a group; Z is one that has ended."""
    states = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # ended in the meantime
            state, _, its_group, *_ = path.read_text().rpartition(")")[2].split()
            states += [state] if int(its_group) == group else []
    return states

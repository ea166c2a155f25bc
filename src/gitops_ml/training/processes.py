"""Run functions in parallel, each in a process of its own, so that none can harm the others."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import random
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing import resource_tracker
from multiprocessing.context import BaseContext
from pathlib import Path
from types import ModuleType
from typing import Any

from pebble import ProcessExpired
from pebble.concurrent import process

from ..core.errors import describe_error

# Imported once, by the server that the workers are forked from, while the parent reads the data.
PRELOADED = [f"{__package__}.train"]

NAME = "isolated"
# Linear algebra sums in another order with another number of threads: one, to be reproducible.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
# Boosting on a busy machine takes up to ten times as long if idle OpenMP threads wait by spinning for
# milliseconds, as they do by default; microseconds cost nothing on an idle one.
SHORT_SPIN = {"GOMP_SPINCOUNT": "10000"}


@dataclass(frozen=True)
class Job:
    """One call of a function of a module, with what it may use up."""

    key: Any
    """What the caller knows the job by."""
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    timeout: float
    """Seconds."""
    threads: int = 1
    """For OpenMP and joblib; linear algebra always has one."""
    seed: int = 0
    """Of the global random generators."""


@dataclass(frozen=True)
class Outcome:
    """The value that a job returned, or the reason why there is none."""

    value: Any
    reason: str | None
    seconds: float


def warm_up() -> None:
    """Start the server that workers are forked from, and return without waiting for its imports."""
    context = _context()
    if context.get_start_method() != "forkserver":
        return
    from multiprocessing import forkserver

    context.set_forkserver_preload(PRELOADED)
    with _inheritance():
        forkserver.ensure_running()


def run(jobs: Iterable[Job], parallel: int) -> Iterator[tuple[Job, Outcome]]:
    """Run jobs in parallel and yield each as it ends.

    A job that raises, hangs, dies or is killed has an outcome with a reason; the others go on. If
    the caller stops early, by Ctrl-C for example, the processes that still run are ended.

    Parameters
    ----------
    jobs : iterable of Job
        Drawn when there is room for one more, so the caller may decide late what comes next.
    parallel : int
        How many run at a time, at least 1.

    Yields
    ------
    tuple of Job and Outcome
    """
    warm_up()
    source = iter(jobs)
    running: dict[Future[bytes], tuple[Job, float]] = {}
    try:
        while True:
            for job in islice(source, parallel - len(running)):
                running[_start(job)] = (job, time.monotonic())
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                job, started = running.pop(future)
                yield job, _outcome(job, future, time.monotonic() - started)
    finally:
        _stop(running)


def _context() -> BaseContext:
    """Fork from a clean server where that is safe; elsewhere start from scratch."""
    return multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")


@contextmanager
def _inheritance() -> Iterator[None]:
    """Set what processes started in this block must have from their first moment.

    That is the same places to import from, a fixed order of sets of text, and SIGINT blocked: on a
    terminal it reaches every process, but only the parent may handle it. What they must not have
    is the script that was started: by default each process would run its imports again.
    """
    path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    wanted = {"PYTHONPATH": path, "PYTHONHASHSEED": "0"} | ONE_THREAD | SHORT_SPIN
    before = {name: os.environ.get(name) for name in wanted}
    script = sys.modules["__main__"]
    os.environ.update(wanted)
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        with _interrupts_blocked():
            yield
    finally:
        sys.modules["__main__"] = script
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    if sys.platform == "win32":  # knows no masks
        yield
        return
    # Started by multiprocessing when first needed, and then it lets interrupts through again.
    resource_tracker.ensure_running()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _start(job: Job) -> Future[bytes]:
    # Pebble 5.2 documents mp_context and reads context.
    context: dict[str, Any] = dict.fromkeys(["mp_context", "context"], _context())
    start = process(name=NAME, daemon=True, timeout=job.timeout, **context)(_work)
    with _inheritance():
        future: Future[bytes] = start(job.function, job.arguments, job.threads, job.seed)
    return future


def _work(function: Callable[..., Any], arguments: tuple[Any, ...], threads: int, seed: int) -> bytes:
    """Call the function and pickle its value, or the sentence that says why it has none."""
    _leave_parent_alone()
    try:
        value = _call(function, arguments, threads, seed)
        return pickle.dumps((value, None), protocol=5)
    except MemoryError:
        return pickle.dumps((None, "ran out of memory"))
    except BaseException as error:
        traceback.print_exc()
        return pickle.dumps((None, f"raised {describe_error(error)}"))


def _leave_parent_alone() -> None:
    """Print to standard error, end on SIGTERM, and do not outlive the parent."""
    sys.stdout.flush()
    os.dup2(2, 1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def _call(function: Callable[..., Any], arguments: tuple[Any, ...], threads: int, seed: int) -> Any:
    import numpy as np
    from joblib import parallel_config
    from threadpoolctl import threadpool_limits

    # For libraries that load later; threadpoolctl reaches those that are there.
    os.environ.update({"OMP_NUM_THREADS": str(threads)} | ONE_THREAD)
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - candidates may draw from the global generator
    limits = threadpool_limits({"openmp": threads, "blas": 1})
    # Threads, since a daemon may have no children; estimators without n_jobs use them all.
    with limits, parallel_config(backend="threading", n_jobs=threads):
        return function(*arguments)


def _outcome(job: Job, future: Future[bytes], seconds: float) -> Outcome:
    error = future.exception()
    if error is None:
        return _unpack(future.result(), seconds)
    if isinstance(error, TimeoutError):
        return Outcome(None, f"timed out after {job.timeout:g} s", seconds)
    if isinstance(error, ProcessExpired):
        return Outcome(None, _death(error.exitcode), seconds)
    return Outcome(None, f"could not be started or read back: {describe_error(error)}", seconds)


def _unpack(content: bytes, seconds: float) -> Outcome:
    try:
        value, reason = pickle.loads(content)
    except Exception as error:
        return Outcome(None, f"returned what cannot be read back: {describe_error(error)}", seconds)
    return Outcome(value, reason, seconds)


def _death(exitcode: int | None) -> str:
    # -9 is SIGKILL, a name Windows does not know. 255 stands for a status that got lost: when one
    # thread starts a process while another one ends, both ask for it and only one gets it.
    if exitcode in (-9, 255):
        return "was killed; out of memory?"
    if exitcode is not None and exitcode < 0:
        return f"died of {signal.Signals(-exitcode).name}"
    return f"ended its process with exit code {exitcode}"


def _stop(running: Iterable[Future[bytes]]) -> None:
    """End the processes that still run, and wait until they are gone."""
    for future in running:
        future.cancel()
    for thread in threading.enumerate():
        if thread.name == NAME:
            thread.join()

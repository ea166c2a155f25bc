"""The server process: start-up, workers and graceful shutdown."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import uvicorn

from ..core.errors import LifecycleError
from ..core.settings import ServeSettings
from .metrics import SHARED_FOLDER

if TYPE_CHECKING:
    from .service import Service

TOKEN_VARIABLE = "MLOPS_API_TOKEN"
# Seconds after which requests that are still in flight at the end are cut off.
PATIENCE = 30
# Objects made between collections; a request makes and drops thousands, and hardly any cycle.
COLLECT_AFTER = (50_000, 20, 20)


@contextmanager
def import_needed_only() -> Iterator[None]:
    """Keep skops, for as long as the block lasts, from importing every module of scikit-learn.

    It does so to list the estimators that it trusts by itself. Without the list it asks for each
    of them whether it may be loaded, and ``bundle.model_file`` knows that without importing any
    other. A third of the time, and 20 MB, are saved.

    It also looks for each function of ``scipy.special`` in one module after the other, in the
    order in which they were imported; so this one comes first.
    """
    import scipy.special  # noqa: F401
    import sklearn.utils

    def list_none(*arguments: Any) -> list[Any]:
        return []

    before = sklearn.utils.all_estimators
    sklearn.utils.all_estimators = list_none
    try:
        yield
    finally:
        sklearn.utils.all_estimators = before


class Server(uvicorn.Server):
    """The server of one process.

    After SIGTERM it says that it is not ready, and closes each connection with its next answer,
    but goes on answering for ``drain_seconds``, while load balancers look away. Then it finishes
    what is in flight, writes what is left of the log, and ends. SIGINT does not wait.
    """

    def __init__(self, config: uvicorn.Config, bundle: Path, settings: ServeSettings) -> None:
        super().__init__(config)
        self.bundle = bundle
        self.settings = settings
        self.service: Service | None = None

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Load the bundle, then answer until a signal comes."""
        # What is imported and loaded now stays: the garbage collector need not walk through it.
        gc.disable()
        with import_needed_only():
            from ..bundle.bundle import use_code
            from .app import make_app
            from .model import load
            from .service import make_service
        use_code(self.bundle)
        self.service = make_service(load(self.bundle, os.environ), self.settings)
        self.config.app = make_app(self.service, os.environ.get(TOKEN_VARIABLE) or None)
        gc.freeze()
        gc.enable()
        gc.set_threshold(*COLLECT_AFTER)
        super().run(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end; a second signal ends at once."""
        if sig == signal.SIGTERM and self.service is not None and not self.service.draining:
            self.service.draining = True
            timer = threading.Timer(self.settings.drain_seconds, self._stop)
            timer.daemon = True
            timer.start()
            return
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self._stop()

    def _stop(self) -> None:
        self.should_exit = True


def serve(bundle: Path, settings: ServeSettings, host: str, port: int) -> None:
    """Answer requests until a signal comes.

    Parameters
    ----------
    bundle : Path
        What is served. Its own code runs.
    settings : ServeSettings
    host : str
        Address to listen on.
    port : int

    Raises
    ------
    LifecycleError
        If the bundle cannot be served, or the port cannot be had.
    """
    with _listen(host, port) as listener:
        if settings.workers == 1:
            _work(bundle, settings, listener)
        else:
            _run_workers(bundle, settings, listener)


def check(bundle: Path) -> None:
    """Load a bundle as the service would, and let its model answer ``golden.json``.

    Raises
    ------
    LifecycleError
        If the bundle cannot be served.
    """
    with import_needed_only():
        from ..bundle.bundle import use_code
        from .model import load
    use_code(bundle)
    load(bundle, os.environ)


def _work(bundle: Path, settings: ServeSettings, listener: socket.socket) -> None:
    config = uvicorn.Config(
        "",  # the server makes the application itself
        access_log=False,
        lifespan="on",
        server_header=False,
        timeout_graceful_shutdown=PATIENCE,
    )
    Server(config, bundle, settings).run([listener])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        reason = error.strerror or str(error)
        raise LifecycleError(
            f"Cannot listen on {host}:{port}: {reason}; choose another with --port."
        ) from None


def _run_workers(bundle: Path, settings: ServeSettings, listener: socket.socket) -> None:
    """Answer in several processes; if one of them ends by itself, all do, to be started anew together."""
    context = multiprocessing.get_context("spawn")
    # What cannot be loaded is said here once, in one sentence.
    with context.Pool(1) as pool:
        pool.apply(check, (bundle,))
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        os.environ[SHARED_FOLDER] = folder
        workers = [
            context.Process(target=_work, args=(bundle, settings, listener)) for _ in range(settings.workers)
        ]
        for worker in workers:
            worker.start()
        _wait_for(workers)


def _wait_for(workers: Sequence[BaseProcess]) -> None:
    asked = []

    def end(sig: int, frame: FrameType | None) -> None:
        asked.append(sig)
        for worker in workers:
            worker.terminate()

    for sig in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sig, end)
    connection.wait([worker.sentinel for worker in workers])
    if not asked:
        end(0, None)
    for worker in workers:
        worker.join()
    if asked == [0]:
        statuses = ", ".join(str(worker.exitcode) for worker in workers)
        raise LifecycleError(f"A worker ended by itself (exit statuses {statuses}); start the service again.")

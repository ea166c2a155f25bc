"""What later stages need, imported and opened in a thread while the candidates train."""

from __future__ import annotations

import atexit
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.settings import Settings

if TYPE_CHECKING:
    from ..tracking.tracker import Tracker

# Seconds that a run which failed early waits at its end for what it has begun to import.
PATIENCE = 10


def look_ahead(settings: Settings, root: Path) -> Future[Tracker]:
    """Import later stages and open MLflow's store in a thread; the result is the open store."""
    tracker: Future[Tracker] = Future()

    def prepare() -> None:
        try:
            from ..evaluation import evaluate  # noqa: F401 - only to have it loaded
            from ..tracking.tracker import open_tracker

            tracker.set_result(open_tracker(settings, root))
        except BaseException as error:
            tracker.set_exception(error)

    thread = threading.Thread(target=prepare, daemon=True)
    thread.start()
    # Not for ever: an import that SIGINT cut off in the main thread may keep a lock that this one waits for.
    atexit.register(thread.join, PATIENCE)
    return tracker

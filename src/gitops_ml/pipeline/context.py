"""The context of a run: what its stages share."""

from __future__ import annotations

import platform
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.git import read_revision
from ..core.progress import Console
from ..core.records import Record, Records, RunRecord
from ..core.settings import Settings

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.base import BaseEstimator

    from ..comparison.champion import Champion
    from ..comparison.replay import Answers
    from ..comparison.review import ReviewContext
    from ..data.split import Split
    from ..tracking.tracker import Tracker

LIBRARIES = ["scikit-learn", "pandas", "numpy", "pandera", "skops", "mlflow"]


@dataclass
class RunContext:
    """What a run works on, and what its stages hand on to later ones."""

    root: Path
    """The project."""
    staged: Path
    """The folder that becomes ``build/``."""
    console: Console
    bundle: Path | None
    """The folder of the champion's bundle; None where there is none yet."""
    records: Records
    settings: Settings = field(init=False)
    split: Split = field(init=False)
    model: BaseEstimator = field(init=False)
    """The challenger."""
    answers: Answers | None = None
    """What it predicts for the test part, once that was asked for."""
    champion: Champion | None = None
    champion_columns: pd.DataFrame = field(init=False)
    """Of the test rows, columns that the champion needs and the contract no longer has."""
    review: ReviewContext | None = None
    """What sections of the report are given, after a comparison."""
    tracker: Future[Tracker] = field(init=False)
    start: float = field(default_factory=time.perf_counter)

    @property
    def run_key(self) -> str:
        """The run key, once the data are validated."""
        assert self.records.run.run_key is not None
        return self.records.run.run_key

    @property
    def seconds(self) -> float:
        """Wall time since the start of the run."""
        return round(time.perf_counter() - self.start, 2)

    def keep(self, record: Record) -> None:
        """Add a stage's record to those of the run, and write its file."""
        name = record.file_name().removesuffix(".json")
        self.records = self.records.model_copy(update={name: record})
        record.write(self.staged)

    def note(self, **facts: Any) -> None:
        """Set fields of the run's own record, which is written when the run ends."""
        self.records = self.records.model_copy(update={"run": self.records.run.model_copy(update=facts)})


def describe_start(root: Path) -> RunRecord:
    """Return the record of a run that begins now: of which commit, with which libraries."""
    revision = read_revision(root)
    return RunRecord(
        status="finished",
        stage="settings",
        commit=revision.commit,
        dirty=revision.dirty,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        python=platform.python_version(),
        libraries={name: version(name) for name in LIBRARIES},
    )

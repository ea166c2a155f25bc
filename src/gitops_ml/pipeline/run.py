"""One pass through the stages, from settings to a finished build."""

from __future__ import annotations

import platform
import shutil
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..comparison import changes
from ..core.errors import LifecycleError
from ..core.git import read_revision
from ..core.layout import BUILD
from ..core.progress import Console
from ..core.records import (
    ChampionResult,
    EvaluationRecord,
    Records,
    RunRecord,
    TrainingRecord,
    ValidationRecord,
    read_records,
    write_text,
)
from ..core.settings import PARAMS, Settings, read_settings
from ..data import loading as data
from ..data import lock
from ..report import console_lines as summary
from . import run_key as runkey
from .build_dir import carry, link
from .reuse import find_model

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.base import BaseEstimator

    from ..comparison.champion import Champion
    from ..contract.validation import Validation
    from ..data.loading import Loaded
    from ..data.split import Split
    from ..tracking.tracker import Tracker

MODEL = "challenger.skops"
LIBRARIES = ["scikit-learn", "pandas", "numpy", "pandera", "skops", "mlflow"]
# What took time to make and still holds after fewer stages or a failure: the model and its bundle.
LASTING = ["training.json", MODEL, "bundle"]


class Run:
    """One pass through the stages, writing to the folder ``staged``."""

    def __init__(self, root: Path, staged: Path, console: Console, bundle: Path | None = None) -> None:
        """Take what the run works on; ``bundle`` is the champion's, None where there is none yet."""
        self.root = root
        self.staged = staged
        self.console = console
        self._bundle = bundle
        self._champion: Champion | None = None
        self._dropped: pd.DataFrame | None = None
        self._clock = time.perf_counter()
        self._settings: Settings | None = None
        self._tracker: Future[Tracker] | None = None
        revision = read_revision(root)
        self.records = Records(
            run=RunRecord(
                status="finished",
                stage="settings",
                commit=revision.commit,
                dirty=revision.dirty,
                started=datetime.now(UTC).isoformat(timespec="seconds"),
                python=platform.python_version(),
                libraries={name: version(name) for name in LIBRARIES},
            )
        )

    @property
    def settings(self) -> Settings:
        """The settings, read when they are first needed."""
        if self._settings is None:
            self._settings = read_settings(self.root / PARAMS)
        return self._settings

    def run_all(self) -> None:
        """Do every stage: what ``mlops run`` is."""
        from ..training.processes import warm_up

        warm_up()
        split = self.validate()
        # Of what the stages are about to read; only a run of all of them may say that it is done.
        self._note(
            fingerprint=runkey.compute_fingerprint(self.settings, self.root, self._run_key, self._bundle)
        )
        self._look_ahead()
        model = self.train(split)
        self.evaluate(split, model)
        self.compare(split, model)
        self.write_card(model)
        self.report()
        self.track(model)

    def validate(self) -> Split:
        """Load the accepted data, hold them against the contract and split them.

        Raises
        ------
        LifecycleError
            If the data break the contract.
        """
        settings = self.settings
        with self._stage("validate"):
            lock.require_unchanged(lock.inspect(settings, self.root))
            self._note(run_key=runkey.compute_run_key(settings, self.root))
            self._keep(changes=changes.begin_changes(self.root))
            from ..contract.validation import add_findings, check_split, validate
            from ..data.split import split

            loaded = data.load(settings, self.root)
            validation = validate(loaded, settings)
            self._keep(validation=validation.record)
            if len(validation.invalid):
                validation.invalid.to_parquet(self.staged / "quarantine.parquet")
            _require_valid(validation.record)
            sides = split(validation.valid, settings)
            record = add_findings(validation.record, check_split(sides, settings))
            self._keep(validation=record)
            _require_valid(record)
            for finding in record.findings:
                self.console.warn(summary.describe_finding(finding))
            self._meet_champion(loaded, validation)
            self.console.tell(summary.describe_validation(record))
        return sides

    def train(self, split: Split) -> BaseEstimator:
        """Return the challenger: the one of an earlier run with the same run key, or a new one."""
        with self._stage("train"):
            model = self._reuse()
            if model is None:
                from ..training.train import train

                training = train(split, self.settings, self._run_key, self.console.progress)
                from ..bundle.model_file import save_model

                model = training.model
                save_model(model, self.staged / MODEL)
                self._keep(training=training.record)
            record = TrainingRecord.read(self.staged)
            self.console.tell(summary.describe_training(record, self.records.run.reused))
        return model

    def resume(self) -> None:
        """Take over all of the last build, to do one of its stages again.

        Raises
        ------
        LifecycleError
            If there is no finished evaluation to go on from.
        """
        build = self.root / BUILD
        EvaluationRecord.read(build)
        last = read_records(build)
        self.records = last
        self._note(status="finished", error=None, fingerprint=None)
        carry(self.root, self.staged, [path.name for path in build.iterdir()])

    def recall(self) -> BaseEstimator:
        """Return the challenger of an earlier ``mlops train``.

        Raises
        ------
        LifecycleError
            If there is none, or something has changed since that can change the model.
        """
        model = self._reuse()
        if model is None:
            raise LifecycleError(f"{BUILD}/{MODEL} is missing or of another run key; run 'mlops train'.")
        return model

    def evaluate(self, split: Split, model: BaseEstimator) -> None:
        """Measure the challenger on the test part and write the bundle."""
        with self._stage("evaluate"):
            from ..bundle.bundle import write_bundle
            from ..evaluation.evaluate import evaluate
            from ..training.train import fit_baseline

            baseline = fit_baseline(split, self.settings)
            record = evaluate(model, baseline, split, self.settings, self.console.progress)
            self._keep(evaluation=record)
            write_bundle(self.staged / "bundle", model, split, self.settings, self.records, self.root)
            self.console.tell(summary.describe_evaluation(record, self.settings.train.metric))

    def compare(self, split: Split, model: BaseEstimator) -> None:
        """Compare the challenger with the champion, reach the verdict and check the gates.

        Raises
        ------
        LifecycleError
            If an earlier stage has not been done.
        """
        with self._stage("compare"):
            from ..bundle.manifest import measure_bundle
            from ..comparison.compare import compare

            validation = ValidationRecord.read(self.staged)
            evaluation = EvaluationRecord.read(self.staged)
            champion = self._challenge(split, model)
            size = measure_bundle(self.staged / "bundle")
            record = compare(validation, evaluation, champion, self.settings, size)
            self._keep(comparison=record)
            self.console.tell(summary.describe_comparison(record))

    def write_card(self, model: BaseEstimator) -> None:
        """Write the model card, and seal the bundle with it."""
        with self._stage("card"):
            from ..bundle.manifest import seal_bundle
            from ..report.card import render_card

            card = render_card(self.records, self.settings, model, self.root)
            if self._champion is not None and self.records.changes is not None:
                before = (self._champion.bundle / "model_card.md").read_text(encoding="utf-8")
                card_changes = {"card": changes.diff_cards(before, card)}
                self._keep(changes=self.records.changes.model_copy(update=card_changes))
            write_text(self.staged / "model_card.md", card)
            write_text(self.staged / "bundle" / "model_card.md", card)
            seal_bundle(self.staged / "bundle")

    def report(self) -> None:
        """Write ``report.md`` and ``report.html``."""
        with self._stage("report"):
            from ..report.html import render_page
            from ..report.markdown import render_report
            from ..report.sections import list_unwritten

            self._note(unwritten=list_unwritten(self.root))
            self._note_time()
            write_text(self.staged / "report.md", render_report(self.records, self.settings))
            write_text(self.staged / "report.html", render_page(self.records, self.settings))

    def track(self, model: BaseEstimator) -> None:
        """Write the run down in MLflow."""
        with self._stage("track"):
            assert self._tracker is not None
            tracker = self._tracker.result()
            self._note(mlflow_run=tracker.log(self.records, self.settings, self.staged, model))

    def finish(self, problem: Exception | None) -> None:
        """Write down how the stages ended, and keep what still holds of the last build."""
        self._note_time()
        if problem is not None:
            expected = isinstance(problem, LifecycleError)
            error = str(problem) if expected else f"{type(problem).__name__}: {problem}"
            self._note(status="failed", error=error, fingerprint=None)
            if not (self.staged / "bundle" / "MANIFEST.json").exists():
                shutil.rmtree(self.staged / "bundle", ignore_errors=True)
        if problem is not None or not (self.staged / "report.md").exists():
            from ..report.markdown import render_report

            write_text(self.staged / "report.md", render_report(self.records, self._settings))
        carry(self.root, self.staged, LASTING)
        self.records.run.write(self.staged)

    def _meet_champion(self, loaded: Loaded, validation: Validation) -> None:
        """Read the champion, and what its comparison needs of the data besides the split."""
        if self._bundle is None:
            return
        from ..comparison.champion import read_champion, recover_columns

        self._champion = read_champion(self._bundle)
        self._dropped = recover_columns(self._champion, loaded, validation, self.settings)
        assert self.records.changes is not None
        self._keep(
            changes=changes.add_rows(self.records.changes, self._champion, loaded, validation, self.settings)
        )

    def _challenge(self, split: Split, model: BaseEstimator) -> ChampionResult | None:
        champion = self._champion
        if champion is None:
            return None
        if champion.lineage.run_key == self._run_key:
            return ChampionResult(
                version=champion.version, commit=champion.lineage.commit, run_key=self._run_key, same=True
            )
        from ..comparison.challenge import challenge, predict_test

        assert self._dropped is not None
        challenger = predict_test(model, split.test, self.settings)
        return challenge(challenger, champion, split.test, self._dropped, self.settings).result

    @property
    def _run_key(self) -> str:
        assert self.records.run.run_key is not None
        return self.records.run.run_key

    def _stage(self, name: str) -> AbstractContextManager[None]:
        self._note(stage=name)
        return self.console.stage(name)

    def _look_ahead(self) -> None:
        """Import the later stages and set MLflow up, while this process waits for the candidates."""
        pool = ThreadPoolExecutor(max_workers=1)
        self._tracker = pool.submit(_prepare, self.settings, self.root)
        pool.shutdown(wait=False)

    def _reuse(self) -> BaseEstimator | None:
        """Return the model of the last build, or the champion's, if it has the same run key."""
        paths = [self.root / BUILD / MODEL]
        if self._champion is not None:
            paths.append(self._champion.bundle / "model.skops")
        reused = find_model(paths, self._run_key)
        if reused is None:
            return None
        link(reused.path, self.staged / MODEL)
        self._keep(training=reused.record)
        self._note(reused=True)
        return reused.model

    def _keep(self, **records: Any) -> None:
        self.records = self.records.model_copy(update=records)
        for record in records.values():
            record.write(self.staged)

    def _note(self, **facts: Any) -> None:
        self.records = self.records.model_copy(update={"run": self.records.run.model_copy(update=facts)})

    def _note_time(self) -> None:
        self._note(seconds=round(time.perf_counter() - self._clock, 2))


def _prepare(settings: Settings, root: Path) -> Tracker:
    from ..evaluation import evaluate as evaluation  # noqa: F401 - only to have them loaded
    from ..tracking.tracker import open_tracker

    return open_tracker(settings, root)


def _require_valid(record: ValidationRecord) -> None:
    if record.passed:
        return
    errors = [summary.describe_finding(finding) for finding in record.findings if finding.level == "error"]
    more = f"; and {len(errors) - 3} more" if len(errors) > 3 else ""
    raise LifecycleError(f"The data break the contract: {'; '.join(errors[:3])}{more}; see build/report.md.")

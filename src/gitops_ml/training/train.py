"""Train the candidates in parallel, and select the challenger by cross-validation."""

from __future__ import annotations

import difflib
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import joblib
import numpy as np
from sklearn.base import BaseEstimator

from ..core import project
from ..core.errors import LifecycleError
from ..core.progress import Progress
from ..core.records import CandidateResult, TrainingRecord
from ..core.settings import Settings
from ..data.split import Split, features_and_target, folds
from ..metrics.registry import find_metric
from .processes import Job, Outcome, run
from .worker import Material, fit_whole, score_fold, write_material

Tell = Callable[[int], None]


@dataclass
class Training:
    """The fitted challenger and how it came about."""

    model: BaseEstimator
    record: TrainingRecord


@dataclass
class CandidateScores:
    """The scores of a candidate in cross-validation, or why it failed."""

    name: str
    scores: dict[int, float] = field(default_factory=dict)
    """By number of the fold."""
    reason: str | None = None
    warning: str | None = None
    seconds: float = 0.0

    def add(self, outcome: Outcome, timeout: float) -> None:
        """Add the outcome of one job of this candidate, which may take ``timeout`` seconds in all."""
        self.seconds += outcome.seconds
        if self.seconds > timeout:
            self.reason = f"timed out after {timeout:g} s"
        elif outcome.reason is not None:
            self.reason = self.reason or outcome.reason
        else:
            self.warning = self.warning or outcome.value.warning

    def to_record(self) -> CandidateResult:
        """Return what ``training.json`` says of this candidate."""
        scores = [score for _, score in sorted(self.scores.items())] if self.reason is None else []
        return CandidateResult(
            name=self.name,
            status="ok" if self.reason is None else "failed",
            reason=self.reason,
            scores=scores,
            mean=float(np.mean(scores)) if scores else None,
            sd=float(np.std(scores, ddof=1)) if scores else None,
            seconds=self.seconds,
            warning=self.warning,
        )


def train(split: Split, settings: Settings, run_key: str, progress: Progress) -> Training:
    """Train the candidates and return the best of them, fitted on the whole training part.

    Candidates are compared by cross-validation on the training part; the test part is not
    looked at. The best mean wins, and among equals the one listed first. A single candidate is
    not cross-validated, because there is nothing to select.

    Parameters
    ----------
    split : Split
        Only ``split.train`` is used to fit and to select.
    settings : Settings
    run_key : str
        Written into the record.
    progress : callable
        Told of each fold that ends.

    Returns
    -------
    Training

    Raises
    ------
    LifecycleError
        If ``train.candidates`` names an unknown candidate, or if every candidate fails.
    """
    started = time.monotonic()
    metric = find_metric(settings.train.metric, settings.problem)
    define = project.load_candidates()
    names = choose(define(settings.train.seed), settings)
    features, target = features_and_target(split.train, settings)
    pairs = folds(split.train, settings) if len(names) > 1 else []
    candidates = [CandidateScores(name) for name in names]
    # The folds of every candidate, and the challenger on all rows.
    steps = len(names) * len(pairs) + 1
    with write_material(Material(features, target, pairs, define, settings, project.name_package())) as path:
        _cross_validate(
            candidates, len(pairs), path, settings, lambda done: progress("training", done, steps)
        )
        winner, model = _refit(candidates, metric.greater_is_better, path, settings)
    progress("training", steps, steps)
    classes = [str(label) for label in getattr(model, "classes_", [])]
    record = TrainingRecord(
        run_key=run_key,
        challenger=winner.name,
        estimator=_print(define(settings.train.seed)[winner.name]),
        metric=metric.name,
        greater_is_better=metric.greater_is_better,
        candidates=[candidate.to_record() for candidate in candidates],
        train_rows=len(split.train),
        test_rows=len(split.test),
        boundary=split.boundary,
        features=[str(column) for column in features.columns],
        classes=classes if settings.problem == "classification" else [],
        seed=settings.train.seed,
        seconds=time.monotonic() - started,
    )
    return Training(model, record)


def choose(defined: dict[str, BaseEstimator], settings: Settings) -> list[str]:
    """Return the names of the candidates that compete, in the order of ``params.yaml``.

    Raises
    ------
    LifecycleError
        If ``train.candidates`` names one that ``models.py`` does not define.
    """
    names = list(dict.fromkeys(settings.train.candidates or defined))
    for name in names:
        if name not in defined:
            near = difflib.get_close_matches(name, defined, n=1, cutoff=0)
            hint = f", did you mean '{near[0]}'?" if near else "."
            raise LifecycleError(f"params.yaml: train.candidates has '{name}', unknown to models.py{hint}")
    return names


def fit_baseline(split: Split, settings: Settings) -> BaseEstimator:
    """Return the baseline, fitted on the training part."""
    features, target = features_and_target(split.train, settings)
    return project.load_baseline().fit(features, target)


def _print(estimator: BaseEstimator) -> str:
    """Return the whole of what scikit-learn prints, without addresses, which differ every time."""
    return re.sub(r" at 0x[0-9a-f]+", "", estimator.__repr__(N_CHAR_MAX=100_000))


def _cross_validate(
    candidates: list[CandidateScores], n_folds: int, path: str, settings: Settings, tell: Tell
) -> None:
    """Score every candidate on every fold; the scores are added to the candidates."""
    parallel = max(1, min(joblib.cpu_count(), len(candidates) * n_folds))
    jobs = _fold_jobs(candidates, n_folds, path, settings, joblib.cpu_count() // parallel)
    tell(0)
    for done, (job, outcome) in enumerate(run(jobs, parallel), start=1):
        candidate, fold = job.key
        candidate.add(outcome, settings.train.candidate_timeout)
        if outcome.reason is None:
            candidate.scores[fold] = outcome.value.value
        tell(done)


def _fold_jobs(
    candidates: list[CandidateScores], n_folds: int, path: str, settings: Settings, threads: int
) -> Iterator[Job]:
    """Yield the folds still worth running, the last fold first.

    The last fold of an expanding window is the largest, and large jobs first keep all cores busy
    to the end.
    """
    for fold in reversed(range(n_folds)):
        for candidate in candidates:
            if candidate.reason is None:
                left = settings.train.candidate_timeout - candidate.seconds
                arguments = (path, candidate.name, fold)
                yield Job((candidate, fold), score_fold, arguments, left, threads, settings.train.seed)


def _refit(
    candidates: list[CandidateScores], greater_is_better: bool, path: str, settings: Settings
) -> tuple[CandidateScores, BaseEstimator]:
    """Fit the best candidate on the whole training part; if that fails, the next best."""
    timeout, seed = settings.train.candidate_timeout, settings.train.seed
    for candidate in _rank(candidates, greater_is_better):
        job = Job(candidate, fit_whole, (path, candidate.name), timeout, joblib.cpu_count(), seed)
        [(_, outcome)] = run([job], parallel=1)
        if outcome.reason is None:
            candidate.warning = candidate.warning or outcome.value.warning
            candidate.seconds = candidate.seconds or outcome.seconds
            return candidate, outcome.value.value
        candidate.reason = f"{outcome.reason} (on the whole training part)"
    reasons = "; ".join(f"{candidate.name} {candidate.reason}" for candidate in candidates)
    raise LifecycleError(f"No candidate of models.py could be trained: {reasons}.")


def _rank(candidates: list[CandidateScores], greater_is_better: bool) -> list[CandidateScores]:
    """Return those that have not failed, best mean score first, equals in their order."""
    sign = -1 if greater_is_better else 1
    able = [candidate for candidate in candidates if candidate.reason is None]
    return sorted(able, key=lambda candidate: sign * float(np.mean(list(candidate.scores.values()) or [0.0])))

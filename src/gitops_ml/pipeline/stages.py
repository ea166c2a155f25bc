"""The stages of a run: functions from the context to a record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..comparison import changes
from ..core.errors import LifecycleError
from ..core.layout import BUILD, BUNDLE, CARD, CHALLENGER, MODEL, QUARANTINE, REPORT, REPORT_PAGE
from ..core.records import (
    ChangesRecord,
    ComparisonRecord,
    EvaluationRecord,
    TrainingRecord,
    ValidationRecord,
    write_text,
)
from ..core.settings import Settings
from ..data import loading, lock
from ..report.console_lines import describe_finding
from . import run_key
from .build_dir import link
from .challenger_review import challenge_champion, review, write_sections
from .context import RunContext
from .look_ahead import look_ahead
from .reuse import find_model

if TYPE_CHECKING:
    from ..contract.validation import Validation
    from ..data.loading import Loaded


def begin(context: RunContext) -> ValidationRecord:
    """Validate, as the first stage of a whole run.

    The processes that will train start meanwhile, and what later stages need is imported and set up
    while the candidates train.
    """
    from ..training.processes import warm_up

    warm_up()
    record = validate(context)
    # Of what the stages are about to read; only a run of all of them may say that it is done.
    fingerprint = run_key.compute_fingerprint(context.settings, context.root, context.run_key, context.bundle)
    context.note(fingerprint=fingerprint)
    context.tracker = look_ahead(context.settings, context.root)
    return record


def validate(context: RunContext) -> ValidationRecord:
    """Load the accepted data, hold them against the contract, split them, and read the champion.

    Raises
    ------
    LifecycleError
        If ``params.yaml`` names a function or a gate that is missing, a file has changed behind
        ``data.lock``, the data break the contract, or the champion's bundle is damaged.
    """
    settings, root = context.settings, context.root
    _require_functions(settings)
    lock.require_unchanged(lock.inspect(settings, root))
    context.note(run_key=run_key.compute_run_key(settings, root))
    context.keep(changes.begin_changes(root))
    from ..contract import validation as contract
    from ..data.split import split

    loaded = loading.load(settings, root)
    checked = contract.validate(loaded, settings)
    context.keep(checked.record)
    if len(checked.invalid):
        checked.invalid.to_parquet(context.staged / QUARANTINE)
    _require_valid(checked.record)
    context.split = split(checked.valid, settings)
    record = contract.add_findings(checked.record, contract.check_split(context.split, settings))
    context.keep(record)
    _require_valid(record)
    for finding in record.findings:
        context.console.warn(describe_finding(finding))
    if context.bundle is not None:
        _read_champion(context, context.bundle, loaded, checked)
    return record


def train(context: RunContext) -> TrainingRecord:
    """Train the candidates, unless a model of the same run key is at hand.

    Raises
    ------
    LifecycleError
        If no candidate can be trained.
    """
    reused = _reuse(context)
    if reused is not None:
        return reused
    from ..training.train import train

    training = train(context.split, context.settings, context.run_key, context.console.progress)
    from ..bundle.model_file import save_model

    save_model(training.model, context.staged / CHALLENGER)
    context.model = training.model
    return training.record


def recall(context: RunContext) -> TrainingRecord:
    """Take the challenger of an earlier ``mlops train``.

    Raises
    ------
    LifecycleError
        If there is none, or something has changed since that can change the model.
    """
    reused = _reuse(context)
    if reused is None:
        raise LifecycleError(f"{BUILD}/{CHALLENGER} is missing or of another run key; run 'mlops train'.")
    return reused


def evaluate(context: RunContext) -> EvaluationRecord:
    """Measure the challenger on the test part, and write the bundle."""
    from ..bundle.bundle import write_bundle
    from ..comparison.replay import Answers
    from ..evaluation.evaluate import evaluate
    from ..training.train import fit_baseline

    split, settings = context.split, context.settings
    baseline = fit_baseline(split, settings)
    record, pair = evaluate(context.model, baseline, split, settings, context.console.progress)
    context.keep(record)
    context.answers = Answers(pair.predictions[0], pair.classes)
    write_bundle(context.staged / BUNDLE, context.model, split, settings, context.records, context.root)
    return record


def compare(context: RunContext) -> ComparisonRecord:
    """Compare the challenger with the champion, reach the verdict, check the gates and the policies."""
    from ..bundle.manifest import measure_bundle
    from ..comparison.compare import compare

    validation, evaluation = context.records.validation, context.records.evaluation
    assert validation is not None
    assert evaluation is not None
    size = measure_bundle(context.staged / BUNDLE)
    challenge = challenge_champion(context)
    result = challenge.result if challenge else None
    record = compare(validation, evaluation, result, context.settings, size)
    settings, last = context.settings, context.records.sections
    if settings.gates.policies or settings.report.sections or last:
        return review(context, record, challenge)
    return record


def write_card(context: RunContext) -> ChangesRecord:
    """Write the model card, complete the bundle with it, and return what is new in it."""
    from ..bundle.manifest import write_manifest
    from ..report.card import render_card

    card = render_card(context.records, context.settings, context.model, context.root)
    for folder in (context.staged, context.staged / BUNDLE):
        write_text(folder / CARD, card)
    write_manifest(context.staged / BUNDLE)
    record = context.records.changes or ChangesRecord()
    if context.champion is None:
        return record
    before = (context.champion.bundle / CARD).read_text(encoding="utf-8")
    return record.model_copy(update={"card": changes.diff_cards(before, card)})


def report(context: RunContext) -> None:
    """Write ``report.md`` and ``report.html``."""
    from ..report.card_sections import list_unwritten
    from ..report.html import render_page
    from ..report.markdown import render_report

    write_sections(context)
    context.note(unwritten=list_unwritten(context.root), seconds=context.seconds)
    write_text(context.staged / REPORT, render_report(context.records, context.settings))
    write_text(context.staged / REPORT_PAGE, render_page(context.records, context.settings))


def track(context: RunContext) -> None:
    """Log the run in MLflow."""
    tracker = context.tracker.result()
    run = tracker.log(context.records, context.settings, context.staged, context.model)
    context.note(mlflow_run=run)


def _require_functions(settings: Settings) -> None:
    """Find what ``params.yaml`` names before anything is trained."""
    from ..comparison.policies import find_policies
    from ..metrics.registry import find_metric
    from ..report.custom_sections import find_sections

    for name in settings.evaluate.metrics:
        find_metric(name, settings.problem)
    find_policies(settings)
    find_sections(settings)


def _require_valid(record: ValidationRecord) -> None:
    if record.passed:
        return
    errors = [describe_finding(finding) for finding in record.findings if finding.level == "error"]
    more = f"; and {len(errors) - 3} more" if len(errors) > 3 else ""
    raise LifecycleError(f"The data break the contract: {'; '.join(errors[:3])}{more}; see build/report.md.")


def _read_champion(context: RunContext, bundle: Path, loaded: Loaded, validation: Validation) -> None:
    """Read the champion, and what its comparison needs of the data besides the split."""
    from ..comparison.champion import read_champion, recover_columns

    champion, settings = read_champion(bundle), context.settings
    context.champion = champion
    context.champion_columns = recover_columns(champion, loaded, validation, settings)
    assert context.records.changes is not None
    context.keep(changes.add_rows(context.records.changes, champion, loaded, validation, settings))


def _reuse(context: RunContext) -> TrainingRecord | None:
    """Take the model of the last build, or the champion's, if it has the same run key."""
    paths = [context.root / BUILD / CHALLENGER]
    if context.champion is not None:
        paths.append(context.champion.bundle / MODEL)
    found = find_model(paths, context.run_key)
    if found is None:
        return None
    link(found.path, context.staged / CHALLENGER)
    context.model = found.model
    context.note(reused=True)
    return found.record

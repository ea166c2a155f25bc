"""The comparison: the verdict on the challenger, and the gates that it must pass."""

from __future__ import annotations

from pathlib import Path

from ..core.errors import LifecycleError
from ..core.records import (
    ChampionResult,
    ComparisonRecord,
    Estimate,
    EvaluationRecord,
    MetricResult,
    PairedMetric,
    RunRecord,
    ValidationRecord,
    Verdict,
)
from ..core.settings import Settings
from .gates import check_gates, guard_champion, waive
from .verdict import decide

NO_DIFFERENCE = Estimate(value=0.0, low=0.0, high=0.0)


def compare(
    validation: ValidationRecord,
    evaluation: EvaluationRecord,
    champion: ChampionResult | None,
    settings: Settings,
    bundle_bytes: int,
) -> ComparisonRecord:
    """Reach the verdict on the primary metric and check the gates.

    Parameters
    ----------
    validation : ValidationRecord
    evaluation : EvaluationRecord
    champion : ChampionResult or None
        How the challenger did against it; None where there is none, and the verdict is on the
        challenger against the baseline.
    settings : Settings
    bundle_bytes : int
        Size of the bundle.

    Raises
    ------
    LifecycleError
        If the evaluation does not hold the primary metric.
    """
    primary = _find_primary(evaluation, settings)
    gates = check_gates(validation, evaluation, primary, settings, bundle_bytes)
    if champion is None:
        margin, difference = settings.gates.margin_of(primary.baseline.value), primary.difference
        verdict = decide(difference.low, difference.high, margin)
        return _record(
            verdict, difference, margin, settings, against="baseline", gates=waive(gates, settings)
        )
    paired = _find_paired(champion, settings)
    margin = settings.gates.margin_of(paired.champion.value if paired else primary.model.value)
    verdict, found = _judge(champion, paired, margin)
    guards = guard_champion(champion, paired, verdict, margin)
    # After the gates that say whether the model is worth anything at all.
    gates = waive([*gates[:2], *guards, *gates[2:]], settings)
    return _record(verdict, found, margin, settings, against="champion", gates=gates, champion=champion)


def read_comparison(build: Path) -> ComparisonRecord:
    """Read the comparison of the last run, which must have finished.

    Raises
    ------
    LifecycleError
        If it failed, or there is none.
    """
    run = RunRecord.read(build)
    if run.status == "failed":
        raise LifecycleError(f"The run of {build} failed at stage {run.stage}: {run.error}")
    return ComparisonRecord.read(build)


def _record(
    verdict: Verdict, difference: Estimate | None, margin: float, settings: Settings, **facts: object
) -> ComparisonRecord:
    values = {"verdict": verdict, "difference": difference, "margin": margin, "metric": settings.train.metric}
    return ComparisonRecord.model_validate(values | facts)


def _judge(
    champion: ChampionResult, paired: PairedMetric | None, margin: float
) -> tuple[Verdict, Estimate | None]:
    if champion.same:
        return "no worse", NO_DIFFERENCE
    if paired is None:
        return "cannot tell", None
    return decide(paired.difference.low, paired.difference.high, margin), paired.difference


def _find_primary(evaluation: EvaluationRecord, settings: Settings) -> MetricResult:
    for metric in evaluation.metrics:
        if metric.name == settings.train.metric:
            return metric
    raise LifecycleError(
        f"build/evaluation.json does not hold the primary metric '{settings.train.metric}' of params.yaml; "
        "run 'mlops evaluate'."
    )


def _find_paired(champion: ChampionResult, settings: Settings) -> PairedMetric | None:
    found = (metric for metric in champion.metrics if metric.name == settings.train.metric)
    return next(found, None)

"""The headline of a run: how it ended, in one line and a few sentences."""

from __future__ import annotations

from typing import NamedTuple

from ..core.formatting import name_metric, plural, shorten, write_metric
from ..core.records import ChampionResult, ComparisonRecord, Records

VERDICTS = {
    "better": "Better than {other}",
    "no worse": "No worse than {other}",
    "worse": "Worse than {other}",
    "cannot tell": "Cannot tell whether it is as good as {other}",
}
ADVICE = {
    "better": "",
    "no worse": "",
    "worse": "Look at the metrics and slices below for where it loses.",
    "cannot tell": "The interval is too wide to decide: test on more rows, set a wider gates.margin, or "
    "waive the gate for a while with a reason (gates.waive).",
}
# Where the two cannot be compared, no test and no margin would help.
NO_COMPARISON = "If production is to be replaced all the same, waive the gate with a reason (gates.waive)."
STAGES = {
    "settings": "reading params.yaml",
    "validate": "validating the data",
    "train": "training",
    "evaluate": "evaluating the challenger",
    "compare": "comparing the challenger with the champion",
    "card": "writing the model card",
    "report": "writing the report",
    "track": "writing the run down in MLflow",
}


class Headline(NamedTuple):
    """What a reader must know first."""

    mark: str
    """One of ✅, ⚠️ and ❌."""
    title: str
    text: str
    """One to three sentences."""


def name_other(comparison: ComparisonRecord) -> str:
    """Name what the verdict compares with: ``champion v3``, or ``the baseline``."""
    return comparison.champion.name if comparison.champion else "the baseline"


def state_verdict(comparison: ComparisonRecord) -> str:
    """Return the verdict in a few words: ``No worse than champion v3``."""
    if comparison.champion is not None and comparison.champion.same:
        return "Nothing that can change the model has changed"
    if comparison.difference is None:
        return f"Cannot be compared with {name_other(comparison)}"
    return VERDICTS[comparison.verdict].format(other=name_other(comparison))


def write_headline(records: Records) -> Headline:
    """Say in a line and a few sentences how the run ended."""
    if records.run.status == "failed":
        return _failure(records)
    if records.comparison is None:
        return Headline(
            "⚠️", f"Stopped after {STAGES.get(records.run.stage, records.run.stage)}", _describe_test(records)
        )
    return _verdict(records, records.comparison)


def _verdict(records: Records, comparison: ComparisonRecord) -> Headline:
    blocking = [gate for gate in comparison.gates if gate.blocks]
    waived = [gate for gate in comparison.gates if not gate.passed and not gate.blocks]
    title = state_verdict(comparison)
    if blocking and comparison.verdict in ("better", "no worse"):
        title = f"{title}, but {plural(len(blocking), 'gate')} {'fails' if len(blocking) == 1 else 'fail'}"
    title += _score(records, comparison)
    if blocking:
        end = f"This blocks the merge: {', '.join(gate.name for gate in blocking)}."
        return Headline("❌", title, _join(_describe_test(records), end, _give_advice(comparison)))
    if waived:
        end = f"Merging is possible because of a waiver: {', '.join(gate.name for gate in waived)}."
        return Headline("⚠️", title, _join(_describe_test(records), end))
    end = f"All {plural(len(comparison.gates), 'gate')} hold." if comparison.gates else ""
    return Headline("✅", title, _join(_describe_test(records), end))


def _score(records: Records, comparison: ComparisonRecord) -> str:
    """Return the number that belongs to the verdict, with its interval."""
    metric, champion = records.primary, comparison.champion
    if metric is None or (champion is not None and champion.same):
        return ""
    name, difference = name_metric(metric.name), comparison.difference
    if champion is None or difference is None:
        return f": {name} {write_metric(metric.name, metric.model)}"
    return f": {name} {write_metric(metric.name, difference, like=metric.model, sign='+')}"


def _give_advice(comparison: ComparisonRecord) -> str:
    if comparison.difference is None:
        return NO_COMPARISON
    return ADVICE[comparison.verdict]


def _describe_test(records: Records) -> str:
    """Say what was tested on what, and what it was compared with."""
    training, evaluation, comparison = records.training, records.evaluation, records.comparison
    if training is None or evaluation is None:
        return ""
    champion = comparison.champion if comparison else None
    if champion is not None and champion.same:
        return _describe_unchanged(records, champion)
    tested = f"The challenger, {shorten(training.challenger)}, was tested on {plural(evaluation.rows, 'row')}"
    return _join(f"{tested} it had never seen.", _describe_comparison(champion))


def _describe_unchanged(records: Records, champion: ChampionResult) -> str:
    metric = records.primary
    score = f": {name_metric(metric.name)} {write_metric(metric.name, metric.model)}" if metric else ""
    return f"Production runs this very model, {champion.name}{score}. Nothing was trained."


def _describe_comparison(champion: ChampionResult | None) -> str:
    if champion is None:
        return "There is no champion yet: the baseline is all it is compared with."
    if champion.obstacle:
        return f"There is no comparison with {champion.name}: {champion.obstacle}."
    sentence = f"{champion.name[:1].upper()}{champion.name[1:]} predicted the same rows."
    if champion.known_rows:
        sentence = (
            f"{champion.name[:1].upper()}{champion.name[1:]} predicted {champion.rows:,} of them; "
            f"{champion.known_rows:,} are left out because it was trained on them."
        )
    return _join(sentence, *champion.notes)


def _failure(records: Records) -> Headline:
    validation, training = records.validation, records.training
    doing = STAGES.get(records.run.stage, records.run.stage)
    title = f"The run failed while {doing}"
    if validation is not None and not validation.passed:
        errors = sum(finding.level == "error" for finding in validation.findings)
        title = f"The data break the contract: {plural(errors, 'check')} failed"
    elif records.run.stage == "train" and training is None:
        title = "No model could be trained"
    reached = "Nothing was trained." if training is None else "What was reached before is shown below."
    return Headline("❌", title, reached)


def _join(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)

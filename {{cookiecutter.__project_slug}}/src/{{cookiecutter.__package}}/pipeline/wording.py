"""Records in words: how reports and cards name metrics, write numbers and state the verdict."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from .records import (
    CandidateResult,
    ComparisonRecord,
    DataFile,
    Estimate,
    MetricResult,
    Records,
    SliceResult,
    TrainingRecord,
)

# Written where there is no number.
DASH = "\N{EN DASH}"
METRIC_NAMES = {
    "roc_auc": "ROC AUC",
    "average_precision": "Average precision",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "f1": "F1",
    "balanced_accuracy": "Balanced accuracy",
    "mae": "MAE",
    "rmse": "RMSE",
    "r2": "R²",
    "mape": "MAPE",
}
# Metrics that are shares, and read best as percentages.
PERCENTAGES = {"mape"}
VERDICTS = {
    "better": "Better than the baseline",
    "no worse": "No worse than the baseline",
    "worse": "Worse than the baseline",
    "cannot tell": "Cannot tell whether it beats the baseline",
}
ADVICE = {
    "better": "",
    "no worse": "",
    "worse": "Look at the features and the candidates: predicting without any feature does better.",
    "cannot tell": "The interval is too wide to decide: test on more rows, or set a wider gates.margin.",
}
STAGES = {
    "settings": "reading params.yaml",
    "validate": "validating the data",
    "train": "training",
    "evaluate": "evaluating the challenger",
    "compare": "comparing the challenger with the baseline",
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


def name_metric(name: str) -> str:
    """Return what people call a metric, such as ``ROC AUC``."""
    return METRIC_NAMES.get(name, name.rpartition(":")[2].replace("_", " "))


def choose_decimals(value: float) -> int:
    """Return how many decimals show three significant digits of ``value``."""
    if not math.isfinite(value) or value == 0:
        return 3
    return min(max(2 - math.floor(math.log10(abs(value))), 0), 8)


def write_number(value: float | None, decimals: int | None = None, sign: str = "-") -> str:
    """Write a number with three significant digits, or as many ``decimals`` as are asked for.

    ``sign`` is ``+`` where a plus sign is wanted too. What is not a number is written as a dash.
    """
    if value is None or not math.isfinite(value):
        return DASH
    text = f"{value:{sign},.{choose_decimals(value) if decimals is None else decimals}f}"
    return text.replace("-", "\N{MINUS SIGN}")


def write_share(value: float) -> str:
    """Write a share as a percentage, honest about what is small: ``<0.1 %``."""
    if 0 < value < 0.001:
        return "<0.1 %"
    if 0.999 < value < 1:
        return ">99.9 %"
    return f"{value * 100:.1f} %"


def write_metric(name: str, estimate: Estimate, like: Estimate | None = None, sign: str = "-") -> str:
    """Write a metric with its interval: ``0.727 [0.713, 0.741]``.

    Decimals are those that suit ``like``, so that a row of a table has one precision.
    """
    factor, unit = (100, " points" if sign == "+" else " %") if name in PERCENTAGES else (1, "")
    decimals = choose_decimals((like or estimate).value * factor)
    value, low, high = (
        write_number(number * factor, decimals, sign)
        for number in (estimate.value, estimate.low, estimate.high)
    )
    return f"{value}{unit} [{low}, {high}]"


def judge(difference: Estimate) -> str:
    """Say what the interval of a difference says, when up is good."""
    if difference.low > 0:
        return "better"
    return "worse" if difference.high < 0 else "cannot tell"


def plural(count: int, noun: str) -> str:
    """Return ``1 gate`` or ``1,234 gates``."""
    return f"{count:,} {noun if count == 1 else noun + 's'}"


def shorten(text: str, length: int = 60) -> str:
    """Put text on one line of at most ``length`` characters, without control characters."""
    visible = "".join(character if character.isprintable() else " " for character in text[: 4 * length])
    line = re.sub(r"\s+", " ", visible).strip()
    return line if len(line) <= length else line[: length - 1] + "…"


def primary_metric(records: Records) -> MetricResult | None:
    """Return the primary metric of the evaluation, where there is one."""
    if records.evaluation is None or records.training is None:
        return None
    named = {metric.name: metric for metric in records.evaluation.metrics}
    return named.get(records.training.metric)


def sort_metrics(records: Records) -> list[MetricResult]:
    """Return the metrics with the primary one first."""
    first = primary_metric(records)
    found = records.evaluation.metrics if records.evaluation else []
    return sorted(found, key=lambda metric: metric is not first)


def sort_slices(records: Records) -> list[SliceResult]:
    """Return the slices, the worst first."""
    found = records.evaluation.slices if records.evaluation else []
    sign = 1 if records.training is None or records.training.greater_is_better else -1
    return sorted(found, key=lambda piece: (sign * piece.model.value, piece.column, piece.level))


def sort_candidates(training: TrainingRecord) -> list[CandidateResult]:
    """Return the candidates: the challenger, then the others from best to worst, then those that failed."""
    sign = -1 if training.greater_is_better else 1

    def rank(candidate: CandidateResult) -> tuple[bool, bool, float]:
        mean = math.inf if candidate.mean is None else sign * candidate.mean
        return candidate.name != training.challenger, candidate.status == "failed", mean

    return sorted(training.candidates, key=rank)


def write_period(files: list[DataFile]) -> str:
    """Return from when to when the rows of the files are, or nothing where they have no time."""
    first = [file.first for file in files if file.first]
    last = [file.last for file in files if file.last]
    return f"{min(first)[:10]} to {max(last)[:10]}" if first and last else ""


def write_boundary(training: TrainingRecord) -> str:
    """Say which rows the test part has: ``from 2013-07-03``, or a share of all."""
    try:
        return f"{write_share(float(training.boundary))} held out"
    except ValueError:
        return "from " + training.boundary.replace("T", " ").removesuffix(" 00:00:00")


def write_estimator(training: TrainingRecord) -> str:
    """Return the challenger as text, without the memory addresses that differ from run to run."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", training.estimator)


def write_headline(records: Records) -> Headline:
    """Say in a line and a few sentences how the run ended."""
    if records.run.status == "failed":
        return _failure(records)
    if records.comparison is None:
        return Headline(
            "⚠️", f"Stopped after {STAGES.get(records.run.stage, records.run.stage)}", _story(records)
        )
    return _verdict(records, records.comparison)


def _verdict(records: Records, comparison: ComparisonRecord) -> Headline:
    metric = primary_metric(records)
    score = f": {name_metric(metric.name)} {write_metric(metric.name, metric.model)}" if metric else ""
    failing = [gate for gate in comparison.gates if not gate.passed]
    verdict = VERDICTS[comparison.verdict]
    if not failing:
        end = f"All {plural(len(comparison.gates), 'gate')} hold." if comparison.gates else ""
        return Headline("✅", verdict + score, _join(_story(records), end))
    if comparison.verdict in ("better", "no worse"):
        verdict = f"{verdict}, but {plural(len(failing), 'gate')} {'fails' if len(failing) == 1 else 'fail'}"
    end = f"This blocks the merge: {', '.join(gate.name for gate in failing)}."
    return Headline("❌", verdict + score, _join(_story(records), end, ADVICE[comparison.verdict]))


def _story(records: Records) -> str:
    """Say what was tested on what, and what it was compared with."""
    training, evaluation = records.training, records.evaluation
    if training is None or evaluation is None:
        return ""
    tested = f"The challenger, {shorten(training.challenger)}, was tested on {plural(evaluation.rows, 'row')}"
    return f"{tested} it had never seen. There is no champion yet: the baseline is all it is compared with."


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

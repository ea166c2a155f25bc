"""Format metrics, numbers and periods for people to read."""

from __future__ import annotations

import math
import re

from .records import DataFile, Estimate, TrainingRecord

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
    """Write a share as a percentage, without rounding to none or all: ``<0.1 %``."""
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


def write_amount(name: str, amount: float) -> str:
    """Write how much of a metric is meant, such as a margin, in its unit."""
    return f"{write_number(amount * 100)} points" if name in PERCENTAGES else write_number(amount)


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

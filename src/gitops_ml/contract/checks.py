"""Data quality checks beyond the contract: what is implausible, or unfit to learn from."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import numpy as np
import pandas as pd

from ..core.records import Finding
from ..core.settings import Settings, parse_period
from .violations import EXAMPLES

Level = Literal["error", "warning"]

# Columns that give the target away are looked for in so many rows, spread evenly.
SAMPLE = 20_000
# How well one column alone must tell the target to be suspect, 1 being perfectly.
SUSPECT = 0.999
# A level, or a class, with fewer rows proves nothing.
SUPPORT = 20
# A class below this share is rare.
RARE_CLASS = 0.01


def examine(frame: pd.DataFrame, settings: Settings) -> list[Finding]:
    """Look for data that keep the contract and still look wrong.

    Parameters
    ----------
    frame : DataFrame
        Valid rows, at least one.
    settings : Settings

    Returns
    -------
    list of Finding
        Errors: a column without any value, a target with one value or of the wrong kind.
        Warnings: constant columns, rare classes, columns that give the target away, old data.
    """
    findings = _check_target(frame[settings.data.target], settings)
    findings += _check_variety(frame.drop(columns=settings.data.target))
    if not any(finding.level == "error" for finding in findings):
        findings += _find_giveaways(frame, settings)
    return findings + _check_freshness(frame, settings)


def summarise_target(frame: pd.DataFrame, settings: Settings) -> dict[str, float]:
    """Return the share of each class, or mean, sd, min, median and max of a numeric target."""
    target = frame.get(settings.data.target)
    if target is None or not target.notna().any():
        return {}
    if settings.problem == "classification":
        return {str(level): float(share) for level, share in target.value_counts(normalize=True).items()}
    if not pd.api.types.is_numeric_dtype(target):
        return {}
    values = {"mean": target.mean(), "sd": target.std(ddof=0), "min": target.min()}
    values |= {"median": target.median(), "max": target.max()}
    return {name: float(value) for name, value in values.items()}


def _check_target(target: pd.Series, settings: Settings) -> list[Finding]:
    """See whether the target is of the kind that ``problem`` says, and varies."""
    name, first = str(target.name), str(target.iloc[0])
    varies = bool((target != target.iloc[0]).any())
    if settings.problem == "regression":
        numeric = pd.api.types.is_numeric_dtype(target) and not pd.api.types.is_bool_dtype(target)
        if not numeric:
            return [_tell_of("error", name, "is a number (problem: regression)", first)]
        return [] if varies else [_tell_of("error", name, "has two values or more", first)]
    if pd.api.types.is_float_dtype(target) and (target % 1 != 0).any():
        return [_tell_of("error", name, "names classes (problem: classification)", first)]
    return (
        _find_rare_classes(target) if varies else [_tell_of("error", name, "has two classes or more", first)]
    )


def _find_rare_classes(target: pd.Series) -> list[Finding]:
    counts = target.value_counts()
    rare = counts[counts < RARE_CLASS * len(target)]
    if rare.empty:
        return []
    rule = f"each class has {RARE_CLASS:.0%} of the rows or more"
    return [_count("warning", str(target.name), rule, int(rare.sum()), len(target), list(rare.index))]


def _check_variety(frame: pd.DataFrame) -> list[Finding]:
    """Find columns without any value, and columns with a single one."""
    findings, n_rows = [], len(frame)
    for name, column in frame.items():
        known = column.dropna()
        if known.empty:
            findings.append(_count("error", str(name), "has any value", n_rows, n_rows, []))
        elif n_rows > 1 and bool((column == known.iloc[0]).all()):
            findings.append(_count("warning", str(name), "is not constant", n_rows, n_rows, [known.iloc[0]]))
    return findings


def _check_freshness(frame: pd.DataFrame, settings: Settings) -> list[Finding]:
    """Compare the newest row with now; times without a zone are read as UTC."""
    data = settings.data
    if data.max_age is None or data.time is None:
        return []
    newest = pd.Timestamp(frame[data.time].max())
    newest = newest.tz_localize(UTC) if newest.tzinfo is None else newest
    if datetime.now(UTC) - newest <= parse_period(data.max_age):
        return []
    rule = f"newest row is at most {data.max_age} old"
    return [_tell_of("warning", data.time, rule, newest.isoformat())]


def _find_giveaways(frame: pd.DataFrame, settings: Settings) -> list[Finding]:
    """Find columns that tell the target almost perfectly, each on its own.

    Such a column is usually known only after the fact. Two simple rules see nearly all of them:
    the order of its values (area under the ROC curve of a class, rank correlation with a number)
    and its levels (share of rows that the majority class of their level gets right, share of the
    variance that lies between levels), counting only levels that occur 20 times or more, so that
    names of rows are not mistaken for knowledge.
    """
    data = settings.data
    rows = frame.iloc[:: -(-len(frame) // SAMPLE)]
    target = rows[data.target]
    tell = _tell_class if settings.problem == "classification" else _tell_number
    findings = []
    for name in rows.columns.difference([data.target, data.id, data.group, data.time], sort=False):
        known = (rows[name].notna() & target.notna()).to_numpy()
        strength = tell(rows[name][known], target[known]) if known.sum() >= 2 * SUPPORT else 0.0
        if strength > SUSPECT:
            told = f"alone tells it with strength {strength:.4f}"
            findings.append(_tell_of("warning", str(name), "does not give the target away", told))
    return findings


def _tell_class(column: pd.Series, target: pd.Series) -> float:
    """Return how well one column separates classes: 0.5 or less for not at all, 1 for perfectly."""
    classes = target.value_counts()
    classes = classes[classes >= SUPPORT]
    if len(classes) < 2:
        return 0.0
    best = _gain_of_levels(column, target, float(classes.iloc[0]) / len(target))
    if _is_ordered(column):
        ranks = _to_numbers(column).rank().to_numpy()
        best = max([best, *(_auc(ranks, (target == level).to_numpy()) for level in classes.index[:EXAMPLES])])
    return best


def _tell_number(column: pd.Series, target: pd.Series) -> float:
    """Return how much one column says about a number: 0 for nothing, 1 for all."""
    levels = column.groupby(column, observed=True).transform("size").to_numpy() >= SUPPORT
    inside = target[levels]
    between = 0.0
    if levels.mean() > 0.5 and inside.var(ddof=0) > 0:
        rest = inside - inside.groupby(column[levels], observed=True).transform("mean")
        between = 1 - float((rest**2).mean()) / float(inside.var(ddof=0))
    if not _is_ordered(column):
        return between
    ranks = np.vstack([_to_numbers(column).rank(), target.rank()])
    varies = bool((ranks.std(axis=1) > 0).all())
    return max(between, abs(float(np.corrcoef(ranks)[0, 1]))) if varies else between


def _gain_of_levels(column: pd.Series, target: pd.Series, majority: float) -> float:
    """Return the accuracy of each level's majority class, 0 where guessing is nearly as good."""
    table = pd.crosstab(column, target) if column.nunique() <= len(column) / SUPPORT else pd.DataFrame()
    table = table[table.sum(axis=1) >= SUPPORT]
    covered = table.to_numpy().sum() if len(table) else 0
    if covered < 0.5 * len(column):
        return 0.0
    accuracy = float(table.max(axis=1).sum()) / covered
    return accuracy if 1 - accuracy < 0.1 * (1 - majority) else 0.0


def _auc(ranks: np.ndarray, positive: np.ndarray) -> float:
    """Return the area under the ROC curve from ranks (Mann and Whitney), whichever way round."""
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if min(n_positive, n_negative) < SUPPORT:
        return 0.0
    area = (ranks[positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative)
    return float(max(area, 1 - area))


def _is_ordered(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column)


def _to_numbers(column: pd.Series) -> pd.Series:
    return column if pd.api.types.is_numeric_dtype(column) else column.astype("int64")


def _tell_of(level: Level, column: str, rule: str, example: str) -> Finding:
    """Return a finding about a whole column."""
    return Finding(level=level, column=column, check=rule, count=0, share=0.0, examples=[example])


def _count(level: Level, column: str, rule: str, count: int, n_rows: int, examples: list[object]) -> Finding:
    """Return a finding about some rows of a column."""
    shown = [str(example) for example in examples[:EXAMPLES]]
    return Finding(level=level, column=column, check=rule, count=count, share=count / n_rows, examples=shown)

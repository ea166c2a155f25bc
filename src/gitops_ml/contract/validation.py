"""Validate data against the contract, and check what no contract can say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches

import numpy as np
import pandas as pd

from ..core.errors import LifecycleError
from ..core.project import load_contract
from ..core.records import Finding, ValidationRecord
from ..core.settings import Settings
from ..data.loading import Loaded
from ..data.split import Split
from .checks import examine, summarise_target
from .schema import Validated, apply_contract
from .violations import TABLE, Violation, find_rows

# A test part smaller than this gives intervals too wide to decide anything.
MIN_TEST_ROWS = 100
# Without ids, equal rows on both sides may be chance up to this share of the test part.
MAX_EQUAL_SHARE = 0.01


@dataclass
class Validation:
    """The data, sorted into rows that keep the contract and rows that do not."""

    valid: pd.DataFrame
    """The contract's columns, of the contract's types."""
    invalid: pd.DataFrame
    """Rows set aside: all their columns, and ``reason``."""
    kept: np.ndarray
    """Where the valid rows lay in the table that was loaded."""
    record: ValidationRecord


def validate(loaded: Loaded, settings: Settings) -> Validation:
    """Validate the loaded data and, if the settings say so, set bad rows aside.

    Parameters
    ----------
    loaded : Loaded
        All accepted rows.
    settings : Settings

    Returns
    -------
    Validation
        With ``data.on_invalid: fail`` no row is set aside. Broken data is reported by
        ``record.passed`` and ``record.findings``, not by an exception.

    Raises
    ------
    LifecycleError
        If ``params.yaml`` names a column that the contract does not know.
    """
    require_columns(settings)
    frame = loaded.frame.reset_index(drop=True)
    validated = _apply_rules(frame, settings)
    violations, valid, bad = _set_aside(frame, validated, settings)
    findings = [
        violation.to_finding(len(frame)) for violation in _forgive(violations, bad, len(frame), settings)
    ]
    if not any(finding.level == "error" for finding in findings):
        findings += examine(valid, settings)
    record = ValidationRecord(
        passed=not any(finding.level == "error" for finding in findings),
        rows=len(frame),
        quarantined=len(bad),
        files=loaded.files,
        waiting=loaded.waiting,
        findings=sorted(findings, key=lambda finding: (finding.level, -finding.count, finding.column)),
        target=summarise_target(valid, settings),
    )
    kept = np.setdiff1d(np.arange(len(frame)), bad, assume_unique=True)
    return Validation(valid, _give_reasons(frame, violations, bad), kept, record)


def check(frame: pd.DataFrame, settings: Settings) -> list[Finding]:
    """Validate one new file.

    What only the whole table can show, such as a constant column, is left to ``validate``. Rows
    that ``validate`` would set aside are warnings here.

    Raises
    ------
    LifecycleError
        If ``params.yaml`` names a column that the contract does not know.
    """
    require_columns(settings)
    frame = frame.reset_index(drop=True)
    validated = _apply_rules(frame, settings)
    violations, _, bad = _set_aside(frame, validated, settings)
    return [violation.to_finding(len(frame)) for violation in _forgive(violations, bad, len(frame), settings)]


def check_split(split: Split, settings: Settings) -> list[Finding]:
    """Look for what makes a test on the held-out part worthless.

    Parameters
    ----------
    split : Split
    settings : Settings

    Returns
    -------
    list of Finding
        Rows or groups on both sides, a part without rows or with one class only, a test part
        with fewer than 100 rows.
    """
    train, test = split.train, split.test
    if train.empty or test.empty:
        part = "training" if train.empty else "test"
        empty = Violation(TABLE, f"the {part} part has rows (boundary {split.boundary})")
        return [empty.to_finding(0)]
    findings = _find_shared_rows(train, test, settings) + _find_shared_groups(train, test, settings)
    if settings.problem == "classification":
        findings += _check_classes(train, test, settings)
    if len(test) < MIN_TEST_ROWS:
        small = Violation(TABLE, f"the test part has {MIN_TEST_ROWS} rows or more", np.arange(len(test)))
        findings.append(_soften(small).to_finding(len(test)))
    return findings


def add_findings(record: ValidationRecord, findings: list[Finding]) -> ValidationRecord:
    """Return the record with more findings; an error among them means that validation failed."""
    passed = record.passed and all(finding.level != "error" for finding in findings)
    return record.model_copy(update={"findings": [*record.findings, *findings], "passed": passed})


def require_columns(settings: Settings) -> None:
    """Stop if the settings name a column that the contract does not have.

    Raises
    ------
    LifecycleError
        Which names the nearest column.
    """
    known = [str(name) for name in load_contract().columns]
    data = settings.data
    named = {"data.target": data.target, "data.id": data.id, "data.time": data.time, "data.group": data.group}
    wanted = [(key, name) for key, name in named.items() if name is not None]
    wanted += [("evaluate.slices", name) for name in settings.evaluate.slices]
    for key, name in wanted:
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0)
            raise LifecycleError(
                f"params.yaml: {key} names '{name}', which is no column of the contract in schema.py; "
                f"did you mean '{near[0]}'?"
            )


def _apply_rules(frame: pd.DataFrame, settings: Settings) -> Validated:
    """Apply the contract, and the rules that hold whatever the contract says."""
    if frame.empty:
        return Validated(frame, [Violation(TABLE, "has rows")], typed=False)
    validated = apply_contract(frame, load_contract())
    told = {(violation.column, violation.check) for violation in validated.violations}
    own = _find_unusable(validated.frame, settings)
    new = [violation for violation in own if (violation.column, violation.check) not in told]
    return Validated(validated.frame, validated.violations + new, validated.typed)


def _find_unusable(frame: pd.DataFrame, settings: Settings) -> list[Violation]:
    """Find rows that no model could use: ids twice, key columns missing, infinite numbers."""
    data, violations = settings.data, []
    if data.id is not None and data.id in frame:
        ids = frame[data.id]
        twice = ids.duplicated(keep=False) & ids.notna()
        violations += find_rows(data.id, "is unique", ids, twice.to_numpy())
    for name in dict.fromkeys([data.target, data.id, data.time, data.group]):
        if name is not None and name in frame:
            violations += find_rows(name, "is not null", frame[name], frame[name].isna().to_numpy())
    for column in frame:
        if pd.api.types.is_float_dtype(frame[column]):
            infinite = frame[column].isin([np.inf, -np.inf]).to_numpy()
            violations += find_rows(str(column), "is finite", frame[column], infinite)
    return violations


def _set_aside(
    frame: pd.DataFrame, validated: Validated, settings: Settings
) -> tuple[list[Violation], pd.DataFrame, np.ndarray]:
    """With ``data.on_invalid: quarantine``, leave out bad rows until the rest keeps the contract.

    Once is enough unless a column could not be coerced: its other checks only run when it can.

    Returns
    -------
    violations, valid rows, positions of the bad rows in ``frame``
    """
    violations, valid, kept = list(validated.violations), validated.frame, np.arange(len(frame))
    if settings.data.on_invalid == "fail" or validated.table_is_broken:
        return violations, valid, kept[:0]
    while len(validated.bad_rows):
        good = np.setdiff1d(np.arange(len(kept)), validated.bad_rows, assume_unique=True)
        valid, kept = validated.frame.iloc[good].reset_index(drop=True), kept[good]
        if validated.typed or valid.empty:
            break
        validated = _apply_rules(frame.iloc[kept].reset_index(drop=True), settings)
        violations += [
            _move(violation, kept) for violation in validated.violations if violation.level == "error"
        ]
        valid = validated.frame
    return violations, valid, np.setdiff1d(np.arange(len(frame)), kept, assume_unique=True)


def _forgive(
    violations: list[Violation], bad: np.ndarray, n_rows: int, settings: Settings
) -> list[Violation]:
    """Turn errors in rows that were set aside into warnings, if they are few enough."""
    if not len(bad):
        return violations
    if len(bad) <= settings.data.max_invalid_share * n_rows:
        return [violation if violation.rows is None else _soften(violation) for violation in violations]
    limit = f"at most {settings.data.max_invalid_share:.2%} of the rows are invalid (data.max_invalid_share)"
    return [*violations, Violation(TABLE, limit, bad)]


def _move(violation: Violation, kept: np.ndarray) -> Violation:
    """Return the violation with positions in the whole table."""
    return violation if violation.rows is None else replace(violation, rows=kept[violation.rows])


def _soften(violation: Violation) -> Violation:
    """Return the violation as a warning."""
    return replace(violation, level="warning")


def _give_reasons(frame: pd.DataFrame, violations: list[Violation], bad: np.ndarray) -> pd.DataFrame:
    """Return the bad rows as they came, each with the rules it breaks."""
    reasons = np.full(len(frame), "", dtype=object)
    for violation in violations:
        if violation.level == "error" and violation.rows is not None:
            text = f"{violation.column}: {violation.check}"
            reasons[violation.rows] = [
                f"{said}; {text}" if said else text for said in reasons[violation.rows]
            ]
    rows = frame.iloc[bad].assign(reason=reasons[bad])
    mixed = [name for name in frame if frame[name].dtype == object]
    # A column of numbers and words is what a bad file brings; Parquet can only hold it as text.
    return rows.assign(**{str(name): rows[name].map(str, na_action="ignore") for name in mixed})


def _find_shared_rows(train: pd.DataFrame, test: pd.DataFrame, settings: Settings) -> list[Finding]:
    """Compare rows by ``data.id``, else by their whole content."""
    name = settings.data.id
    if name is not None:
        both = test[name].isin(train[name]).to_numpy()
        column, rule, allowed = name, "is not in both training and test part", 0.0
    else:
        digests = [pd.util.hash_pandas_object(part, index=False) for part in (train, test)]
        both = digests[1].isin(digests[0]).to_numpy()
        column, rule, allowed = TABLE, "equal rows are not in both training and test part", MAX_EQUAL_SHARE
    found = find_rows(column, rule, test[column] if column in test else test.iloc[:, 0], both)
    return [_judge(violation, both.mean() > allowed, len(test)) for violation in found]


def _judge(violation: Violation, serious: bool, n_rows: int) -> Finding:
    """Return a violation of the split as an error if it is serious, else as a warning."""
    return (violation if serious else _soften(violation)).to_finding(n_rows)


def _find_shared_groups(train: pd.DataFrame, test: pd.DataFrame, settings: Settings) -> list[Finding]:
    """Tell that the same patient, shop or machine is on both sides, unless that is the split."""
    name = settings.data.group
    if name is None or name == settings.data.id:
        return []
    both = test[name].isin(train[name]).to_numpy()
    found = find_rows(name, "is not in both training and test part", test[name], both)
    return [_judge(violation, settings.split.by == "group", len(test)) for violation in found]


def _check_classes(train: pd.DataFrame, test: pd.DataFrame, settings: Settings) -> list[Finding]:
    target, findings = settings.data.target, []
    for part, frame in (("training", train), ("test", test)):
        classes = frame[target].unique()
        if len(classes) < 2:
            rule, only = f"the {part} part has two classes or more", (str(classes[0]),)
            findings.append(Violation(target, rule, examples=only).to_finding(len(frame)))
    unseen = ~test[target].isin(train[target]).to_numpy()
    unknown = find_rows(target, "classes of the test part are in the training part", test[target], unseen)
    return findings + [_soften(violation).to_finding(len(test)) for violation in unknown]

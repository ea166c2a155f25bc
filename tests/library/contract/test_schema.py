"""A contract applied to a table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest
from pandera.errors import SchemaErrors

from gitops_ml.contract.schema import Validated, _bound, apply_contract
from gitops_ml.contract.violations import Violation

CONTRACT = pa.DataFrameSchema(
    {
        "number": pa.Column(int, pa.Check.in_range(0, 99), unique=True),
        "share": pa.Column(float, pa.Check.le(1), nullable=True),
        "word": pa.Column(str, pa.Check.isin(["yes", "no"])),
        "flag": pa.Column(bool),
        "day": pa.Column(pd.Timestamp),
    },
    checks=pa.Check(lambda table: ~(table["share"] > table["number"]), name="share is not above number"),
    strict="filter",
    coerce=True,
)


@pytest.fixture
def table() -> pd.DataFrame:
    """Twenty rows that keep the contract."""
    return pd.DataFrame(
        {
            "word": ["yes", "no"] * 10,
            "number": range(20),
            "share": 0.0,
            "flag": [True, False] * 10,
            "day": pd.Timestamp("2020-02-29"),
        }
    )


def put(table: pd.DataFrame, column: str, *values: object) -> Validated:
    """Apply the contract after the first rows of a column were given other values."""
    changed = table.astype({column: object})
    changed[column] = [*values, *changed[column].iloc[len(values) :]]
    return apply_contract(changed, CONTRACT)


def describe(validated: Validated) -> list[tuple[str, str, list[int]]]:
    """Return column, check and rows of each violation."""
    return [(b.column, b.check, [] if b.rows is None else b.rows.tolist()) for b in validated.violations]


def test_good_rows_have_no_violation(table: pd.DataFrame) -> None:
    """A table that keeps the contract comes back whole, in the contract's order of columns."""
    validated = apply_contract(table, CONTRACT)

    assert [] == validated.violations
    assert list(CONTRACT.columns) == list(validated.frame.columns)
    assert validated.typed


def test_columns_beyond_the_contract_are_dropped(table: pd.DataFrame) -> None:
    """An unknown column is no violation, and never gets further."""
    validated = apply_contract(table.assign(unknown=1), CONTRACT)

    assert [] == validated.violations
    assert "unknown" not in validated.frame


def test_missing_column_is_a_violation_of_the_table(table: pd.DataFrame) -> None:
    """Leaving out rows cannot mend it; a column with a similar name is pointed out."""
    validated = apply_contract(table.rename(columns={"word": "words"}), CONTRACT)

    assert [("word", "is in the data (nearest there: 'words')", [])] == describe(validated)
    assert validated.table_is_broken


def test_wrong_type_is_told_once(table: pd.DataFrame) -> None:
    """Words where numbers should be are one violation, whatever else could not be checked then."""
    validated = put(table, "number", "abc", 1, "x")

    assert [("number", "is int64", [0, 2])] == describe(validated)
    assert ("'abc'", "'x'") == validated.violations[0].examples
    assert not validated.typed


@pytest.mark.parametrize(
    ("column", "value", "check"),
    [
        ("number", 100, "is between 0 and 99"),
        ("number", 3, "is unique"),
        ("number", None, "is not null"),
        ("share", 1.5, "is at most 1"),
        ("word", "maybe", "is one of ['yes', 'no']"),
        ("word", None, "is not null"),
        ("day", "soon", "is datetime64[ns]"),
        ("day", pd.Timestamp("9999-12-31"), "is datetime64[ns]"),
    ],
)
def test_bad_value_is_found(table: pd.DataFrame, column: str, value: object, check: str) -> None:
    """One bad value is one violation, in words."""
    found = describe(put(table, column, value))

    assert [(column, check)] == [(name, said) for name, said, _ in found if name != "table"]
    assert 0 in found[0][2]


@pytest.mark.parametrize(
    ("column", "value", "check"),
    [("number", 0.5, "is int64"), ("flag", "no", "is bool"), ("flag", None, "is not null")],
)
def test_coercion_never_changes_a_value(table: pd.DataFrame, column: str, value: object, check: str) -> None:
    """Pandas would turn 0.5 into 0, and 'no' and null into True, without a word."""
    assert [(column, check, [0])] == describe(put(table, column, value))


def test_fractions_and_words_are_one_violation(table: pd.DataFrame) -> None:
    """Neither is an integer, whichever of the two pandas would have refused."""
    assert [("number", "is int64", [0, 1])] == describe(put(table, "number", 0.5, "abc"))


def test_numbers_of_another_type_are_coerced(table: pd.DataFrame) -> None:
    """Floats without a fraction are integers, 0 and 1 are booleans, text may be a date."""
    text = table["day"].astype(str)
    other = table.assign(number=table["number"].astype(float), flag=table["flag"].astype(int), day=text)
    validated = apply_contract(other, CONTRACT)

    assert [] == validated.violations
    pd.testing.assert_frame_equal(apply_contract(table, CONTRACT).frame, validated.frame)


def test_check_across_columns_counts_rows_once(table: pd.DataFrame) -> None:
    """A row that breaks it is one row, however many columns there are."""
    validated = apply_contract(table.assign(share=[1.0, 0.9] * 10), CONTRACT)

    assert [("table", "share is not above number", [0])] == describe(validated)


def test_column_that_occurs_twice_is_told(table: pd.DataFrame) -> None:
    """Two columns of one name are refused before anything else is looked at."""
    validated = apply_contract(pd.concat([table, table[["share"]]], axis=1), CONTRACT)

    assert [("share", "occurs once", [])] == describe(validated)


def test_check_that_warns_is_a_warning(table: pd.DataFrame) -> None:
    """``raise_warning`` of a check makes its violation a warning, which makes no row bad."""
    soft = CONTRACT.add_columns({"share": pa.Column(float, pa.Check.lt(0, raise_warning=True))})
    validated = apply_contract(table, soft)

    assert ["warning"] == [violation.level for violation in validated.violations]
    assert 0 == len(validated.bad_rows)
    assert [True] == [check.raise_warning for check in soft.columns["share"].checks]


def test_examples_are_few_different_and_short(table: pd.DataFrame) -> None:
    """Five values at most, each once, none longer than a line."""
    examples = put(table, "word", "x" * 500, "x" * 500, *"abcdefg").violations[0].examples

    assert 5 == len(examples) == len(set(examples))
    assert all(len(example) <= 60 for example in examples)


def test_many_failures_are_counted_without_being_listed() -> None:
    """With many bad rows and columns the count is exact; Pandera would list each value of each row."""
    n_rows = 20_000
    wide = pd.DataFrame({f"c{i}": np.zeros(n_rows) for i in range(20)})
    never = pa.Check(lambda table: pd.Series(False, index=table.index), name="never")
    contract = pa.DataFrameSchema({name: pa.Column(float) for name in wide}, checks=never)

    with pytest.raises(SchemaErrors) as caught:
        _bound(contract)[0].validate(wide, lazy=True)
    (violation,) = apply_contract(wide, contract).violations

    assert len(caught.value.failure_cases) <= 5 * len(wide.columns)
    assert violation.rows is not None
    assert n_rows == len(violation.rows)


def test_finding_has_count_and_share() -> None:
    """What is shown of a violation: how many rows, out of how many."""
    finding = Violation("a", "is odd", np.array([1, 3]), ("2",)).to_finding(8)

    assert (2, 0.25, ["2"]) == (finding.count, finding.share, finding.examples)

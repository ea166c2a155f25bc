"""Data held against the contract, and what becomes of bad rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest

from gitops_ml.contract import validation
from gitops_ml.core.errors import LifecycleError
from gitops_ml.core.records import Finding
from gitops_ml.core.settings import Settings
from gitops_ml.data.loading import Loaded
from gitops_ml.data.split import Split

N_ROWS = 400


@pytest.fixture(autouse=True)
def contract(monkeypatch: pytest.MonkeyPatch) -> pa.DataFrameSchema:
    """A small contract in place of the project's own."""
    contract = pa.DataFrameSchema(
        {
            "id": pa.Column(int, nullable=False),
            "size": pa.Column(int, pa.Check.ge(0)),
            "weight": pa.Column(float, nullable=True),
            "shop": pa.Column(str),
            "late": pa.Column(bool),
        },
        strict="filter",
        coerce=True,
    )
    monkeypatch.setattr(validation, "load_contract", lambda: contract)
    return contract


@pytest.fixture
def table() -> pd.DataFrame:
    """Rows that keep the contract, and a column that is not in it."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": range(N_ROWS),
            "size": rng.integers(0, 99, N_ROWS),
            "weight": rng.normal(size=N_ROWS),
            "shop": rng.choice(["north", "south"], N_ROWS),
            "late": rng.random(N_ROWS) < 0.3,
            "extra": "kept out",
        }
    )


def make_settings(slices: list[str] | None = None, by: str = "hash", **data: Any) -> Settings:
    """Return settings for the table above."""
    return Settings.model_validate(
        {
            "problem": "classification",
            "data": {"target": "late", "id": "id"} | data,
            "split": {"by": by},
            "train": {"metric": "roc_auc"},
            "evaluate": {"metrics": ["roc_auc"], "slices": slices or []},
        }
    )


QUARANTINE: dict[str, Any] = {"on_invalid": "quarantine", "max_invalid_share": 0.01}


def validate(table: pd.DataFrame, **data: Any) -> validation.Validation:
    """Validate the table as if it had been read from files."""
    return validation.validate(Loaded(table, np.zeros(len(table), dtype=int), [], []), make_settings(**data))


def spoil(table: pd.DataFrame, column: str, *values: object) -> pd.DataFrame:
    """Give other values to the first rows of a column."""
    spoilt = table.astype({column: object})
    spoilt[column] = [*values, *spoilt[column].iloc[len(values) :]]
    return spoilt


def describe(findings: list[Finding]) -> list[tuple[str, str, str, int]]:
    """Return level, column, check and count of each finding."""
    return [(finding.level, finding.column, finding.check, finding.count) for finding in findings]


def test_good_data_pass(table: pd.DataFrame) -> None:
    """All rows stay, with the contract's columns only."""
    result = validate(table)

    assert result.record.passed
    assert [] == result.record.findings
    assert (N_ROWS, 0) == (len(result.valid), len(result.invalid))
    assert ["id", "size", "weight", "shop", "late"] == list(result.valid.columns)
    assert 1.0 == pytest.approx(sum(result.record.target.values()))


def test_bad_rows_fail_by_default(table: pd.DataFrame) -> None:
    """Nothing is dropped without being asked for."""
    result = validate(spoil(table, "size", -1, -2))

    assert not result.record.passed
    assert [("error", "size", "is at least 0", 2)] == describe(result.record.findings)
    assert (N_ROWS, 0, 0) == (len(result.valid), len(result.invalid), result.record.quarantined)


def test_quarantine_sets_bad_rows_aside(table: pd.DataFrame) -> None:
    """The run goes on without them, and says so; they keep all columns and get a reason."""
    result = validate(spoil(table, "size", -1, -2), **QUARANTINE)

    assert result.record.passed
    assert [("warning", "size", "is at least 0", 2)] == describe(result.record.findings)
    assert (N_ROWS - 2, 2) == (len(result.valid), result.record.quarantined)
    assert list(range(2, N_ROWS)) == result.valid["id"].tolist()
    assert ["size: is at least 0"] * 2 == result.invalid["reason"].tolist()
    assert [*table.columns, "reason"] == list(result.invalid.columns)


def test_quarantine_looks_again_after_wrong_types(table: pd.DataFrame) -> None:
    """A word among numbers hides the negative number; both are found and set aside."""
    result = validate(spoil(table, "size", "many", -1), **QUARANTINE)

    assert result.record.passed
    assert ["size: is int64", "size: is at least 0"] == result.invalid["reason"].tolist()
    assert N_ROWS - 2 == len(result.valid)
    assert "int64" == str(result.valid["size"].dtype)


def test_row_with_two_faults_is_one_row(table: pd.DataFrame) -> None:
    """A row is set aside once, with both reasons."""
    result = validate(spoil(spoil(table, "size", -1), "shop", None), **QUARANTINE)

    assert 1 == result.record.quarantined
    assert {"size: is at least 0", "shop: is not null"} == set(result.invalid["reason"].iloc[0].split("; "))


def test_quarantine_has_room_for_few(table: pd.DataFrame) -> None:
    """Above ``max_invalid_share`` the run fails, and the rows can still be looked at."""
    result = validate(spoil(table, "size", *[-1] * 5), **QUARANTINE)

    assert not result.record.passed
    assert 5 == len(result.invalid)
    assert "at most 1.00% of the rows are invalid (data.max_invalid_share)" in {
        finding.check for finding in result.record.findings
    }


def test_quarantine_cannot_mend_a_table(table: pd.DataFrame) -> None:
    """A missing column is no matter of single rows."""
    result = validate(table.drop(columns="size"), **QUARANTINE)

    assert not result.record.passed
    assert [("error", "size", "is in the data", 0)] == describe(result.record.findings)
    assert 0 == len(result.invalid)


def test_quarantine_fits_in_a_file(table: pd.DataFrame, tmp_path: Path) -> None:
    """Bad rows of mixed types can be written as Parquet."""
    result = validate(spoil(table, "size", "many", -1, 1.5), **QUARANTINE)
    result.invalid.to_parquet(tmp_path / "quarantine.parquet")

    assert ["many", "-1", "1.5"] == pd.read_parquet(tmp_path / "quarantine.parquet")["size"].tolist()


def test_empty_table_is_an_error(table: pd.DataFrame) -> None:
    """No rows, no model."""
    assert [("error", "table", "has rows", 0)] == describe(validate(table.head(0)).record.findings)


@pytest.mark.parametrize(
    ("column", "value", "check", "count"),
    [("id", 1, "is unique", 2), ("weight", np.inf, "is finite", 1)],
)
def test_some_rules_need_no_contract(
    table: pd.DataFrame, column: str, value: object, check: str, count: int
) -> None:
    """Ids are unique and numbers finite even where the contract is silent."""
    result = validate(spoil(table, column, value))

    assert [("error", column, check, count)] == describe(result.record.findings)


def test_target_may_not_be_missing(table: pd.DataFrame, contract: pa.DataFrameSchema) -> None:
    """Even where the contract lets the target be missing, a row without one is bad."""
    contract.columns["shop"].nullable = True
    result = validate(spoil(table, "shop", None), target="shop")

    assert [("error", "shop", "is not null", 1)] == describe(result.record.findings)


def test_index_of_the_data_does_not_matter(table: pd.DataFrame) -> None:
    """Rows that come with a jumbled index are counted and set aside all the same."""
    jumbled = spoil(table, "size", -1).set_index(pd.Index([0, 0] * (N_ROWS // 2)))

    assert [0] == validate(jumbled, **QUARANTINE).invalid["id"].tolist()


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("data.target", {"target": "lat"}),
        ("data.id", {"id": "ids"}),
        ("data.time", {"time": "size_"}),
        ("data.group", {"group": "shops"}),
        ("evaluate.slices", {"slices": ["shp"]}),
    ],
)
def test_params_name_columns_of_the_contract(table: pd.DataFrame, key: str, changes: dict[str, Any]) -> None:
    """A typo is one sentence with the key and the nearest column."""
    with pytest.raises(LifecycleError, match=rf"params.yaml: {key} names .* did you mean '\w+'\?"):
        validation.validate(Loaded(table, np.zeros(len(table), dtype=int), [], []), make_settings(**changes))


def test_new_file_is_held_against_the_contract(table: pd.DataFrame) -> None:
    """Before a file is accepted its rows are checked, not what only all files can show."""
    settings = make_settings()

    assert [] == validation.check(table.assign(weight=np.nan, late=True), settings)
    found = validation.check(spoil(table, "size", -1), settings)
    assert [("error", "size", "is at least 0", 1)] == describe(found)


def test_new_file_may_have_rows_for_the_quarantine(table: pd.DataFrame) -> None:
    """A file that would pass validation with few rows set aside can be accepted."""
    settings = make_settings(**QUARANTINE)

    assert ["warning"] == [finding.level for finding in validation.check(spoil(table, "size", -1), settings)]


def check_split(train: pd.DataFrame, test: pd.DataFrame, **changes: Any) -> list[tuple[str, str, str, int]]:
    """Return what is wrong with a split."""
    return describe(validation.check_split(Split(train, test, "0.25"), make_settings(**changes)))


def test_good_split_has_no_finding(table: pd.DataFrame) -> None:
    """Different rows, both classes, enough of them."""
    assert [] == check_split(table.iloc[:250], table.iloc[250:])


def test_row_on_both_sides_is_an_error(table: pd.DataFrame) -> None:
    """A model must not be tested on what it has learned."""
    expected = [("error", "id", "is not in both training and test part", 1)]

    assert expected == check_split(table.iloc[:251], table.iloc[250:])


@pytest.mark.parametrize(("shared", "level"), [(1, "warning"), (50, "error")])
def test_without_ids_equal_rows_count(table: pd.DataFrame, shared: int, level: str) -> None:
    """One equal row may be chance, many are not."""
    table = table.drop(columns="id")
    expected = [(level, "table", "equal rows are not in both training and test part", shared)]

    found = check_split(table.iloc[: 250 + shared], table.iloc[250:], id=None, time="size", by="time")
    assert expected == found


def test_group_on_both_sides_is_told(table: pd.DataFrame) -> None:
    """A shop on both sides makes the test easier than life, unless that is what was asked for."""
    expected = [("warning", "shop", "is not in both training and test part", 150)]

    assert expected == check_split(table.iloc[:250], table.iloc[250:], group="shop")


def test_part_with_one_class_is_an_error(table: pd.DataFrame) -> None:
    """No score can be had from one class."""
    train, test = table.iloc[:250], table.iloc[250:]

    assert [("error", "late", "the test part has two classes or more", 0)] == check_split(
        train, test.assign(late=True)
    )
    assert ("error", "late", "the training part has two classes or more", 0) in check_split(
        train.assign(late=True), test
    )


def test_small_test_part_is_a_warning(table: pd.DataFrame) -> None:
    """Fewer than a hundred rows decide little."""
    expected = [("warning", "table", "the test part has 100 rows or more", 99)]

    assert expected == check_split(table.iloc[:250], table.iloc[250:349])


def test_empty_part_is_an_error(table: pd.DataFrame) -> None:
    """The boundary is named, because it is what to change."""
    expected = [("error", "table", "the test part has rows (boundary 0.25)", 0)]

    assert expected == check_split(table, table.head(0))

"""Tests of the records that stages leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_ml.core.errors import LifecycleError
from gitops_ml.core.records import ValidationRecord, write_text

RECORD = ValidationRecord(passed=True, rows=3, files=[])


def test_a_record_reads_back_as_it_was(tmp_path: Path) -> None:
    """Writing and reading changes nothing."""
    RECORD.write(tmp_path)

    assert ValidationRecord.read(tmp_path) == RECORD


def test_a_record_has_a_file_of_its_own() -> None:
    """The file is named after the record."""
    assert "validation.json" == ValidationRecord.file_name()


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"version": 2}', '{"passed": true, "rows": 3, "files": [], "x": 1}']
)
def test_a_broken_record_names_its_file(tmp_path: Path, content: str) -> None:
    """Half a file, or one of another version, is said in one sentence."""
    (tmp_path / "validation.json").write_text(content)

    with pytest.raises(
        LifecycleError, match=r"validation.json is no record of this version; run 'mlops run'"
    ):
        ValidationRecord.read(tmp_path)


def test_a_missing_record_says_how_to_make_it(tmp_path: Path) -> None:
    """The sentence names the command."""
    with pytest.raises(LifecycleError, match=r"validation.json is missing; run 'mlops run'"):
        ValidationRecord.read(tmp_path)


def test_a_file_is_written_in_one_step(tmp_path: Path) -> None:
    """Nothing is left beside the file."""
    write_text(tmp_path / "a.txt", "text")

    assert ["a.txt"] == [path.name for path in tmp_path.iterdir()]

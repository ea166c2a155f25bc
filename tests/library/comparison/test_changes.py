"""What a change changes, for those who review it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_ml.comparison import changes
from gitops_ml.contract.export import Column
from gitops_ml.core.records import DataFile
from gitops_ml.data.lock import Lock, write_lock
from toys import git


def make_file(name: str, digest: str = "aa", rows: int = 10) -> DataFile:
    return DataFile(path=f"data/{name}.parquet", sha256=digest, rows=rows)


def make_column(name: str, **facts: object) -> Column:
    return Column(
        name=name, role="feature", kind="number", dtype="float64", nullable=False, unique=False, required=True
    ).model_copy(update=facts)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project and its base branch."""
    (tmp_path / "base").mkdir()
    write_lock(Lock(files=[make_file("a"), make_file("b"), make_file("c")]), tmp_path / "base")
    write_lock(Lock(files=[make_file("a"), make_file("b", "bb", 12), make_file("d")]), tmp_path)
    return tmp_path


def test_files_are_added_changed_and_removed(root: Path) -> None:
    """With their rows, by path; what is as it was is not listed."""
    found = changes.list_file_changes(root)
    assert found is not None
    assert [
        ("data/b.parquet", "changed", 12, 10),
        ("data/c.parquet", "removed", 0, 10),
        ("data/d.parquet", "added", 10, 0),
    ] == [(one.path, one.change, one.rows, one.rows_before) for one in found]


def test_without_a_base_nothing_is_said(root: Path) -> None:
    """On a laptop nobody fetched the base branch; that is not the same as no change."""
    write_lock(Lock(files=[]), root)
    (root / "base" / "data.lock").unlink()
    (root / "base").rmdir()
    assert changes.list_file_changes(root) is None
    assert [] == changes.list_setting_changes(root)


def test_a_base_without_data_has_all_files_added(root: Path) -> None:
    """The first data that a project accepts are new."""
    (root / "base" / "data.lock").unlink()
    found = changes.list_file_changes(root)
    assert found is not None
    assert ["added"] * 3 == [one.change for one in found]


def test_settings_are_compared_key_by_key(root: Path) -> None:
    """Comments and order do not count; lists are one value; a new key has no value before."""
    (root / "base" / "params.yaml").write_text("train: {seed: 1, candidates: [a, b]}\nold: 1\nsame: x\n")
    (root / "params.yaml").write_text(
        "same: x  # still\ntrain:\n  candidates: [a]\n  seed: 1\nnew: {deep: 2}\n"
    )
    assert [("new.deep", None, "2"), ("old", "1", None), ("train.candidates", "[a, b]", "[a]")] == [
        (one.key, one.before, one.after) for one in changes.list_setting_changes(root)
    ]


def test_waivers_are_written_as_in_the_file(root: Path) -> None:
    """A reviewer reads what somebody wrote, not how Python holds it."""
    waiver = "{gate: slices, reason: it answers in time, until: 2026-12-31}"
    (root / "base" / "params.yaml").write_text("gates: {margin: 1%}\n")
    (root / "params.yaml").write_text(f"gates:\n  margin: 1%\n  waive:\n    - {waiver}\n")
    assert [("gates.waive", None, f"[{waiver}]")] == [
        (one.key, one.before, one.after) for one in changes.list_setting_changes(root)
    ]


def test_passwords_in_addresses_are_not_shown(root: Path) -> None:
    """A report is read by more people than params.yaml should trust."""
    (root / "base" / "params.yaml").write_text("data: {source: 'postgresql://me:hush@host/db'}\n")
    (root / "params.yaml").write_text("data: {source: 's3://bucket/x?token=hush'}\n")
    [change] = changes.list_setting_changes(root)
    assert "hush" not in f"{change.before}{change.after}"


def test_settings_that_cannot_be_read_are_left_to_others(root: Path) -> None:
    """The run complains of them in its own words."""
    (root / "base" / "params.yaml").write_text("a: 1\n")
    (root / "params.yaml").write_text("a: [\n")
    assert ["a"] == [one.key for one in changes.list_setting_changes(root)]


def commit(root: Path, files: dict[str, str]) -> None:
    """Make these files the next commit of a repository."""
    git(root, "init", "--quiet")
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    git(root, "add", "--all", *files)
    git(root, "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "--quiet", "-m", "Write")


def test_files_that_judge_a_change_are_named(root: Path) -> None:
    """What was added, changed or removed below .github/ and vendor/, and nothing that lies elsewhere."""
    # The first is what Git calls the content of CODEOWNERS below.
    same, old = "9daeafb9864cf43055ae93beb0afd6c7d144bfa4", "0" * 40
    lines = [
        f"{same} .github/CODEOWNERS",
        f"{old} .github/workflows/a train.yml",
        f"{old} vendor/gitops_ml-0.1.0.whl",
    ]
    (root / "base" / "protected.txt").write_text("\n".join(lines) + "\n")
    commit(
        root,
        {
            ".github/CODEOWNERS": "test\n",
            ".github/workflows/a train.yml": "on: push\n",
            "vendor/gitops_ml-0.2.0.whl": "wheel",
            "src/vendor/models.py": "",
        },
    )
    expected = [".github/workflows/a train.yml", "vendor/gitops_ml-0.1.0.whl", "vendor/gitops_ml-0.2.0.whl"]
    assert expected == changes.begin_changes(root).protected


def test_without_a_list_nothing_judges_a_change(root: Path) -> None:
    """A first push, and a laptop, have no base to compare with."""
    commit(root, {".github/CODEOWNERS": "test\n"})
    assert [] == changes.list_protected_changes(root)


def test_columns_are_added_removed_and_changed() -> None:
    """A changed column says which of its facts, from what to what."""
    before = [make_column("a", maximum=10), make_column("b"), make_column("c", values=["x", "y"])]
    after = [make_column("a", maximum=12, nullable=True), make_column("c", values=["x"]), make_column("d")]
    assert [
        ("d", "added", ""),
        ("b", "removed", ""),
        ("a", "changed", "nullable False → True; maximum 10 → 12"),
        ("c", "changed", "values [x, y] → [x]"),
    ] == [(one.column, one.change, one.details) for one in changes.list_column_changes(before, after)]


def test_cards_are_compared_line_by_line() -> None:
    """Only what differs is shown, and no line that names files."""
    assert "@@ -1,2 +1,2 @@\n one\n-two\n+three" == changes.diff_cards("one\ntwo\n", "one\nthree\n")
    assert "" == changes.diff_cards("same\n", "same\n")

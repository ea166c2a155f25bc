"""Tests of the folder build/, which is whole whatever happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_ml.core.errors import LifecycleError
from gitops_ml.pipeline.build_dir import carry, restore_build, stage_build


def make_build(root: Path, text: str) -> None:
    """Make a build/ with one file."""
    with stage_build(root) as staged:
        (staged / "report.md").write_text(text)


def names(root: Path) -> list[str]:
    """List what lies in a folder, the lock aside."""
    return sorted(path.name for path in root.iterdir() if path.name != ".build.lock")


def test_a_build_appears_at_the_end(tmp_path: Path) -> None:
    """Until the block ends there is no build/."""
    with stage_build(tmp_path) as staged:
        (staged / "report.md").write_text("new")
        assert not (tmp_path / "build").exists()

    assert "new" == (tmp_path / "build" / "report.md").read_text()
    assert ["build"] == names(tmp_path)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, RuntimeError, SystemExit])
def test_an_interrupted_run_changes_nothing(tmp_path: Path, interruption: type[BaseException]) -> None:
    """What a run had begun is gone, what was there stays."""
    make_build(tmp_path, "old")

    with pytest.raises(interruption), stage_build(tmp_path) as staged:
        (staged / "report.md").write_text("half")
        raise interruption

    assert "old" == (tmp_path / "build" / "report.md").read_text()
    assert ["build"] == names(tmp_path)


@pytest.mark.parametrize("dies_at", [1, 2])
def test_a_run_killed_while_swapping_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_at: int
) -> None:
    """Killed before either rename, the next run finds the old build."""
    make_build(tmp_path, "old")
    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        kill_at_rename(patch, dies_at)
        make_build(tmp_path, "new")

    restore_build(tmp_path)

    assert "old" == (tmp_path / "build" / "report.md").read_text()
    assert ["build"] == names(tmp_path)


def kill_at_rename(patch: pytest.MonkeyPatch, number: int) -> None:
    """Let the rename with this number, and all after it, fail as if the process were gone."""
    rename, calls = Path.rename, []

    def die(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) >= number:
            raise ZeroDivisionError
        return rename(self, target)

    patch.setattr(Path, "rename", die)
    patch.setattr("shutil.rmtree", lambda *_, **__: None)


def test_two_runs_do_not_meet(tmp_path: Path) -> None:
    """A second run is refused while the first is at work."""
    with stage_build(tmp_path), pytest.raises(LifecycleError, match="being made by another run"):
        make_build(tmp_path, "second")


def test_a_file_in_the_way_is_said(tmp_path: Path) -> None:
    """A file named build is not deleted."""
    (tmp_path / "build").write_text("mine")

    with pytest.raises(LifecycleError, match="is a file, expected a folder"):
        make_build(tmp_path, "new")

    assert "mine" == (tmp_path / "build").read_text()


def test_carried_files_survive_their_old_build(tmp_path: Path) -> None:
    """A file taken over outlives the build it came from; one made anew is not overwritten."""
    make_build(tmp_path, "old")
    (tmp_path / "build" / "bundle").mkdir()
    (tmp_path / "build" / "bundle" / "model.skops").write_bytes(b"model")

    with stage_build(tmp_path) as staged:
        (staged / "report.md").write_text("new")
        carry(tmp_path, staged, ["report.md", "bundle", "missing"])

    assert "new" == (tmp_path / "build" / "report.md").read_text()
    assert b"model" == (tmp_path / "build" / "bundle" / "model.skops").read_bytes()

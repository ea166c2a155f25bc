"""Looks at production lie on the branch production, and change nothing of what runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gitops_ml.core.errors import LifecycleError
from gitops_ml.monitoring.check import history
from gitops_ml.monitoring.check.records import Look, MonitoringRecord, Retraining
from gitops_ml.production import branch as production
from toys import deploy, git, make_next_model, run


def make_look(day: int, alarm: bool = False) -> Look:
    time = f"2026-01-{day:02}T00:00:00+00:00"
    return Look(time=time, model=1, violated={"data": alarm}, alarm=alarm)


def record(root: Path, look: Look) -> None:
    """Keep a look on the branch."""
    nothing = Retraining(due=False)
    full = MonitoringRecord(time=look.time, model=1, window="7 days", judgements=[], retraining=nothing)
    history.record_look(root, "origin", full, look)


def read_looks(root: Path) -> list[Look]:
    """Return the looks that the remote's branch has."""
    tip = production.fetch_tip(root, "origin")
    return history.read_looks_at(root, tip) if tip else []


def list_files(root: Path) -> list[str]:
    return git(root / "remote.git", "ls-tree", "-r", "--name-only", "production").splitlines()


def list_subjects(root: Path) -> list[str]:
    return git(root / "remote.git", "log", "--format=%s", "production").splitlines()


def test_looks_are_kept_in_order(deploying: Path) -> None:
    """The oldest first; the last one also in full; nothing else of the branch changes."""
    run("promote")
    before = list_files(deploying)
    for day in (1, 2):
        record(deploying, make_look(day, alarm=day == 2))
    assert [make_look(1), make_look(2, alarm=True)] == read_looks(deploying)
    assert sorted([*before, history.LOOKS, history.RECORD]) == list_files(deploying)
    assert ["Look at model 1: alarm", "Look at model 1: quiet"] == list_subjects(deploying)[:2]
    full = git(deploying / "remote.git", "show", f"production:{history.RECORD}")
    assert "2026-01-02T00:00:00+00:00" == json.loads(full)["time"]


def test_same_look_counts_once(deploying: Path) -> None:
    """A run that is repeated puts its look in the place of the first."""
    run("promote")
    record(deploying, make_look(1))
    record(deploying, make_look(1, alarm=True))
    assert [make_look(1, alarm=True)] == read_looks(deploying)


def test_a_look_is_no_deployment(deploying: Path) -> None:
    """What runs, since when, and what ran before does not change when somebody looks."""
    deploy(deploying, "a", "b")
    before = run("status", "--json").output
    record(deploying, make_look(1))
    assert before == run("status", "--json").output
    assert "Nothing to deploy" in run("promote").output


def test_looks_stay_whatever_runs(deploying: Path) -> None:
    """Deployment, rollback and a revert by hand keep the history, and bring all else."""
    deploy(deploying, "a")
    first = list_files(deploying)
    record(deploying, make_look(1))
    deploy(deploying, "b")
    record(deploying, make_look(2))
    run("rollback")
    assert sorted([*first, history.LOOKS, history.RECORD]) == list_files(deploying)
    assert [make_look(1), make_look(2)] == read_looks(deploying)
    assert [1, 2, 1] == [one.state.version for one in production.read_history(deploying, "origin")]
    git(deploying, "clone", "--quiet", "--branch", "production", "remote.git", "hand")
    git(deploying / "hand", "revert", "--no-edit", "HEAD")
    git(deploying / "hand", "push", "--quiet")
    assert [2, 1, 2, 1] == [one.state.version for one in production.read_history(deploying, "origin")]
    assert [make_look(1), make_look(2)] == read_looks(deploying)


def test_a_deployment_goes_first(deploying: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look that meets a deployment is put on top of it; nothing is lost of either."""
    deploy(deploying, "a")
    make_next_model(deploying, "b")
    real = history.read_looks_at

    def deploy_meanwhile(root: Path, commit: str) -> list[Look]:
        monkeypatch.setattr(history, "read_looks_at", real)
        run("promote")
        return real(root, commit)

    monkeypatch.setattr(history, "read_looks_at", deploy_meanwhile)
    record(deploying, make_look(1))
    assert ["Look at model 1: quiet", "Deploy model 2", "Deploy model 1"] == list_subjects(deploying)


def test_a_look_holds_up_no_deployment(deploying: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment that meets a look is put on top of it."""
    deploy(deploying, "a")
    make_next_model(deploying, "b")
    stale, real = iter([production.read_branch(deploying, "origin")]), production.read_branch
    record(deploying, make_look(1))
    monkeypatch.setattr(production, "read_branch", lambda *where: next(stale, None) or real(*where))
    run("promote")
    assert ["Deploy model 2", "Look at model 1: quiet", "Deploy model 1"] == list_subjects(deploying)
    assert [make_look(1)] == read_looks(deploying)


def test_a_project_below_the_top_of_its_repository(deploying: Path) -> None:
    """Asked from a folder inside, Git still means the whole branch."""
    deploy(deploying, "a")
    inner = deploying / "data"
    git(inner, "remote", "set-url", "origin", str(deploying / "remote.git"))
    record(inner, make_look(1))
    assert [1] == [one.state.version for one in production.read_history(inner, "origin")]
    assert [make_look(1)] == read_looks(inner)


def test_long_history_is_cut(deploying: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest looks go; Git still has them."""
    monkeypatch.setattr(history, "MOST_LOOKS", 2)
    run("promote")
    for day in (1, 2, 3):
        record(deploying, make_look(day))
    assert [make_look(2), make_look(3)] == read_looks(deploying)


def test_damaged_lines_are_passed_over(deploying: Path) -> None:
    """What somebody spoiled by hand costs that one look."""
    run("promote")
    for day in (1, 2):
        record(deploying, make_look(day))
    git(deploying, "clone", "--quiet", "--branch", "production", "remote.git", "hand")
    path = deploying / "hand" / history.LOOKS
    path.write_text("no json\n" + path.read_text().splitlines()[1] + "\n{}\n")
    git(deploying / "hand", "commit", "--quiet", "--all", "--message", "Spoil")
    git(deploying / "hand", "push", "--quiet")
    assert [make_look(2)] == read_looks(deploying)
    record(deploying, make_look(3))
    assert [make_look(2), make_look(3)] == read_looks(deploying)


def test_nothing_was_deployed(deploying: Path) -> None:
    """There is nothing to look at, and no branch is made for it."""
    assert [] == read_looks(deploying)
    with pytest.raises(LifecycleError, match="Nothing has been deployed yet"):
        record(deploying, make_look(1))

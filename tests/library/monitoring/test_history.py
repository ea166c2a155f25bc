"""Checks of production lie on the branch production, and change nothing of what runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gitops_ml.core.errors import LifecycleError
from gitops_ml.monitoring.check import history
from gitops_ml.monitoring.check.records import Alarm, Check, MonitoringRecord, Retraining
from gitops_ml.production import promotion
from gitops_ml.production.branch import fetch_tip, read_branch, read_history
from toys import deploy, git, make_next_model, run


def make_check(day: int, alarm: bool = False) -> Check:
    time = f"2026-01-{day:02}T00:00:00+00:00"
    return Check(time=time, model=1, violated={"data": alarm}, alarm=alarm)


def record(root: Path, check: Check) -> None:
    """Keep a check on the branch."""
    alarm = Alarm(topic="data", violated=check.alarm, raised=check.alarm)
    full = MonitoringRecord(
        time=check.time, model=1, window="7 days", alarms=[alarm], retraining=Retraining(due=False)
    )
    history.record_check(root, "origin", full)


def read_checks(root: Path) -> list[Check]:
    """Return the checks that the remote's branch has."""
    tip = fetch_tip(root, "origin")
    return history.read_checks(root, tip) if tip else []


def list_files(root: Path) -> list[str]:
    return git(root / "remote.git", "ls-tree", "-r", "--name-only", "production").splitlines()


def list_subjects(root: Path) -> list[str]:
    return git(root / "remote.git", "log", "--format=%s", "production").splitlines()


def test_checks_are_kept_in_order(deploying: Path) -> None:
    """The oldest first; the last one also in full; nothing else of the branch changes."""
    run("promote")
    before = list_files(deploying)
    for day in (1, 2):
        record(deploying, make_check(day, alarm=day == 2))
    assert [make_check(1), make_check(2, alarm=True)] == read_checks(deploying)
    assert sorted([*before, history.HISTORY, history.RECORD]) == list_files(deploying)
    assert ["Check model 1: alarm", "Check model 1: quiet"] == list_subjects(deploying)[:2]
    full = git(deploying / "remote.git", "show", f"production:{history.RECORD}")
    assert "2026-01-02T00:00:00+00:00" == json.loads(full)["time"]


def test_same_check_counts_once(deploying: Path) -> None:
    """A run that is repeated puts its check in the place of the first."""
    run("promote")
    record(deploying, make_check(1))
    record(deploying, make_check(1, alarm=True))
    assert [make_check(1, alarm=True)] == read_checks(deploying)


def test_a_check_is_no_deployment(deploying: Path) -> None:
    """What runs, since when, and what ran before does not change when production is checked."""
    deploy(deploying, "a", "b")
    before = run("status", "--json").output
    record(deploying, make_check(1))
    assert before == run("status", "--json").output
    assert "Nothing to deploy" in run("promote").output


def test_checks_stay_whatever_runs(deploying: Path) -> None:
    """Deployment, rollback and a revert by hand keep the history, and bring all else."""
    deploy(deploying, "a")
    first = list_files(deploying)
    record(deploying, make_check(1))
    deploy(deploying, "b")
    record(deploying, make_check(2))
    run("rollback")
    assert sorted([*first, history.HISTORY, history.RECORD]) == list_files(deploying)
    assert [make_check(1), make_check(2)] == read_checks(deploying)
    assert [1, 2, 1] == [one.state.version for one in read_history(deploying, "origin")]
    git(deploying, "clone", "--quiet", "--branch", "production", "remote.git", "hand")
    git(deploying / "hand", "revert", "--no-edit", "HEAD")
    git(deploying / "hand", "push", "--quiet")
    assert [2, 1, 2, 1] == [one.state.version for one in read_history(deploying, "origin")]
    assert [make_check(1), make_check(2)] == read_checks(deploying)


def test_a_deployment_goes_first(deploying: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that meets a deployment is put on top of it; nothing is lost of either."""
    deploy(deploying, "a")
    make_next_model(deploying, "b")
    real = history.read_checks

    def deploy_meanwhile(root: Path, commit: str) -> list[Check]:
        monkeypatch.setattr(history, "read_checks", real)
        run("promote")
        return real(root, commit)

    monkeypatch.setattr(history, "read_checks", deploy_meanwhile)
    record(deploying, make_check(1))
    assert ["Check model 1: quiet", "Deploy model 2", "Deploy model 1"] == list_subjects(deploying)


def test_a_check_holds_up_no_deployment(deploying: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment that meets a check is put on top of it."""
    deploy(deploying, "a")
    make_next_model(deploying, "b")
    stale, real = iter([read_branch(deploying, "origin")]), read_branch
    record(deploying, make_check(1))
    monkeypatch.setattr(promotion, "read_branch", lambda *where: next(stale, None) or real(*where))
    run("promote")
    assert ["Deploy model 2", "Check model 1: quiet", "Deploy model 1"] == list_subjects(deploying)
    assert [make_check(1)] == read_checks(deploying)


def test_a_project_below_the_top_of_its_repository(deploying: Path) -> None:
    """Asked from a folder inside, Git still means the whole branch."""
    deploy(deploying, "a")
    inner = deploying / "data"
    git(inner, "remote", "set-url", "origin", str(deploying / "remote.git"))
    record(inner, make_check(1))
    assert [1] == [one.state.version for one in read_history(inner, "origin")]
    assert [make_check(1)] == read_checks(inner)


def test_long_history_is_cut(deploying: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest checks go; Git still has them."""
    monkeypatch.setattr(history, "MAX_CHECKS", 2)
    run("promote")
    for day in (1, 2, 3):
        record(deploying, make_check(day))
    assert [make_check(2), make_check(3)] == read_checks(deploying)


def test_damaged_lines_are_passed_over(deploying: Path) -> None:
    """What somebody spoiled by hand costs that one check."""
    run("promote")
    for day in (1, 2):
        record(deploying, make_check(day))
    git(deploying, "clone", "--quiet", "--branch", "production", "remote.git", "hand")
    path = deploying / "hand" / history.HISTORY
    path.write_text("no json\n" + path.read_text().splitlines()[1] + "\n{}\n")
    git(deploying / "hand", "commit", "--quiet", "--all", "--message", "Spoil")
    git(deploying / "hand", "push", "--quiet")
    assert [make_check(2)] == read_checks(deploying)
    record(deploying, make_check(3))
    assert [make_check(2), make_check(3)] == read_checks(deploying)


def test_nothing_was_deployed(deploying: Path) -> None:
    """There is nothing to check, and no branch is made for it."""
    assert [] == read_checks(deploying)
    with pytest.raises(LifecycleError, match="Nothing has been deployed yet"):
        record(deploying, make_check(1))

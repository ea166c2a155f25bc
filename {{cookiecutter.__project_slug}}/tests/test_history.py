"""Looks at production are kept on the branch production, beside what runs, and are no deployments."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from {{ cookiecutter.__package }}.monitoring import history
from {{ cookiecutter.__package }}.monitoring.history import (
    HISTORY,
    LATEST,
    read_looks,
    record_look,
)
from {{ cookiecutter.__package }}.monitoring.records import Look, MonitoringRecord, Retraining
from {{ cookiecutter.__package }}.pipeline import branch, production, promotion, registry
from {{ cookiecutter.__package }}.pipeline.errors import LifecycleError

from conftest import deploy, git, make_next_model, mlops, run

SUBJECTS = ("log", "--first-parent", "--format=%s", "production")


def look_at(root: Path, hour: int, *, alarm: bool = False) -> Look:
    """Record a look at that hour."""
    look = Look(time=f"2026-11-25T{hour:02}:00:00Z", model=1, violated={"data": alarm}, alarm=alarm)
    record = MonitoringRecord(
        time=look.time, model=1, window="7 days", judgements=[], retraining=Retraining(due=False)
    )
    record_look(root, "origin", record, look)
    return look


def list_versions(root: Path) -> list[int]:
    """Return the versions that ran, the newest first."""
    return [deployment.state.version for deployment in production.read_history(root, "origin")]


def clone(root: Path) -> Path:
    """Return a work tree of the branch, as somebody has it who repairs things by hand."""
    git(root, "clone", "--quiet", "--branch", "production", "remote.git", "hand")
    return root / "hand"


def push_line(root: Path, line: str) -> None:
    """Add a line to the history by hand."""
    hand = clone(root)
    with (hand / HISTORY).open("a") as stream:
        stream.write(line)
    git(hand, "commit", "--quiet", "--all", "--message", "Write a line")
    git(hand, "push", "--quiet")


def test_looks_come_back_in_order(deploying: Path) -> None:
    """The oldest first, each in a commit that says of which model and how it went."""
    deploy(deploying, "a")
    looks = [look_at(deploying, 1), look_at(deploying, 2, alarm=True)]
    assert looks == read_looks(deploying, "origin")
    expected = ["Look at model 1: alarm", "Look at model 1: quiet", "Deploy model 1"]
    assert expected == git(deploying / "remote.git", *SUBJECTS).split("\n")


def test_latest_record_is_whole(deploying: Path) -> None:
    """What was found out last can be read as it was written."""
    deploy(deploying, "a")
    look_at(deploying, 1)
    look = look_at(deploying, 2)
    latest = json.loads(git(deploying / "remote.git", "show", f"production:{LATEST}"))
    assert look.time == MonitoringRecord.model_validate(latest).time


def test_look_leaves_everything_else(deploying: Path) -> None:
    """All files that run the model stay, byte by byte, and so does the project."""
    deploy(deploying, "a")
    before = git(deploying / "remote.git", "ls-tree", "-r", "production").splitlines()
    status = git(deploying, "status", "--porcelain")
    look_at(deploying, 1)
    after = git(deploying / "remote.git", "ls-tree", "-r", "production").splitlines()
    assert before == [line for line in after if "\tmonitoring/" not in line]
    assert [HISTORY, LATEST] == [line.split("\t")[1] for line in after if line not in before]
    assert status == git(deploying, "status", "--porcelain")


def test_other_files_below_monitoring_stay(deploying: Path) -> None:
    """Somebody's notes beside the history survive a look."""
    deploy(deploying, "a")
    look_at(deploying, 1)
    hand = clone(deploying)
    (hand / "monitoring/notes.md").write_text("noted")
    git(hand, "add", ".")
    git(hand, "commit", "--quiet", "--message", "Note it")
    git(hand, "push", "--quiet")
    look_at(deploying, 2)
    assert "noted" == git(deploying / "remote.git", "show", "production:monitoring/notes.md")


def test_look_is_no_deployment(deploying: Path) -> None:
    """Status and history do not have it, and a rollback does not take it for what ran before."""
    deploy(deploying, "a", "b")
    look_at(deploying, 1)
    assert [2, 1] == list_versions(deploying)
    assert 2 == len(run("status").output.splitlines())
    assert "Model 1 is in production again.\n" == run("rollback").output
    assert [1, 2, 1] == list_versions(deploying)


def test_deployments_keep_the_looks(deploying: Path) -> None:
    """Neither promoting nor rolling back forgets what was found out."""
    deploy(deploying, "a")
    look = look_at(deploying, 1)
    deploy(deploying, "b")
    assert [look] == read_looks(deploying, "origin")
    later = look_at(deploying, 2)
    run("rollback")
    assert [look, later] == read_looks(deploying, "origin")
    assert [1, 2, 1] == list_versions(deploying)


def test_same_run_key_after_a_look(deploying: Path) -> None:
    """A look does not make the model that runs a new one."""
    run("promote")
    look_at(deploying, 1)
    assert "Nothing to deploy: production runs a model of the same run key.\n" == run("promote").output


def test_revert_below_looks(deploying: Path) -> None:
    """A deployment that somebody reverts counts as one, looks above it or not."""
    deploy(deploying, "a", "b")
    look = look_at(deploying, 1)
    hand = clone(deploying)
    git(hand, "revert", "--no-edit", "HEAD~1")
    git(hand, "push", "--quiet")
    assert [1, 2, 1] == list_versions(deploying)
    assert [look] == read_looks(deploying, "origin")


def test_reverted_look(deploying: Path) -> None:
    """Taking a look back changes nothing that runs."""
    deploy(deploying, "a")
    look_at(deploying, 1)
    hand = clone(deploying)
    git(hand, "revert", "--no-edit", "HEAD")
    git(hand, "push", "--quiet")
    assert ([1], []) == (list_versions(deploying), read_looks(deploying, "origin"))


def test_project_below_the_top_of_its_repository(deploying: Path) -> None:
    """Where Git is asked from a folder inside, it still means the whole branch."""
    deploy(deploying, "a")
    look = look_at(deploying, 1)
    inner = deploying / "data"
    git(inner, "remote", "set-url", "origin", str(deploying / "remote.git"))
    later = look_at(inner, 2)
    assert ([1], [look, later]) == (list_versions(inner), read_looks(inner, "origin"))


def test_look_while_a_deployment_comes(deploying: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The deployment stays, and the look is recorded on top of it."""
    deploy(deploying, "a")
    make_next_model(deploying, "b")
    interrupt(monkeypatch, lambda: run("promote"))
    look = look_at(deploying, 1)
    assert ([2, 1], [look]) == (list_versions(deploying), read_looks(deploying, "origin"))


def test_deployment_while_a_look_comes(deploying: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes through at the first try of whoever deploys, and the look is kept."""
    deploy(deploying, "a")
    make_next_model(deploying, "b")
    looks: list[Look] = []
    interrupt(monkeypatch, lambda: looks.append(look_at(deploying, 1)))
    promotion.promote(deploying, "origin", None)
    assert ([2, 1], looks) == (list_versions(deploying), read_looks(deploying, "origin"))


def test_branch_that_moves_again_and_again(deploying: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a few tries it is said, and the branch is as others left it."""
    deploy(deploying, "a")
    monkeypatch.setattr(branch, "fetch_tip", lambda root, remote: git(root, "rev-parse", "FETCH_HEAD"))
    git(deploying, "fetch", "--quiet", "origin", "production")
    before = read_looks(deploying, "origin")
    hand = clone(deploying)
    git(hand, "commit", "--quiet", "--allow-empty", "--message", "Move")
    git(hand, "push", "--quiet")
    with pytest.raises(LifecycleError, match="has moved since it was read"):
        look_at(deploying, 1)
    assert ([], "Move") == (before, git(deploying / "remote.git", *SUBJECTS).split("\n")[0])


def interrupt(monkeypatch: pytest.MonkeyPatch, action: object) -> None:
    """Let something happen once between reading the branch and writing it."""
    waiting = [action]
    fetch = branch.fetch_tip

    def fetch_then_act(root: Path, remote: str) -> str | None:
        tip = fetch(root, remote)
        if waiting:
            waiting.pop()()  # type: ignore[operator]
        return tip

    monkeypatch.setattr(branch, "fetch_tip", fetch_then_act)


def test_same_look_twice(deploying: Path) -> None:
    """A step that is run again does not count twice."""
    deploy(deploying, "a")
    look_at(deploying, 1)
    again = look_at(deploying, 1, alarm=True)
    assert [again] == read_looks(deploying, "origin")


def test_history_is_pruned(deploying: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps the newest."""
    monkeypatch.setattr(history, "MOST_LOOKS", 2)
    deploy(deploying, "a")
    looks = [look_at(deploying, hour) for hour in (1, 2, 3)]
    assert looks[1:] == read_looks(deploying, "origin")


def test_unreadable_lines(deploying: Path, caplog: pytest.LogCaptureFixture) -> None:
    """They are skipped and counted, and do not stop the next look."""
    deploy(deploying, "a")
    look = look_at(deploying, 1)
    push_line(deploying, '{"time": \n\xff\n[1]\n')
    with caplog.at_level(logging.WARNING):
        assert [look] == read_looks(deploying, "origin")
    assert f"3 lines of {HISTORY} on branch production cannot be read." == caplog.messages[0]
    later = look_at(deploying, 2)
    assert [look, later] == read_looks(deploying, "origin")


def test_words_of_a_later_version(deploying: Path) -> None:
    """Who reads less of a line keeps all of it."""
    deploy(deploying, "a")
    look_at(deploying, 1)
    push_line(deploying, '{"time": "x", "model": 1, "violated": {}, "alarm": false, "more": 7}\n')
    look_at(deploying, 2)
    assert '"more": 7' in git(deploying / "remote.git", "show", f"production:{HISTORY}")


def test_nothing_deployed(deploying: Path) -> None:
    """Then nobody ever looked, and there is nothing to look at."""
    assert [] == read_looks(deploying, "origin")
    with pytest.raises(LifecycleError, match="Nothing has been deployed yet"):
        look_at(deploying, 1)


def test_registry_knows_deployments_alone(deploying: Path) -> None:
    """A look registers nothing."""
    deploy(deploying, "a")
    run("register")
    look_at(deploying, 1)
    registration = registry.plan_registration(deploying, "origin", [])
    assert registration is not None
    assert ([], {}) == (registration.registered, registration.aliases)


def test_no_such_remote(deploying: Path) -> None:
    """A repository that cannot be asked is not one without looks."""
    with pytest.raises(LifecycleError, match="git ls-remote failed for branch production"):
        read_looks(deploying, "nowhere")
    assert 1 == mlops("status", "--remote", "nowhere").exit_code

"""The checks of a project as a list, and as tests of pytest."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from threadpoolctl import threadpool_info

from gitops_ml.core import project as project_at_hand
from gitops_ml.testing import Check, check_project, find_violations, list_checks, parametrize_with_checks
from gitops_ml.testing.runner import OF_CANDIDATE, OF_PROJECT
from gitops_ml.testing.sample import Sample
from toys import PROJECTS, copy_project, edit_params, enter, run


def define_linear(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave one quick candidate in models.py."""
    candidates = project_at_hand.load_candidates()
    monkeypatch.setattr(
        project_at_hand, "load_candidates", lambda: lambda seed: {"linear": candidates(seed)["linear"]}
    )


def test_each_candidate_has_each_check() -> None:
    """The names of the checks say what they are of; nothing is read to list them."""
    names = [str(check) for check in list_checks()]
    assert len(OF_PROJECT) + 3 * len(OF_CANDIDATE) == len(names) == len(set(names))
    assert {"ids ignored", "candidate reproducible [boosting]"} <= set(names)


def test_toy_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project without fault passes all checks."""
    define_linear(monkeypatch)
    check_project()


@pytest.mark.parametrize("problem", ["multiclass", "regression"])
def test_other_problems(problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With many classes, with numbers, with groups: nothing in the checks is of one project alone."""
    copy_project(tmp_path, PROJECTS / problem)
    monkeypatch.setattr(project_at_hand, "_chosen", f"toy_{problem}")
    enter(tmp_path, monkeypatch)
    run("data", "accept")
    check_project()


def test_faulty_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is wrong is an AssertionError of one sentence, errors of the lifecycle included."""
    define_linear(monkeypatch)
    edit_params(project, train={"candidates": ["forest"]})
    with pytest.raises(AssertionError, match=r"train\.candidates has 'forest', unknown to models"):
        check_project()


def test_tests_of_pytest() -> None:
    """Each check is a test of its own, with a name that can be read."""
    mark = parametrize_with_checks().mark
    name, checks = mark.args
    assert "check" == name
    assert [str(check) for check in list_checks()] == [mark.kwargs["ids"](check) for check in checks]


def test_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks of several processes do not wait for each other's threads."""
    threads: set[int] = set()

    def note(sample: Sample, name: str) -> None:
        threads.update(pool["num_threads"] for pool in threadpool_info())

    monkeypatch.setitem(OF_CANDIDATE, "noted", note)
    Check("noted", Sample(Path()), "any")()
    assert {1} == threads


def test_violations(raw: pd.DataFrame) -> None:
    """Column and rule, as a finding of a run has them."""
    assert set() == find_violations(raw)
    broken = raw.assign(distance=raw["distance"].where(raw.index > 0, 49))
    assert {("distance", "is at least 50")} == find_violations(broken)

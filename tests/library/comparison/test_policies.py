"""Policies: functions of a team's own that decide whether a gate holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from examples import make_context, make_settings
from gitops_ml.comparison.gates import waive
from gitops_ml.comparison.policies import check_policies, find_policies
from gitops_ml.comparison.review import ReviewContext
from gitops_ml.core.errors import LifecycleError
from gitops_ml.core.project import NamedFunction
from gitops_ml.core.records import Gate
from gitops_ml.core.settings import Settings


def check(function: Callable[[ReviewContext], Any]) -> Gate:
    """Return the gate of one policy."""
    [gate] = check_policies([NamedFunction("policies:fair", "fair", function)], make_context())
    return gate


def name_policies(*policies: str, waived: str | None = None) -> Settings:
    waivers = [{"gate": waived, "reason": "for now", "until": "2999-01-01"}] if waived else []
    content = make_settings("binary").model_dump(mode="json")
    return Settings.model_validate(content | {"gates": {"policies": policies, "waive": waivers}})


def fair_by_origin(context: ReviewContext) -> bool:
    """Flights are late as often as was predicted, at each airport.

    Within five points.
    """
    return True


def cheap(context: ReviewContext) -> bool:
    return True


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a module that is there anyway have policies."""
    monkeypatch.setattr("statistics.fair_by_origin", fair_by_origin, raising=False)
    monkeypatch.setattr("statistics.cheap", cheap, raising=False)


@pytest.mark.parametrize("passed", [True, False, np.True_, np.False_])
def test_a_policy_returns_whether_it_holds(passed: bool) -> None:
    """A comparison of NumPy numbers is no bool, and counts as one."""
    gate = check(lambda context: passed)
    assert ("fair", bool(passed), f"policies:fair returned {passed}") == (
        gate.name,
        gate.passed,
        gate.evidence,
    )


def test_a_policy_may_return_evidence() -> None:
    """The text is put on one line."""
    gate = check(lambda context: (np.float64(0.1) > 0.05, "gap of 0.1,\n at most  0.05"))
    assert (True, "gap of 0.1, at most 0.05") == (gate.passed, gate.evidence)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "None"),
        (0.3, "0.3"),
        (1, "1"),
        ("True", "'True'"),
        ((True,), "(True,)"),
        ((True, 3), "(True, 3)"),
        (pd.NA, "<NA>"),
        (np.array([True, True]), "array([ True, True])"),
    ],
)
def test_a_policy_that_returns_something_else_does_not_hold(answer: object, told: str) -> None:
    """Nothing is guessed of an answer that may be a mistake."""
    gate = check(lambda context: answer)
    expected = f"policies:fair returned {told}; expected True or False, alone or with the evidence as text"
    assert (False, expected) == (gate.passed, gate.evidence)


@pytest.mark.parametrize("error", [KeyError("origin"), ZeroDivisionError("division by zero"), SystemExit(0)])
def test_a_policy_that_raises_does_not_hold(error: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence names the error, and the traceback is there for whoever wrote the policy."""

    def fail(context: ReviewContext) -> bool:
        raise error

    gate = check(fail)
    assert (False, f"policies:fair raised {type(error).__name__}: {error}") == (gate.passed, gate.evidence)
    assert "in fail" in capsys.readouterr().err


def test_an_interruption_is_none_of_a_policy() -> None:
    """Ctrl-C ends the run."""

    def interrupt(context: ReviewContext) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(interrupt)


def test_policies_do_not_see_what_others_did_to_the_data() -> None:
    """Each has a copy of the rows and of the predictions."""
    seen = []

    def spoil(context: ReviewContext) -> bool:
        seen.append((context.rows["origin"].nunique(), int(context.challenger.label.sum())))
        context.rows["origin"] = "nowhere"
        context.challenger.label[:] = True
        return True

    policies = [NamedFunction(f"policies:{name}", name, spoil) for name in ("a", "b")]
    check_policies(policies, make_context())
    assert seen[0] == seen[1]


def test_a_policy_is_called_what_its_docstring_begins_with() -> None:
    """Or else by its name in words."""
    policies = find_policies(name_policies("statistics:fair_by_origin", "statistics:cheap"))
    expected = [
        ("statistics:fair_by_origin", "Flights are late as often as was predicted, at each airport"),
        ("statistics:cheap", "cheap"),
    ]
    assert expected == [(policy.reference, policy.title) for policy in policies]


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("nowhere:cheap", "gates.policies names 'nowhere:cheap', but there is no module 'nowhere'"),
        ("statistics:dear", "gates.policies names 'statistics:dear', but 'statistics' has no function"),
    ],
)
def test_a_missing_policy_is_refused(reference: str, words: str) -> None:
    """A sentence names the setting and what is missing."""
    with pytest.raises(LifecycleError, match=words):
        find_policies(name_policies(reference))


def test_two_gates_have_two_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """A waiver must mean one gate."""
    monkeypatch.setattr(cheap, "__doc__", "Size.")
    monkeypatch.setattr("statistics.size", cheap, raising=False)
    with pytest.raises(LifecycleError, match="the policy 'statistics:cheap' is called 'Size', as another"):
        find_policies(name_policies("statistics:size", "statistics:cheap"))
    monkeypatch.setattr(cheap, "__doc__", "size")
    with pytest.raises(LifecycleError, match="is called 'size', as another gate"):
        find_policies(name_policies("statistics:size"))


@pytest.mark.parametrize("gate", ["cheap", "latency"])
def test_a_policy_is_waived_by_its_name(gate: str) -> None:
    """As any other gate is."""
    settings = name_policies("statistics:cheap", waived=gate)
    find_policies(settings)
    [waived] = waive([Gate(name=gate, passed=False, evidence="")], settings)
    assert not waived.blocks


@pytest.mark.parametrize(
    ("gate", "meant"), [("latncy", "latency"), ("cheep", "cheap"), ("contract", "calibration")]
)
def test_a_waiver_of_no_gate_is_answered_with_the_nearest(gate: str, meant: str) -> None:
    """Data that break the contract are never waived, so that gate is never what was meant."""
    words = f"params.yaml: gates.waive names '{gate}', which is no gate; did you mean '{meant}'?"
    with pytest.raises(LifecycleError) as refused:
        find_policies(name_policies("statistics:cheap", waived=gate))
    assert words == str(refused.value)

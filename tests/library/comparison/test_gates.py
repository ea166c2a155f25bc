"""The gates that a champion brings, and waivers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from examples import make_champion, make_contest, make_settings
from gitops_ml.comparison.gates import guard_champion, waive
from gitops_ml.core.errors import LifecycleError
from gitops_ml.core.records import Gate, PairedSlice, Verdict
from gitops_ml.core.settings import Settings, read_settings
from gitops_ml.report.console_lines import describe_failure, describe_success
from toys import BINARY, edit_params

TODAY = datetime.now(UTC).date()


def make_waivers(*waivers: dict[str, Any]) -> Settings:
    content = make_settings("binary").model_dump(mode="json")
    return Settings.model_validate(content | {"gates": {"waive": list(waivers)}})


def make_slice(level: str, verdict: Verdict, loss: float) -> PairedSlice:
    piece = make_champion("worse").slices[0]
    difference = piece.difference.model_copy(
        update={"value": -loss, "low": -loss - 0.01, "high": -loss + 0.01}
    )
    return piece.model_copy(update={"level": level, "verdict": verdict, "difference": difference})


@pytest.mark.parametrize(
    ("verdict", "passed"), [("better", True), ("no worse", True), ("worse", False), ("cannot tell", False)]
)
def test_worse_and_uncertain_challengers_are_kept_out(verdict: Verdict, passed: bool) -> None:
    """Better and no worse pass; the evidence has the interval and the margin."""
    champion = make_champion(verdict, slices=[])
    [gate] = guard_champion(champion, champion.metrics[0], verdict, 0.007)
    assert ("no worse than champion", passed) == (gate.name, gate.passed)
    assert "over champion v3, margin 0.00700" in gate.evidence


def test_what_cannot_be_compared_is_kept_out() -> None:
    """Not knowing is no reason to replace what runs."""
    champion = make_champion("better", obstacle="the champion answers a regression", slices=[])
    [gate] = guard_champion(champion, None, "cannot tell", 0.007)
    assert (False, "cannot be compared: the champion answers a regression") == (gate.passed, gate.evidence)


def test_the_same_model_passes() -> None:
    """A change that changes no model replaces nothing."""
    champion = make_champion("better", same=True, metrics=[], slices=[])
    [gate] = guard_champion(champion, None, "no worse", 0.007)
    assert (True, "the same model as champion v3") == (gate.passed, gate.evidence)


def test_one_slice_that_is_worse_is_enough() -> None:
    """A better average must not hide that one group of people pays for it; the worst is named."""
    slices = [
        make_slice("EWR", "no worse", 0.0),
        make_slice("JFK", "worse", 0.05),
        make_slice("LGA", "worse", 0.09),
    ]
    champion = make_champion("better", slices=slices)
    gate = guard_champion(champion, champion.metrics[0], "better", 0.007)[1]
    assert ("slices", False) == (gate.name, gate.passed)
    assert gate.evidence.startswith("origin = LGA is worse: ROC AUC −0.0900")
    assert gate.evidence.endswith("and 1 more")


def test_slices_that_nobody_can_tell_do_not_block() -> None:
    """Small slices have wide intervals; noise does not block a merge."""
    champion = make_champion("better", slices=[make_slice("JFK", "cannot tell", 0.005)])
    gate = guard_champion(champion, champion.metrics[0], "better", 0.007)[1]
    assert (True, "none of 1 slice significantly worse") == (gate.passed, gate.evidence)


@pytest.mark.parametrize(("days", "expired"), [(1, False), (0, False), (-1, True)])
def test_a_waiver_counts_to_the_end_of_its_last_day(days: int, expired: bool) -> None:
    """On the day after, the gate blocks again."""
    until = TODAY + timedelta(days=days)
    settings = make_waivers({"gate": "latency", "reason": "new runners", "until": until.isoformat()})
    [gate] = waive([Gate(name="latency", passed=False, evidence="200 ms")], settings)
    assert gate.waiver is not None
    assert ("new runners", until.isoformat(), expired) == (
        gate.waiver.reason,
        gate.waiver.until,
        gate.waiver.expired,
    )
    assert expired == gate.blocks


def test_a_waiver_is_for_one_gate_alone() -> None:
    """The others block as before, and a gate that holds needs none."""
    settings = make_waivers({"gate": "size", "reason": "for now", "until": "2999-01-01"})
    gates = [Gate(name="size", passed=True, evidence=""), Gate(name="latency", passed=False, evidence="")]
    assert gates == waive(gates, settings)


def test_of_two_waivers_the_later_counts() -> None:
    """A prolonged waiver may stand beside the old one."""
    waivers = [
        {"gate": "size", "reason": reason, "until": until}
        for reason, until in (("new", "2999-01-01"), ("old", "2001-01-01"))
    ]
    [gate] = waive([Gate(name="size", passed=False, evidence="")], make_waivers(*waivers))
    assert not gate.blocks


def test_a_failing_gate_tells_that_its_waiver_expired() -> None:
    """The one line in the log says what to do about it."""
    settings = make_waivers({"gate": "size", "reason": "for now", "until": "2001-01-01"})
    [gate] = waive([Gate(name="size", passed=False, evidence="30 MB")], settings)
    assert "gate 'size' does not hold: 30 MB; its waiver expired on 2001-01-01" == describe_failure(gate)


def test_success_names_what_was_waived() -> None:
    """Green is not the same as all is well."""
    settings = make_waivers({"gate": "size", "reason": "for now", "until": "2999-01-01"})
    gates = [Gate(name="size", passed=False, evidence=""), Gate(name="latency", passed=True, evidence="")]
    comparison = make_contest("better", gates=waive(gates, settings))
    assert comparison.passed
    assert "1 of 2 gates hold; 'size' is waived until 2999-01-01." == describe_success(comparison)


@pytest.mark.parametrize(
    ("waiver", "problem"),
    [
        ({"gate": "contract holds", "reason": "x", "until": "2999-01-01"}, "gates.waive.0.gate is"),
        ({"gate": "size", "until": "2999-01-01"}, "key gates.waive.0.reason is missing"),
        ({"gate": "size", "reason": "x"}, "key gates.waive.0.until is missing"),
        ({"gate": "size", "reason": "", "until": "2999-01-01"}, "gates.waive.0.reason is ''"),
        (
            {"gate": "size", "reason": "x", "until": "2999-01-01", "who": "me"},
            "unknown key gates.waive.0.who",
        ),
    ],
)
def test_a_waiver_has_a_gate_a_reason_and_an_end(waiver: dict[str, str], problem: str, tmp_path: Any) -> None:
    """And data that break the contract are never waived."""
    (tmp_path / "params.yaml").write_text((BINARY / "params.yaml").read_text())
    edit_params(tmp_path, gates={"waive": [waiver]})
    with pytest.raises(LifecycleError, match=problem):
        read_settings(tmp_path / "params.yaml")

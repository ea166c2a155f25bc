"""Policies: gates of a team's own, as functions that ``params.yaml`` names."""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Sequence
from copy import deepcopy
from typing import get_args

import numpy as np

from ..core.errors import LifecycleError, describe_error
from ..core.formatting import shorten
from ..core.project import NamedFunction, name_function
from ..core.records import ComparisonRecord, Gate
from ..core.settings import Settings, WaivableGate
from .gates import waive
from .review import ReviewContext

BUILT_IN = ["contract holds", *get_args(WaivableGate)]


def find_policies(settings: Settings) -> list[NamedFunction]:
    """Return the policies that ``gates.policies`` names; their titles are the names of their gates.

    Parameters
    ----------
    settings : Settings
        Of ``gates.waive``, too, each must name a gate.

    Raises
    ------
    LifecycleError
        If a function is missing, two gates have the same name, or a waiver names no gate.
    """
    policies = [name_function(reference, "gates.policies") for reference in settings.gates.policies]
    names = list(BUILT_IN)
    for policy in policies:
        if policy.title in names:
            raise LifecycleError(
                f"params.yaml: the policy '{policy.reference}' is called '{policy.title}', as another gate; "
                "the first line of its docstring, or else its name, must be its own."
            )
        names.append(policy.title)
    for waiver in settings.gates.waive:
        if waiver.gate not in names:
            near = difflib.get_close_matches(waiver.gate, names[1:], n=1, cutoff=0)[0]
            raise LifecycleError(
                f"params.yaml: gates.waive names '{waiver.gate}', which is no gate; did you mean '{near}'?"
            )
    return policies


def add_policies(policies: Sequence[NamedFunction], context: ReviewContext) -> ComparisonRecord:
    """Return the comparison of the context with the gates of policies, waived where they are."""
    gates = waive(check_policies(policies, context), context.settings)
    return context.comparison.model_copy(update={"gates": [*context.comparison.gates, *gates]})


def check_policies(policies: Sequence[NamedFunction], context: ReviewContext) -> list[Gate]:
    """Return the gate of each policy.

    Parameters
    ----------
    policies : sequence of NamedFunction
        One that raises, or returns neither a truth value nor a pair of it and a text, does not hold.
        The traceback goes to standard error.
    context : ReviewContext
        Each policy has a copy of its own.
    """
    return [_check(policy, deepcopy(context)) for policy in policies]


def _check(policy: NamedFunction, context: ReviewContext) -> Gate:
    try:
        passed, evidence = _read_answer(policy.call(context), policy.reference)
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        passed, evidence = False, f"{policy.reference} raised {describe_error(error)}"
    evidence = " ".join(evidence.split())
    return Gate(name=policy.title, passed=passed, evidence=evidence, policy=policy.reference)


def _read_answer(answer: object, reference: str) -> tuple[bool, str]:
    match answer:
        case bool() | np.bool():
            return bool(answer), f"{reference} returned {bool(answer)}"
        case (bool() | np.bool() as passed, str() as evidence):
            return bool(passed), evidence
        case _:
            expected = "expected True or False, alone or with the evidence as text"
            return False, f"{reference} returned {shorten(repr(answer))}; {expected}"

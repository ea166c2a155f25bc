"""What holds for any project, whatever it predicts: each check is a test of its own."""

from __future__ import annotations

from gitops_ml.testing import Check, parametrize_with_checks


@parametrize_with_checks()
def test_project(check: Check) -> None:
    """Candidates fit, are reproducible, take what the contract allows, and more."""
    check()

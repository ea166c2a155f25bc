"""Checks of any project, for its tests, in the manner of scikit-learn's ``check_estimator``.

Three lines in a project's tests make each check a test of its own::

    @parametrize_with_checks()
    def test_project(check: Check) -> None:
        check()
"""

from .contract import find_violations
from .runner import Check, check_project, list_checks, parametrize_with_checks

__all__ = ["Check", "check_project", "find_violations", "list_checks", "parametrize_with_checks"]

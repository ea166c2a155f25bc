"""What the service need not import, since importing is most of its start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def import_needed_only() -> Iterator[None]:
    """Keep skops, for as long as the block lasts, from importing every module of scikit-learn.

    It does so to list the estimators that it trusts by itself. Without the list it asks for each
    of them whether it may be loaded, and ``pipeline.persistence`` knows that without importing
    any other. A third of the time, and 20 MB, are saved.

    It also looks for each function of ``scipy.special`` in one module after the other, in the
    order in which they were imported; so this one comes first.
    """
    import scipy.special  # noqa: F401
    import sklearn.utils

    def list_none(*arguments: Any) -> list[Any]:
        return []

    before = sklearn.utils.all_estimators
    sklearn.utils.all_estimators = list_none
    try:
        yield
    finally:
        sklearn.utils.all_estimators = before

"""The lifecycle of a scikit-learn model, controlled by Git."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bundle.bundle import open_bundle as load_bundle
    from .comparison.review import ReviewContext
    from .core.errors import LifecycleError
    from .core.settings import Settings
    from .pipeline.run import run

__version__ = "0.1.0"
__all__ = ["LifecycleError", "ReviewContext", "Settings", "load_bundle", "run"]

# Imported when they are asked for: the command line starts without any of them.
_PLACES = {
    "LifecycleError": ("core.errors", "LifecycleError"),
    "ReviewContext": ("comparison.review", "ReviewContext"),
    "Settings": ("core.settings", "Settings"),
    "load_bundle": ("bundle.bundle", "open_bundle"),
    "run": ("pipeline.run", "run"),
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _PLACES[name]
    return getattr(import_module(f".{module}", __name__), attribute)

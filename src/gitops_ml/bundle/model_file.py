"""Models as files that are safe to load: skops, never pickle."""

from __future__ import annotations

import importlib
import inspect
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import skops.io
from sklearn.base import BaseEstimator
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from skops.io.exceptions import UnsupportedTypeException

from ..core.errors import LifecycleError
from ..core.project import name_package
from .canonical import make_canonical

# What a file may name without being a class of scikit-learn or of this project. A loaded file can
# call whatever it names, with arguments of its own choosing, so "from NumPy" is not enough to be
# harmless: numpy.memmap overwrites files, pandas.eval runs code, scipy.stats runs code too.
HARMLESS = {
    "collections.OrderedDict",
    "functools.partial",
    "lightgbm.basic.Booster",
    "numpy.dtype",
    "numpy.random._generator.Generator",
    "numpy.random.mtrand.RandomState",
    "pandas.CategoricalDtype",
    "pandas.DatetimeTZDtype",
    "pandas.StringDtype",
    "scipy._lib.array_api_compat.numpy._aliases.asarray",
    "scipy.interpolate._bsplines.BSpline",
    "sklearn.utils.validation.check_array",
    "xgboost.core.Booster",
}
# This library writes files, starts processes and deploys.
LIBRARY = __name__.partition(".")[0]
# Packages whose classes are estimators and their parts.
ESTIMATORS = ("sklearn", "lightgbm.sklearn", "xgboost.sklearn")
# Modules that do more than estimate, or run something when they are imported.
OFF_LIMITS = {"__main__", "conftest", "datasets", "externals", "tests", "_testing", "_build_utils"}
REMEDY = (
    "keep NumPy arrays, lists, dicts, classes of scikit-learn, and named functions and classes of "
    "{package}/features.py or models.py"
)
UNWRITABLE = (UnsupportedTypeException, TypeError, ValueError, AttributeError, RecursionError)
BROKEN = (
    BadZipFile, EOFError, KeyError, IndexError, AttributeError, ImportError, TypeError, ValueError,
    NotImplementedError, RecursionError, zlib.error,
)  # fmt: skip


def save_model(model: BaseEstimator, path: Path) -> None:
    """Write a fitted model to a skops file; the same model gives the same bytes.

    Of a search, the estimator that it found best is kept: that is what predicts, while the log of
    the search holds wall times.

    Parameters
    ----------
    model : estimator
        Fitted.
    path : Path
        Replaced in one step.

    Raises
    ------
    LifecycleError
        If the model holds something that cannot be written, or could not be loaded again.
    """
    model = unwrap_searches(model)
    try:
        data = skops.io.dumps(model)
        allowed = all(is_trusted(name) for name in skops.io.get_untrusted_types(data=data))
    except UNWRITABLE as error:
        raise LifecycleError(_explain(model)) from error
    if not allowed:
        raise LifecycleError(_explain(model))
    beside = path.with_name(path.name + ".partial")
    beside.write_bytes(make_canonical(data))
    beside.replace(path)


def load_model(path: Path) -> BaseEstimator:
    """Read a model, if every type in the file is known to be harmless.

    Nothing of the file runs before its types have been checked.

    Parameters
    ----------
    path : Path
        A file that ``save_model`` wrote.

    Returns
    -------
    estimator
        Fitted.

    Raises
    ------
    LifecycleError
        If the file is missing or broken, or names a type that is not allowed.
    """
    data = _read(path)
    trusted = _require_trusted(data, path)
    try:
        return skops.io.loads(data, trusted=trusted)
    except BROKEN as error:
        raise _broken(path) from error


def list_types(path: Path) -> list[str]:
    """Return the types in a model's file that skops does not trust by itself but we do.

    Raises
    ------
    LifecycleError
        As ``load_model`` does.
    """
    return _require_trusted(_read(path), path)


def is_trusted(name: str) -> bool:
    """Tell whether a file may name this class or function.

    Allowed are classes of scikit-learn and of the scikit-learn interfaces of LightGBM and XGBoost,
    scikit-learn's metrics, a short list of parts that those need, and what the project's own package
    defines. Nothing of this library is.

    Parameters
    ----------
    name : str
        Such as ``sklearn.compose._column_transformer.make_column_selector``.
    """
    if name in HARMLESS:
        return True
    module, _, attribute = name.rpartition(".")
    if OFF_LIMITS & set(module.split(".")) or _is_within(module, (LIBRARY,)):
        return False
    if _is_within(module, ESTIMATORS):
        found = _find(module, attribute)
        return inspect.isclass(found) or (_is_within(module, ("sklearn.metrics",)) and callable(found))
    return _is_within(module, (name_package(),)) and callable(_find(module, attribute))


def _is_within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def _find(module: str, attribute: str) -> Any:
    """Return what is defined, not merely imported, under this name; None where there is none."""
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError):
        return None
    defined = getattr(found, "__module__", None) == module and getattr(found, "__name__", None) == attribute
    return found if defined and not inspect.ismodule(found) else None


def unwrap_searches(model: BaseEstimator) -> BaseEstimator:
    """Return the model with each fitted search replaced by the estimator that it found best."""
    if isinstance(model, BaseSearchCV):
        return unwrap_searches(model.best_estimator_)
    if isinstance(model, Pipeline):
        steps = [(name, unwrap_searches(step)) for name, step in model.steps]
        if any(new is not old for (_, new), (_, old) in zip(steps, model.steps, strict=True)):
            return Pipeline(steps)
    return model


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise LifecycleError(f"{path} is missing; run 'mlops run' to make it.") from None


def _require_trusted(data: bytes, path: Path) -> list[str]:
    try:
        names = skops.io.get_untrusted_types(data=data) if data else []
    except BROKEN as error:
        raise _broken(path) from error
    if not data:
        raise _broken(path)
    for name in names:
        if not is_trusted(name):
            raise LifecycleError(
                f"{path} was not loaded because it names {name}, which is not a known type of scikit-learn, "
                f"NumPy, pandas, LightGBM, XGBoost or {name_package()}."
            )
    return names


def _broken(path: Path) -> LifecycleError:
    return LifecycleError(
        f"{path} is not a whole skops file of these library versions; make it anew: 'mlops run'."
    )


def _explain(model: BaseEstimator) -> str:
    """Say which part of a model cannot be written, or could not be loaded again."""
    bad = ((where, part) for where, part in _parts(model, type(model).__name__) if _is_bad(part))
    culprit = next((f"{where} is {_describe(part)}" for where, part in bad), "its parts refer to each other")
    return f"The model cannot be saved: {culprit}; {REMEDY.format(package=name_package())}."


def _is_bad(part: Any) -> bool:
    try:
        return not all(is_trusted(name) for name in skops.io.get_untrusted_types(data=skops.io.dumps(part)))
    except UNWRITABLE:
        return True


def _describe(part: Any) -> str:
    named = part if hasattr(part, "__qualname__") else type(part)
    return f"{named.__module__}.{named.__qualname__}"


def _parts(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    """Yield the parts of a model that have no parts of their own, with where they are."""
    kind = type(value)
    if isinstance(value, BaseEstimator) and is_trusted(f"{kind.__module__}.{kind.__name__}"):
        inner = [(f".{name}", part) for name, part in vars(value).items()]
    elif isinstance(value, dict):
        inner = [(f"[{key!r}]", part) for key, part in value.items()]
    elif isinstance(value, list | tuple):
        inner = [(f"[{index}]", part) for index, part in enumerate(value)]
    else:
        yield where, value
        return
    for place, part in inner:
        yield from _parts(part, where + place)

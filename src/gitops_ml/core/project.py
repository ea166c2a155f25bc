"""The user's project: its package, found by ``pyproject.toml``, and what it defines."""

from __future__ import annotations

import importlib
import inspect
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .errors import LifecycleError

if TYPE_CHECKING:
    from pandera.pandas import DataFrameSchema
    from sklearn.base import BaseEstimator

PYPROJECT = "pyproject.toml"
SOURCE = "src"
# A process speaks for one project: chosen by a bundle or by the process that started this one.
_chosen: str | None = None


@dataclass(frozen=True)
class NamedFunction:
    """A function of a team's own that ``params.yaml`` names."""

    reference: str
    """``module:function``."""
    title: str
    """The first line of its docstring, or else its name in words."""
    call: Callable[..., Any]


def choose_package(name: str) -> None:
    """Set the package that this process works for, whatever the current folder says."""
    global _chosen
    _chosen = name


def name_package() -> str:
    """Return the name of the project's package.

    Raises
    ------
    LifecycleError
        If ``[tool.gitops-ml]`` of ``pyproject.toml`` does not name one.
    """
    return _chosen or _read_name(Path(PYPROJECT).absolute())


def find_folder() -> Path:
    """Return the folder of the project's package.

    Raises
    ------
    LifecycleError
        If there is no such package.
    """
    name = name_package()
    if _chosen is None:
        _look_in_source(name)
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise LifecycleError(f"{SOURCE}/{name} is missing, which {PYPROJECT} names as the project's package.")
    return Path(spec.submodule_search_locations[0])


def list_modules() -> list[Path]:
    """Return the source files of the project's package, sorted."""
    return sorted(path for path in find_folder().rglob("*.py") if "__pycache__" not in path.parts)


def load_module(name: str) -> ModuleType:
    """Return a module of the project's package.

    Parameters
    ----------
    name : str
        Below the package, such as ``"schema"``.

    Raises
    ------
    LifecycleError
        If there is no such module.
    """
    path = f"{name_package()}.{name}"
    folder = find_folder()
    if find_spec(path) is None:
        raise LifecycleError(f"{folder / name}.py is missing; a project defines its {name} there.")
    return importlib.import_module(path)


def load_contract() -> DataFrameSchema:
    """Return the data contract: ``Contract`` of ``schema.py``."""
    schema: DataFrameSchema = load_module("schema").Contract.to_schema()
    return schema


def load_candidates() -> Callable[[int], dict[str, BaseEstimator]]:
    """Return ``candidates`` of ``models.py``: a function of the seed."""
    candidates: Callable[[int], dict[str, BaseEstimator]] = load_module("models").candidates
    return candidates


def load_baseline() -> BaseEstimator:
    """Return the unfitted baseline of ``models.py``."""
    return load_module("models").baseline()


def find_function(reference: str, setting: str) -> Callable[..., Any]:
    """Return the function that a setting names as ``module:function``.

    Parameters
    ----------
    reference : str
        The module lies beside the package, in it, or is installed.
    setting : str
        Where the name stands, for the sentence about a wrong one.

    Raises
    ------
    LifecycleError
        If there is no such module, or no such function in it.
    """
    module, _, name = reference.partition(":")
    _look_in_source(module.partition(".")[0])
    try:
        function = getattr(importlib.import_module(module), name, None)
    except (ModuleNotFoundError, ValueError) as error:
        # A module that is there, but misses one that it imports, is a bug and keeps its traceback.
        if isinstance(error, ModuleNotFoundError) and not f"{module}.".startswith(f"{error.name}."):
            raise
        raise LifecycleError(f"{setting} names '{reference}', but there is no module '{module}'.") from None
    if not callable(function):
        raise LifecycleError(f"{setting} names '{reference}', but '{module}' has no function '{name}'.")
    found: Callable[..., Any] = function
    return found


def name_function(reference: str, setting: str) -> NamedFunction:
    """Return the function that a setting names, with a title for people.

    Raises
    ------
    LifecycleError
        As ``find_function`` does.
    """
    function = find_function(reference, setting)
    doc = inspect.getdoc(function) if inspect.isroutine(function) else None
    words = reference.partition(":")[2].replace("_", " ")
    return NamedFunction(reference, doc.splitlines()[0].rstrip(".") if doc else words, function)


def _look_in_source(name: str) -> None:
    """Import from ``src/`` of the current folder, if that is where the module lies."""
    source = Path(SOURCE).absolute()
    lies_there = (source / name).is_dir() or (source / f"{name}.py").is_file()
    if lies_there and str(source) not in sys.path:
        sys.path.insert(0, str(source))


@cache
def _read_name(path: Path) -> str:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LifecycleError(f"{path} is missing; run mlops in the folder of a project.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LifecycleError(f"{path}: expected TOML, but {error}.") from None
    name = content.get("tool", {}).get("gitops-ml", {}).get("package")
    if not isinstance(name, str) or not name.isidentifier():
        raise LifecycleError(
            f"{path}: [tool.gitops-ml] package is {name!r}; expected the name of the package in {SOURCE}/."
        )
    return name

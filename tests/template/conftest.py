"""Fixtures that the tests of the template share."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from baking import Bake, Lend
from playing import lighten, play_all
from rehearsal.bake import bake as bake_template
from rehearsal.bake import copy_template
from rehearsal.environments import READY, find_environment
from rehearsal.surroundings import make_surroundings

# The longest first, so that the others fill the time beside them; last come those that take no time.
# The deployments wait for the scenes.
ORDER = ["test_scenes.py", "test_project.py", "test_image.py", "test_workflows.py", "test_update.py"]
ORDER += ["library", "test_deployments.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""
    items.sort(key=lambda item: _place(item.path))


def _place(path: Path) -> int:
    is_here = path.is_relative_to(Path(__file__).parent)
    name = path.name if is_here else "library"
    return ORDER.index(name) if name in ORDER else len(ORDER)


@pytest.fixture(scope="session", autouse=True)
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep temporary files in the tests' own folder: cookiecutter leaves a copy of each hook it runs."""
    folder = str(tmp_path_factory.mktemp("scratch"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        yield


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template, as Git would commit it."""
    return copy_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def bake(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Bake:
    """Bake a project with the given answers; defaults for the others."""

    def bake(**answers: str) -> Path:
        return bake_template(template, tmp_path_factory.mktemp("bake"), **answers)

    return bake


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for all processes that run tests."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def environments(shared: Path) -> Path:
    """Where environments of bakes are kept: each is made once."""
    folder = shared / "environments"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def lend(environments: Path, tmp_path_factory: pytest.TempPathFactory) -> Lend:
    """Give a bake the environment that ``make setup`` has made for another one like it."""
    variables = make_surroundings(tmp_path_factory.mktemp("machine"))

    def lend(project: Path) -> None:
        environment = find_environment(project, environments, variables)
        (environment / READY).touch()
        if not (project / ".venv").is_symlink():
            (project / ".venv").symlink_to(environment)

    return lend


@pytest.fixture(scope="session")
def played(shared: Path, bake: Bake, environments: Path) -> Path:
    """The folder of a rehearsal of all scenes with the default project: copy it, do not change it."""
    folder = shared / "rehearsal" / "play"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(shared / "rehearsal.lock"):
        if not (folder / "environments").is_symlink():
            (folder / "environments").symlink_to(environments)
            project = bake()
            lighten(project)
            play_all(project, folder)
    return folder

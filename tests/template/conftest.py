"""Fixtures that the tests of the template share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from baking import Bake
from rehearsal.bake import bake as bake_template
from rehearsal.bake import copy_template


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

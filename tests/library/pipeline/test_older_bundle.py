"""Bundles of an older version of the library: champion, served, rolled back to, smoke-tested.

They were made by ``python -m rehearsal.older``, from the toy projects.
"""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gitops_ml.bundle.archive import unpack_bundle
from gitops_ml.bundle.manifest import LineageRecord
from gitops_ml.core.layout import ARCHIVE, BUILD, BUNDLE
from gitops_ml.core.records import ComparisonRecord
from toys import PROJECTS, copy_project, deploy, edit_params, enter, mlops, run

BUNDLES = Path(__file__).parents[1] / "bundles"
OLDER = "0.0.9"


@pytest.fixture(params=["binary", "regression"])
def problem(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A toy project whose champion is the bundle of the older version; Python is that of the bundle."""
    name: str = request.param
    copy_project(tmp_path, PROJECTS / name)
    monkeypatch.setattr("gitops_ml.core.project._chosen", f"toy_{name}")
    enter(tmp_path, monkeypatch)
    bundle = unpack_bundle(BUNDLES / f"{name}.tar.gz", Path("champion"))
    Path("champion/model.json").write_text(json.dumps({"version": 1}))
    python = LineageRecord.read(bundle).python.rpartition(".")[0]
    if python != platform.python_version().rpartition(".")[0]:
        pytest.skip(f"made with Python {python}; 'python -m rehearsal.older' makes the bundles anew")
    return name


def test_it_brings_the_library_that_made_it(problem: str) -> None:
    """The wheel lies beside the pins, which name it by version and hash."""
    assert [f"gitops_ml-{OLDER}-py3-none-any.whl"] == [
        path.name for path in Path("champion/bundle/vendor").iterdir()
    ]
    pins = Path("champion/bundle/requirements.txt").read_text()
    assert pins.startswith("--find-links vendor\n")
    assert f"gitops-ml=={OLDER} --hash=sha256:" in pins


def test_it_is_compared_with_a_challenger_of_today(problem: str) -> None:
    """Both predict the same rows, and the difference has an interval."""
    edit_params(Path(), train={"seed": 8})
    run("data", "accept")
    run("run")

    champion = ComparisonRecord.read(Path(BUILD)).champion

    assert champion is not None
    assert (1, None, False) == (champion.version, champion.obstacle, champion.same)
    assert champion.metrics


def test_it_is_served_by_the_library_of_today(problem: str) -> None:
    """Its model answers its golden cases, with its own code."""
    command = [sys.executable, "-m", "gitops_ml", "serve", "--check", "--bundle", "champion/bundle"]
    served = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (0, "champion/bundle can be served.\n") == (served.returncode, served.stdout), served.stderr


def test_it_is_proved_with_its_own_library(problem: str) -> None:
    """The smoke test serves it in an environment that has the older library."""
    proven = mlops("smoke", str(BUNDLES / f"{problem}.tar.gz"))

    assert 0 == proven.exit_code, proven.output
    assert " works: " in proven.output


def test_it_is_rolled_back_to(deploying: Path) -> None:
    """A version of the older library runs again after one of today's."""
    built = deploying / BUILD
    shutil.copytree(built, deploying / "today")
    shutil.rmtree(built / BUNDLE)
    unpack_bundle(BUNDLES / "binary.tar.gz", built)
    shutil.copy(BUNDLES / "binary.tar.gz", built / ARCHIVE)
    run("promote")
    shutil.rmtree(built)
    shutil.move(deploying / "today", built)
    deploy(deploying, "77" * 32)

    run("rollback", "--to", "1")

    assert 1 == json.loads(run("status", "--json").output)[0]["state"]["version"]

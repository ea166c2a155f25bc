"""What may be imported from the library by name."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import gitops_ml

LOAD = """
import sys
from gitops_ml import LifecycleError, Settings, load_bundle, run
assert callable(run) and issubclass(LifecycleError, Exception)
bundle = load_bundle(sys.argv[1])
print(bundle.contract.target, type(bundle.model).__name__)
"""


@pytest.mark.parametrize("name", gitops_ml.__all__)
def test_a_public_name_says_what_it_is(name: str) -> None:
    """Each has a docstring."""
    assert inspect.getdoc(getattr(gitops_ml, name))


def test_another_name_is_none() -> None:
    """As of any module."""
    with pytest.raises(AttributeError, match="has no attribute 'load_model'"):
        gitops_ml.load_model  # noqa: B018


def test_a_bundle_is_loaded_where_no_project_is(finished: Path, tmp_path: Path) -> None:
    """In a process that knows nothing of the bundle's project: its code comes with it."""
    bundle = finished / "build/bundle"
    done = run_elsewhere(tmp_path, LOAD, str(bundle))
    contract = json.loads((bundle / "contract.json").read_text())
    assert (0, f"{contract['target']} Pipeline\n") == (done.returncode, done.stdout)


def test_settings_and_errors_import_nothing_heavy(tmp_path: Path) -> None:
    """To ask for one name does not import what the others need."""
    code = "import sys; from gitops_ml import LifecycleError, Settings; print('pandas' in sys.modules)"
    assert "False\n" == run_elsewhere(tmp_path, code).stdout


def run_elsewhere(folder: Path, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder, in a process that finds this library but no toy project."""
    source = str(Path(gitops_ml.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": source}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )

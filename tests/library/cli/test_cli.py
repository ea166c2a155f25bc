"""Tests of the command line: what it prints and how it exits."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import gitops_ml
from toys import BINARY, edit_params, mlops, run

HEAVY = {"sklearn", "pandas", "numpy", "pandera", "mlflow", "matplotlib", "skops", "pyarrow"}


def modules_after(statement: str) -> set[str]:
    """Return what a fresh interpreter has imported after a statement."""
    code = f"{statement}; import sys; print(*sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(answer.stdout.split())


def test_help_imports_nothing_heavy() -> None:
    """The command line answers at once."""
    assert set() == HEAVY & modules_after("import gitops_ml.cli.app")


def test_an_unchanged_run_imports_nothing_heavy(done: Path) -> None:
    """To see that nothing has changed takes no library."""
    assert set() == HEAVY & modules_after("import gitops_ml; assert gitops_ml.run()")


def test_the_gate_imports_nothing_heavy(done: Path) -> None:
    """It reads a record, and answers at once."""
    call = "import sys; sys.argv = ['mlops', 'gate']; from gitops_ml.cli.app import app"

    assert set() == HEAVY & modules_after(f"{call}; app(standalone_mode=False)")


@pytest.mark.parametrize("arguments", [["--no-such-option"], ["no-such-verb"], ["run", "too", "much"]])
def test_wrong_usage_exits_2(arguments: list[str]) -> None:
    """A slip of the keyboard is no failed run."""
    assert 2 == mlops(*arguments).exit_code


def test_version_names_the_library() -> None:
    """It is the version that bundles and locks name."""
    result = mlops("--version")

    assert 0 == result.exit_code
    assert f"gitops-ml {gitops_ml.__version__}\n" == result.output


def test_outside_a_project_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says where to run."""
    monkeypatch.chdir(tmp_path)

    result = mlops("data", "status")

    assert 1 == result.exit_code
    assert "Error: params.yaml is missing; run mlops in the folder that holds it.\n" == result.stderr


def test_run_as_json(done: Path) -> None:
    """A machine reads the verdict from standard output."""
    outcome = json.loads(mlops("run", "--json").stdout)

    assert outcome["unchanged"]
    assert "better" == outcome["comparison"]["verdict"]


def test_gate_passes_when_all_hold(done: Path) -> None:
    """The check is green."""
    result = mlops("gate")

    assert 0 == result.exit_code, result.output


def test_gate_names_what_does_not_hold(done: Path) -> None:
    """One line a gate, exit 1."""
    edit_params(done, gates={"max_size_mb": 0.000001})
    mlops("compare")

    result = mlops("gate")

    assert 1 == result.exit_code
    assert ["Error: gate 'size' does not hold"] == [
        line.rpartition(":")[0] for line in result.stderr.splitlines()
    ]


def test_gate_fails_after_a_failed_run(done: Path) -> None:
    """Gates of an older run say nothing about this one."""
    edit_params(done, train={"fold": 3})
    mlops("run")

    result = mlops("gate")

    assert 1 == result.exit_code
    assert "The run of build failed at stage settings" in result.stderr


def test_gate_before_any_run(project: Path) -> None:
    """There is nothing to judge yet."""
    result = mlops("gate")

    assert 1 == result.exit_code
    assert "run 'mlops run'" in result.stderr


def test_errors_are_annotations_on_github(done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pull request's page shows the sentence."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    edit_params(done, train={"folds": "100%"})

    result = mlops("run")

    assert "::error title=mlops::params.yaml: train.folds is '100%25'" in result.stderr


def test_data_status_lists_new_files(done: Path) -> None:
    """What is not accepted is shown with the command that accepts it."""
    new = done / "data" / "flights-new.parquet"
    new.write_bytes(next(done.glob("data/*.parquet")).read_bytes())

    result = mlops("data", "status")

    assert "new       data/flights-new.parquet" in result.stdout.splitlines()
    assert "mlops data accept" in result.stderr


def test_accepting_data_that_break_the_contract_is_refused(done: Path) -> None:
    """The lock stays as it was; the sentence names column and check."""
    lock = (done / "data.lock").read_bytes()
    (done / "data" / "flights-bad.csv").write_text("flight_id\n1\n")
    edit_params(done, data={"source": "data/flights*"})

    result = mlops("data", "accept")

    assert 1 == result.exit_code
    assert "data/flights-bad.csv" in result.stderr
    assert lock == (done / "data.lock").read_bytes()


def test_paths_to_commit_are_for_tar(done: Path) -> None:
    """The lock and what it takes in, each ended by NUL; sentences go to standard error."""
    shutil.copy(BINARY / "data/flights-2013-03.parquet", done / "data/one more.parquet")
    result = run("data", "accept", "--valid", "--print0")
    assert "data.lock\0data/one more.parquet\0" == result.stdout
    assert "data.lock lists 3 files" in result.stderr
    assert 2 == mlops("data", "accept", "--json", "--print0").exit_code

"""Tests of the stages in order, and of what they leave behind."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pytest
import yaml

import gitops_ml
from gitops_ml.cli.console import PlainConsole
from gitops_ml.core.records import read_records
from gitops_ml.evaluation import evaluate
from gitops_ml.pipeline.reuse import OUTPUTS
from gitops_ml.report import card
from toys import edit_params, mlops


def snapshot(root: Path) -> dict[str, bytes]:
    """Return every file of build/ by its path."""
    build = root / "build"
    return {str(path.relative_to(build)): path.read_bytes() for path in build.rglob("*") if path.is_file()}


def spoil(root: Path) -> None:
    """Put impossible distances into a file, and accept it as somebody careless would."""
    path = sorted((root / "data").glob("*.parquet"))[0]
    frame = pd.read_parquet(path)
    frame.loc[:3, "distance"] = -1
    frame.to_parquet(path)
    lock = root / "data.lock"
    content = yaml.safe_load(lock.read_text())
    content["files"][0]["sha256"] = sha256(path.read_bytes()).hexdigest()
    lock.write_text(yaml.safe_dump(content))


def test_a_run_leaves_everything(done: Path) -> None:
    """Records, reports, card, model and bundle are there."""
    assert [] == [name for name in OUTPUTS if not (done / "build" / name).is_file()]
    assert "finished" == read_records(done / "build").run.status


def test_a_run_without_changes_touches_nothing(done: Path) -> None:
    """The second run reuses the build and says so."""
    before = snapshot(done)

    result = mlops("run")

    assert result.output.startswith("Nothing has changed since the run of")
    assert before == snapshot(done)


def test_a_run_from_python_is_the_same(
    project: Path, finished: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It returns the records of build/, reuses them when nothing has changed, and prints nothing."""
    records = gitops_ml.run()

    assert read_records(project / "build") == records
    assert read_records(finished / "build").run.run_key == records.run.run_key
    assert records == gitops_ml.run()
    assert ("", "") == capfd.readouterr()


def test_a_run_from_python_names_a_champion(done: Path, finished: Path) -> None:
    """It is compared with any bundle, as on the command line."""
    records = gitops_ml.run(champion=finished / "build/bundle")

    assert records.comparison is not None
    assert records.comparison.champion is not None
    assert records.comparison.champion.same


def test_a_run_from_python_raises(done: Path) -> None:
    """What is expected to go wrong is a LifecycleError, after the report is written."""
    edit_params(done, train={"fold": 3})

    with pytest.raises(gitops_ml.LifecycleError, match=r"unknown key train\.fold"):
        gitops_ml.run()

    assert "unknown key train.fold" in (done / "build" / "report.md").read_text()


def test_a_new_gate_needs_no_new_model(done: Path) -> None:
    """What cannot change the model does not cost a training, but is honoured."""
    model = (done / "build" / "challenger.skops").read_bytes()
    edit_params(done, gates={"max_size_mb": 0.000001})

    result = mlops("run")
    records = read_records(done / "build")

    assert 0 == result.exit_code
    assert records.run.reused
    assert records.comparison is not None
    assert not records.comparison.passed
    assert model == (done / "build" / "challenger.skops").read_bytes()


def test_a_new_seed_needs_a_new_model(done: Path) -> None:
    """What can change the model trains it again."""
    before = read_records(done / "build").run.run_key
    edit_params(done, train={"seed": 7})

    mlops("run")
    run = read_records(done / "build").run

    assert not run.reused
    assert before != run.run_key


def test_a_missing_output_is_made_again(done: Path) -> None:
    """Somebody deleted the report: the model is reused, the report is back."""
    (done / "build" / "report.html").unlink()

    mlops("run")

    assert (done / "build" / "report.html").is_file()
    assert read_records(done / "build").run.reused


def test_two_runs_train_the_same_model(project: Path, finished: Path) -> None:
    """The same inputs elsewhere give the same run key and the same bytes."""
    mlops("run")

    first, second = read_records(finished / "build"), read_records(project / "build")
    assert first.run.run_key == second.run.run_key
    for name in ("challenger.skops", "bundle/golden.json"):
        assert (finished / "build" / name).read_bytes() == (project / "build" / name).read_bytes()
    assert first.evaluation is not None
    assert second.evaluation is not None
    assert first.evaluation.metrics == second.evaluation.metrics


def test_data_that_break_the_contract_are_reported(done: Path) -> None:
    """The report says what is wrong; the model of the last run stays for the next."""
    spoil(done)

    result = mlops("run")
    records = read_records(done / "build")

    assert 1 == result.exit_code
    assert "The data break the contract: distance" in result.output
    assert ("failed", "validate") == (records.run.status, records.run.stage)
    assert "distance" in (done / "build" / "report.md").read_text()
    assert not (done / "build" / "evaluation.json").exists()
    assert (done / "build" / "bundle" / "MANIFEST.json").is_file()


def test_quarantine_sets_bad_rows_aside(done: Path) -> None:
    """With quarantine the run goes on without them."""
    spoil(done)
    edit_params(done, data={"on_invalid": "quarantine"})

    result = mlops("run")

    assert 0 == result.exit_code, result.output
    assert 4 == len(pd.read_parquet(done / "build" / "quarantine.parquet"))
    validation = read_records(done / "build").validation
    assert validation is not None
    assert 4 == validation.quarantined


def test_a_bug_keeps_its_traceback_and_is_reported(done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody expected is not dressed up, yet the report says that it happened."""
    edit_params(done, train={"seed": 3})
    monkeypatch.setattr(evaluate, "evaluate", lambda *_: 1 / 0)

    result = mlops("run")

    assert isinstance(result.exception, ZeroDivisionError)
    assert "ZeroDivisionError" in (done / "build" / "report.md").read_text()


@pytest.mark.parametrize("stage", ["validate", "train", "evaluate", "compare", "card", "report", "track"])
def test_an_interrupted_run_leaves_the_last_build(
    done: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    """Ctrl-C in any stage changes nothing."""
    edit_params(done, gates={"margin": "2%"})
    before = snapshot(done)

    @contextmanager
    def interrupt(_: PlainConsole, name: str) -> Iterator[None]:
        yield
        if name == stage:
            raise KeyboardInterrupt

    monkeypatch.setattr(PlainConsole, "stage", interrupt)
    result = mlops("run")

    assert 130 == result.exit_code
    assert "build/ is as it was" in result.output
    assert before == snapshot(done)


def test_params_with_a_typo_are_reported(done: Path) -> None:
    """Even when the settings cannot be read there is a report."""
    edit_params(done, train={"fold": 3})

    result = mlops("run")

    assert 1 == result.exit_code
    assert "unknown key train.fold, did you mean 'folds'?" in (done / "build" / "report.md").read_text()


def test_stages_one_by_one_give_the_same_as_a_run(project: Path, finished: Path) -> None:
    """Validate, train, evaluate, compare and report make what run makes."""
    for verb in ("validate", "train", "evaluate", "compare", "card", "report"):
        result = mlops(verb)
        assert 0 == result.exit_code, result.output

    first = read_records(finished / "build").comparison
    second = read_records(project / "build").comparison
    assert first is not None
    assert second is not None
    assert (first.verdict, first.difference) == (second.verdict, second.difference)
    assert [gate.passed for gate in first.gates] == [gate.passed for gate in second.gates]
    assert [] == [name for name in OUTPUTS if not (project / "build" / name).exists()]


def test_a_stage_that_cannot_be_done_again_loses_nothing(done: Path) -> None:
    """With settings that cannot be read, the records of the last build stay, and the report says why."""
    edit_params(done, train={"fold": 3})

    result = mlops("report")

    assert 1 == result.exit_code
    assert (done / "build" / "evaluation.json").is_file()
    report = (done / "build" / "report.md").read_text()
    assert report.startswith("### ❌ The run failed while reading params.yaml")


def test_evaluate_needs_a_trained_model(project: Path) -> None:
    """Nothing is guessed: the sentence names the command."""
    result = mlops("evaluate")

    assert 1 == result.exit_code
    assert "run 'mlops train'" in result.output


def test_a_deleted_store_is_made_again(done: Path) -> None:
    """Losing the notebook loses nothing that matters."""
    (done / "mlflow.db").unlink()
    shutil.rmtree(done / "mlruns", ignore_errors=True)
    edit_params(done, gates={"margin": "3%"})

    assert 0 == mlops("run").exit_code
    assert (done / "mlflow.db").is_file()


def test_one_stage_keeps_the_model_and_leaves_a_report(done: Path) -> None:
    """To validate again costs no training, and the report says how far it went."""
    model = (done / "build" / "challenger.skops").read_bytes()

    result = mlops("validate")

    assert 0 == result.exit_code, result.output
    assert model == (done / "build" / "challenger.skops").read_bytes()
    assert (done / "build" / "bundle" / "MANIFEST.json").is_file()
    assert (done / "build" / "report.md").is_file()


def test_a_new_report_does_not_hide_new_gates(done: Path) -> None:
    """Only a whole run may say that nothing has changed since."""
    edit_params(done, gates={"max_size_mb": 0.000001})
    mlops("report")

    mlops("run")
    comparison = read_records(done / "build").comparison

    assert comparison is not None
    assert not comparison.passed


def test_a_damaged_model_is_trained_again(done: Path) -> None:
    """The command that the error would recommend must not end in the same error."""
    model = done / "build" / "challenger.skops"
    model.write_bytes(model.read_bytes()[:100])
    edit_params(done, gates={"margin": "2%"})

    result = mlops("run")

    assert 0 == result.exit_code, result.output
    assert not read_records(done / "build").run.reused


def test_a_half_written_bundle_does_not_replace_a_whole_one(
    done: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure before its manifest is written leaves the last one in its place."""
    manifest = (done / "build" / "bundle" / "MANIFEST.json").read_bytes()
    edit_params(done, train={"seed": 3})
    monkeypatch.setattr(card, "render_card", lambda *_: 1 / 0)

    mlops("run")

    assert manifest == (done / "build" / "bundle" / "MANIFEST.json").read_bytes()

"""Runs of a project that has a champion."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from gitops_ml.core.records import ComparisonRecord, Records, read_records
from gitops_ml.training import train as training
from toys import edit_params, enter, mlops, replay_here


def enthrone(root: Path, bundle: Path) -> None:
    """Put a champion and the files of its branch where the workflow puts them."""
    shutil.copytree(bundle, root / "champion" / "bundle")
    (root / "champion" / "model.json").write_text(json.dumps({"version": 3}))
    (root / "base").mkdir()
    for name in ("params.yaml", "data.lock"):
        shutil.copy(root / name, root / "base" / name)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the champion predict in this process."""
    replay_here(monkeypatch)


@pytest.fixture
def contested(project: Path, finished: Path) -> Path:
    """A project without a build, like a fresh checkout, whose champion is what it would train."""
    enthrone(project, finished / "build" / "bundle")
    return project


@pytest.fixture(scope="module")
def seeded(accepted: Path, finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project after a run with another seed and a new file against the champion; copy it."""
    root = tmp_path_factory.mktemp("seeded")
    shutil.copytree(accepted, root, dirs_exist_ok=True)
    enthrone(root, finished / "build/bundle")
    lock = yaml.safe_load((root / "data.lock").read_text())
    lock["files"] = lock["files"][:1]
    (root / "base/data.lock").write_text(yaml.safe_dump(lock))
    edit_params(root, train={"seed": 7})
    with pytest.MonkeyPatch.context() as patch:
        enter(root, patch)
        replay_here(patch)
        run(root)
    return root


@pytest.fixture
def compared(seeded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that project to work in; it is the current folder."""
    shutil.copytree(seeded, tmp_path, dirs_exist_ok=True)
    enter(tmp_path, monkeypatch)
    return tmp_path


def compare(root: Path) -> ComparisonRecord:
    comparison = run(root).comparison
    assert comparison is not None
    return comparison


def run(root: Path) -> Records:
    result = mlops("run")
    assert 0 == result.exit_code, result.output
    return read_records(root / "build")


def test_nothing_is_trained_where_nothing_that_matters_has_changed(
    contested: Path, monkeypatch: pytest.MonkeyPatch, finished: Path
) -> None:
    """The champion is taken over, and its numbers are shown."""
    monkeypatch.setattr(training, "train", lambda *_: 1 / 0)
    (contested / "README.md").write_text("# Better words\n")
    records = run(contested)
    assert records.comparison is not None
    assert records.comparison.champion is not None
    assert (True, "no worse") == (records.comparison.champion.same, records.comparison.verdict)
    evaluation = read_records(finished / "build").evaluation
    assert records.evaluation is not None
    assert evaluation is not None
    assert evaluation.metrics == records.evaluation.metrics
    report = (contested / "build" / "report.md").read_text()
    assert report.startswith("### ✅ Nothing that can change the model has changed")
    assert "Production runs this very model, champion v3" in report
    assert 0 == mlops("gate").exit_code


def test_a_challenger_is_compared_with_the_champion(seeded: Path) -> None:
    """A new seed gives a new model; the report shows both on the same rows, and what was changed."""
    comparison = read_records(seeded / "build").comparison
    assert comparison is not None
    assert comparison.champion is not None
    assert ("champion", 3, None) == (
        comparison.against,
        comparison.champion.version,
        comparison.champion.obstacle,
    )
    assert {"no worse than champion", "slices"} <= {gate.name for gate in comparison.gates}
    report = (seeded / "build" / "report.md").read_text()
    assert "| Metric | Challenger | Champion v3 | Better by |" in report
    assert "| `train.seed` | `2013` | `7` |" in report
    page = (seeded / "build" / "report.html").read_text()
    assert "Against champion v3" in page


def test_a_worse_challenger_is_kept_out(contested: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate says so in one line, with exit status 1; a waiver lets it pass and is shown."""
    monkeypatch.setattr("gitops_ml.core.project.load_candidates", lambda: spoiled)
    edit_params(contested, train={"seed": 8, "candidates": ["lazy"]}, gates={"margin": 0})
    assert "worse" == compare(contested).verdict
    failed = mlops("gate")
    assert 1 == failed.exit_code
    assert "gate 'no worse than champion' does not hold" in failed.stderr

    gates = ["no worse than champion", "slices", "beats baseline"]
    waivers = [{"gate": gate, "reason": "we must", "until": "2999-12-31"} for gate in gates]
    edit_params(contested, gates={"waive": waivers})
    assert 0 == mlops("compare").exit_code
    passed = mlops("gate")
    assert 0 == passed.exit_code, passed.output
    assert "'no worse than champion' is waived until 2999-12-31" in passed.stdout
    assert "**Waived** until 2999-12-31: we must" in (contested / "build" / "report.md").read_text()


def spoiled(seed: int) -> dict[str, object]:
    """Return a model that looks at nothing."""
    from toy_binary.models import baseline

    return {"lazy": baseline()}


def test_new_data_are_told_with_their_drift(seeded: Path) -> None:
    """Rows added since the base branch are compared with the champion's training data."""
    changes = read_records(seeded / "build").changes
    assert changes is not None
    assert changes.files is not None
    assert [("data/flights-2013-02.parquet", "added")] == [(one.path, one.change) for one in changes.files]
    assert changes.files[0].rows == changes.new_rows
    assert changes.drift
    assert "➕ added" in (seeded / "build" / "report.md").read_text()


def test_another_target_is_no_comparison(compared: Path) -> None:
    """The champion's answer to another question says nothing; the gate blocks and says why."""
    champion = compared / "champion" / "bundle"
    contract = json.loads((champion / "contract.json").read_text()) | {"target": "something else"}
    (champion / "contract.json").write_text(json.dumps(contract))
    from gitops_ml.bundle.manifest import write_manifest

    write_manifest(champion)
    comparison = compare(compared)
    assert ("cannot tell", None) == (comparison.verdict, comparison.difference)
    assert "predicts 'something else'" in mlops("gate").stderr


def test_a_new_champion_needs_a_new_verdict(compared: Path) -> None:
    """The build of yesterday was compared with yesterday's champion."""
    (compared / "champion" / "model.json").write_text(json.dumps({"version": 4}))
    comparison = compare(compared)
    assert comparison.champion is not None
    assert 4 == comparison.champion.version


def test_a_champion_can_be_named_on_the_command_line(done: Path, finished: Path) -> None:
    """To compare on a laptop with any bundle."""
    result = mlops("compare", "--champion", str(finished / "build" / "bundle"))
    assert 0 == result.exit_code, result.output
    comparison = read_records(done / "build").comparison
    assert comparison is not None
    assert comparison.champion is not None
    assert comparison.champion.same


@pytest.mark.parametrize("verb", ["run", "compare"])
def test_a_champion_that_is_not_there_is_an_error(done: Path, verb: str) -> None:
    """A typo must not look like a first run."""
    result = mlops(verb, "--champion", "nowhere")
    assert 1 == result.exit_code
    assert "nowhere holds no bundle" in result.stderr


def test_a_damaged_champion_is_an_error(contested: Path) -> None:
    """What is not as its manifest says is not run, and the report says so."""
    (contested / "champion" / "bundle" / "model.skops").write_bytes(b"x")
    result = mlops("run")
    assert 1 == result.exit_code
    assert "model.skops has changed" in result.stderr
    assert "model.skops has changed" in (contested / "build" / "report.md").read_text()

"""The whole lifecycle on the problems that the other tests say little of: many classes, and a number."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from gitops_ml.bundle.golden import GoldenRecord
from gitops_ml.core.records import Records, read_records
from gitops_ml.serving.model import load
from services import open_client
from toys import PROJECTS, copy_project, edit_params, enter, mlops, run

CLASSES = ["early", "late", "on time"]
LOAD = """
import json, sys
from gitops_ml import load_bundle
from gitops_ml.bundle.golden import replay_golden
bundle = load_bundle(sys.argv[1])
print(json.dumps([bundle.contract.problem, replay_golden(bundle.model, bundle.folder, bundle.contract)]))
"""


@pytest.fixture(scope="module", params=["multiclass", "regression"])
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A toy project after two runs: the linear model of the first is the champion of the second."""
    root = tmp_path_factory.mktemp(request.param)
    copy_project(root, PROJECTS / request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gitops_ml.core.project._chosen", f"toy_{request.param}")
        enter(root, patch)
        run("data", "accept")
        run("run")
        shutil.copytree("build", "first")
        shutil.copytree("build/bundle", "champion/bundle")
        Path("champion/model.json").write_text(json.dumps({"version": 1}))
        edit_params(root, train={"candidates": ["boosting", "linear"]}, split={"test_share": 0.3})
        run("run")
        yield root


@pytest.fixture
def first(root: Path) -> Records:
    """The records of the first run."""
    return read_records(root / "first")


@pytest.fixture
def second(root: Path) -> Records:
    """The records of the second run."""
    return read_records(root / "build")


def test_the_first_model_beats_the_baseline(first: Records) -> None:
    """Without a champion the baseline is what it is compared with, and the gates hold."""
    assert first.training is not None
    assert first.comparison is not None
    assert (CLASSES if first.training.metric == "log_loss" else []) == first.training.classes
    assert ("baseline", "better", []) == (
        first.comparison.against,
        first.comparison.verdict,
        [gate.name for gate in first.comparison.gates if not gate.passed],
    )


def test_every_metric_and_slice_is_measured(root: Path, first: Records) -> None:
    """Each in its interval, for the model and for the baseline."""
    assert first.evaluation is not None
    names = yaml.safe_load((root / "params.yaml").read_text())["evaluate"]["metrics"]
    assert names == [metric.name for metric in first.evaluation.metrics]
    for metric in first.evaluation.metrics:
        for estimate in (metric.model, metric.baseline):
            assert estimate.low <= estimate.value <= estimate.high
    assert first.evaluation.slices


def test_the_second_model_is_compared_with_the_first(second: Records) -> None:
    """On the same rows, none of which the champion was trained on; rows it may know are left out."""
    assert second.comparison is not None
    assert second.evaluation is not None
    champion = second.comparison.champion
    assert champion is not None
    assert ("champion", None, 1) == (second.comparison.against, champion.obstacle, champion.version)
    assert second.comparison.difference is not None
    assert [metric.name for metric in second.evaluation.metrics] == [one.name for one in champion.metrics]
    assert second.evaluation.rows == champion.rows + champion.known_rows
    assert champion.known_rows > 0


def test_the_verdict_follows_from_the_interval(second: Records) -> None:
    """Of the difference, up being good, and the margin."""
    assert second.comparison is not None
    difference, margin = second.comparison.difference, second.comparison.margin
    assert difference is not None
    if difference.low > 0:
        expected = "better"
    elif difference.low > -margin:
        expected = "no worse"
    else:
        expected = "worse" if difference.high < 0 else "cannot tell"
    assert expected == second.comparison.verdict


def test_the_gate_says_what_the_report_says(root: Path, second: Records) -> None:
    """A failed gate is named, and ends with exit status 1."""
    assert second.comparison is not None
    result = mlops("gate")
    assert (0 if second.comparison.passed else 1) == result.exit_code
    failed = [gate.name for gate in second.comparison.gates if gate.blocks]
    assert all(name in result.output for name in failed)


def test_report_page_and_card_speak_of_both_models(root: Path, second: Records) -> None:
    """The table compares them; the card lists each metric."""
    assert second.evaluation is not None
    report = (root / "build/report.md").read_text()
    assert "| Metric | Challenger | Champion v1 | Better by |" in report
    assert "Against champion v1" in (root / "build/report.html").read_text()
    front = yaml.safe_load((root / "build/model_card.md").read_text().split("---\n")[1])
    (entry,) = front["model-index"]
    metrics = [metric["type"] for metric in entry["results"][0]["metrics"]]
    assert [metric.name for metric in second.evaluation.metrics] == metrics


def test_the_bundle_is_loaded_anywhere(root: Path, tmp_path: Path) -> None:
    """By two lines, in a folder that is no project, with the code that it keeps; and it answers as it did."""
    path = os.pathsep.join(entry for entry in sys.path if "projects" not in entry)
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(root / "build/bundle")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        check=True,
    )
    problem = yaml.safe_load((root / "params.yaml").read_text())["problem"]
    assert [problem, True] == json.loads(done.stdout)


def test_the_service_answers_as_the_bundle_says(root: Path) -> None:
    """With a probability for each class, or with a value."""
    bundle = root / "build/bundle"
    golden = GoldenRecord.read(bundle)
    with open_client(load(bundle, {})) as client:
        answer = client.post("/predict", json=golden.inputs)
    assert 200 == answer.status_code
    predictions = answer.json()["predictions"]
    if "value" in predictions[0]:
        assert golden.outputs == [one["value"] for one in predictions]
    else:
        assert golden.outputs == [[one["probabilities"][name] for name in CLASSES] for one in predictions]
        assert all(
            one["label"] == max(one["probabilities"], key=one["probabilities"].get) for one in predictions
        )

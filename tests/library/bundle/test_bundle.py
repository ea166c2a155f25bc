"""A bundle holds all that is deployed, and is refused when it is not as its manifest says."""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from gitops_ml.bundle import bundle, manifest
from gitops_ml.bundle.golden import GOLDEN_ROWS, GoldenRecord, replay_golden
from gitops_ml.contract.export import restore_frame, to_json
from gitops_ml.core import records
from gitops_ml.core.errors import LifecycleError
from gitops_ml.core.settings import Settings
from gitops_ml.data.split import Split, features_and_target
from toy_binary.features import tree_features
from toy_binary.schema import Contract
from toys import BINARY

FILES = {
    "model.skops",
    "contract.json",
    "profile.json",
    "golden.json",
    "metrics.json",
    "training.json",
    "code/toy_binary/__init__.py",
    "code/toy_binary/features.py",
    "code/toy_binary/models.py",
    "code/toy_binary/schema.py",
    "lineage.json",
    "model_card.md",
    "requirements.txt",
}


@pytest.fixture(scope="module")
def split(raw: pd.DataFrame) -> Split:
    """A few hundred rows in two parts."""
    frame = Contract.validate(raw)
    return Split(frame[:600], frame[600:].reset_index(drop=True), "2013-01-20T00:00:00")


@pytest.fixture(scope="module")
def model(split: Split, settings: Settings) -> BaseEstimator:
    """A small tree."""
    trees = {"classification": DecisionTreeClassifier, "regression": DecisionTreeRegressor}
    tree = trees[settings.problem](max_depth=4, random_state=0)
    return make_pipeline(tree_features(), tree).fit(*features_and_target(split.train, settings))


@pytest.fixture(scope="module")
def run(split: Split, model: BaseEstimator, settings: Settings) -> records.Records:
    """What is known of the run that made the model."""
    number = records.Estimate(value=0.7, low=0.6, high=0.8)
    metric = records.MetricResult(
        name=settings.train.metric, greater_is_better=True, model=number, baseline=number, difference=number
    )
    features, _ = features_and_target(split.train, settings)
    return records.Records(
        run=records.RunRecord(
            status="finished", stage="evaluate", commit="c0ffee", started="", python="3.11.0", libraries={}
        ),
        training=records.TrainingRecord(
            run_key="0123456789abcdef",
            challenger="tree",
            estimator="Pipeline(...)",
            metric=settings.train.metric,
            greater_is_better=True,
            candidates=[],
            train_rows=600,
            test_rows=200,
            boundary=split.boundary,
            features=features.columns.tolist(),
            classes=[str(label) for label in getattr(model, "classes_", [])],
            seed=0,
            seconds=1.0,
        ),
        evaluation=records.EvaluationRecord(
            rows=200, metrics=[metric], latency_ms=1.0, batch_rows_per_second=1.0
        ),
    )


Make = Callable[[Path], Path]


@pytest.fixture(scope="module")
def make(split: Split, model: BaseEstimator, settings: Settings, run: records.Records) -> Make:
    """How a bundle is made: written, given its card and its manifest."""

    def write(root: Path) -> Path:
        (root / "data.lock").write_text("version: 1\n")
        (root / "requirements.txt").touch()
        bundle.write_bundle(root / "bundle", model, split, settings, run, root)
        (root / "bundle" / "model_card.md").write_text("# Card\n")
        manifest.write_manifest(root / "bundle")
        return root / "bundle"

    return write


@pytest.fixture(scope="module")
def written(make: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle to read."""
    return make(tmp_path_factory.mktemp("written"))


@pytest.fixture
def copied(written: Path, tmp_path: Path) -> Path:
    """A bundle to tamper with."""
    return Path(shutil.copytree(written, tmp_path / "bundle"))


def test_a_bundle_has_every_file(written: Path) -> None:
    """Nothing is missing, nothing half-written is left."""
    names = {path.relative_to(written).as_posix() for path in written.rglob("*") if path.is_file()}
    assert FILES | {"MANIFEST.json"} == names


def test_the_manifest_has_the_digest_of_each_file(written: Path) -> None:
    """Anybody can check a bundle with sha256sum."""
    files = json.loads((written / "MANIFEST.json").read_text())["files"]
    expected = {
        name: (sha256((written / name).read_bytes()).hexdigest(), (written / name).stat().st_size)
        for name in FILES
    }
    assert expected == {name: (file["sha256"], file["size"]) for name, file in files.items()}


def test_the_same_inputs_give_the_same_bytes(make: Make, written: Path, tmp_path: Path) -> None:
    """A rebuild on another day, in another folder, is the same bundle."""
    assert (written / "MANIFEST.json").read_bytes() == (make(tmp_path) / "MANIFEST.json").read_bytes()


def test_a_loaded_bundle_answers_as_golden_json_says(written: Path) -> None:
    """Rows read from JSON, typed by the contract, give the outputs in the file, bit for bit."""
    loaded, expected = bundle.load_bundle(written), GoldenRecord.read(written)
    predict = getattr(loaded.model, "predict_proba", loaded.model.predict)
    np.testing.assert_array_equal(expected.outputs, predict(restore_frame(expected.inputs, loaded.contract)))
    assert replay_golden(loaded.model, written, loaded.contract)


def test_a_model_that_answers_otherwise_is_noticed(written: Path, copied: Path) -> None:
    """A new version of a library, or edited features, may change what a model predicts."""
    loaded, golden = bundle.load_bundle(written), GoldenRecord.read(copied)
    outputs = (np.asarray(golden.outputs) + 1e-3).tolist()
    golden.model_copy(update={"outputs": outputs}).write(copied)
    assert not replay_golden(loaded.model, copied, loaded.contract)


def test_golden_rows_are_spread_over_the_test_part(written: Path, split: Split, settings: Settings) -> None:
    """Twenty rows, the first and the last of the test part among them, and only what a model sees."""
    golden = GoldenRecord.read(written)
    features, _ = features_and_target(split.test, settings)
    assert GOLDEN_ROWS == len(golden.inputs) == len(golden.outputs)
    for expected, actual in zip(features.iloc[[0, -1]].to_dict("records"), golden.inputs[::19], strict=True):
        assert {name: to_json(value) for name, value in expected.items()} == actual


def test_the_code_of_the_model_is_kept(written: Path) -> None:
    """So that a commit which edits it can still be compared with this model."""
    for path in (BINARY / "src/toy_binary").glob("*.py"):
        assert path.read_bytes() == (written / "code/toy_binary" / path.name).read_bytes()
    assert ["toy_binary"] == [path.name for path in (written / "code").iterdir()]


def test_no_file_holds_what_json_does_not_know(written: Path) -> None:
    """NaN and infinity are no JSON; other languages refuse them."""
    for path in written.glob("*.json"):
        json.loads(path.read_text(), parse_constant=pytest.fail)


def test_the_lineage_names_what_the_model_comes_from(written: Path) -> None:
    """The commit, the run key and the digest of the data."""
    lineage = bundle.load_bundle(written).lineage
    assert ("c0ffee", "0123456789abcdef", "tree") == (lineage.commit, lineage.run_key, lineage.challenger)
    assert sha256(b"version: 1\n").hexdigest() == lineage.data_lock
    assert lineage.boundary == "2013-01-20T00:00:00"


@pytest.mark.parametrize(
    ("python", "library", "fits"),
    [("", "", True), ("2.7.18", "", False), ("", "0.24.2", False)],
)
def test_a_model_belongs_to_a_python_and_a_scikit_learn(
    written: Path, python: str, library: str, fits: bool
) -> None:
    """Served with another minor version of Python, or another scikit-learn, it is refused."""
    libraries = {"scikit-learn": library or version("scikit-learn")}
    lineage = manifest.LineageRecord.read(written).model_copy(
        update={"python": python or platform.python_version(), "libraries": libraries}
    )
    expectation = nullcontext() if fits else pytest.raises(LifecycleError, match="The model was made with")
    with expectation:
        bundle.require_runtime(lineage)


def test_requirements_are_pinned_and_lean(written: Path) -> None:
    """What trains, tracks and draws is not needed to serve."""
    lines = (written / "requirements.txt").read_text().splitlines()
    names = {line.partition("==")[0] for line in lines}
    assert all("==" in line for line in lines)
    assert {"scikit-learn", "numpy", "pandas", "skops"} <= names
    assert not {"mlflow", "matplotlib", "pandera", "pytest", "lightgbm", "xgboost"} & names


def test_writing_again_leaves_no_old_manifest(make: Make, written: Path, tmp_path: Path) -> None:
    """A manifest never speaks of files of another run."""
    folder = make(tmp_path)
    (folder / "leftover").touch()
    make(tmp_path)
    manifest.verify_bundle(folder)
    assert not (folder / "leftover").exists()


def test_the_size_is_that_of_the_files(copied: Path) -> None:
    """The gate on the size counts bytes of files that are deployed."""
    expected = sum((copied / name).stat().st_size for name in FILES)
    assert expected == manifest.measure_bundle(copied)


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_changed_file_is_refused(name: str, copied: Path) -> None:
    """One byte is enough, and the sentence names the file."""
    content = bytearray((copied / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copied / name).write_bytes(content)
    with pytest.raises(LifecycleError, match=f"not as its manifest says: {name} has changed"):
        bundle.load_bundle(copied)


def test_a_missing_file_is_refused(copied: Path) -> None:
    """A bundle is whole or nothing."""
    (copied / "profile.json").unlink()
    with pytest.raises(LifecycleError, match=r"profile\.json is missing"):
        bundle.load_bundle(copied)


def test_an_extra_file_is_refused(copied: Path) -> None:
    """Also below a folder, also with the name of the manifest."""
    (copied / "more").mkdir()
    (copied / "more" / "MANIFEST.json").touch()
    with pytest.raises(LifecycleError, match=r"more/MANIFEST\.json does not belong to it"):
        bundle.load_bundle(copied)


def test_a_bundle_without_a_manifest_is_refused(copied: Path) -> None:
    """A run that died before the manifest was written left nothing to deploy."""
    (copied / "MANIFEST.json").unlink()
    with pytest.raises(LifecycleError, match=r"MANIFEST\.json is missing"):
        bundle.load_bundle(copied)


def test_a_broken_manifest_is_refused(copied: Path) -> None:
    """A manifest that cannot be read proves nothing."""
    (copied / "MANIFEST.json").write_text("{")
    with pytest.raises(LifecycleError, match=r"MANIFEST\.json is no"):
        bundle.load_bundle(copied)


def test_another_code_of_that_name_is_refused(tmp_path: Path) -> None:
    """A model must not predict with code that it was not made with."""
    (tmp_path / "code/toy_binary").mkdir(parents=True)
    manifest.write_manifest(tmp_path)

    with pytest.raises(LifecycleError, match=r"is imported from .* in a process of its own"):
        bundle.open_bundle(tmp_path)

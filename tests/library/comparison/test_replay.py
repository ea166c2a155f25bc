"""A champion answers in a process of its own, with the code that it was made with."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from gitops_ml.bundle.bundle import load_bundle
from gitops_ml.bundle.golden import GoldenRecord
from gitops_ml.bundle.manifest import write_manifest
from gitops_ml.bundle.model_file import save_model
from gitops_ml.comparison.champion import locate_champion, read_champion
from gitops_ml.comparison.replay import IncomparableError, replay
from gitops_ml.contract.export import ContractRecord, restore_frame
from gitops_ml.core.errors import LifecycleError
from gitops_ml.metrics.prediction import predict
from toy_binary import features

TIMEOUT = 120


@pytest.fixture
def bundle(finished: Path, tmp_path: Path) -> Path:
    """The bundle of a finished run, to change, with a new manifest."""
    return Path(shutil.copytree(finished / "build" / "bundle", tmp_path / "bundle"))


def read_golden(bundle: Path) -> pd.DataFrame:
    return restore_frame(GoldenRecord.read(bundle).inputs, ContractRecord.read(bundle))


def double(X: Any) -> np.ndarray:
    """Return a number of each row."""
    return np.asarray(X["distance"].to_numpy(dtype=float)[:, None] * 2)


class Echo(DummyRegressor):
    """Predicts what it is given."""

    def predict(self, X: Any) -> np.ndarray:
        return np.asarray(X)[:, 0]


def test_a_champion_answers_as_it_would_here(bundle: Path) -> None:
    """Over the border of a process nothing is lost: same labels, same numbers, same classes."""
    rows = read_golden(bundle)
    model = load_bundle(bundle).model
    expected, found = predict(model, rows), replay(bundle, rows, TIMEOUT)
    np.testing.assert_array_equal(expected.label, found.prediction.label)
    if expected.probability is not None:
        np.testing.assert_array_equal(expected.probability, found.prediction.probability)
        np.testing.assert_array_equal(model.classes_, found.classes)


def test_a_champion_runs_its_own_code(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that this commit no longer has, or has edited, is that of the champion's bundle."""
    for thing in (double, Echo):
        monkeypatch.setattr(thing, "__module__", features.__name__)
        monkeypatch.setattr(features, thing.__name__, thing, raising=False)
    rows = read_golden(bundle)
    save_model(make_pipeline(FunctionTransformer(double), Echo().fit([[0]], [0])), bundle / "model.skops")
    monkeypatch.undo()
    code = bundle / "code" / "toy_binary" / "features.py"
    code.write_text(code.read_text() + OLD_CODE)
    golden = GoldenRecord.read(bundle)
    golden.model_copy(update={"outputs": (3 * rows["distance"].astype(float)).tolist()}).write(bundle)
    write_manifest(bundle)

    found = replay(bundle, rows, TIMEOUT)

    assert not hasattr(features, "double")
    assert (3 * rows["distance"]).tolist() == found.prediction.label.tolist()
    assert [] == list(bundle.rglob("__pycache__"))


OLD_CODE = """

def double(X):
    return X["distance"].to_numpy(dtype=float)[:, None] * 3


from sklearn.dummy import DummyRegressor


class Echo(DummyRegressor):
    def predict(self, X):
        return np.asarray(X)[:, 0]
"""


def test_a_champion_that_no_longer_answers_as_it_did_is_not_compared(bundle: Path) -> None:
    """New libraries may change what a model predicts: that would be another model."""
    golden = GoldenRecord.read(bundle)
    outputs = (np.asarray(golden.outputs) + 0.01).tolist()
    golden.model_copy(update={"outputs": outputs}).write(bundle)
    write_manifest(bundle)
    with pytest.raises(IncomparableError, match="no longer predicts what it did"):
        replay(bundle, read_golden(bundle), TIMEOUT)


def test_a_champion_whose_code_fails_is_not_compared(bundle: Path) -> None:
    """The reason is one line of what it raised."""
    (bundle / "code" / "toy_binary" / "features.py").write_text("raise RuntimeError('no luck\\nat all')\n")
    write_manifest(bundle)
    with pytest.raises(IncomparableError, match=r"^its model raised RuntimeError: no luck$"):
        replay(bundle, read_golden(bundle), TIMEOUT)


def test_a_champion_that_hangs_is_not_waited_for(bundle: Path) -> None:
    """The others have the runner for a limited time too."""
    (bundle / "code" / "toy_binary" / "features.py").write_text("import time\n\ntime.sleep(60)\n")
    write_manifest(bundle)
    with pytest.raises(IncomparableError, match="its model took over 4 s to predict"):
        replay(bundle, read_golden(bundle), 4)


def test_a_champion_is_found_where_the_workflow_puts_it(bundle: Path, tmp_path: Path) -> None:
    """``champion/bundle`` of the project, with its version beside it; none is the first run."""
    assert locate_champion(tmp_path, None) is None
    place = tmp_path / "champion" / "bundle"
    shutil.copytree(bundle, place)
    (tmp_path / "champion" / "model.json").write_text('{"version": 3}')
    assert place == locate_champion(tmp_path, None)
    assert 3 == read_champion(place).version


def test_a_champion_can_be_named(bundle: Path, tmp_path: Path) -> None:
    """A bundle, or the folder it stands in; such a one has no version."""
    assert bundle == locate_champion(tmp_path / "elsewhere", bundle)
    assert bundle == locate_champion(tmp_path / "elsewhere", bundle.parent)
    assert read_champion(bundle).version is None


def test_a_named_champion_must_be_there(tmp_path: Path) -> None:
    """A typo must not look like a first run."""
    with pytest.raises(LifecycleError, match=r"nothing holds no bundle: MANIFEST\.json is missing"):
        locate_champion(tmp_path, tmp_path / "nothing")


def test_a_tampered_champion_is_refused(bundle: Path) -> None:
    """What is not as its manifest says is neither read nor run."""
    (bundle / "code" / "toy_binary" / "features.py").write_text("print('hello')\n")
    with pytest.raises(LifecycleError, match=r"code/toy_binary/features\.py has changed"):
        read_champion(bundle)


def test_a_champion_without_a_readable_state_is_refused(bundle: Path) -> None:
    """Half a download is no version."""
    (bundle.parent / "model.json").write_text("[")
    with pytest.raises(LifecycleError, match=r"model\.json is no JSON object"):
        read_champion(bundle)

"""Models survive as files, and files that were tampered with are refused."""

from __future__ import annotations

import importlib
import io
import json
import pickle
import pkgutil
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from scipy.stats import loguniform
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import gitops_ml
from gitops_ml.bundle import model_file
from gitops_ml.bundle.bundle import write_bundle
from gitops_ml.core.errors import LifecycleError
from toy_binary import features

PACKAGE = "toy_binary"
ROWS = 200


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """A small table with a number, a category and a date, some values missing."""
    random = np.random.default_rng(0)
    levels = pd.Series(["a", "b", None] * ROWS)[:ROWS]
    table = pd.DataFrame({"number": random.normal(size=ROWS), "level": levels})
    table["date"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(ROWS), unit="h")
    table.loc[::7, "number"] = np.nan
    return table


@pytest.fixture(scope="module")
def target() -> np.ndarray:
    """Two classes."""
    return np.arange(ROWS) % 3 == 0


def linear() -> BaseEstimator:
    """A linear model on linear features."""
    return make_pipeline(features.linear_features(), LogisticRegression())


def forest() -> BaseEstimator:
    """A forest, whose nodes have gaps between their fields."""
    return make_pipeline(features.tree_features(), RandomForestClassifier(5, random_state=0))


def boosting() -> BaseEstimator:
    """Boosting with categorical features, which keeps functions of scikit-learn."""
    return make_pipeline(
        features.tree_features(), HistGradientBoostingClassifier(max_iter=3, categorical_features=[1])
    )


@pytest.mark.parametrize("make", [linear, forest, boosting])
def test_a_loaded_model_predicts_identically(
    make: Any, table: pd.DataFrame, target: np.ndarray, tmp_path: Path
) -> None:
    """What is loaded gives the probabilities of what was saved, bit for bit."""
    model = make().fit(table, target)
    model_file.save_model(model, tmp_path / "m.skops")
    loaded = model_file.load_model(tmp_path / "m.skops")
    np.testing.assert_array_equal(model.predict_proba(table), loaded.predict_proba(table))


@pytest.mark.parametrize("make", [linear, forest, boosting])
def test_the_same_model_gives_the_same_bytes(
    make: Any, table: pd.DataFrame, target: np.ndarray, tmp_path: Path
) -> None:
    """Neither addresses in memory nor the time show in the file, not even after it was loaded."""
    first, second, third = (tmp_path / name for name in ("1.skops", "2.skops", "3.skops"))
    model = make().fit(table, target)
    model_file.save_model(model, first)
    model_file.save_model(pickle.loads(pickle.dumps(model)), second)
    model_file.save_model(model_file.load_model(first), third)
    assert first.read_bytes() == second.read_bytes() == third.read_bytes()


def test_sets_are_written_in_order(tmp_path: Path) -> None:
    """The order in which Python happens to list a set does not show in the file."""
    words = [f"word{number}" for number in range(50)]
    for name, order in (("1.skops", words), ("2.skops", words[::-1])):
        model_file.save_model(CountVectorizer(stop_words=set(order)), tmp_path / name)
    assert (tmp_path / "1.skops").read_bytes() == (tmp_path / "2.skops").read_bytes()
    assert set(words) == model_file.load_model(tmp_path / "1.skops").stop_words


def test_what_was_one_object_stays_one(tmp_path: Path) -> None:
    """Two attributes that share an array share it after loading; equal ones stay apart."""
    model = LogisticRegression()
    model.one = model.same = np.arange(3)
    model.other = np.arange(3)
    model_file.save_model(model, tmp_path / "m.skops")
    loaded = model_file.load_model(tmp_path / "m.skops")
    assert loaded.one is loaded.same
    assert loaded.one is not loaded.other


def test_a_search_is_kept_as_the_estimator_it_found(
    table: pd.DataFrame, target: np.ndarray, tmp_path: Path
) -> None:
    """A search predicts with its best estimator; wall times and distributions stay out of the file."""
    grid = {"C": loguniform(0.1, 10)}
    search = RandomizedSearchCV(LogisticRegression(), grid, n_iter=2, cv=2, random_state=0)
    model = make_pipeline(features.linear_features(), search).fit(table, target)
    model_file.save_model(model, tmp_path / "m.skops")
    loaded = model_file.load_model(tmp_path / "m.skops")
    assert isinstance(loaded[-1], LogisticRegression)
    np.testing.assert_array_equal(model.predict_proba(table), loaded.predict_proba(table))


@pytest.mark.parametrize(
    "name",
    [
        "sklearn.compose._column_transformer.make_column_selector",
        "sklearn.tree._tree.Tree",
        "sklearn.metrics._ranking.roc_auc_score",
        "sklearn.utils.validation.check_array",
        f"{PACKAGE}.features.calendar_parts",
    ],
)
def test_known_types_are_trusted(name: str) -> None:
    """What models are made of may be loaded."""
    assert model_file.is_trusted(name)


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "posix.system",
        "builtins.eval",
        "subprocess.Popen",
        "operator.methodcaller",
        "numpy.memmap",
        "numpy.fromfile",
        "numpy.testing._private.utils.runstring",
        "pandas.eval",
        "pandas.core.computation.eval.eval",
        "pandas.io.pickle.read_pickle",
        "scipy.stats._distn_infrastructure.rv_continuous_frozen",  # runs code from its state
        "sklearn.datasets._base.load_files",
        "sklearn.utils._testing.TempMemmap",
        "sklearn.utils.validation.check_X_y",
        "sklearn.base.clone",
        "sklearn.pipeline.Parallel",  # imported there, defined elsewhere
        "sklearn.metrics._ranking.np",
        "sklearn.no_such_module.Thing",
        "sklearn..Thing",
        "sklearn",
        "",
        f"{PACKAGE}.features.OrdinalEncoder",
        f"{PACKAGE}.features.np",
        f"{PACKAGE}_other.features.calendar_parts",
    ],
)
def test_everything_else_is_refused(name: str) -> None:
    """To come from a known package is not enough: a file calls what it names."""
    assert not model_file.is_trusted(name)


def list_library_names() -> list[str]:
    """Return every name of every module of the library, imported ones included."""
    found = pkgutil.walk_packages(gitops_ml.__path__, f"{gitops_ml.__name__}.")
    modules = [gitops_ml, *(importlib.import_module(module.name) for module in found)]
    return [f"{module.__name__}.{name}" for module in modules for name in vars(module)]


def test_nothing_of_the_library_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """It writes files, starts processes and deploys; not even a project of its name changes that."""
    names = list_library_names()
    assert {"gitops_ml.cli.console.Console", "gitops_ml.bundle.bundle.write_bundle"} <= set(names)
    assert [] == [name for name in names if model_file.is_trusted(name)]
    monkeypatch.setattr("gitops_ml.core.project._chosen", "gitops_ml")
    assert [] == [name for name in names if model_file.is_trusted(name)]


def test_a_file_that_names_a_function_of_the_library_is_not_loaded(tmp_path: Path) -> None:
    """As dangerous as any other."""
    path = tmp_path / "evil.skops"
    path.write_bytes(skops.io.dumps(FunctionTransformer(write_bundle)))
    with pytest.raises(LifecycleError, match=r"evil\.skops .* gitops_ml\.bundle\.bundle\.write_bundle"):
        model_file.load_model(path)


def test_a_file_that_names_a_dangerous_function_is_not_loaded(tmp_path: Path) -> None:
    """The sentence says which file and which function."""
    path = tmp_path / "evil.skops"
    path.write_bytes(skops.io.dumps(FunctionTransformer(pd.eval)))
    with pytest.raises(LifecycleError, match=r"evil\.skops .* pandas\.eval"):
        model_file.load_model(path)


def test_nothing_of_a_refused_file_runs(tmp_path: Path) -> None:
    """A file whose loading would overwrite another file leaves it alone."""
    victim, path = tmp_path / "victim", tmp_path / "evil.skops"
    victim.write_text("precious")
    arguments = skops.io.dumps((str(victim), "uint8", "w+", 0, 4))
    with zipfile.ZipFile(io.BytesIO(arguments)) as archive:
        schema = json.loads(archive.read("schema.json"))
    call = {"__class__": "memmap", "__module__": "numpy", "__loader__": "ConstructorFromReduceNode"}
    call |= {"content": schema, "protocol": schema["protocol"]}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("schema.json", json.dumps(call))
    with pytest.raises(LifecycleError, match=r"numpy\.memmap"):
        model_file.load_model(path)
    assert victim.read_text() == "precious"


def test_functions_hidden_in_partials_are_found(tmp_path: Path) -> None:
    """A partial is harmless, the function in it need not be."""
    path = tmp_path / "evil.skops"
    path.write_bytes(skops.io.dumps(FunctionTransformer(partial(pd.read_pickle, compression=None))))
    with pytest.raises(LifecycleError, match="read_pickle"):
        model_file.load_model(path)


def test_what_could_not_be_loaded_is_not_saved(tmp_path: Path) -> None:
    """A lambda is named when the model is made, not when it is deployed."""
    with pytest.raises(LifecycleError, match=r"FunctionTransformer\.func is .*<lambda>; keep"):
        model_file.save_model(FunctionTransformer(lambda X: X), tmp_path / "m.skops")
    assert list(tmp_path.iterdir()) == []


def test_the_attribute_that_cannot_be_saved_is_named(tmp_path: Path) -> None:
    """The sentence says where in the model the trouble lies, and the remedy."""
    step = FunctionTransformer()
    step.means_ = pd.Series([1.0, 2.0])
    with pytest.raises(LifecycleError, match=r"\.means_ is pandas\.Series; keep NumPy arrays"):
        model_file.save_model(make_pipeline(step, LogisticRegression()), tmp_path / "m.skops")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A model that is not there is no bug."""
    with pytest.raises(LifecycleError, match=r"m\.skops is missing"):
        model_file.load_model(tmp_path / "m.skops")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a small model."""
    path = tmp_path_factory.mktemp("saved") / "m.skops"
    model_file.save_model(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), path)
    return path


@limits(max_examples=30, deadline=None)
@given(share=st.floats(0, 0.999))
def test_half_a_file_is_refused(share: float, saved: Path) -> None:
    """Wherever a file ends too early, it takes one sentence to say so."""
    whole = saved.read_bytes()
    broken = saved.with_name("half.skops")
    broken.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(LifecycleError, match=r"half\.skops is not a whole skops file"):
        model_file.load_model(broken)


@pytest.mark.parametrize("content", ["not an archive", "PK\x03\x04 almost"])
def test_another_kind_of_file_is_refused(content: str, tmp_path: Path) -> None:
    """A file of another kind is no model."""
    (tmp_path / "m.skops").write_text(content)
    with pytest.raises(LifecycleError, match="not a whole skops file"):
        model_file.load_model(tmp_path / "m.skops")

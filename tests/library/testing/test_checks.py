"""Each check of a project fails where its rule is broken, and says how in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandera.pandas import Column, DataFrameSchema, Parser
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from gitops_ml.core import project as project_at_hand
from gitops_ml.core.errors import LifecycleError
from gitops_ml.testing import checks
from gitops_ml.testing.sample import Sample
from toys import copy_project, edit_params, enter, run


class Plain(ClassifierMixin, BaseEstimator):
    """Keeps every rule but that of being saved; the others break one more each."""

    def fit(self, X: pd.DataFrame, y: pd.Series[Any]) -> Plain:
        self.classes_ = np.unique(y)
        return self

    def score_rows(self, X: pd.DataFrame) -> np.ndarray:
        return np.asarray(X["distance"].to_numpy() / 10_000)

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        share = self.score_rows(X)
        return np.column_stack([1 - share, share])

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])


class Unfit(Plain):
    def fit(self, X: pd.DataFrame, y: pd.Series[Any]) -> Plain:
        raise ValueError("no luck\nwith this table")


class NotFinite(Plain):
    def score_rows(self, X: pd.DataFrame) -> np.ndarray:
        return np.asarray(X["wind_gust"])


class NoShares(Plain):
    def score_rows(self, X: pd.DataFrame) -> np.ndarray:
        return np.asarray(X["distance"])


class Unseeded(Plain):
    def fit(self, X: pd.DataFrame, y: pd.Series[Any]) -> Plain:
        self.luck_ = np.random.default_rng().random()
        return super().fit(X, y)

    def score_rows(self, X: pd.DataFrame) -> np.ndarray:
        return np.full(len(X), self.luck_)


class SeesTheBatch(Plain):
    def score_rows(self, X: pd.DataFrame) -> np.ndarray:
        return np.asarray(X["distance"] > X["distance"].mean(), dtype=float)


class SeesTheOrder(Plain):
    def score_rows(self, X: pd.DataFrame) -> np.ndarray:
        return np.linspace(0, 1, len(X))


class SeesTheIndex(Plain):
    def score_rows(self, X: pd.DataFrame) -> np.ndarray:
        return np.asarray(X.index / 10_000)


class ChangesInFit(Plain):
    def fit(self, X: pd.DataFrame, y: pd.Series[Any]) -> Plain:
        X["distance"] = 0
        return super().fit(X, y)


class ChangesInPredict(Plain):
    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        X["seen"] = True
        return super().predict_proba(X)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy project with accepted data."""
    root = tmp_path_factory.mktemp("toy")
    copy_project(root)
    with pytest.MonkeyPatch.context() as patch:
        enter(root, patch)
        run("data", "accept")
    return root


@pytest.fixture(scope="module")
def rows(root: Path) -> pd.DataFrame:
    """Its newest accepted rows."""
    return Sample(root).raw


@pytest.fixture
def sample(root: Path, rows: pd.DataFrame) -> Sample:
    """A sample that was read before."""
    return make_sample(root, rows)


def make_sample(root: Path, rows: pd.DataFrame) -> Sample:
    sample = Sample(root)
    vars(sample)["raw"] = rows
    return sample


@pytest.fixture
def define(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseEstimator], None]:
    """Let models.py define one candidate, named ``bad``."""

    def define(model: BaseEstimator) -> None:
        monkeypatch.setattr(project_at_hand, "load_candidates", lambda: lambda seed: {"bad": model})

    return define


def make_linear(column: str, encoder: Any = "passthrough") -> BaseEstimator:
    """Return a logistic regression on one column."""
    return make_pipeline(ColumnTransformer([("one", encoder, [column])]), LogisticRegression())


@pytest.mark.parametrize(
    ("section", "values", "expected"),
    [
        ("train", {"candidates": ["linear", "bosting"]}, "train.candidates has 'bosting', .* 'boosting'"),
        ("evaluate", {"metrics": ["roc_auc", "acuracy"]}, "names the metric 'acuracy'"),
        ("evaluate", {"slices": ["airport"]}, "evaluate.slices names 'airport', which is no column"),
        ("data", {"id": "number"}, "data.id names 'number', which is no column"),
        ("train", {"seeds": 1}, "unknown key train.seeds"),
    ],
)
def test_params(tmp_path: Path, root: Path, section: str, values: dict[str, Any], expected: str) -> None:
    """Candidates, metrics, columns and keys in params.yaml must exist."""
    (tmp_path / "params.yaml").write_bytes((root / "params.yaml").read_bytes())
    edit_params(tmp_path, **{section: values})
    with pytest.raises(LifecycleError, match=expected):
        checks.check_params(Sample(tmp_path))


def test_data(root: Path, rows: pd.DataFrame) -> None:
    """A contract that became stricter than the accepted data is told with column, rule and count."""
    broken = rows.assign(distance=rows["distance"].where(rows.index > 1, 1))
    with pytest.raises(AssertionError, match=rf"'distance' is at least 50 .* 2 of {len(rows)} rows \(1\)"):
        checks.check_data(make_sample(root, broken))


def test_quarantined_data(tmp_path: Path, root: Path, rows: pd.DataFrame) -> None:
    """Bad rows that a run would set aside are no failure, and are not fitted."""
    (tmp_path / "params.yaml").write_bytes((root / "params.yaml").read_bytes())
    edit_params(tmp_path, data={"on_invalid": "quarantine"})
    sample = make_sample(tmp_path, rows.assign(distance=rows["distance"].where(rows.index > 1, 1)))
    checks.check_data(sample)
    assert 50 <= sample.valid["distance"].min()


Change = Callable[[DataFrameSchema], DataFrameSchema]


def alter_contract(monkeypatch: pytest.MonkeyPatch, change: Change) -> None:
    altered = change(deepcopy(project_at_hand.load_contract()))
    monkeypatch.setattr(project_at_hand, "load_contract", lambda: altered)


def test_leak_through_a_parser(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    """A feature that is computed from a column outside the contract is found out."""

    def add_parser(contract: DataFrameSchema) -> DataFrameSchema:
        contract.parsers = [Parser(lambda frame: frame.assign(temp=frame["dep_delay"]))]
        return contract

    alter_contract(monkeypatch, add_parser)
    with pytest.raises(AssertionError, match="'temp' that models get depends on columns outside"):
        checks.check_other_columns(sample)


def test_contract_that_lets_any_column_in(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of the target must not get through."""
    wide = Column(bool, regex=True, required=False)
    alter_contract(monkeypatch, lambda contract: contract.add_columns({"late.*": wide}))
    with pytest.raises(AssertionError, match="'late_copy' that models get depends on columns outside"):
        checks.check_other_columns(sample)


def test_strict_contract(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    """A contract that refuses unknown columns lets none through, either."""
    sample.raw = sample.raw[list(project_at_hand.load_contract().columns)]

    def make_strict(contract: DataFrameSchema) -> DataFrameSchema:
        contract.strict = True
        return contract

    alter_contract(monkeypatch, make_strict)
    checks.check_other_columns(sample)


def test_ids(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    """A feature that is computed from the id is found out."""

    def add_parser(contract: DataFrameSchema) -> DataFrameSchema:
        contract.parsers = [Parser(lambda frame: frame.assign(distance=frame["flight_id"] % 1000 + 100))]
        return contract

    alter_contract(monkeypatch, add_parser)
    with pytest.raises(AssertionError, match="'distance' that models get depends on 'flight_id'"):
        checks.check_ids(sample)


def test_baseline(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    """A baseline that looks at the features is none."""
    monkeypatch.setattr(project_at_hand, "load_baseline", Plain)
    with pytest.raises(AssertionError, match=r"The baseline gives \d+ different answers"):
        checks.check_baseline(sample)


def test_candidates_made_once(sample: Sample, define: Callable[[BaseEstimator], None]) -> None:
    """A model that two calls share would be fitted twice."""
    define(Plain())
    with pytest.raises(AssertionError, match=r"'bad' is not made anew at each call .* share a Plain"):
        checks.check_new(sample, "bad")


def test_shared_step(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    """So would a step that two calls share."""
    encoder = OneHotEncoder()
    monkeypatch.setattr(
        project_at_hand, "load_candidates", lambda: lambda seed: {"bad": make_linear("dest", encoder)}
    )
    with pytest.raises(AssertionError, match=r"'bad' is not made anew at each call .* share a OneHotEncoder"):
        checks.check_new(sample, "bad")


@pytest.mark.parametrize(
    ("model", "check", "expected"),
    [
        (Unfit(), checks.check_predictions, "'bad' cannot be fitted: ValueError: no luck.$"),
        (LinearRegression, checks.check_predictions, "'bad' is no classifier, but problem is classification"),
        (NotFinite(), checks.check_predictions, r"'bad' cannot predict: .* NaN or infinity for \d+ of"),
        (NoShares(), checks.check_predictions, "'bad' predicts probabilities that are not between 0 and 1"),
        (Unseeded(), checks.check_reproducible, "'bad' answers .* differently when it is fitted again"),
        (SeesTheBatch(), checks.check_single_rows, "'bad' answers .* of 20 .* when a row stands by itself"),
        (SeesTheOrder(), checks.check_order, "'bad' answers .* when rows come in another order: .* instead"),
        (SeesTheIndex(), checks.check_order, "'bad' answers .* when rows come in another order: .* instead"),
        (ChangesInFit(), checks.check_unchanged_table, "'bad' changes 'distance' in the table .* to fit"),
        (ChangesInPredict(), checks.check_unchanged_table, "'bad' changes 'seen' in the table .* to predict"),
        (Plain(), checks.check_saved, "The model cannot be saved: Plain is .*Plain"),
    ],
)
def test_candidate(
    sample: Sample,
    define: Callable[[BaseEstimator], None],
    model: BaseEstimator,
    check: Callable[[Sample, str], None],
    expected: str,
) -> None:
    """A candidate that breaks a rule is named, with what is wrong."""
    define(make_linear_regression() if model is LinearRegression else model)
    with pytest.raises((AssertionError, LifecycleError), match=expected):
        check(sample, "bad")


def make_linear_regression() -> BaseEstimator:
    pick = ColumnTransformer([("one", "passthrough", ["distance"])])
    return make_pipeline(pick, LinearRegression())


def test_function_without_a_name(sample: Sample, define: Callable[[BaseEstimator], None]) -> None:
    """A lambda cannot be saved."""
    define(make_linear("distance", FunctionTransformer(lambda X: X)))
    with pytest.raises(LifecycleError, match=r"The model cannot be saved: .*<lambda>"):
        checks.check_saved(sample, "bad")


def test_lost_by_saving(
    sample: Sample, define: Callable[[BaseEstimator], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is loaded must predict as what was saved."""
    define(make_linear("distance"))
    other = SeesTheOrder().fit(sample.X, sample.y)
    monkeypatch.setattr(checks, "load_model", lambda path: other)
    with pytest.raises(AssertionError, match=r"'bad' answers .* differently after it was saved and loaded"):
        checks.check_saved(sample, "bad")


def test_missing_values(sample: Sample, define: Callable[[BaseEstimator], None]) -> None:
    """A nullable column that no step imputes is named."""
    sample.valid = sample.valid[sample.valid["temp"].notna()]
    define(make_linear("temp"))
    with pytest.raises(AssertionError, match=r"'bad' cannot predict with 'temp' missing: ValueError: .*NaN"):
        checks.check_missing_values(sample, "bad")


def test_unknown_categories(sample: Sample, define: Callable[[BaseEstimator], None]) -> None:
    """An encoder that knows only what it was fitted to cannot take what the contract allows."""
    define(make_linear("dest", OneHotEncoder()))
    with pytest.raises(AssertionError, match=r"'bad' cannot predict with the unknown 'dest' '[A-Z]{3}': "):
        checks.check_unknown_categories(sample, "bad")


def test_closed_categories(sample: Sample, define: Callable[[BaseEstimator], None]) -> None:
    """Where the contract lists the values, no other is tried."""
    define(make_linear("origin", OneHotEncoder()))
    checks.check_unknown_categories(sample, "bad")


@pytest.mark.parametrize(
    "check",
    [
        checks.check_new,
        checks.check_predictions,
        checks.check_reproducible,
        checks.check_single_rows,
        checks.check_order,
        checks.check_missing_values,
        checks.check_unknown_categories,
        checks.check_unchanged_table,
    ],
)
def test_good_candidate(
    sample: Sample, monkeypatch: pytest.MonkeyPatch, check: Callable[[Sample, str], None]
) -> None:
    """What breaks no rule passes: it is the rules that the others break."""
    monkeypatch.setattr(project_at_hand, "load_candidates", lambda: lambda seed: {"good": Plain()})
    check(sample, "good")

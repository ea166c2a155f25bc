"""What holds for any project, whatever it predicts; one function is one rule."""

from __future__ import annotations

import string
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone, is_classifier, is_regressor

from ..bundle.model_file import load_model, save_model
from ..contract.schema import apply_contract
from ..contract.validation import check, require_columns
from ..core import project
from ..data.split import features_and_target
from ..metrics.prediction import predict
from ..metrics.registry import find_metric
from ..training.train import choose
from .sample import Sample

# Rows that are predicted one by one, or with something missing.
FEW = 20
# What adds up in another order is rounded otherwise.
TOLERANCE = 1e-6


def check_params(sample: Sample) -> None:
    """``params.yaml`` is valid, and names candidates, metrics and columns that there are."""
    settings = sample.settings
    choose(project.load_candidates()(settings.train.seed), settings)
    for name in settings.evaluate.metrics:
        find_metric(name, settings.problem)
    require_columns(settings)


def check_data(sample: Sample) -> None:
    """The newest accepted rows keep the contract."""
    for finding in check(sample.raw, sample.settings):
        rows = f"{finding.count} of {len(sample.raw)} rows ({', '.join(finding.examples)})"
        _require(
            finding.level == "warning",
            f"The accepted data break the contract: '{finding.column}' {finding.check} does not hold"
            f"{f' for {rows}' if finding.count else ''}.",
        )


def check_other_columns(sample: Sample) -> None:
    """No column outside the contract counts, not even a copy of the target."""
    contract, target = project.load_contract(), sample.settings.data.target
    others = [str(name) for name in sample.raw if name not in contract.columns]
    changed = _exchange_rows(sample.raw, others).assign(**{f"{target}_copy": sample.raw[target]})
    before, after = (apply_contract(frame, contract) for frame in (sample.raw, changed))
    # A strict contract refuses the table instead of dropping the column, which is as good.
    if before.table_is_broken or not after.table_is_broken:
        _require_equal(before.frame, after.frame, "columns outside the contract")


def check_ids(sample: Sample) -> None:
    """No feature depends on what only names a row, or its group."""
    data = sample.settings.data
    names = [name for name in (data.id, data.group) if name is not None]
    before, after = (
        features_and_target(apply_contract(frame, project.load_contract()).frame, sample.settings)[0]
        for frame in (sample.raw, _exchange_rows(sample.raw, names))
    )
    _require_equal(before, after, " and ".join(f"'{name}'" for name in names))


def check_baseline(sample: Sample) -> None:
    """The baseline predicts the same for every row."""
    prediction = predict(project.load_baseline().fit(sample.X, sample.y), sample.X)
    answers = prediction.label if prediction.probability is None else prediction.probability
    different = len(np.unique(answers, axis=0))
    _require(
        different == 1, f"The baseline gives {different} different answers; it must ignore the features."
    )


def check_new(sample: Sample, name: str) -> None:
    """Each call of ``candidates`` makes its own models, down to their parts."""
    first, second = sample.make(name), sample.make(name)
    known = {id(part) for part in _list_parts(first)}
    for part in _list_parts(second):
        kind = type(part).__name__
        _require(
            id(part) not in known,
            f"Candidate '{name}' is not made anew at each call of candidates: two calls share a {kind}.",
        )


def check_predictions(sample: Sample, name: str) -> None:
    """It is of the kind that ``problem`` says, and gives one finite answer a row."""
    model, problem = sample.fitted(name), sample.settings.problem
    kind, is_right = (
        ("classifier", is_classifier) if problem == "classification" else ("regressor", is_regressor)
    )
    _require(is_right(model), f"Candidate '{name}' is no {kind}, but problem is {problem}.")
    sample.answer(name, sample.X)
    if hasattr(model, "predict_proba"):
        shares = model.predict_proba(sample.X)
        _require(
            bool(((shares >= 0) & (shares <= 1)).all()) and np.allclose(shares.sum(axis=1), 1),
            f"Candidate '{name}' predicts probabilities that are not between 0 and 1, or do not add up to 1.",
        )


def check_reproducible(sample: Sample, name: str) -> None:
    """Two fits with one seed, one of them of a clone, predict the same."""
    again = sample.fit(name, clone(sample.make(name)), sample.X)
    answers = sample.answer(name, sample.X, again)
    _require_same(sample, name, answers, "when it is fitted again with the same seed")


def check_saved(sample: Sample, name: str) -> None:
    """It can be saved and loaded by skops, and then predicts the same."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.skops"
        save_model(sample.fitted(name), path)
        loaded = load_model(path)
    _require_same(sample, name, sample.answer(name, sample.X, loaded), "after it was saved and loaded")


def check_single_rows(sample: Sample, name: str) -> None:
    """It answers one row as it does in a batch."""
    rows = (sample.X.iloc[[row]] for row in range(min(FEW, len(sample.valid))))
    answers = [sample.answer(name, row, where=" one row by itself") for row in rows]
    _require_same(sample, name, np.concatenate(answers), "when a row stands by itself")


def check_order(sample: Sample, name: str) -> None:
    """It answers rows the same in any order."""
    order = np.random.default_rng(0).permutation(len(sample.valid))
    answers = sample.answer(name, sample.X.iloc[order].reset_index(drop=True))
    _require_same(sample, name, answers[np.argsort(order)], "when rows come in another order")


def check_missing_values(sample: Sample, name: str) -> None:
    """It answers where any one of the nullable columns is missing."""
    for column in (column.name for column in sample.features if column.nullable):
        X = sample.X.head(FEW)
        missing = X[column].mask(np.ones(len(X), dtype=bool))
        sample.answer(name, X.assign(**{column: missing}), where=f" with '{column}' missing")


def check_unknown_categories(sample: Sample, name: str) -> None:
    """It answers a text that it has never seen, in any column where the contract lets it in."""
    texts = [column for column in sample.features if column.kind == "string"]
    for column in (column.name for column in texts if not column.values):  # noqa: PD011
        X = sample.X.head(FEW)
        unknown = _invent_text(sample.raw[column])
        X[column] = pd.Series(unknown, X.index, dtype=X[column].dtype)
        sample.answer(name, X, where=f" with the unknown '{column}' {unknown!r}")


def check_unchanged_table(sample: Sample, name: str) -> None:
    """Neither ``fit`` nor ``predict`` changes the table that it is given."""
    given = sample.X
    model = sample.fit(name, sample.make(name), given)
    _require_unchanged(sample, name, given, "fit")
    sample.answer(name, given, model)
    _require_unchanged(sample, name, given, "predict")


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise AssertionError(sentence)


def _require_same(sample: Sample, name: str, answers: np.ndarray, when: str) -> None:
    """Hold answers to the first rows against those of the candidate as it was fitted."""
    expected = sample.answer(name, sample.X)[: len(answers)]
    if expected.dtype.kind == "f":
        near = np.isclose(answers, expected, TOLERANCE, TOLERANCE * np.abs(expected).max())
    else:
        near = answers == expected
    different = np.flatnonzero(~near.reshape(len(answers), -1).all(axis=1))
    if len(different):
        row = different[0]
        raise AssertionError(
            f"Candidate '{name}' answers {len(different)} of {len(answers)} rows differently {when}: "
            f"{answers[row]} instead of {expected[row]}."
        )


def _require_equal(before: pd.DataFrame, after: pd.DataFrame, cause: str) -> None:
    """Hold a table, made after something was changed that must not count, against that before."""
    for name in dict.fromkeys([*before, *after]):
        same = name in before and name in after and before[name].equals(after[name])
        _require(same, f"The column '{name}' that models get depends on {cause}.")


def _require_unchanged(sample: Sample, name: str, given: pd.DataFrame, step: str) -> None:
    before = sample.X
    for column in dict.fromkeys([*before, *given]):
        same = column in before and column in given and before[column].equals(given[column])
        _require(same, f"Candidate '{name}' changes '{column}' in the table that it is given to {step}.")


def _list_parts(model: BaseEstimator) -> list[BaseEstimator]:
    """Return a model and the estimators that it is made of."""
    parameters = model.get_params().values()
    return [model, *(part for part in parameters if isinstance(part, BaseEstimator))]


def _exchange_rows(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Return a table in which each row has the values of the row before it in some columns."""
    order = np.roll(np.arange(len(frame)), 1)
    return frame.assign(**{name: frame[name].array[order] for name in names})


def _invent_text(values: pd.Series[Any]) -> str:
    """Return a text that looks like those in a column, but is none of them."""
    known = set(values.dropna().astype(str))
    for step in range(1, 26):
        invented = {_shift(text, step) for text in known} - known
        if invented:
            return min(invented)
    return "never seen"


def _shift(text: str, step: int) -> str:
    """Return a text with each letter and digit replaced by one further on, of the same kind."""
    kinds = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
    shifted = (kind[step % len(kind) :] + kind[: step % len(kind)] for kind in kinds)
    return text.translate(str.maketrans("".join(kinds), "".join(shifted)))

"""Challenger and champion are compared on the same rows, which neither was trained on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import roc_auc_score

from gitops_ml.bundle.manifest import LineageRecord
from gitops_ml.comparison import challenge as module
from gitops_ml.comparison.challenge import challenge, predict_test
from gitops_ml.comparison.champion import Champion
from gitops_ml.comparison.replay import Answers, IncomparableError
from gitops_ml.contract.export import Column, ContractRecord
from gitops_ml.core.records import ChampionResult
from gitops_ml.core.settings import Settings
from gitops_ml.data.split import hash_shares
from gitops_ml.evaluation.bootstrap.resample import Draws
from gitops_ml.metrics.prediction import Prediction

ROWS = 600
Answer = Callable[[pd.DataFrame], Answers]
Meet = Callable[..., ChampionResult]


def make_table(n_rows: int = ROWS) -> pd.DataFrame:
    """Return rows whose class depends on two numbers."""
    rng = np.random.default_rng(7)
    table = pd.DataFrame({"a": rng.normal(size=n_rows), "b": rng.normal(size=n_rows)})
    chance = 1 / (1 + np.exp(-table["a"] - 0.5 * table["b"]))
    return table.assign(
        id=np.arange(n_rows),
        time=pd.date_range("2024-01-01", periods=n_rows, freq="h"),
        shop=rng.integers(0, 60, n_rows),
        y=np.where(rng.random(n_rows) < chance, "yes", "no"),
    )


def make_settings(**sections: Any) -> Settings:
    content: dict[str, Any] = {
        "problem": "classification",
        "data": {"target": "y", "id": "id", "time": "time"},
        "train": {"metric": "roc_auc"},
        "evaluate": {"metrics": ["roc_auc", "log_loss"], "replicates": 200},
    }
    return Settings.model_validate(content | sections)


def make_champion(features: list[str], **changes: Any) -> Champion:
    """Return a champion whose split lies before all rows, unless told otherwise."""
    columns = [
        Column(
            name=name,
            role="feature",
            kind="number",
            dtype="float64",
            nullable=False,
            unique=False,
            required=True,
        )
        for name in features
    ]
    contract = ContractRecord(
        problem="classification", target="y", id="id", time="time", features=features, columns=columns
    )
    lineage = LineageRecord(
        commit="c0ffee",
        dirty=False,
        run_key="77",
        data_lock="",
        challenger="old",
        split="time",
        boundary="2024-01-01T00:00:00",
        train_rows=1,
        test_rows=1,
        python="3",
        libraries={},
    )
    return Champion(
        bundle=Path("nowhere"),
        version=3,
        contract=contract.model_copy(update=changes.get("contract", {})),
        lineage=lineage.model_copy(update=changes.get("lineage", {})),
    )


def fit(features: list[str]) -> LogisticRegression:
    """Return a model that was trained on other rows of the same kind."""
    table = make_table(2 * ROWS)[ROWS:]
    return LogisticRegression().fit(table[features], table["y"])


def ask(model: Any) -> Answer:
    """Return what stands in for the champion's process."""

    def answer(rows: pd.DataFrame) -> Answers:
        return Answers(Prediction(model.predict(rows), model.predict_proba(rows)), model.classes_)

    return answer


@pytest.fixture
def meet(monkeypatch: pytest.MonkeyPatch) -> Meet:
    """Compare a challenger that knows both numbers with a champion that knows one."""

    def compare(
        champion: Champion | None = None,
        answer: Answer | None = None,
        table: pd.DataFrame | None = None,
        dropped: pd.DataFrame | None = None,
        **sections: Any,
    ) -> ChampionResult:
        test = make_table() if table is None else table
        told = answer or ask(fit(["a"]))
        monkeypatch.setattr(module, "replay", lambda bundle, rows, timeout: told(rows))
        model = make_challenger(test, ["a", "b"])
        nothing, settings = pd.DataFrame(index=test.index), make_settings(**sections)
        return challenge(
            predict_test(model, test, settings),
            champion or make_champion(["a"]),
            test,
            nothing if dropped is None else dropped,
            settings,
        ).result

    return compare


class Reduced(LogisticRegression):
    """A model that looks at some of the columns."""

    names: list[str]

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        return np.asarray(super().predict(X[self.names]))

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        return np.asarray(super().predict_proba(X[self.names]))


def make_challenger(test: pd.DataFrame, names: list[str]) -> Reduced:
    table = make_table(2 * ROWS)[ROWS:]
    model = Reduced()
    model.names = names
    LogisticRegression.fit(model, table[names], table["y"])
    return model


def test_differences_are_paired_and_equal_a_plain_loop(meet: Meet) -> None:
    """The interval is that of the difference on rows drawn for both models at once."""
    table, champion, challenger = make_table(), fit(["a"]), make_challenger(make_table(), ["a", "b"])
    true = (table["y"] == "yes").to_numpy()
    scores = [challenger.predict_proba(table)[:, 1], champion.predict_proba(table[["a"]])[:, 1]]
    naive = []
    for counts in Draws(ROWS, 200, seed=0).count(0, 200):
        rows = np.repeat(np.arange(ROWS), counts)
        naive.append(roc_auc_score(true[rows], scores[0][rows]) - roc_auc_score(true[rows], scores[1][rows]))
    found = meet().metrics[0]
    expected = [
        roc_auc_score(true, scores[0]) - roc_auc_score(true, scores[1]),
        *np.quantile(naive, [0.025, 0.975]),
    ]
    assert expected == pytest.approx([found.difference.value, found.difference.low, found.difference.high])
    assert found.difference.low > 0


def test_smaller_is_better_turns_the_sign(meet: Meet) -> None:
    """A lower loss is a gain."""
    loss = meet().metrics[1]
    assert "log_loss" == loss.name
    assert loss.challenger.value < loss.champion.value
    assert loss.difference.value > 0


def test_rows_the_champion_was_trained_on_do_not_count(meet: Meet) -> None:
    """Its own boundary decides, not that of the challenger."""
    late = make_champion(["a"], lineage={"boundary": "2024-01-05T04:00:00"})
    result = meet(late)
    assert (ROWS - 100, 100) == (result.rows, result.known_rows)


def test_a_champion_with_another_split_is_asked_by_its_own_rule(meet: Meet) -> None:
    """What a split by hash held out is known for each id."""
    table = make_table()
    hashed = make_champion(["a"], lineage={"split": "hash", "boundary": "0.3"})
    expected = int((hash_shares(table["id"], "test") < 0.3).sum())
    assert expected == meet(hashed).rows


def test_rows_without_a_value_in_the_deciding_column_may_be_known(
    meet: Meet,
) -> None:
    """What is not known to be new is left out."""
    table = make_table().assign(old_time=lambda rows: rows["time"].where(rows.index >= 50))
    assert 50 == meet(make_champion(["a"], contract={"time": "old_time"}), table=table).known_rows


@pytest.mark.parametrize(
    ("changes", "obstacle"),
    [
        ({"contract": {"target": "z"}}, "the champion predicts 'z', the challenger 'y'"),
        (
            {"contract": {"problem": "regression"}},
            "the champion answers a regression, the challenger a",
        ),
        (
            {"contract": {"features": ["a", "gone"]}},
            "the champion needs 'gone', which the data no",
        ),
        ({"lineage": {"split": "group"}, "contract": {"group": "who"}}, "the champion needs 'who', which"),
        ({"lineage": {"boundary": "2099-01-01"}}, "may have been trained on all of the 600 test rows"),
        ({"contract": {"time": "a"}}, "the data are no longer of the champion's types"),
    ],
)
def test_what_cannot_be_compared_is_named(meet: Meet, changes: dict[str, Any], obstacle: str) -> None:
    """Another question or a missing column ends in a sentence, never in a guess or a crash."""
    result = meet(make_champion(["a"], **changes))
    assert result.obstacle is not None
    assert obstacle in result.obstacle
    assert [] == result.metrics


def test_a_champion_that_cannot_answer_is_an_obstacle(meet: Meet) -> None:
    """Its process may fail in any way."""

    def fail(rows: pd.DataFrame) -> Answers:
        raise IncomparableError("its model took over 300 s to predict")

    assert "its model took over 300 s to predict" == meet(answer=fail).obstacle


def test_a_column_that_only_the_files_still_have_is_given_to_the_champion(
    meet: Meet,
) -> None:
    """Removing a column from the contract is a change that can be compared, and the report says how."""
    dropped = pd.DataFrame({"c": np.arange(ROWS)})
    seen: list[pd.DataFrame] = []

    def answer(rows: pd.DataFrame) -> Answers:
        seen.append(rows)
        return ask(fit(["a"]))(rows[["a"]])

    late = make_champion(["a", "c"], lineage={"boundary": "2024-01-01T05:00:00"})
    result = meet(late, answer, dropped=dropped)
    assert result.obstacle is None
    assert np.arange(5.0, ROWS).tolist() == seen[0]["c"].tolist()
    assert "The contract no longer has 'c'" in result.notes[0]


def test_classes_in_another_order_are_put_right(meet: Meet) -> None:
    """Probabilities follow the labels, not the columns."""
    model = fit(["a"])

    def turned(rows: pd.DataFrame) -> Answers:
        prediction = Prediction(model.predict(rows), model.predict_proba(rows)[:, ::-1])
        return Answers(prediction, model.classes_[::-1])

    assert meet().metrics == meet(answer=turned).metrics


def test_a_class_the_champion_does_not_know_has_no_probability(meet: Meet) -> None:
    """It can be compared, and pays for what it does not know."""
    model = fit(["a"])

    def partial(rows: pd.DataFrame) -> Answers:
        prediction = Prediction(model.predict(rows), model.predict_proba(rows))
        return Answers(prediction, np.array(["no", "perhaps"]))

    result = meet(answer=partial)
    assert result.obstacle is None
    assert result.metrics[1].champion.value > 10


def test_a_metric_that_one_of_them_lacks_is_skipped_with_the_reason(
    meet: Meet,
) -> None:
    """Scores without probabilities rank, and no more."""
    model = fit(["a"])

    def decide(rows: pd.DataFrame) -> Answers:
        return Answers(
            Prediction(model.predict(rows), decision=model.decision_function(rows)), model.classes_
        )

    result = meet(answer=decide)
    assert ["roc_auc"] == [metric.name for metric in result.metrics]
    assert {"log_loss": "the model gives no probabilities"} == result.skipped


def test_without_a_primary_metric_for_both_there_is_no_comparison(
    meet: Meet,
) -> None:
    """The verdict stands on that metric."""
    model = fit(["a"])

    def label(rows: pd.DataFrame) -> Answers:
        return Answers(Prediction(model.predict(rows)), model.classes_)

    assert "roc_auc has no value for both: the model gives no probabilities" == meet(answer=label).obstacle


def test_slices_are_widened_for_their_number(meet: Meet) -> None:
    """With Bonferroni's correction, twelve slices look at 99.6 % intervals."""
    table = make_table().assign(kind=np.arange(ROWS) % 4)
    wide = meet(table=table, evaluate={"slices": ["kind"], "metrics": ["roc_auc"], "replicates": 400}).slices
    alone = meet(
        table=table.assign(kind=table["kind"].clip(0, 1)),
        evaluate={"slices": ["kind"], "metrics": ["roc_auc"], "replicates": 400, "min_slice_rows": 100},
    ).slices
    [first] = [piece for piece in wide if piece.level == "0"]
    [same] = [piece for piece in alone if piece.level == "0"]
    widths = [piece.difference.high - piece.difference.low for piece in (first, same)]
    expected = norm.isf(0.025 / len(wide)) / norm.isf(0.025 / len(alone))
    assert expected == pytest.approx(widths[0] / widths[1])


def test_a_slice_that_gets_worse_is_found_behind_a_better_average(
    meet: Meet,
) -> None:
    """The champion is right where ``kind`` is 1; the challenger learned nothing of it."""
    table = make_table().assign(kind=np.arange(ROWS) % 3 == 0)
    model = fit(["a"])
    truth = (table["y"] == "yes").to_numpy()

    def answer(rows: pd.DataFrame) -> Answers:
        probability = model.predict_proba(rows)
        known = table["kind"].to_numpy()
        probability[known] = np.column_stack([~truth[known], truth[known]]) * 0.8 + 0.1
        return Answers(Prediction(model.classes_[probability.argmax(axis=1)], probability), model.classes_)

    result = meet(answer=answer, table=table, evaluate={"slices": ["kind"], "metrics": ["roc_auc"]})
    assert {"True": "worse"} == {
        piece.level: piece.verdict for piece in result.slices if piece.verdict == "worse"
    }


def test_rows_that_belong_together_are_drawn_together(meet: Meet) -> None:
    """Copies of rows tell nothing new: with groups the interval stays as wide."""
    table = make_table()
    copies = pd.concat([table] * 4, ignore_index=True).assign(
        id=range(4 * ROWS), shop=np.tile(np.arange(ROWS), 4)
    )
    widths = [
        result.metrics[0].difference.high - result.metrics[0].difference.low
        for result in (
            meet(),
            meet(table=copies, data={"group": "shop", "target": "y", "id": "id", "time": "time"}),
            meet(table=copies),
        )
    ]
    assert 1 == pytest.approx(widths[1] / widths[0], rel=0.2)
    assert 0.5 == pytest.approx(widths[2] / widths[0], rel=0.2)


def test_numbers_are_compared_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression has no classes, and its errors are good when small."""
    table = make_table().assign(y=lambda rows: rows["a"] + rows["b"])
    old = LinearRegression().fit(table[["a"]], table["y"])
    new = LinearRegression().fit(table[["a", "b"]], table["y"])
    monkeypatch.setattr(
        module, "replay", lambda bundle, rows, timeout: Answers(Prediction(old.predict(rows)), np.empty(0))
    )
    settings = make_settings(
        problem="regression", train={"metric": "mae"}, evaluate={"metrics": ["mae"], "replicates": 200}
    )
    champion = make_champion(["a"], contract={"problem": "regression"})
    test = table[["a", "b", "id", "time", "y"]]
    columns = type("Columns", (LinearRegression,), {"predict": lambda self, X: new.predict(X[["a", "b"]])})()
    answers = predict_test(columns, test, settings)
    result = challenge(answers, champion, test, pd.DataFrame(index=test.index), settings).result
    assert result.metrics[0].difference.low > 0


def test_what_the_champion_predicts_is_kept_with_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the rows it was not trained on, with the classes in the order of the challenger's."""
    model, test, settings = fit(["a"]), make_table(), make_settings()

    def turned(bundle: Path, rows: pd.DataFrame, timeout: float) -> Answers:
        return Answers(
            Prediction(model.predict(rows), model.predict_proba(rows)[:, ::-1]), model.classes_[::-1]
        )

    monkeypatch.setattr(module, "replay", turned)
    late = make_champion(["a"], lineage={"boundary": "2024-01-05T04:00:00"})
    answers = predict_test(make_challenger(test, ["a", "b"]), test, settings)
    _, prediction, places = challenge(answers, late, test, pd.DataFrame(index=test.index), settings)
    assert prediction is not None
    assert list(range(100, ROWS)) == places.tolist()
    np.testing.assert_array_equal(model.predict_proba(test[["a"]])[100:], prediction.probability)


def test_without_a_comparison_nothing_is_kept_of_the_champion() -> None:
    """It was not even asked."""
    test, settings = make_table(), make_settings()
    answers = predict_test(make_challenger(test, ["a", "b"]), test, settings)
    champion = make_champion(["gone"])
    _, prediction, places = challenge(answers, champion, test, pd.DataFrame(index=test.index), settings)
    assert (None, 0) == (prediction, len(places))

"""Intervals: equal to plain resampling, replicate by replicate, and as wide as they should be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn import metrics as sk

from gitops_ml.evaluation.bootstrap import resample as resampling
from gitops_ml.evaluation.bootstrap.ranked import Ranking
from gitops_ml.evaluation.bootstrap.resample import Draws, Subset
from gitops_ml.metrics.builtin import BUILT_IN, UndefinedMetric
from gitops_ml.metrics.prediction import Prediction
from gitops_ml.metrics.registry import Metric, find_metric

RNG = np.random.default_rng(11)
NONE = np.empty(0)
CLASSES = np.array([False, True])
POSITIVE = 0.3
# How far the scores of positive rows lie above those of others, for a better and a worse model.
GAPS = (1.3, 1.0)
# The score at which such a model is of two minds.
OFFSET = 1.5


def find_all(problem: str) -> list[Metric]:
    return [find_metric(name, problem) for name in BUILT_IN[problem]]


def make_classes(n_rows: int, n_classes: int) -> tuple[np.ndarray, list[Prediction], np.ndarray]:
    """Return true classes, and a good, a coarse and a constant prediction of them."""
    classes = np.array(["a", "b", "c", "d"][:n_classes])
    codes = RNG.integers(0, n_classes, n_rows)
    predictions = []
    for decimals, skill in ((8, 0.5), (1, 0.2), (0, 0.0)):
        raw = RNG.dirichlet(np.ones(n_classes), n_rows).round(decimals) * bool(decimals) + 0.05
        raw += skill * np.eye(n_classes)[codes]
        probability = raw / raw.sum(axis=1, keepdims=True)
        predictions.append(Prediction(classes[probability.argmax(axis=1)], probability))
    return classes[codes], predictions, classes


def make_binormal(y_true: np.ndarray, rng: np.random.Generator) -> list[Prediction]:
    """Return what two models that often agree say; scores of each class are normal with variance 1."""
    shared = rng.normal(0, np.sqrt(0.7), len(y_true))
    scores = [gap * y_true + shared + rng.normal(0, np.sqrt(0.3), len(y_true)) for gap in GAPS]
    sure = [1 / (1 + np.exp(OFFSET - score)) for score in scores]
    return [Prediction(one > 0.5, np.column_stack([1 - one, one])) for one in sure]


def find_coverage(replicates: np.ndarray, truth: float) -> float:
    """Return how many intervals hold the true difference of two models that follow each other."""
    intervals = [
        resampling.estimate(0, first - second)
        for first, second in zip(replicates[::2], replicates[1::2], strict=True)
    ]
    return float(np.mean([one.low <= truth <= one.high for one in intervals]))


def resample(
    metric: Metric, y_true: np.ndarray, prediction: Prediction, classes: np.ndarray, counts: np.ndarray
) -> float:
    """Return the metric of rows that are really drawn, the slow way."""
    rows = np.repeat(np.arange(len(counts)), counts)
    return metric.score_part(y_true[rows], prediction.take(rows), classes)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_replicates_equal_plain_resampling_of_classes(n_classes: int) -> None:
    """Weighting rows is the same as copying them, for every metric, model and replicate."""
    y_true, predictions, classes = make_classes(120, n_classes)
    draws, metrics = Draws(120, 15, seed=1), find_all("classification")
    [found] = resampling.bootstrap(y_true, predictions, classes, [Subset(None, metrics)], draws)
    counts = draws.count(0, 15)
    for metric in metrics:
        expected = [[resample(metric, y_true, one, classes, row) for row in counts] for one in predictions]
        np.testing.assert_allclose(expected, found[metric.name], rtol=1e-12, err_msg=metric.name)


def test_replicates_equal_plain_resampling_of_numbers() -> None:
    """Far from zero, too, where sums of squares lose digits."""
    y_true = 1e6 + RNG.normal(size=90)
    predictions = [Prediction(y_true + RNG.normal(size=90)), Prediction(np.full(90, 1e6))]
    draws, metrics = Draws(90, 15, seed=1), find_all("regression")
    [found] = resampling.bootstrap(y_true, predictions, NONE, [Subset(None, metrics)], draws)
    counts = draws.count(0, 15)
    for metric in metrics:
        expected = [[resample(metric, y_true, one, NONE, row) for row in counts] for one in predictions]
        np.testing.assert_allclose(expected, found[metric.name], rtol=1e-9, atol=1e-9, err_msg=metric.name)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 6), st.integers(0, 3)), min_size=2, max_size=60).filter(
        lambda rows: len({positive for positive, _, weight in rows if weight}) == 2
    )
)
def test_a_ranking_is_weighted_as_in_scikit_learn(rows: list[tuple[bool, int, int]]) -> None:
    """ROC AUC and average precision with ``sample_weight``, ties and rows of no weight included."""
    positive, score, weight = (np.array(column) for column in zip(*rows, strict=True))
    sums = Ranking(positive, score.astype(float)).accumulate(weight[None].astype(np.uint8))
    kept = weight > 0
    expected = [
        metric(positive[kept], score[kept], sample_weight=weight[kept])
        for metric in (sk.roc_auc_score, sk.average_precision_score)
    ]
    assert expected == pytest.approx([sums.roc_auc()[0], sums.average_precision()[0]], abs=1e-12)


def test_a_long_ranking_with_few_different_scores_is_weighted_alike() -> None:
    """Steps are summed first there; the result is the same."""
    positive, score = RNG.random(2000) < 0.3, RNG.integers(0, 9, 2000) / 8
    weights = Draws(2000, 3, seed=5).count(0, 3)
    sums = Ranking(positive, score).accumulate(weights)
    expected = [sk.roc_auc_score(positive, score, sample_weight=one) for one in weights]
    assert expected == pytest.approx(sums.roc_auc())
    expected = [sk.average_precision_score(positive, score, sample_weight=one) for one in weights]
    assert expected == pytest.approx(sums.average_precision())


def test_a_part_sees_the_draws_of_the_whole() -> None:
    """A slice's replicates are those of its own rows in the draws of all rows."""
    y_true, predictions, classes = make_classes(100, 2)
    rows, metrics, draws = np.arange(20, 90), find_all("classification"), Draws(100, 10, seed=2)
    subsets = [Subset(None, []), Subset(rows, metrics)]
    _, found = resampling.bootstrap(y_true, predictions, classes, subsets, draws)
    y_part, prediction, counts = y_true[rows], predictions[0].take(rows), draws.count(0, 10)[:, rows]
    for metric in metrics:
        expected = [resample(metric, y_part, prediction, classes, row) for row in counts]
        assert expected == pytest.approx(found[metric.name][0], rel=1e-12)


@pytest.mark.parametrize("chunk", [1, 700, 1 << 20])
def test_draws_do_not_depend_on_how_the_work_is_cut(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same seed gives the same replicates, whatever is worked on at a time."""
    y_true, predictions, classes = make_classes(70, 2)
    subsets, draws = [Subset(None, find_all("classification"))], Draws(70, 25, seed=9)
    [expected] = resampling.bootstrap(y_true, predictions, classes, subsets, draws)
    monkeypatch.setattr(resampling, "CHUNK", chunk)
    [found] = resampling.bootstrap(y_true, predictions, classes, subsets, draws)
    for name, values in expected.items():
        np.testing.assert_allclose(values, found[name], rtol=1e-14)


def test_a_replicate_draws_as_many_rows_as_there_are() -> None:
    """Each row is drawn once on average, and never the same way twice."""
    counts = Draws(500, 40, seed=3).count(0, 40)
    assert {500} == set(counts.sum(axis=1, dtype=int))
    assert 40 == len({row.tobytes() for row in counts})
    assert 1 == pytest.approx(counts.var(), abs=0.05)


def test_groups_are_drawn_whole() -> None:
    """All rows of a group are drawn equally often."""
    groups = np.repeat(np.arange(30), RNG.integers(1, 6, 30))
    counts = Draws(len(groups), 5, seed=4, groups=groups).count(0, 5)
    assert all(len(set(row[groups == group])) == 1 for row in counts for group in range(30))
    assert [30] * 5 == [sum(row[groups == group][0] for group in range(30)) for row in counts]


def test_groups_widen_the_interval_of_repeated_rows() -> None:
    """Rows that are there nine times tell no more than once: the interval is three times as wide."""
    errors, mae = np.repeat(RNG.exponential(size=60), 9), [find_metric("mae", "regression")]
    widths = []
    for groups in (None, np.repeat(np.arange(60), 9)):
        draws = Draws(540, 400, seed=5, groups=groups)
        [found] = resampling.bootstrap(np.zeros(540), [Prediction(errors)], NONE, [Subset(None, mae)], draws)
        interval = resampling.estimate(1, found["mae"][0])
        widths.append(interval.high - interval.low)
    assert 3 == pytest.approx(widths[1] / widths[0], rel=0.2)


def test_ends_agree_with_a_plain_loop_that_draws_by_itself() -> None:
    """Those of the difference in ROC AUC, within four Monte Carlo errors of an end."""
    replicates, metrics = 4000, [find_metric("roc_auc", "classification")]
    rng = np.random.default_rng(5)
    y_true = rng.random(150) < POSITIVE
    pair = make_binormal(y_true, rng)
    subsets, draws = [Subset(None, metrics)], Draws(150, replicates, seed=1)
    [found] = resampling.bootstrap(y_true, pair, CLASSES, subsets, draws)
    plain = np.diff([count_pairs(y_true, pair[::-1], rng) for _ in range(replicates)])
    # Of a quantile: Efron and Tibshirani (1993), section 19.3; both sides have it.
    error = plain.std() * np.sqrt(2 * 0.025 * 0.975 / replicates) / norm.pdf(norm.ppf(0.025))
    interval = resampling.estimate(0, found["roc_auc"][0] - found["roc_auc"][1])
    expected = np.quantile(plain, [0.025, 0.975])
    assert expected == pytest.approx([interval.low, interval.high], abs=4 * error, rel=0)


def count_pairs(y_true: np.ndarray, pair: list[Prediction], rng: np.random.Generator) -> list[float]:
    """Draw rows and return the ROC AUC of both models: the share of pairs that they order rightly."""
    rows = rng.integers(0, len(y_true), len(y_true))
    drawn, scores = y_true[rows], [one.probability[rows, 1] for one in pair if one.probability is not None]
    above = [score[drawn][:, None] - score[~drawn] for score in scores]
    return [float((gap > 0).mean() + (gap == 0).mean() / 2) for gap in above]


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    """95 % of them hold the difference of two mean errors, which is known here.

    Each trial is a pair of models of its own. The bounds are three standard errors away, for so
    many trials.
    """
    trials, n_rows, mae = 2000, 100, [find_metric("mae", "regression")]
    rng = np.random.default_rng(1)
    models = []
    for _ in range(trials):
        shared = rng.exponential(size=n_rows)
        models += [Prediction(shared + rng.uniform(0, width, n_rows)) for width in (1.4, 1.0)]
    subsets, draws = [Subset(None, mae)], Draws(n_rows, 400, seed=1)
    [found] = resampling.bootstrap(np.zeros(n_rows), models, NONE, subsets, draws)
    assert 0.93 <= find_coverage(found["mae"], 0.2) <= 0.97


def test_intervals_of_log_loss_cover_the_truth_as_often_as_they_say() -> None:
    """95 % of them hold the difference, which is known here; see ROC AUC below for how many rows it takes.

    A row's loss looks at nothing but the probability of its true class, so each trial has classes
    of its own. The bounds are three standard errors away, for so many trials.
    """
    trials, n_rows, metrics = 2000, 300, [find_metric("log_loss", "classification")]
    rng, models = np.random.default_rng(1), []
    for _ in range(trials):
        y_true = rng.random(n_rows) < POSITIVE
        models += [turn_to_true_class(one, y_true) for one in make_binormal(y_true, rng)]
    subsets, draws = [Subset(None, metrics)], Draws(n_rows, 400, seed=1)
    [found] = resampling.bootstrap(np.full(n_rows, True), models, CLASSES, subsets, draws)
    assert 0.93 <= find_coverage(found["log_loss"], find_loss(GAPS[0]) - find_loss(GAPS[1])) <= 0.97


def turn_to_true_class(prediction: Prediction, y_true: np.ndarray) -> Prediction:
    """Return the prediction as if each row were positive: the second probability is that of its class."""
    assert prediction.probability is not None
    turned = np.where(y_true[:, None], prediction.probability, prediction.probability[:, ::-1])
    return Prediction(turned[:, 1] > 0.5, turned)


def find_loss(gap: float) -> float:
    """Return the log loss of such a model on infinitely many rows."""
    # Quadrature: the mean of a function of a normal number is a weighted sum.
    points, weights = np.polynomial.hermite_e.hermegauss(80)
    positive, negative = np.logaddexp(0, OFFSET - points - gap), np.logaddexp(0, points - OFFSET)
    return float((POSITIVE * positive + (1 - POSITIVE) * negative) @ weights / weights.sum())


def test_intervals_of_roc_auc_cover_the_truth_as_often_as_they_say() -> None:
    """95 % of them hold the difference, which is known here, from about 200 rows on.

    With 1,000 replicates, 3,000 trials found 94.3 % for ROC AUC and 93.1 % for log loss at 50 rows
    (30 % of them positive), 94.4 and 93.4 % at 100, 94.6 and 94.3 % at 200, 95.1 and 94.8 % at 300.
    Fewer replicates put the ends further in at any number of rows: 400 cost a quarter of a percent,
    199 three quarters. The bounds are two standard errors away, for so many trials.
    """
    n_rows, subsets, coverage = 300, [Subset(None, [find_metric("roc_auc", "classification")])], []
    rng, truth = np.random.default_rng(1), norm.cdf(np.array(GAPS) / np.sqrt(2))
    for seed in range(16):
        y_true = rng.random(n_rows) < POSITIVE
        models = [one for _ in range(50) for one in make_binormal(y_true, rng)]
        [found] = resampling.bootstrap(y_true, models, CLASSES, subsets, Draws(n_rows, 400, seed))
        coverage.append(find_coverage(found["roc_auc"], truth[0] - truth[1]))
    assert 0.93 <= np.mean(coverage) <= 0.97


def test_pairing_narrows_the_interval_of_a_difference() -> None:
    """Two models that err on the same rows are told apart by few rows."""
    errors, mae = RNG.exponential(size=200), [find_metric("mae", "regression")]
    pair = [Prediction(errors), Prediction(errors + 0.01)]
    [found] = resampling.bootstrap(np.zeros(200), pair, NONE, [Subset(None, mae)], Draws(200, 100, seed=6))
    interval = resampling.estimate(0.01, found["mae"][1] - found["mae"][0])
    assert (0.01, 0.01) == pytest.approx((interval.low, interval.high))


def test_a_function_of_ones_own_is_resampled() -> None:
    """It is called with copies of rows, for every fifth replicate, and may fail for some draws."""

    def own(y_true: np.ndarray, prediction: Prediction, classes: np.ndarray) -> float:
        if y_true[0] == 1:
            raise ValueError("cannot work without the first row")
        return float(np.mean(prediction.label))

    label, draws = RNG.normal(size=40), Draws(40, 50, seed=8)
    metric = [Metric("own", True, own)]
    [found] = resampling.bootstrap(np.arange(40), [Prediction(label)], NONE, [Subset(None, metric)], draws)
    defined = np.flatnonzero(np.isfinite(found["own"][0]))
    counts = draws.count(0, 50)
    expected = [at for at in range(0, 50, 5) if np.flatnonzero(counts[at])[0] != 1]
    assert expected == defined.tolist()
    assert [counts[at] @ label / 40 for at in expected] == pytest.approx(found["own"][0][expected])


def test_replicates_without_a_class_are_left_out() -> None:
    """A rare class is missing from a third of the draws; the interval is made of the others."""
    y_true, probability = np.arange(30) == 0, np.linspace(0.6, 0.4, 30)
    prediction = Prediction(probability > 0.5, np.column_stack([1 - probability, probability]))
    subsets = [Subset(None, [find_metric("roc_auc", "classification")])]
    classes, draws = np.array([False, True]), Draws(30, 200, seed=1)
    [found] = resampling.bootstrap(y_true, [prediction], classes, subsets, draws)
    assert 0.37 == pytest.approx(np.isnan(found["roc_auc"]).mean(), abs=0.1)
    assert 1 == resampling.estimate(1.0, found["roc_auc"][0]).low


def test_an_interval_of_next_to_nothing_is_refused() -> None:
    """A number without an interval is not shown as if it had one."""
    with pytest.raises(UndefinedMetric, match="too few resamples"):
        resampling.estimate(0.5, np.array([0.5] * 5 + [np.nan] * 95))

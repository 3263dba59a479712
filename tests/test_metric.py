"""What ranks twins: values by hand, their variance, the choice, and what is said."""

from __future__ import annotations

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score
from test_comparison import copy
from test_metrics import PROBABILITIES, TRUE
from test_report import card
from test_verdict import N

from seqclf import metrics, statistics
from seqclf.comparison import pairs, rows
from seqclf.comparison.design import Design, Limits
from seqclf.comparison.metric import (
    ACCURACY,
    EXAMPLE_F1,
    LOG_LOSS,
    MACRO_F1,
    METRICS,
    NAMES,
    ranked_by,
    variation,
)
from seqclf.comparison.rows import compare_runs
from seqclf.comparison.said import in_words, titles
from seqclf.comparison.summary import summary
from seqclf.comparison.until import Looks, Trained, take_look
from seqclf.comparison.verdict import verdict
from seqclf.config import RunConfig
from seqclf.errors import ConfigError
from seqclf.evaluation.failed import failed_seeds
from seqclf.records.comparison import (
    AccuracySummary,
    ComparisonResult,
    ModelPair,
    Pair,
    Row,
)
from seqclf.records.dataset import DatasetInfo
from seqclf.records.plain import from_plain, to_plain
from seqclf.report import csv_lines, tables
from seqclf.runs import Predictions


def test_the_shares_of_texts_in_macro_f1_of_a_worked_example():
    answers = PROBABILITIES.argmax(axis=1)  # 0 0 1 0 2 1; F1 is 4/5, 1/2 and 2/3
    shares = metrics.f1_shares(TRUE, answers)
    # The first has label 0 and gets it: 4/5 + (2 - 2 * 4/5) / (5/6) of the first label,
    # and of the others, with which it has nothing to do, their F1.
    assert shares[0] == pytest.approx((1.28 + 1 / 2 + 2 / 3) / 3)
    # The fourth has 1 and gets 0: 4/5 - 4/5 / (5/6), and 1/2 - 1/2 / (4/6).
    assert shares[3] == pytest.approx((-0.16 - 0.25 + 2 / 3) / 3)
    assert shares.mean() == pytest.approx((4 / 5 + 1 / 2 + 2 / 3) / 3)


def drawn(n: int, seed: int, labels: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Draws labels, of which the last has few texts, and uncertain probabilities."""
    rng = np.random.default_rng(seed)
    shares = np.array([0.6, 0.25, 0.12, 0.03, 0.0])[:labels]
    true = rng.choice(labels, n, p=shares / shares.sum())
    scores = rng.normal(size=(n, labels)) + 1.5 * np.eye(labels)[true]
    exact = np.exp(scores)
    return true, (exact / exact.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n", [2, 7, 900])
def test_the_means_are_the_scores(n, seed):
    true, probabilities = drawn(n, seed, labels=5)  # the last label has no text
    found = metrics.scores(true, probabilities, tuple("abcde"), np.ones(n))
    shares = metrics.f1_shares(true, probabilities.argmax(axis=1))
    assert shares.mean() == pytest.approx(found.macro_f1, abs=1e-12)
    losses = metrics.losses(true, probabilities)
    assert losses.mean() == pytest.approx(found.log_loss, abs=1e-12)


def test_a_probability_of_0_costs_as_much_as_in_scikit_learn():
    certain = np.array([[1.0, 0.0], [1.0, 0.0]], np.float32)
    losses = metrics.losses(np.array([0, 1]), certain)
    assert losses[1] == pytest.approx(-np.log(np.finfo(np.float64).eps))
    found = metrics.scores(np.array([0, 1]), certain, ("a", "b"), np.ones(2))
    assert losses.mean() == pytest.approx(found.log_loss, abs=1e-12)


def test_the_variance_of_the_shares_is_that_of_a_bootstrap():
    true, probabilities = drawn(1500, 1)
    answers = probabilities.argmax(axis=1)
    error = metrics.f1_shares(true, answers).std(ddof=1) / np.sqrt(len(true))
    rng = np.random.default_rng(0)
    again = (rng.integers(0, len(true), len(true)) for _ in range(400))
    resampled = [metrics.f1_shares(true[i], answers[i]).mean() for i in again]
    # A standard deviation of 400 is off by 3.5 % once in three times.
    assert error == pytest.approx(np.std(resampled), rel=0.12)


def test_a_share_tells_what_another_such_text_would_change():
    true, probabilities = drawn(4000, 2)
    answers = probabilities.argmax(axis=1)
    shares, n = metrics.f1_shares(true, answers), len(true)
    for text in np.flatnonzero(true == 3)[:3]:
        more = [np.append(ids, ids[text]) for ids in (true, answers)]
        gain = f1_score(*more, average="macro") - shares.mean()
        assert gain == pytest.approx((shares[text] - shares.mean()) / n, rel=0.03)


def data(**counts: int) -> DatasetInfo:
    return DatasetInfo(
        name="x", source="x", fingerprint="f", labels=tuple(counts), sizes={},
        label_counts={"train": tuple(counts.values())},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"ham": 866, "spam": 134}, ("macro-f1", "(87 % ham)")),  # sms_spam
        ({"OTHER": 663, "OFFENSE": 337}, ("macro-f1", "(66 % OTHER)")),  # germeval2018
        ({"a": 430, "b": 263, "c": 217, "d": 90}, ("macro-f1", "(43 % a)")),  # emotion
        ({"a": 229, "b": 224, "c": 213, "d": 164, "e": 153, "f": 16}, ("accuracy", "")),
        ({"a": 600, "b": 400}, ("accuracy", "")),
        ({"a": 500, "b": 500}, ("accuracy", "")),
        ({"a": 500}, ("accuracy", "")),
        ({}, ("accuracy", "")),
    ],
)
def test_auto_takes_macro_f1_where_training_labels_are_imbalanced(counts, expected):
    metric, why = ranked_by("auto", data(**counts))
    assert (metric.name, why[-len(expected[1]) :] if why else "") == expected
    assert ranked_by("log-loss", data(**counts)) == (LOG_LOSS, "")


def test_auto_asks_the_training_labels_and_takes_accuracy_where_nobody_counted():
    about = data(a=900, b=100)
    elsewhere = {"validation": (90, 10), "test": (90, 10), "train": (50, 50)}
    balanced = dataclasses.replace(about, label_counts=elsewhere)
    old = dataclasses.replace(about, label_counts={})  # of a version before
    assert ranked_by("auto", balanced).metric is ACCURACY
    assert ranked_by("auto", old).metric is ACCURACY


def test_the_index_of_qualitative_variation_by_hand():
    assert variation(np.array([5, 5, 5])) == pytest.approx(1.0)
    assert variation(np.array([60, 40])) == pytest.approx(0.96)  # 2 (1 - 0.36 - 0.16)
    assert variation(np.array([9, 0])) == 0.0


def test_an_unknown_metric_is_refused_by_name():
    with pytest.raises(ConfigError, match="did you mean 'macro-f1'"):
        ranked_by("macro_f1", data(a=1, b=1))
    assert set(NAMES) == {"auto", *METRICS}


# Log losses of texts, by cell and seed, the more the better: gru loses 0.1 nats less.
def losses_of(mean: float, seeds: int, seed: int) -> dict[int, np.ndarray]:
    rng = np.random.default_rng(seed)
    hard = np.random.default_rng(99).exponential(mean, N)
    return {
        s: -np.abs(hard + rng.normal(0, 0.05, N) + rng.normal(0, 0.005))
        for s in range(seeds)
    }


GAINS = {"lstm": losses_of(0.4, 3, 1), "gru": losses_of(0.3, 3, 2)}


def compared(gains: dict, **others) -> tuple[Pair, ...]:
    return pairs.compare_pairs(gains, list(gains), metric=LOG_LOSS, **others)


def row(name: str, gains: dict, kind: str = "twin", **values) -> Row:
    each = [-float(one.mean()) for one in gains.values()]
    low, high = sorted(-end for end in statistics.texts_mean(gains[0]).interval())
    score = AccuracySummary(
        mean=float(np.mean(each)), low=low, high=high, least=min(each), most=max(each)
    )
    accuracy = AccuracySummary(mean=0.9, low=0.8, high=0.95, least=0.9, most=0.9)
    return Row(
        kind=kind, name=name, cell=name if kind == "twin" else None, runs=("x",) * 3,
        seeds=tuple(gains), n=N, accuracy=accuracy, macro_f1=0.8, log_loss=score.mean,
        metric="log-loss", by_metric=score, **values,
    )  # fmt: skip


ROWS = [row(name, gains) for name, gains in GAINS.items()]


def test_the_lower_log_loss_is_the_better_one():
    (pair,) = compared(GAINS)
    assert (pair.a, pair.b, pair.metric) == ("gru", "lstm", "log-loss")
    mean = {name: np.mean(list(gains.values())) for name, gains in GAINS.items()}
    assert pair.difference == pytest.approx(mean["gru"] - mean["lstm"])
    assert 0 < pair.low < pair.difference < pair.high
    assert pair.is_decided
    a, b = (np.array(list(GAINS[name].values())) for name in ("gru", "lstm"))
    assert (pair.low, pair.high) == statistics.cells_difference(a, b).interval()
    assert pair.superiority.ahead == 9  # in all pairs of trainings
    assert pair.mcnemar_p == ()


def test_bounds_of_accuracies_do_not_bind_losses():
    (pair,) = compared({"lstm": losses_of(6.0, 2, 1), "gru": losses_of(0.3, 2, 2)})
    assert pair.low > 1


def test_two_models_are_compared_by_a_paired_t_test():
    one = {name: {0: gains[0]} for name, gains in GAINS.items()}
    (pair,) = compared(one)
    (model,) = pair.models
    by_scipy = stats.ttest_rel(one["gru"][0], one["lstm"][0])
    interval = by_scipy.confidence_interval()
    assert model.p == pytest.approx(by_scipy.pvalue, abs=1e-12)
    assert (model.low, model.high) == pytest.approx((interval.low, interval.high))
    assert (model.only_a, model.only_b, model.mcnemar_p) == (None, None, None)
    assert (pair.p, pair.by, pair.is_decided) == (None, "models", True)
    other = one["gru"][0] + np.random.default_rng(3).normal(0, 0.1, N)
    (pair,) = compared({"gru": one["gru"], "lstm": {0: other}})
    by_scipy = stats.ttest_rel(one["gru"][0], other).pvalue
    assert pair.p_models == pytest.approx(by_scipy)
    assert not pair.is_decided


def test_failed_trainings_are_compared_by_the_ranks_of_the_metric():
    gains = {"gru": losses_of(0.3, 4, 1), "rnn": losses_of(0.4, 4, 2)}
    gains["rnn"][2] = gains["rnn"][2] - 1
    (pair,) = compared(gains, failed=["rnn"])
    assert (pair.by, pair.a, pair.superiority.ahead) == ("ranks", "gru", 16)
    assert pair.p == pytest.approx(2 / 70)
    found = [row(name, one) for name, one in gains.items()]
    assert in_words(pair, titles(found)) == (
        "By log loss GRU is ahead of SimpleRNN in 16 of 16 pairs of trainings "
        "(rank test, p = 0.029)."
    )


def test_one_text_tells_nothing_but_who_is_right():
    single = {s: np.array([0.1 * s]) for s in (0, 1)}
    (pair,) = compared({"gru": single, "lstm": single})
    assert (pair.difference, pair.seeds) == (None, ())
    assert pairs.compare_with("gru", single, {"x": single}, metric=LOG_LOSS) == ()


def test_the_verdict_by_log_loss_never_reads_as_if_more_were_better():
    baseline = {0: losses_of(0.5, 1, 5)[0]}
    none = losses_of(0.45, 3, 7)
    gains = {**GAINS, "none": none}
    found = pairs.compare_pairs(gains, ["gru", "lstm"], metric=LOG_LOSS)
    references = pairs.compare_with(
        "gru", gains["gru"], {"tf-idf": baseline}, metric=LOG_LOSS
    )
    every = [row("tf-idf", baseline, "baseline"), *ROWS, row("none", none)]
    text = verdict(every, found, references)
    gap = found[0].difference
    assert f"is better than LSTM by {gap:.3f} nats of log loss (0.0" in text
    assert f"without recurrence is {found[2].difference:.3f} nats of log loss (" in text
    assert ") behind GRU. The best baseline, tf-idf, is 0.2" in text
    assert "below" not in text
    assert "higher" not in text
    assert "points" not in text
    worse = [row("majority", losses_of(0.2, 1, 8), "baseline"), *ROWS]
    assert "do the labels belong to the texts?" in verdict(worse, found[:1])
    assert "do the labels" not in text


F1_ROWS = [
    dataclasses.replace(one, metric="macro-f1", by_metric=dataclasses.replace(
        one.accuracy, mean=0.6 + 0.1 * i, low=0.5, high=0.8))
    for i, one in enumerate(ROWS)
]  # fmt: skip
F1_PAIR = Pair(
    a="gru", b="lstm", seeds=(), difference=0.012, low=0.004, high=0.02, p=0.004,
    p_unadjusted=0.004, adjusted_for=1, metric="macro-f1",
)  # fmt: skip
WHY = "labels are imbalanced (87 % ham)"


def test_macro_f1_is_named_in_verdict_and_tables_and_why_it_ranks():
    text = verdict(F1_ROWS, [F1_PAIR], metric_why=WHY)
    assert text.startswith(
        "Labels are imbalanced (87 % ham): ranked by macro F1; --metric accuracy ranks "
        "by accuracy. GRU (macro F1 70.0 %) is better than LSTM by 1.2 points of macro "
        "F1 (0.4 to 2.0)."
    )
    equal = dataclasses.replace(F1_PAIR, low=-0.004, p=0.3, p_equal=0.01)
    assert "less than 1 point of macro F1." in verdict(F1_ROWS, [equal])
    assert in_words(equal, titles(F1_ROWS)) == (
        "By macro F1 GRU is ahead of LSTM by 1.2 points of F1; between 0.4 worse "
        "and 2.0 better."
    )


def result(every=F1_ROWS, found=(F1_PAIR,), **values) -> ComparisonResult:
    return ComparisonResult(
        rows=tuple(every), pairs=tuple(found), verdict="", card=card(),
        metric=every[0].metric, **values,
    )  # fmt: skip


def test_what_ranks_has_the_interval_in_tables_and_lines():
    shown = tables.tables_of(result(metric_why=WHY))
    quality = shown["quality"]
    assert quality.names == [
        "cell", "macro F1 %", "macro F1: 95 % interval", "range over seeds",
        "accuracy %", "log loss",
    ]  # fmt: skip
    assert quality.rows[1][:5] == ("gru", "70.0", "50.0–80.0", "90.0–90.0", "90.0")
    assert quality.note.startswith("Ranked by macro F1.")
    assert shown["pairs"].names[1] == "a − b, points of F1"
    by_loss = tables.tables_of(result(ROWS, compared(GAINS)))
    assert by_loss["quality"].names[1:3] == ["log loss", "log loss: 95 % interval"]
    assert by_loss["quality"].note == "Ranked by log loss."
    assert by_loss["pairs"].names[1] == "b − a, nats"
    (line,) = by_loss["pairs"].rows
    assert (line[0], line[-1]) == ("gru, lstm", "a better")
    assert float(line[1]) == pytest.approx(0.1, abs=0.02)
    lines = csv_lines.csv(result())
    header, first, *_ = (one.split(",") for one in lines.splitlines())
    values = dict(zip(header, first, strict=True))
    assert (values["metric"], values["score"], values["low"]) == (
        "macro-f1", "0.6", "0.5",
    )  # fmt: skip


def test_a_comparison_names_its_metric_and_one_of_before_is_of_accuracy():
    kept = json.loads(json.dumps(to_plain(result())))
    assert (kept["metric"], kept["pairs"][0]["metric"]) == ("macro-f1", "macro-f1")
    assert from_plain(ComparisonResult, kept) == result()
    with pytest.raises(ValueError, match="a row or a pair is not of accuracy"):
        from_plain(ComparisonResult, kept | {"metric": "accuracy"})
    del kept["rows"][0]["by_metric"]
    with pytest.raises(ValueError, match="lacks its score by macro-f1"):
        from_plain(ComparisonResult, kept)
    old = to_plain(Row(
        kind="baseline", name="x", runs=("x",), n=3, accuracy=ROWS[0].accuracy,
        macro_f1=0.5, log_loss=0.1,
    ))  # fmt: skip
    del old["metric"], old["by_metric"]
    assert from_plain(Row, old).score == ROWS[0].accuracy
    with pytest.raises(ValueError, match="no p"):
        ModelPair(difference=0.1, low=0.0, high=0.2)


OF_ONE = [one for one in METRICS.values() if one is not EXAMPLE_F1]


@pytest.mark.parametrize("metric", OF_ONE, ids=lambda one: one.name)
def test_rows_have_the_interval_of_what_ranks_them(
    metric, finished_run, tmp_path, monkeypatch
):
    monkeypatch.setattr(rows, "failed_seeds", lambda *_: ())
    other = copy(finished_run, tmp_path / "b", training__seed=1)
    for runs in ([finished_run], [finished_run, other]):
        found = compare_runs(runs, metric=metric.name)
        (twin, *_) = found.rows
        scores = finished_run.metrics["test"]
        assert found.metric == twin.metric == metric.name
        assert twin.score.mean == pytest.approx(getattr(scores, metric.field))
        assert twin.accuracy == compare_runs(runs, metric="accuracy").rows[0].accuracy
        low, high = twin.score.low, twin.score.high
        assert 0 <= low <= twin.score.mean <= high <= metric.most
    assert compare_runs([finished_run]).metric_why == ""  # its labels are balanced


@pytest.mark.parametrize("metric", [MACRO_F1, LOG_LOSS], ids=lambda one: one.name)
def test_the_interval_of_one_model_is_over_its_texts(metric):
    true, probabilities = drawn(800, 3)
    said = Predictions(true, probabilities, np.ones(800))
    gains = {0: metric.sign * metric.values(said)}
    scores = metrics.scores(true, probabilities, tuple("abcd"), np.ones(800))
    found = summary([scores], metric, gains, ())
    by_scipy = stats.ttest_1samp(metric.values(said), 0).confidence_interval()
    assert (found.low, found.high) == pytest.approx((by_scipy.low, by_scipy.high))
    alike = summary([scores], metric, {0: np.ones(800)}, ())
    assert (alike.low, alike.high) == (None, None)  # nothing varies: nothing is known


def test_a_training_fails_by_what_ranks_it():
    # 90 of 100 texts have label 0. The first finds 8 of 10 of the others, with 12 false
    # alarms: 86 % right, less than guessing's 90, and yet it has learnt something.
    true = np.repeat([0, 1], [90, 10])
    found, guess = np.zeros(100), np.full(100, 0.1)
    found[:12] = found[90:98] = 0.9
    runs = []
    for seed, p in enumerate((found * 0.98 + 0.01, guess)):
        both = np.stack([1 - p, p], axis=1)
        scores = metrics.scores(true, both, ("a", "b"), np.ones(100))
        training = SimpleNamespace(training=SimpleNamespace(seed=seed))
        runs.append(SimpleNamespace(config=training, metrics={"validation": scores}))
    assert failed_seeds(runs) == (0, 1)
    assert failed_seeds(runs, "macro_f1") == (1,)
    assert failed_seeds(runs[1:], "log_loss") == (1,)  # as likely as it is: no more
    sure = SimpleNamespace(config=runs[0].config, metrics={
        "validation": metrics.scores(
            true, np.stack([1 - 0.8 * true - 0.1, 0.8 * true + 0.1], axis=1),
            ("a", "b"), np.ones(100),
        )})  # fmt: skip
    assert failed_seeds([sure, runs[1]], "log_loss") == (1,)


def test_a_label_with_few_test_texts_leaves_rows_without_an_interval():
    for rare, has_interval in ((10, True), (9, False)):
        true = np.repeat([0, 1], [91, rare])
        answers = np.where(np.arange(len(true)) % 7 == 0, 1 - true, true)
        p = np.eye(3)[answers] * 0.7 + 0.1  # the third label has no text
        said = Predictions(true, p, np.ones(len(true)))
        scores = metrics.scores(true, p, ("a", "b", "none"), np.ones(len(true)))
        for metric in OF_ONE:
            gains = {0: metric.sign * metric.values(said)}
            low = summary([scores], metric, gains, ()).low
            assert (low is not None) == (has_interval or metric is ACCURACY)
    bare = dataclasses.replace(F1_ROWS[0].by_metric, low=None, high=None)
    every = [dataclasses.replace(one, by_metric=bare) for one in F1_ROWS]
    quality = tables.tables_of(result(every))["quality"]
    assert quality.rows[0][2] == "–"
    assert "– No interval of macro F1 holds where a label has fewer" in quality.note


def test_looks_go_by_the_metric_and_another_one_is_another_question():
    gains = {"gru": losses_of(0.3, 3, 1), "lstm": losses_of(0.4, 3, 2)}
    trained = Trained(gains, dict.fromkeys(gains, 1.0), (), LOG_LOSS)
    so_far = Looks(max_seeds=3, asked=trained.seeds)  # the only look has all of 5 %
    looked = take_look(trained, so_far, 0.01)
    (pair,) = looked.decided
    (once,) = compared(gains)
    assert (pair.a, pair.metric, pair.look) == ("gru", "log-loss", 1)
    assert (pair.low, pair.high) == pytest.approx((once.low, once.high))
    assert from_plain(Looks, to_plain(looked)) == looked
    adding = Design(
        config=RunConfig(), cells=("gru", "lstm"), seeds=(0, 1), until=Limits()
    )
    by_accuracy, by_loss = (
        adding.question("f", name) for name in ("accuracy", "log-loss")
    )
    assert by_accuracy == adding.question("f")
    assert by_loss == by_accuracy | {"metric": "log-loss"}
    once = dataclasses.replace(adding, until=None)
    assert once.question("f", "log-loss") == once.question("f")  # trainings are reused
    with pytest.raises(ConfigError, match="unknown --metric"):
        dataclasses.replace(adding, metric="f1")

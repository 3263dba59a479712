"""The page where something else than accuracy ranks; what is quick; equal time."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pages
import pytest

from seqclf.comparison.metric import METRICS
from seqclf.records.comparison import ComparisonResult, ModelPair, Row
from seqclf.records.details import Curve
from seqclf.report import cost_figure, figures
from seqclf.report.equal_time import at_equal_time
from seqclf.report.page import page


def by(metric: str) -> ComparisonResult:
    """Returns the comparison of `pages`, ranked by another metric."""
    found = pages.comparison()
    sign = METRICS[metric].sign

    def row(one: Row) -> Row:
        mean = one.macro_f1 if sign > 0 else one.log_loss
        return replace(one, metric=metric, by_metric=pages.accuracy(mean))

    def pair(one):
        models = [
            ModelPair(seed=m.seed, difference=m.difference, low=m.low, high=m.high,
                      p=0.034)
            for m in one.models
        ]  # fmt: skip
        return replace(one, metric=metric, models=tuple(models), mcnemar_p=())

    return replace(
        found, metric=metric, rows=tuple(map(row, found.rows)),
        pairs=tuple(map(pair, found.pairs)),
        references=tuple(map(pair, found.references)),
    )  # fmt: skip


def words_of(svg: str) -> str:
    return "".join(ElementTree.fromstring(svg).itertext())


@pytest.mark.parametrize(
    ("metric", "words", "not_there"),
    [
        ("macro-f1", ["Difference in macro F1 of each pair", "Test macro F1 on the "
                      "same", "a − b, points of F1", "a paired t-test over the texts",
                      "p (paired t)", "is ahead of GRU by 1.0 points of F1; "
                      "between 2.0 worse and 4.0 better", "0.034", "At equal time",
                      "That time was not measured of tf-idf"], "only a right"),
        ("log-loss", ["Difference in log loss of each pair", "b − a, nats",
                      "By log loss LSTM is ahead of GRU by 0.010 nats; between "
                      "0.020 worse and 0.040 better"], "points of F1"),
    ],
)  # fmt: skip
def test_the_page_says_what_ranks(metric, words, not_there):
    text = page(by(metric), pages.details()).replace("&#39;", "'")
    for one in words:
        assert one in text, one
    assert not_there not in text


def test_the_axes_of_log_losses_say_so_and_guessing_is_off_to_the_right():
    rows = [replace(one, metric="log-loss", by_metric=pages.accuracy(0.3 + 0.01 * i))
            for i, one in enumerate(by("log-loss").rows)]  # fmt: skip
    guess = replace(rows[0], name="majority", by_metric=pages.accuracy(0.69))
    words = words_of(figures.accuracies([guess, *rows]))
    assert "test log loss, nats" in words
    assert "0.690 ▸" in words
    assert "is right of the scale" in figures.majority_said([guess, *rows])
    near = [replace(guess, by_metric=pages.accuracy(0.36)), *rows]
    assert figures.majority_said(near) == ""
    assert "log loss, nats less" in words_of(figures.differences(by("log-loss").pairs))
    assert "test log loss, nats" in words_of(cost_figure.costs(rows))


def milliseconds(row: Row) -> float | None:
    return row.milliseconds_per_prediction


@pytest.mark.parametrize(
    ("metric", "expected"),
    [("accuracy", ["none", "gru"]), ("log-loss", ["none", "lstm"])],
)
def test_the_front_has_what_is_not_beaten_in_time_and_score(metric, expected):
    # Time grows from none to lstm; rnn is worse than none, and slower.
    scores = {"none": 0.7, "rnn": 0.6, "gru": 0.9, "lstm": 0.65}
    rows = []
    for row in (pages.comparison() if metric == "accuracy" else by(metric)).twins:
        score = pages.accuracy(scores[row.name])
        key = "accuracy" if metric == "accuracy" else "by_metric"
        rows.append(replace(row, **{key: score}))
    if metric == "log-loss":  # less is better: rnn 0.6 would be on it
        rows[1] = replace(rows[1], by_metric=pages.accuracy(0.75))
    front = cost_figure.on_front(rows, milliseconds)
    assert [row.name for row in front] == expected
    twice = [replace(rows[0], name="majority"), *rows, pages.baseline("tf-idf")]
    assert [row.name for row in cost_figure.on_front(twice, milliseconds)] == expected


def test_the_caption_names_the_front_and_what_was_not_measured():
    said = cost_figure.speed_said(pages.comparison().rows)
    assert said.startswith(
        " By the time of a single text the front is none (1.1 ms, 70.0 %), "
    )
    assert said.endswith(
        " That time was not measured of tf-idf + logistic regression, not drawn there."
    )
    assert cost_figure.speed_said([pages.baseline("majority")]) == ""


def curve(accuracies: list[float], losses: list[float]) -> Curve:
    epochs = tuple(range(1, len(losses) + 1))
    return Curve(
        seed=0, best_epoch=1, epochs=epochs, seconds=tuple(map(float, epochs)),
        loss=tuple(losses), validation_loss=tuple(losses),
        validation_accuracy=tuple(accuracies),
    )  # fmt: skip


def test_equal_time_by_hand():
    rows = {row.name: row for row in pages.comparison().twins}
    seconds = {"none": 1.0, "rnn": 2.0, "gru": 2.5, "lstm": 9.0}
    timed = [replace(row, seconds_per_epoch=seconds[n]) for n, row in rows.items()]
    curves = {
        # rnn: four epochs of 2 s are 8 s, less than 5 of 2.5 and 2 of 9.
        "none": [curve([0.5, 0.6], [0.9, 0.8])],
        "rnn": [curve([0.5, 0.6, 0.7, 0.65], [0.9, 0.8, 0.7, 0.75])],
        # Three of 2.5 s within 8 s; the loss is least after the second, and the fifth.
        "gru": [curve([0.6, 0.7, 0.8, 0.9, 0.95], [0.8, 0.6, 0.7, 0.5, 0.4])] * 2,
        "lstm": [curve([0.8, 0.9], [0.5, 0.4])],
    }
    table = at_equal_time(timed, curves)
    assert "after the 8 s of training that rnn took" in table.title
    assert table.rows == (
        ("none", "2.0", "60.0", "60.0"),
        ("rnn", "4.0", "70.0", "70.0"),
        ("gru", "3.2", "70.0", "95.0"),
        ("lstm", "0.9", "–", "90.0"),
    )
    assert at_equal_time([replace(r, timed="while training") for r in timed], curves) \
        is None  # fmt: skip
    apart = [replace(r, kernel="cuDNN") if r.name == "gru" else r for r in timed]
    assert at_equal_time(apart, curves) is None
    assert at_equal_time(timed[:2], curves) is None

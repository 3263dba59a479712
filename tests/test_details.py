"""Where twins differ, worked out by hand."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from seqclf.comparison import details
from seqclf.data import dataset
from seqclf.data.dataset import MOST_SHUFFLED, shuffled_rows
from seqclf.records.details import Agreement, Fit
from seqclf.runs import Predictions

LABELS = ["no", "yes"]
TRUE = np.array([0, 1, 0, 1], np.int32)
LENGTHS = np.array([3, 5, 9, 20], np.int32)


def said(answers, confidence=0.8, true=TRUE, lengths=LENGTHS):
    """Predictions of these answers; `confidence` is one number or one a text."""
    sure = np.broadcast_to(confidence, len(answers))
    probabilities = np.tile(1 - sure[:, None], (1, 2)).astype(np.float32)
    probabilities[np.arange(len(answers)), answers] = sure
    return Predictions(true, probabilities, lengths)


def test_agreement_is_counted_over_the_seeds_that_all_have():
    # Seed 0: gru is right on all, rnn on 0, 2 and 3, none on 0 and 1.
    # Alike on text 0; all right there; gru alone right on no text.
    # Seed 1: gru right on 0, rnn on none, `none` on none: gru alone on text 0, and the
    # others alike and wrong.
    found = details.agreement(
        {
            "gru": {
                0: said([0, 1, 0, 1]),
                1: said([0, 0, 1, 0]),
                2: said([1, 0, 1, 0]),
            },
            "rnn": {0: said([0, 0, 0, 1]), 1: said([1, 0, 1, 0])},
            "none": {0: said([0, 1, 1, 0]), 1: said([1, 0, 1, 0])},
        }
    )
    assert found == Agreement(
        seeds=(0, 1),
        all_alike=(0.25 + 0.75) / 2,
        all_right=0.25 / 2,
        none_right=0.75 / 2,
        only_right={"gru": 0.25 / 2, "rnn": 0.0, "none": 0.0},
    )


def test_one_cell_or_no_common_seed_has_no_agreement():
    assert details.agreement({"gru": {0: said([0, 1, 0, 1])}}) is None
    apart = {"gru": {0: said([0, 1, 0, 1])}, "rnn": {1: said([0, 1, 0, 1])}}
    assert details.agreement(apart) is None
    assert details.examples(apart, LABELS, None) == ()


def test_texts_with_one_right_cell_come_by_the_others_confidence():
    texts = pa.chunked_array([["a", "b"], ["c" * 2000, "d"]])
    found = details.examples(
        {
            "gru": {0: said([0, 1, 0, 1])},
            "rnn": {0: said([1, 0, 1, 1], [0.6, 0.9, 0.7, 0.8])},
        },
        LABELS,
        texts,
    )
    assert [one.id for one in found] == [1, 2, 0]
    assert [one.only_right for one in found] == ["gru"] * 3
    assert found[0].text == "b"
    assert found[1].text == "c" * 1200 + " …"
    assert found[0].label == "yes"
    assert found[0].length == 5
    answer = found[0].answers["rnn"]
    assert (answer.label, answer.probability) == ("no", pytest.approx(0.9))
    without = details.examples(
        {"gru": {0: said([0, 1, 0, 1])}, "rnn": {0: said([1, 1, 0, 1])}}, LABELS, None
    )
    assert [one.text for one in without] == [None]


def test_groups_are_those_of_length_label_and_negation():
    words = ["not good", "good"] * 30
    true = np.array([0, 1] * 30, np.int32)
    lengths = np.array([2, 1] * 30, np.int32)
    answers = np.where(np.arange(60) < 45, true, 1 - true)
    by_cell = {"gru": {0: said(answers, true=true, lengths=lengths)}}
    found = details.by_group(by_cell, LABELS, pa.chunked_array([words]))
    assert [(one.by, one.group, one.n) for one in found] == [
        ("length", "1 token", 30),
        ("length", "2 tokens", 30),
        ("label", "no", 30),
        ("label", "yes", 30),
        ("negation", "with no, not, never …", 30),
        ("negation", "without them", 30),
    ]
    # Texts 0 to 44 are right: 23 of the 30 even ones, 22 of the odd ones.
    assert found[2].cells["gru"].accuracy == pytest.approx(23 / 30)
    assert found[3].cells["gru"].accuracy == pytest.approx(22 / 30)
    low, high = found[2].cells["gru"].low, found[2].cells["gru"].high
    # Wilson's formula for 23 of 30, by hand.
    assert (low, high) == (
        pytest.approx(0.5907, abs=2e-4),
        pytest.approx(0.8821, abs=2e-4),
    )


@pytest.mark.parametrize(
    ("text", "negated"),
    [("I do NOT know", True), ("it isn't", True), ("it isn’t", True), ("note", False),
     ("knot, nothingness", False), ("No.", True), ("hardly", True), ("", False)],
)  # fmt: skip
def test_negation_is_told_by_whole_words(text, negated):
    texts = pa.chunked_array([[text] * 20 + ["not"] * 20 + ["plain"] * 20])
    (_, _, has), (_, _, lacks) = details._negation(texts)
    assert has[0] == negated
    assert lacks[0] != negated


def test_few_texts_with_negation_make_no_group():
    assert details._negation(pa.chunked_array([["gut"] * 500 + ["not"] * 19])) == []
    assert details._negation(None) == []


def fake_run(as_written, shuffled):
    parts = {"test": said(as_written), "test_shuffled": said(shuffled)}
    return SimpleNamespace(predictions=parts.__getitem__)


def test_word_order_is_what_shuffled_words_lose():
    found = details.word_order([fake_run([0, 1, 0, 1], [0, 1, 1, 0])])
    assert (found.accuracy, found.shuffled, found.lost) == (1.0, 0.5, 0.5)
    assert found.low <= 0.5 <= found.high
    both = details.word_order(
        [fake_run([0, 1, 0, 1], [0, 1, 1, 0]), fake_run([0, 1, 0, 0], [0, 1, 0, 0])]
    )
    assert both.lost == 0.25
    assert -1 <= both.low <= 0.25 <= both.high <= 1


def test_calibration_pools_the_seeds():
    found = details._calibration(
        {0: said([0, 1, 0, 1], 0.95), 1: said([1, 0, 0, 1], [0.95, 0.95, 0.65, 0.65])}
    )
    # Six answers with 0.95, of which four are right; two with 0.65, both right.
    low, high = found.bins
    assert (low.n, high.n) == (2, 6)
    assert (low.accuracy, high.accuracy) == (1.0, pytest.approx(4 / 6))
    expected = (2 * abs(1 - 0.65) + 6 * abs(4 / 6 - 0.95)) / 8
    assert found.error == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("wrong", "low", "high"),
    [
        # Wilson's formula for 9 of 9 and for 0 of 9: n / (n + z^2) and its complement.
        (0, 9 / (9 + 1.959964**2), 1.0),
        (9, 0.0, 1.959964**2 / (9 + 1.959964**2)),
    ],
)
def test_nine_texts_that_all_seeds_have_right_do_not_make_certain(wrong, low, high):
    true = np.array([0] * 9 + [1] * 21, np.int32)
    lengths = np.ones(30, np.int32)
    answers = true.copy()
    answers[:wrong] = 1
    seeds = {seed: said(answers, true=true, lengths=lengths) for seed in (0, 1, 2)}
    groups = details.by_group({"gru": seeds}, LABELS, None)
    (part,) = [one for one in groups if one.group == "no"]
    assert part.n == 9
    found = part.cells["gru"]
    assert (found.low, found.high) == (
        pytest.approx(low, abs=1e-6), pytest.approx(high, abs=1e-6)
    )  # fmt: skip


def test_scores_of_seeds_are_averaged_and_their_confusions_added():
    def run(train, validation, matrix, seconds):
        scores = {
            "train": SimpleNamespace(accuracy=train, log_loss=0.1),
            "validation": SimpleNamespace(accuracy=validation, log_loss=0.3),
            "test": SimpleNamespace(confusion_matrix=matrix),
        }
        history = [
            SimpleNamespace(epoch=epoch, seconds=one, loss=0.5, validation_loss=0.6,
                            validation_accuracy=0.7)
            for epoch, one in enumerate(seconds, 1)
        ]  # fmt: skip
        config = SimpleNamespace(training=SimpleNamespace(seed=4))
        return SimpleNamespace(metrics=scores, history=history, config=config,
                               environment=SimpleNamespace(best_epoch=2))  # fmt: skip

    runs = [run(0.9, 0.8, [[3, 1], [0, 2]], [2.0, 1.5, 1.0]),
            run(1.0, 0.7, [[4, 0], [2, 0]], [1.0])]  # fmt: skip
    assert details._fit(runs) == Fit(
        train_accuracy=pytest.approx(0.95), train_log_loss=pytest.approx(0.1),
        validation_accuracy=pytest.approx(0.75),
        validation_log_loss=pytest.approx(0.3),
    )  # fmt: skip
    assert details._confusion(runs) == ((7, 1), (2, 2))
    curve = details._curve(runs[0])
    assert curve.seconds == (2.0, 3.5, 4.5)
    assert (curve.seed, curve.best_epoch, curve.epochs) == (4, 2, (1, 2, 3))


def test_details_of_a_real_run(finished_run):
    texts = pa.chunked_array([[f"text {i}" for i in range(48)]])
    found = details.details({"gru": [finished_run]}, texts)
    assert found.agreement is None
    assert found.examples == ()
    curve = found.curves["gru"][0]
    assert curve.epochs == (1, 2)
    seconds = [record.seconds for record in finished_run.history]
    assert curve.seconds == pytest.approx([seconds[0], sum(seconds)])
    assert sum(map(sum, found.confusion["gru"])) == 48
    assert 0 <= found.fit["gru"].train_accuracy <= 1
    assert found.word_order["gru"].accuracy == pytest.approx(
        finished_run.metrics["test"].accuracy
    )


def test_of_many_texts_only_some_are_shuffled():
    assert shuffled_rows(3).tolist() == [0, 1, 2]
    rows = shuffled_rows(20_001)
    assert len(rows) == len(set(rows)) == MOST_SHUFFLED
    assert (rows[0], rows[-1]) == (0, 20_000)
    assert set(np.diff(rows)) == {4, 5}


@pytest.mark.parametrize("shuffled", [[1, 1, 0], [1, 0, 1, 0, 0, 0]])
def test_shuffled_texts_are_set_against_themselves_as_written(shuffled, monkeypatch):
    """Of six texts the first, third and last are shuffled; or, by 0.1.0, all are."""
    monkeypatch.setattr(dataset, "MOST_SHUFFLED", 3)
    right = {"test": [1, 0, 1, 0, 0, 1], "test_shuffled": shuffled}
    parts = {k: SimpleNamespace(right=np.array(v, bool)) for k, v in right.items()}
    run = SimpleNamespace(predictions=parts.__getitem__)
    written, mixed = details.written_and_shuffled(run)
    assert (written.tolist(), mixed.tolist()) == ([1, 1, 1], [1, 1, 0])
    found = details.word_order([run, run])
    assert (found.accuracy, found.shuffled) == (1.0, pytest.approx(2 / 3))

from __future__ import annotations

import numpy as np
import pytest

from seqclf import metrics

# Six examples, three labels; the fourth and the last are wrong.
TRUE = np.array([0, 0, 1, 1, 2, 2])
PROBABILITIES = np.array(
    [
        [0.8, 0.1, 0.1],
        [0.6, 0.3, 0.1],
        [0.2, 0.7, 0.1],
        [0.5, 0.4, 0.1],
        [0.1, 0.1, 0.8],
        [0.2, 0.5, 0.3],
    ]
)
LENGTHS = np.array([1, 2, 3, 4, 5, 6])


def scored(true=TRUE, probabilities=PROBABILITIES, labels=("a", "b", "c")):
    lengths = np.arange(1, len(true) + 1)
    return metrics.scores(np.array(true), np.array(probabilities), labels, lengths)


def test_scores_of_a_worked_example():
    result = scored()
    assert result.n == 6
    assert result.accuracy == pytest.approx(4 / 6)
    assert result.confusion_matrix == ((2, 0, 0), (1, 1, 0), (0, 1, 1))
    by_label = {record.label: record for record in result.per_label}
    assert by_label["a"].precision == pytest.approx(2 / 3)
    assert by_label["a"].recall == 1
    assert by_label["b"].f1 == pytest.approx(0.5)
    assert by_label["c"].precision == 1
    assert by_label["c"].support == 2
    assert result.macro_f1 == pytest.approx((0.8 + 0.5 + 2 / 3) / 3)
    right = np.log([0.8, 0.6, 0.7, 0.4, 0.8, 0.3])
    assert result.log_loss == pytest.approx(-right.mean())


def test_roc_auc_counts_pairs_in_the_right_order():
    def by_pairs(label: int) -> float:
        inside, outside = (PROBABILITIES[label == TRUE, label],
                           PROBABILITIES[label != TRUE, label])  # fmt: skip
        above = inside[:, None] > outside
        equal = inside[:, None] == outside
        return float((above + equal / 2).mean())

    expected = np.mean([by_pairs(label) for label in range(3)])
    assert metrics.roc_auc(TRUE, PROBABILITIES) == pytest.approx(expected)


def test_roc_auc_is_none_where_there_is_one_label_only():
    assert metrics.roc_auc(np.zeros(3, int), np.full((3, 2), 0.5)) is None


def test_a_label_without_examples_does_not_spoil_the_scores():
    result = scored(true=[0, 0, 1, 1, 0, 1])
    assert result.per_label[2].support == 0
    assert result.roc_auc is not None


def test_wilson_interval_of_a_published_example():
    # Newcombe 1998 (Statist. Med. 17:857), table I, method 3: 81 of 263, 0 of 20.
    assert metrics.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert metrics.wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_calibration_error_of_a_worked_example():
    # Two bins: confidences .6 and .9; one of two right, two of two right.
    probabilities = np.array([[0.6, 0.4], [0.6, 0.4], [0.9, 0.1], [0.9, 0.1]])
    true = np.array([0, 1, 0, 0])
    expected = 0.5 * abs(0.5 - 0.6) + 0.5 * abs(1 - 0.9)
    assert metrics.calibration_error(true, probabilities) == pytest.approx(expected)


def test_accuracy_by_length_has_a_record_a_quarter():
    correct = np.array([1, 1, 0, 0, 1, 0, 1, 1], bool)
    records = metrics.by_length(correct, np.arange(10, 18))
    assert [(r.shortest, r.longest) for r in records] == [
        (10, 11), (12, 13), (14, 15), (16, 17)
    ]  # fmt: skip
    assert [r.accuracy for r in records] == [1, 0, 0.5, 1]


def test_equal_lengths_leave_one_quarter():
    assert len(metrics.by_length(np.ones(5, bool), np.full(5, 3))) == 1


@pytest.mark.parametrize("num_labels", [2, 3, 7])
@pytest.mark.parametrize("seed", range(5))
def test_scores_agree_with_counting_by_hand(num_labels, seed):
    generator = np.random.default_rng(seed)
    true = generator.integers(0, num_labels, 200)
    probabilities = generator.dirichlet(np.ones(num_labels), 200).astype(np.float32)
    result = scored(true, probabilities, tuple("abcdefg"[:num_labels]))
    predicted = probabilities.argmax(1)
    f1s = []
    for label in range(num_labels):
        hits = ((true == label) & (predicted == label)).sum()
        f1s.append(2 * hits / ((true == label).sum() + (predicted == label).sum()))
    assert result.macro_f1 == pytest.approx(np.mean(f1s))
    assert result.accuracy == pytest.approx((true == predicted).mean())
    assert np.array(result.confusion_matrix).sum() == 200
    assert [r.support for r in result.per_label] == np.bincount(true).tolist()


@pytest.mark.parametrize("seed", range(5))
def test_scores_agree_with_scikit_learn(seed):
    from sklearn import metrics as reference

    generator = np.random.default_rng(seed)
    true = generator.integers(0, 4, 300)
    probabilities = generator.dirichlet(np.ones(4), 300)
    result = scored(true, probabilities, tuple("abcd"))
    assert result.roc_auc == pytest.approx(
        reference.roc_auc_score(true, probabilities, multi_class="ovr")
    )
    assert result.log_loss == pytest.approx(reference.log_loss(true, probabilities))
    assert result.macro_f1 == pytest.approx(
        reference.f1_score(true, probabilities.argmax(1), average="macro")
    )

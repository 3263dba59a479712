"""Texts with several labels: thresholds and scores, against scikit-learn or by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn import metrics as reference
from sklearn.linear_model import LogisticRegression

from seqclf import metrics, several
from seqclf.evaluation.failed import guessed as guessed_of
from seqclf.linear.fit import _each_label, log_count_ratios, nb_fit
from seqclf.model.scoring import (
    fit_temperature,
    losses_of_several,
    probabilities_of,
)
from seqclf.text.batching import Batch
from seqclf.text.encoding import Examples
from seqclf.training.fit import as_tf_dataset, validate

LABELS = ("a", "b", "c", "d")


@pytest.fixture(scope="module")
def drawn():
    """Which labels 400 texts have, noisy probabilities of them, and answers."""
    rng = np.random.default_rng(1)
    truth = rng.random((400, 4)) < (0.5, 0.3, 0.1, 0.02)
    logits = 2 * truth - 1 + rng.normal(0, 1.2, truth.shape)
    probabilities = probabilities_of(logits.astype(np.float32), several=True)
    return truth, probabilities, several.answered(probabilities, np.full(4, 0.5))


def test_scores_are_those_of_scikit_learn(drawn):
    truth, probabilities, said = drawn
    scores = several.scores(truth, probabilities, said, LABELS, np.arange(400) + 1)
    f1 = {
        kind: reference.f1_score(truth, said, average=kind, zero_division=1)
        for kind in ("micro", "macro", "samples")
    }
    assert scores.accuracy == pytest.approx(reference.accuracy_score(truth, said))
    assert scores.macro_f1 == pytest.approx(f1["macro"], abs=1e-12)
    assert scores.several.micro_f1 == pytest.approx(f1["micro"], abs=1e-12)
    assert scores.several.example_f1 == pytest.approx(f1["samples"], abs=1e-12)
    expected = reference.average_precision_score(truth, probabilities, average="macro")
    assert scores.several.average_precision == pytest.approx(expected, abs=1e-12)
    expected = reference.roc_auc_score(truth, probabilities, average="macro")
    assert scores.roc_auc == pytest.approx(expected, abs=1e-12)
    by_label = [
        reference.log_loss(
            truth[:, k], probabilities[:, k].astype(float), labels=[0, 1]
        )
        for k in range(4)
    ]
    assert scores.log_loss == pytest.approx(np.mean(by_label), abs=1e-9)
    supports = [one.support for one in scores.per_label]
    assert supports == truth.sum(axis=0).tolist()
    assert scores.several.labels_per_text == pytest.approx(truth.sum() / 400)
    assert scores.several.answered_per_text == pytest.approx(said.sum() / 400)
    assert scores.confusion_matrix == ()
    assert scores.example_f1 == scores.several.example_f1


def test_example_f1_by_hand():
    truth = np.array([[1, 1, 0], [0, 0, 0], [0, 0, 0], [1, 0, 0]], bool)
    said = np.array([[1, 0, 1], [0, 0, 0], [1, 0, 0], [0, 1, 0]], bool)
    # 2 · 1 / (2 + 2); nothing and nothing; nothing and one; one and another.
    assert several.example_f1(truth, said).tolist() == [0.5, 1.0, 0.0, 0.0]


def test_shares_of_macro_f1_have_it_as_their_mean_and_tell_its_spread(drawn):
    truth, _, said = drawn
    shares = metrics.f1_shares(truth, said)
    expected = reference.f1_score(truth, said, average="macro")
    assert shares.mean() == pytest.approx(expected, abs=1e-12)
    rng = np.random.default_rng(2)
    again = [
        reference.f1_score(truth[rows], said[rows], average="macro", zero_division=0)
        for rows in rng.integers(0, len(truth), (600, len(truth)))
    ]
    spread = shares.std() / np.sqrt(len(truth))
    assert spread == pytest.approx(np.std(again), rel=0.15)


def test_labels_that_no_text_has_and_none_gets_do_not_count():
    truth = np.array([[1, 0], [0, 0]], bool)
    assert metrics.f1_shares(truth, truth).mean() == 1.0
    nothing = np.zeros((3, 2), bool)
    assert metrics.f1_shares(nothing, nothing).tolist() == [0, 0, 0]


def test_thresholds_have_the_greatest_f1_of_each_label(drawn):
    truth, probabilities, _ = drawn
    found = several.thresholds(truth, probabilities, np.ones(4, bool))
    said = several.answered(probabilities, found)
    for label in range(4):
        column, own = probabilities[:, label], truth[:, label]
        tried = [
            reference.f1_score(own, column >= least) for least in np.unique(column)
        ]
        assert reference.f1_score(own, said[:, label]) == pytest.approx(max(tried))


def test_a_label_with_too_few_texts_has_a_threshold_of_a_half():
    truth = np.zeros((50, 2), bool)
    truth[:4, 0] = truth[:5, 1] = True
    probabilities = np.linspace(0.4, 0.1, 50, dtype=np.float32)[:, None].repeat(2, 1)
    found = several.thresholds(truth, probabilities, np.ones(truth.shape[1], bool))
    assert found[0] == np.float32(0.5)
    # Between the fifth, which has the label, and the sixth, which has not.
    assert found[1] == pytest.approx((probabilities[4, 1] + probabilities[5, 1]) / 2)


def test_probabilities_that_are_neighbours_are_parted():
    truth = np.array([[1]] * 5 + [[0]] * 5, bool)
    for lower in (0.5, 0.3, 0.12345):
        below = np.float32(lower)
        above = np.nextafter(below, np.float32(1))
        probabilities = np.where(truth, above, below).astype(np.float32)
        least = several.thresholds(truth, probabilities, np.ones(1, bool))
        assert (several.answered(probabilities, least) == truth).all()


def test_one_text_tells_nothing_of_all():
    least = several.thresholds(
        np.array([[True, False]]), np.array([[0.2, 0.9]]), np.ones(2, bool)
    )
    assert least.tolist() == [0.5, 0.5]


def test_a_label_of_which_nothing_was_learnt_keeps_a_half():
    truth = np.ones((50, 2), bool)
    probabilities = np.random.default_rng(0).random((50, 2)).astype(np.float32) / 9
    found = several.thresholds(truth, probabilities, np.array([False, True]))
    assert found[0] == np.float32(0.5)
    assert several.answered(probabilities, found)[:, 1].all()
    assert several.learnt(np.array([[1, 0, 1], [1, 0, 0]], bool)).tolist() == [
        False, False, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("of_first", "expected"), [(0.9, [True, False]), (0.1, [False] * 2)]
)
def test_who_says_the_same_of_all_texts_says_the_best(of_first, expected):
    rng = np.random.default_rng(5)
    truth = rng.random((500, 2)) < (of_first, 0.05)
    same = np.tile(np.array([0.6, 0.1], np.float32), (500, 1))
    least = several.thresholds(truth, same, np.ones(2, bool))
    said = several.answered(same, least)
    assert (said == expected).all()
    scores = several.scores(truth, same, said, LABELS[:2], np.ones(500, int))
    assert scores.example_f1 == scores.several.guessed_example_f1


def test_no_threshold_parts_equal_probabilities():
    truth = np.array([[1]] * 5 + [[0]] * 5, bool)
    probabilities = np.array([[0.3]] * 9 + [[0.2]], np.float32)
    least = several.thresholds(truth, probabilities, np.ones(truth.shape[1], bool))
    assert several.answered(probabilities, least)[:9].all()


def test_guesses_are_the_best_constant_answers(drawn):
    truth, probabilities, said = drawn
    scores = several.scores(truth, probabilities, said, LABELS, np.ones(400, int))
    sets = [np.array(s, bool) for s in itertools.product((0, 1), repeat=4)]
    right = max((truth == one).all(axis=1).mean() for one in sets)
    assert scores.several.guessed_accuracy == pytest.approx(right)
    every = [several.example_f1(truth, np.tile(one, (400, 1))).mean() for one in sets]
    assert scores.several.guessed_example_f1 == pytest.approx(max(every))
    guessed = guessed_of(scores)
    all_of_them = np.ones_like(truth)
    expected = reference.f1_score(truth, all_of_them, average="macro")
    assert guessed["macro_f1"] == pytest.approx(expected)
    shares = np.tile(truth.mean(axis=0), (400, 1))
    assert guessed["log_loss"] == pytest.approx(several.losses(truth, shares).mean())


def test_probabilities_are_logistic_and_never_overflow():
    logits = np.array([[0.0, 2.0, -500.0, 500.0]], np.float32)
    with np.errstate(over="raise"):
        found = probabilities_of(logits, several=True)
    assert found.dtype == np.float32
    assert found[0] == pytest.approx([0.5, 1 / (1 + np.exp(-2)), 0, 1], abs=1e-7)


def test_losses_of_logits_are_those_of_their_probabilities(drawn):
    truth, probabilities, _ = drawn
    exact = probabilities.astype(np.float64)
    logits = np.log(exact / (1 - exact))
    found = losses_of_several(logits, truth).mean(axis=1)
    assert found == pytest.approx(several.losses(truth, exact), abs=1e-9)


def test_the_temperature_makes_up_for_logits_that_are_too_sure():
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 2, (5000, 3))
    truth = rng.random(logits.shape) < 1 / (1 + np.exp(-logits))
    temperature, loss = fit_temperature(3 * logits, truth)
    assert temperature == pytest.approx(3, rel=0.05)
    # The same minimum by another way, without the smoothed targets.
    free = minimize_scalar(
        lambda t: losses_of_several(3 * logits / t, truth).mean(), bounds=(1, 9)
    )
    assert loss == pytest.approx(free.fun, abs=1e-3)


def test_each_label_has_the_regression_that_it_would_have_alone():
    from scipy import sparse

    rng = np.random.default_rng(4)
    features = sparse.csr_matrix((rng.random((200, 12)) < 0.3).astype(np.float32))
    truth = np.zeros((200, 4), bool)
    truth[:, 0] = features[:, 0].toarray().ravel() > 0
    truth[:, 1] = rng.random(200) < 0.4
    truth[:, 3] = True
    regression = LogisticRegression(C=3.0, solver="newton-cg", max_iter=1000)
    weights, bias = _each_label(regression, features, truth)
    alone = LogisticRegression(C=3.0, solver="newton-cg", max_iter=1000)
    alone.fit(features, truth[:, 1])
    assert weights[:, 1] == pytest.approx(alone.coef_[0], abs=1e-5)
    assert bias[1] == pytest.approx(alone.intercept_[0], abs=1e-5)
    # No text has the third, and all have the fourth: as of half a text more of each.
    assert bias[2:] == pytest.approx([np.log(0.5 / 200.5), np.log(200.5 / 0.5)])
    assert not weights[:, 2:].any()
    nb_weights, nb_bias = nb_fit(features, truth, 4)(1.0)
    assert nb_bias[2:] == pytest.approx(bias[2:])
    one = nb_fit(features, truth[:, 0].astype(int), 2)(1.0)[0]
    assert nb_weights[:, 0] == pytest.approx(one[:, 1], abs=1e-6)
    ratios = log_count_ratios(features, truth[:, 0])
    assert np.sign(nb_weights[0, 0]) == np.sign(ratios[0]) == 1


def test_what_is_learnt_is_a_number_for_each_label():
    truth = np.array([[1, 0, 1], [0, 0, 0]], bool)
    batch = Batch(np.arange(2), np.ones((2, 4), np.int32), truth)
    [(token_ids, learnt)] = as_tf_dataset(iter([batch]), 1, 3, None)
    assert token_ids.shape == (2, 4)
    assert learnt.numpy().tolist() == [[1, 0, 1], [0, 0, 0]]


def test_whole_texts_count_as_right_on_validation():
    class Model:
        output_shape = (None, 2)

        def predict_on_batch(self, token_ids):
            return np.array([[3, -3], [3, 3], [-3, -3]], np.float32)[token_ids[:, 0]]

    truth = np.array([[1, 0], [1, 0], [0, 0], [0, 1]], bool)
    ids, offsets = np.array([0, 1, 2, 2], np.int32), np.arange(5)
    loss, accuracy = validate(Model(), Examples(ids, offsets, truth))
    # The first and the third have both labels right; of the eight two are wrong.
    assert accuracy == 0.5
    assert loss == pytest.approx(np.log1p(np.exp(-3)) + 2 * 3 / 8)


STARS = ("1", "2", "3", "4", "5")


def test_stars_have_a_distance_and_a_kappa():
    true = np.array([0, 1, 2, 3, 4, 4, 0, 2])
    said = np.array([0, 1, 3, 3, 2, 4, 1, 2])
    found = metrics.ordered(true, said, STARS)
    assert found.mean_absolute_error == (1 + 2 + 1) / 8
    kappa = reference.cohen_kappa_score(true, said, weights="quadratic")
    assert found.quadratic_kappa == pytest.approx(kappa)


def test_numbers_count_by_what_they_are():
    labels = ("0", "5", "10")
    true, said = np.array([0, 1, 2, 2]), np.array([0, 2, 2, 0])
    found = metrics.ordered(true, said, labels)
    assert found.mean_absolute_error == (5 + 10) / 4
    numbers = np.array([0, 5, 10])
    observed = ((numbers[true] - numbers[said]) ** 2).mean()
    by_chance = ((numbers[true][:, None] - numbers[said]) ** 2).mean()
    assert found.quadratic_kappa == pytest.approx(1 - observed / by_chance)


@pytest.mark.parametrize(
    "labels",
    [("0", "1"), ("good", "bad", "odd"), ("1", "2", "other"), ("a1", "2", "3")],
)
def test_two_numbers_and_names_are_in_no_order(labels):
    ids = np.array([0, 1, 1])
    assert metrics.ordered(ids, ids, labels) is None


def test_codes_are_no_stars_and_take_no_memory():
    ids = np.array([0, 1, 2])
    assert metrics.ordered(ids, ids, ("7", "999999998", "999999999")) is None


def test_one_number_alone_has_no_kappa():
    ids = np.zeros(3, int)
    found = metrics.ordered(ids, ids, STARS)
    assert found.mean_absolute_error == 0
    assert found.quadratic_kappa is None

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from seqclf.config import TrainingConfig
from seqclf.text.batching import (
    drop_words,
    epoch_order,
    num_batches,
    pad,
    padding_share,
    sorted_order,
    training_batches,
    word_dropout_of,
)
from seqclf.text.encoding import Examples
from seqclf.text.tokens import UNKNOWN_ID


def examples(lengths: list[int]) -> Examples:
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    token_ids = np.arange(2, 2 + offsets[-1], dtype=np.int32)
    return Examples(token_ids, offsets, np.arange(len(lengths), dtype=np.int32))


LENGTHS = np.random.default_rng(0).geometric(0.05, 1000)


@pytest.mark.parametrize("batch_size", [1, 7, 64, 5000])
def test_an_epoch_holds_each_example_once(batch_size):
    order = np.concatenate(
        epoch_order(LENGTHS, TrainingConfig(batch_size=batch_size), epoch=1)
    )
    assert sorted(order.tolist()) == list(range(1000))


def test_the_order_comes_from_seed_and_epoch_alone():
    def flat(seed: int, epoch: int) -> list[int]:
        return np.concatenate(
            epoch_order(LENGTHS, TrainingConfig(seed=seed), epoch)
        ).tolist()

    assert flat(1, 1) == flat(1, 1)
    assert flat(1, 1) != flat(1, 2)
    assert flat(1, 1) != flat(2, 1)


def test_batches_hold_similar_lengths_and_little_padding():
    order = epoch_order(LENGTHS, TrainingConfig(batch_size=20), epoch=1)
    shuffled = np.random.default_rng(0).permutation(1000).reshape(-1, 20)
    assert padding_share(order, LENGTHS) < padding_share(list(shuffled), LENGTHS) / 4


def test_batches_do_not_come_sorted_by_length():
    order = epoch_order(LENGTHS, TrainingConfig(batch_size=16), epoch=1)
    longest = [LENGTHS[batch].max() for batch in order]
    assert abs(np.corrcoef(longest, range(len(longest)))[0, 1]) < 0.5


@pytest.mark.parametrize("batch_tokens", [1, 64, 1000, 10**6])
def test_batches_by_tokens_hold_each_example_once_and_keep_to_the_limit(batch_tokens):
    config = TrainingConfig(batch_tokens=batch_tokens)
    order = epoch_order(LENGTHS, config, epoch=1)
    assert sorted(np.concatenate(order).tolist()) == list(range(1000))
    for epoch in range(1, 6):  # epochs differ
        order = epoch_order(LENGTHS, config, epoch)
        assert num_batches(LENGTHS, config, epoch) == len(order)
    for batch in order:
        positions = len(batch) * LENGTHS[batch].max()
        assert positions <= batch_tokens or len(batch) == 1


def test_batches_by_tokens_of_a_worked_example():
    # Sorted 1 2 2 3: two of length 2 fit into 4 positions, a third would make 6.
    lengths = np.array([3, 2, 1, 2])
    order = epoch_order(lengths, TrainingConfig(batch_tokens=4), epoch=1)
    assert sorted(sorted(lengths[batch].tolist()) for batch in order) == [
        [1, 2], [2], [3],
    ]  # fmt: skip


def test_short_texts_come_in_larger_batches_by_tokens():
    order = epoch_order(LENGTHS, TrainingConfig(batch_tokens=600), epoch=1)
    sizes = [len(batch) for batch in order]
    assert np.corrcoef(sizes, [LENGTHS[batch].max() for batch in order])[0, 1] < -0.5
    assert padding_share(order, LENGTHS) < 0.1


@pytest.mark.parametrize("n", [1, 64, 65, 6400, 6401])
def test_the_number_of_batches_is_known_without_the_order(n):
    lengths = np.ones(n, int)
    config = TrainingConfig()
    assert num_batches(lengths, config, epoch=1) == len(epoch_order(lengths, config, 1))


def test_padding_share_of_a_worked_example():
    # Batches of lengths (1, 3) and (2): 8 positions, 6 tokens.
    lengths = np.array([1, 3, 2])
    assert padding_share([np.array([0, 1]), np.array([2])], lengths) == 0.25


def test_padding_stands_on_the_right_and_is_zero():
    batch = pad(examples([2, 3, 1]), np.array([2, 1]))
    assert batch.token_ids.tolist() == [[7, 0, 0], [4, 5, 6]]
    assert batch.token_ids.dtype == np.int32
    assert batch.label_ids.tolist() == [2, 1]


def test_the_shortest_come_first_for_prediction():
    lengths = np.array([3, 1, 2])
    assert [b.tolist() for b in sorted_order(lengths, 2)] == [[1, 2], [0]]
    by_tokens = sorted_order(np.array([5, 1, 2, 2]), 64, batch_tokens=6)
    assert [b.tolist() for b in by_tokens] == [[1, 2, 3], [0]]


def test_word_dropout_makes_the_asked_share_unknown_and_spares_padding():
    token_ids = np.full((100, 200), 9, np.int32)
    token_ids[:, 150:] = 0
    drop_words(token_ids, 0.3, np.random.default_rng(0))
    assert abs((token_ids[:, :150] == 1).mean() - 0.3) < 0.01
    assert (token_ids[:, 150:] == 0).all()


def test_no_word_is_dropped_at_rate_zero():
    config = TrainingConfig(word_dropout_rate=0.0, batch_size=4)
    seen = [b.token_ids for b in training_batches(examples([2] * 8), config, epoch=1)]
    assert sorted(np.concatenate(seen).ravel().tolist()) == list(range(2, 18))


def test_word_dropout_differs_by_epoch_and_repeats_by_seed():
    def tokens(config: TrainingConfig, epoch: int) -> list[int]:
        batches = training_batches(examples([50] * 8), config, epoch)
        by_row = sorted((b for b in batches), key=lambda b: b.indices.min())
        return [i for b in by_row for i in b.token_ids.ravel().tolist()]

    config = TrainingConfig(batch_size=8)
    assert tokens(config, 1) == tokens(config, 1)
    assert tokens(config, 1).count(1) > 0
    assert tokens(config, 1) != tokens(config, 2)
    assert tokens(config, 1) != tokens(dataclasses.replace(config, seed=1), 1)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"epochs": 5, "grow_word_dropout": True}, [0, 0.1, 0.2, 0.3, 0.4, 0.4]),
        ({"epochs": 2, "grow_word_dropout": True}, [0, 0.4, 0.4, 0.4, 0.4, 0.4]),
        ({"epochs": 1, "grow_word_dropout": True}, [0.4] * 6),
        (
            {"epochs": None, "grow_word_dropout": True},
            [0.4] * 6,
        ),  # how many there will be is not known
        ({"epochs": 5}, [0.4] * 6),
    ],
)
def test_word_dropout_grows_evenly_from_none_to_its_rate(settings, expected):
    config = TrainingConfig(word_dropout_rate=0.4, **settings)
    rates = [word_dropout_of(config, epoch) for epoch in range(1, 7)]
    assert rates == pytest.approx(expected)


def test_the_first_epoch_drops_no_word_and_the_last_drops_its_share():
    config = TrainingConfig(
        word_dropout_rate=0.4, epochs=3, batch_size=8, grow_word_dropout=True
    )
    ids = np.full(4000, 5, np.int32)
    texts = Examples(ids, np.arange(0, 4001, 20), np.zeros(200, np.int32))
    shares = [
        float(np.mean(np.concatenate([
            batch.token_ids.ravel() == UNKNOWN_ID
            for batch in training_batches(texts, config, epoch)
        ])))
        for epoch in (1, 2, 3)
    ]  # fmt: skip
    assert shares[0] == 0
    assert shares[1:] == pytest.approx([0.2, 0.4], abs=0.03)

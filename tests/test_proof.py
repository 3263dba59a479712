"""What twins must share is hashed from what was really used."""

import hashlib

import numpy as np

from seqclf.config import ModelConfig, TrainingConfig
from seqclf.model.build import build_model
from seqclf.text.batching import Batch, shuffle_words, training_batches
from seqclf.text.encoding import Examples, take
from seqclf.training import proof
from seqclf.training.fit import compile_model

EXAMPLES = Examples(
    np.array([2, 3, 4, 5, 6, 7, 8, 9, 9, 9], np.int32),
    np.array([0, 4, 5, 10]),
    np.array([0, 1, 1], np.int32),
)


def weights(**changes):
    seed = changes.pop("seed", 0)
    return proof.proof_of_weights(build_model(ModelConfig(**changes), 12, 2, seed))


def test_twins_share_the_hashes_of_all_weights_but_the_recurrent():
    lstm, gru, none = (weights(cell=cell, units=8) for cell in ("lstm", "gru", "none"))
    assert lstm == gru
    assert sorted(lstm) == [
        "embedding/embeddings [12, 128]",
        "logits/bias [2]",
        "logits/kernel [16, 2]",
    ]
    # Without recurrence the output reads 128 values, not 16: another weight.
    assert none.keys() & lstm.keys() == {
        "embedding/embeddings [12, 128]",
        "logits/bias [2]",
    }
    assert all(none[name] == lstm[name] for name in none.keys() & lstm.keys())


def test_another_seed_draws_other_weights():
    one, other = weights(), weights(seed=1)
    name = "embedding/embeddings [12, 128]"
    assert one[name] != other[name]


def hash_of(batches):
    seen = hashlib.sha256()
    list(proof.watched(iter(batches), seen))
    return proof.shortened(seen)


def batch(token_ids, label_ids=(0, 1)):
    ids = np.array(token_ids, np.int32)
    return Batch(np.arange(2), ids, np.array(label_ids, np.int32))


def test_batches_are_told_apart_by_order_content_shape_and_labels():
    a, b = batch([[2, 3], [4, 0]]), batch([[5], [6]])
    variants = [
        [a, b],
        [b, a],
        [batch([[2, 3], [4, 5]]), b],
        [batch([[2], [3]]), b],
        [batch([[2, 3], [4, 0]], (1, 0)), b],
        [a],
    ]
    assert len({hash_of(variant) for variant in variants}) == len(variants)
    assert hash_of([a, b]) == hash_of([a, b])


def test_what_is_hashed_is_passed_on():
    config = TrainingConfig(batch_size=2)
    given = list(training_batches(EXAMPLES, config, 1))
    passed = list(proof.watched(iter(given), hashlib.sha256()))
    assert [id(one) for one in passed] == [id(one) for one in given]


def test_the_schedule_is_read_from_the_compiled_model():
    model = build_model(ModelConfig(units=4), 12, 2, 0)
    compile_model(model, TrainingConfig(learning_rate=0.25, clip_norm=2.0), 40)
    found = proof.optimizer_of(model)
    assert found.optimizer == "AdamW"
    assert found.global_clipnorm == 2.0
    assert found.schedule.warmup_target == 0.25
    assert (found.schedule.decay_steps, found.schedule.warmup_steps) == (36, 4)


def test_taken_examples_keep_their_tokens_and_labels():
    taken = take(EXAMPLES, np.array([2, 0]))
    assert taken.token_ids.tolist() == [7, 8, 9, 9, 9, 2, 3, 4, 5]
    assert taken.offsets.tolist() == [0, 5, 9]
    assert taken.label_ids.tolist() == [1, 0]


def test_shuffling_keeps_each_text_s_words_and_is_the_same_each_time():
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 30, 50)
    texts = Examples(
        rng.integers(1, 100, lengths.sum()).astype(np.int32),
        np.concatenate([[0], np.cumsum(lengths)]),
        np.zeros(50, np.int32),
    )
    begins = np.ones(100, bool)
    shuffled = shuffle_words(texts, begins)
    for start, end in zip(texts.offsets, texts.offsets[1:], strict=False):
        before, after = texts.token_ids[start:end], shuffled.token_ids[start:end]
        assert sorted(before) == sorted(after)
    assert (texts.token_ids != shuffled.token_ids).mean() > 0.5
    again = shuffle_words(texts, begins)
    np.testing.assert_array_equal(shuffled.token_ids, again.token_ids)


def test_a_run_has_scores_of_all_parts_and_its_proof(finished_run):
    sizes = {name: values.n for name, values in finished_run.metrics.items()}
    assert sizes == {"validation": 40, "test": 48, "test_shuffled": 48, "train": 40}
    evidence = finished_run.proof
    assert len(evidence.batches) == len(finished_run.history)
    assert sorted(evidence.splits) == ["test", "train", "validation"]
    assert len(set(evidence.splits.values())) == 3

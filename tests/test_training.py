from __future__ import annotations

import dataclasses
import gc
import math
import weakref
from typing import Any

import numpy as np
import pytest

from seqclf.config import ModelConfig, TrainingConfig
from seqclf.errors import TrainingError
from seqclf.model.build import build_model
from seqclf.model.scoring import logits_of, probabilities_of, rescale_logits
from seqclf.records.training import EpochEnded, Stepped
from seqclf.text.batching import num_batches, training_batches
from seqclf.text.encoding import Examples
from seqclf.training import fit as fitting
from seqclf.training.fit import fit
from seqclf.training.optimizer import exact
from seqclf.training.recipe import resolved

MODEL = ModelConfig(cell="rnn", units=8, embedding_size=8, dropout_rate=0.0)
# For what does not depend on the cell: its graph is drawn in a quarter of the time.
PLAIN = dataclasses.replace(MODEL, cell="none")
RECIPE = TrainingConfig(
    epochs=2,
    batch_size=8,
    learning_rate=0.02,
    word_dropout_rate=0.0,
    label_smoothing=0.0,
    seed=3,
)


def examples(n: int, seed: int = 0) -> Examples:
    """Texts of 3 to 9 tokens; the label says which of two tokens is in there."""
    generator = np.random.default_rng(seed)
    lengths = generator.integers(3, 10, n)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    token_ids = generator.integers(4, 20, offsets[-1]).astype(np.int32)
    label_ids = np.arange(n, dtype=np.int32) % 2
    token_ids[offsets[:-1] + lengths // 2] = 2 + label_ids
    return Examples(token_ids, offsets, label_ids)


def train(config: TrainingConfig = RECIPE, model: ModelConfig = MODEL, n: int = 64):
    built = build_model(model, 20, 2, config.seed)
    return built, fit(built, examples(n), examples(32, seed=9), config)


@pytest.mark.parametrize(
    "cell",
    [
        "none",
        *(pytest.param(c, marks=pytest.mark.slow) for c in ("rnn", "gru", "lstm")),
    ],
)
def test_every_cell_memorises_sixteen_examples(cell):
    config = dataclasses.replace(RECIPE, epochs=30, patience=30, batch_size=16)
    model = build_model(dataclasses.replace(MODEL, cell=cell), 20, 2, 0)
    fit(model, examples(16), examples(16), config)
    predicted = logits_of(model, examples(16), 4).argmax(1)
    assert predicted.tolist() == examples(16).label_ids.tolist()


@pytest.mark.parametrize(
    ("cell", "bidirectional"),
    [
        *(pytest.param(c, False, marks=pytest.mark.slow) for c in ("none", "rnn")),
        *(
            pytest.param(c, True, marks=pytest.mark.slow)
            for c in ("rnn", "gru", "lstm")
        ),
    ],
)
def test_the_same_seed_gives_the_same_weights_to_the_bit(cell, bidirectional):
    config = dataclasses.replace(RECIPE, word_dropout_rate=0.2)
    changed = {"cell": cell, "bidirectional": bidirectional, "dropout_rate": 0.5}
    twin = dataclasses.replace(MODEL, **changed)
    first, again = (train(config, twin)[0].get_weights() for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    other = train(dataclasses.replace(config, seed=4), twin)[0].get_weights()
    assert not np.array_equal(first[0], other[0])


def test_the_graph_of_a_step_is_drawn_once(monkeypatch):
    import keras

    drawn = []
    real = keras.Model.train_step
    monkeypatch.setattr(
        keras.Model,
        "train_step",
        lambda self, data: drawn.append(self) or real(self, data),
    )
    train(model=PLAIN)
    assert len(drawn) == 1


def test_what_keras_fits_on_has_autotuning_off():
    batches = training_batches(examples(16), RECIPE, epoch=1)
    dataset = fitting.as_tf_dataset(batches, 2, 2, None)
    assert dataset.options().autotune.enabled is False


def test_fit_hands_keras_that_very_dataset(monkeypatch):
    import keras

    seen = []
    real = keras.Model.fit
    monkeypatch.setattr(
        keras.Model,
        "fit",
        lambda self, x, **options: seen.append(x) or real(self, x, **options),
    )
    train(model=PLAIN)
    assert [x.options().autotune.enabled for x in seen] == [False, False]


def test_a_training_goes_by_the_number_of_all_its_texts():
    model, config = build_model(PLAIN, 20, 2, 3), TrainingConfig(epochs=1)
    fit(model, examples(1_600), examples(16), config)
    assert int(model.optimizer.iterations) == 50  # of 32 texts
    peak = model.optimizer.get_config()["learning_rate"]["config"]["warmup_target"]
    assert peak == pytest.approx(0.004 / 2**0.5)


def test_batches_by_tokens_are_counted_epoch_by_epoch():
    config = dataclasses.replace(RECIPE, batch_tokens=40, epochs=3)
    lengths = examples(64).lengths
    expected = [num_batches(lengths, config, epoch) for epoch in (1, 2, 3)]
    told: dict[int, list[tuple[int, int]]] = {}
    built = build_model(PLAIN, 20, 2, config.seed)

    def note(event):
        if isinstance(event, Stepped):
            told.setdefault(event.epoch, []).append((event.step, event.steps))

    fit(built, examples(64), examples(32, seed=9), config, note)
    assert [told[epoch][-1] for epoch in (1, 2, 3)] == [(n, n) for n in expected]
    assert int(built.optimizer.iterations.numpy()) == sum(expected)
    # The schedule ends where the steps do: the next one would have a rate of 0.
    assert float(built.optimizer.learning_rate) == pytest.approx(0.0, abs=1e-7)


def test_history_has_a_record_an_epoch_and_names_the_best():
    _, history = train(dataclasses.replace(RECIPE, epochs=3), PLAIN)
    assert [record.epoch for record in history.epochs] == [1, 2, 3]
    losses = [record.validation_loss for record in history.epochs]
    assert history.best_epoch == 1 + int(np.argmin(losses))
    upto = history.epochs[: history.best_epoch]
    assert history.seconds_to_best == sum(record.seconds for record in upto)


def test_the_best_epoch_is_restored_and_training_stops_in_time():
    # Labels that turn round in validation: every epoch makes it worse.
    turned = examples(32, seed=9)
    turned = dataclasses.replace(turned, label_ids=1 - turned.label_ids)
    config = dataclasses.replace(RECIPE, epochs=30, patience=2)
    model = build_model(PLAIN, 20, 2, 3)
    history = fit(model, examples(64), turned, config)
    assert len(history.epochs) == history.best_epoch + 2 < 30
    logits = logits_of(model, turned, 8)
    best = history.epochs[history.best_epoch - 1].validation_loss
    as_trained = log_loss(logits * history.temperature, turned.label_ids)
    assert as_trained == pytest.approx(best, rel=1e-4)


def log_loss(logits: np.ndarray, label_ids: np.ndarray) -> float:
    own = probabilities_of(logits)[np.arange(len(label_ids)), label_ids]
    return float(-np.log(own).mean())


def test_probabilities_are_calibrated_on_validation_and_answers_stay():
    train, validation = examples(64), examples(64, seed=9)
    turned = np.arange(64) % 4 == 0  # a quarter cannot be right: certainty costs
    label_ids = np.where(turned, 1 - validation.label_ids, validation.label_ids)
    validation = dataclasses.replace(validation, label_ids=label_ids)
    model = build_model(PLAIN, 20, 2, 3)
    history = fit(model, train, validation, dataclasses.replace(RECIPE, epochs=4))
    calibrated = logits_of(model, validation, 8)
    as_trained = calibrated * history.temperature
    best = log_loss(calibrated, validation.label_ids)
    assert best < log_loss(as_trained, validation.label_ids)
    # The least that any division reaches, but for the share that Platt's targets take.
    others = [
        log_loss(as_trained / t, validation.label_ids)
        for t in np.geomspace(0.05, 20, 99)
    ]
    assert best == pytest.approx(min(others), rel=0.02)
    assert (calibrated.argmax(1) == as_trained.argmax(1)).all()
    rescale_logits(model, history.temperature)
    found = logits_of(model, validation, 8)
    np.testing.assert_allclose(found, as_trained, rtol=1e-4, atol=1e-5)


def test_a_loss_that_is_no_number_stops_with_a_diagnosis():
    config = dataclasses.replace(
        RECIPE, learning_rate=1e30, clip_norm=1e30, warmup_fraction=0.0
    )
    with pytest.raises(TrainingError, match="--learning-rate 1e\\+29"):
        train(config, PLAIN)


@pytest.mark.slow
def test_smoothed_labels_keep_the_model_from_certainty():
    def certainty(smoothing: float) -> float:
        config = dataclasses.replace(
            RECIPE, epochs=20, patience=20, label_smoothing=smoothing
        )
        model = build_model(MODEL, 20, 2, 3)
        history = fit(model, examples(64), examples(64), config)
        # As trained: calibration knows that the labels of these texts are certain.
        logits = logits_of(model, examples(64), 8) * history.temperature
        return float(probabilities_of(logits).max(1).mean())

    # Targets of 0.6 + 0.4 / 2 = 0.8 instead of 1.
    assert certainty(0.0) > 0.97
    assert certainty(0.4) < 0.92


def test_balanced_weights_follow_the_formula():
    balanced = dataclasses.replace(RECIPE, class_weights="balanced")
    label_ids = np.array([0, 0, 0, 1])
    # n / (labels x count): 4 / (2 x 3) and 4 / (2 x 1); an absent label is harmless.
    weights = fitting.label_weights(label_ids, 3, balanced)
    assert weights[:2] == pytest.approx([2 / 3, 2])
    assert fitting.label_weights(label_ids, 3, RECIPE) is None


@pytest.mark.slow
def test_balanced_weights_lift_the_rare_label():
    def recall(class_weights: str) -> float:
        generator = np.random.default_rng(0)
        n = 200
        label_ids = (np.arange(n) % 10 == 0).astype(np.int32)
        # The rare label's token is there three times out of four, else in one of ten.
        has = generator.random(n) < np.where(label_ids == 1, 0.75, 0.1)
        token_ids = np.stack([np.full(n, 5), np.where(has, 2, 3)], axis=1)
        data = Examples(
            token_ids.astype(np.int32).ravel(), np.arange(n + 1) * 2, label_ids
        )
        config = dataclasses.replace(
            RECIPE, epochs=8, patience=8, class_weights=class_weights
        )
        model = build_model(MODEL, 20, 2, 3)
        fit(model, data, data, config)
        predicted = logits_of(model, data, 50).argmax(1)
        return float((predicted[label_ids == 1] == 1).mean())

    assert recall("balanced") > recall("equal")


@pytest.mark.parametrize(
    ("texts", "tokens", "expected"),
    [
        (22_500, 5_000_000, (64, 0.004, 5)),  # as many tokens as there may be
        (10_000, 175_000, (64, 0.004, 10)),
        (10_000, 20_000, (64, 0.004, 20)),
        (6_000, 1_500_000, (64, 0.004, 11)),  # 94 steps an epoch
        (5_999, 1_500_000, (32, 0.004 / 2**0.5, 6)),  # 188
        (1_499, 700_000, (16, 0.002, 11)),  # 94
        (630, 170_000, (16, 0.002, 25)),  # 40
        (100, 1_000, (16, 0.002, 30)),
    ],
)
def test_small_data_sets_get_smaller_batches_and_more_epochs(texts, tokens, expected):
    lengths = np.full(texts, 1)
    lengths[0] += tokens - texts
    found = resolved(TrainingConfig(), lengths)
    rate = pytest.approx(found.learning_rate)
    assert (found.batch_size, rate, found.epochs) == expected
    assert found.clip_norm == expected[0] / 64
    # What was given is left as it is; with a batch size, the rules are those of 0.1.0.
    given = {"batch_size": 8, "learning_rate": 0.1, "epochs": 7, "clip_norm": 0.3}
    assert resolved(TrainingConfig(**given), lengths) == TrainingConfig(**given)
    none = TrainingConfig(clip_norm=0.0)
    assert resolved(none, lengths).clip_norm == 0, "0 does not clip"
    found = resolved(TrainingConfig(batch_size=64), lengths)
    by_tokens = min(max(round(1_750_000 / tokens), 5), 20)
    assert (found.learning_rate, found.epochs) == (0.004, by_tokens)
    found = resolved(TrainingConfig(batch_tokens=500), lengths)
    assert (found.learning_rate, found.epochs) == (0.004, by_tokens)
    assert found.clip_norm == 1


def test_the_schedule_warms_up_and_falls_to_zero():
    model = build_model(MODEL, 20, 2, 0)
    fitting.compile_model(
        model, TrainingConfig(learning_rate=0.1, warmup_fraction=0.2), 100
    )
    schedule = model.optimizer._learning_rate
    values = [float(schedule(step)) for step in (0, 10, 20, 60, 100)]
    assert values == pytest.approx([0, 0.05, 0.1, 0.05, 0], abs=1e-6)


def test_the_optimizer_clips_and_decays_what_it_should():
    config = TrainingConfig(weight_decay=0.5, clip_norm=0.25)
    model = build_model(MODEL, 20, 2, 0)
    fitting.compile_model(model, config, 10)
    optimizer = model.optimizer
    assert (optimizer.weight_decay, optimizer.global_clipnorm) == (0.5, 0.25)
    optimizer.build(model.trainable_variables)
    decayed = {
        v.path.split("/")[-1]: optimizer._use_weight_decay(v)
        for v in model.trainable_variables
    }
    assert decayed["kernel"]
    assert not decayed["embeddings"]
    assert not decayed["bias"]


def test_the_update_does_what_keras_does():
    import keras
    import tensorflow as tf

    start = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    results = []
    for finish in (lambda optimizer: optimizer, exact):
        rng = np.random.default_rng(1)
        optimizer = finish(
            keras.optimizers.AdamW(0.01, weight_decay=0.1, global_clipnorm=1.0)
        )
        table, matrix = keras.Variable(start), keras.Variable(start)
        optimizer.build([table, matrix])
        for _ in range(20):
            values = tf.constant(rng.normal(size=(6, 4)), tf.float32)
            rows = tf.IndexedSlices(values, rng.choice(30, 6, replace=False), (30, 4))
            optimizer.apply([rows, tf.constant(rng.normal(size=(30, 4)), tf.float32)])
        results.append([v.numpy() for v in [table, matrix, *optimizer.variables[2:]]])
    assert len(results[0]) == 6  # with two moments each
    for stock, one_pass in zip(*results, strict=True):
        np.testing.assert_allclose(one_pass, stock, rtol=1e-5, atol=1e-6)
    assert np.abs(results[0][0] - start).max() > 0.05


def test_a_row_read_twice_gets_the_sum_of_its_gradients():
    import keras
    import tensorflow as tf

    optimizer = exact(keras.optimizers.Adam(0.1, epsilon=1.0))
    table = keras.Variable(np.zeros((3, 1), np.float32))
    slices = tf.IndexedSlices(tf.constant([[1.0], [2.0]]), [1, 1], (3, 1))
    optimizer.apply([slices], [table])
    # First step: both moments corrected, 0.1 x sqrt(0.001) / 0.1 x 0.3 / (3 sqrt(0.001)
    # + 1), Kingma & Ba's last line of section 2 with a gradient of 1 + 2.
    root = math.sqrt(0.001)
    expected = 0.1 * root / 0.1 * (0.1 * 3) / (3 * root + 1)
    assert table.numpy()[:, 0] == pytest.approx([0, -expected, 0], rel=1e-5)


def test_the_sum_of_a_row_s_gradients_is_clipped():
    import keras
    import tensorflow as tf

    optimizer = exact(keras.optimizers.Adam(global_clipnorm=1.0))
    table = keras.Variable(np.zeros((2, 1), np.float32))
    slices = tf.IndexedSlices(tf.constant([[3.0], [-3.0], [0.5]]), [1, 1, 0], (2, 1))
    optimizer.apply([slices], [table])
    momentum = optimizer.variables[2].numpy()[:, 0]
    assert momentum == pytest.approx([0.05, 0])  # 0.1 x 0.5: no norm above 1


def test_the_graph_of_a_step_goes_with_its_optimizer():
    import keras
    import tensorflow as tf

    def step() -> Any:
        optimizer = exact(keras.optimizers.AdamW(0.1, global_clipnorm=1.0))
        table = keras.Variable(np.zeros((2, 1), np.float32))
        optimizer.build([table])
        return tf.function(lambda: optimizer.apply([tf.ones((2, 1))], [table]))

    kept = step().get_concrete_function()
    graph = weakref.ref(kept.graph)
    assert graph() is not None
    del kept
    gc.collect()
    assert graph() is None


def test_the_optimizer_is_saved_as_keras_s_own(tmp_path):
    import keras

    model = build_model(PLAIN, 20, 2, 0)
    fit(model, examples(64), examples(32), RECIPE)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again.optimizer) is keras.optimizers.AdamW
    for before, after in zip(
        model.optimizer.variables, again.optimizer.variables, strict=True
    ):
        np.testing.assert_array_equal(before.numpy(), after.numpy())


def test_progress_tells_of_every_epoch():
    events = []
    model = build_model(PLAIN, 20, 2, 0)
    fit(model, examples(64), examples(32), RECIPE, events.append)
    epochs = [e.record.epoch for e in events if isinstance(e, EpochEnded)]
    steps = [event for event in events if isinstance(event, Stepped)]
    assert epochs == [1, 2]
    assert steps[-1].step == steps[-1].steps == 8
    assert all(math.isfinite(event.tokens_per_second) for event in steps)


def test_twins_see_the_same_batches_in_the_same_order(monkeypatch):
    import keras

    seen: list[list[np.ndarray]] = []

    class Seen(Exception):  # noqa: N818 -- no error
        pass

    def record(self, x, **options):
        seen.append([np.asarray(batch[0]) for batch in x.as_numpy_iterator()])
        raise Seen

    monkeypatch.setattr(keras.Model, "fit", record)
    config = dataclasses.replace(RECIPE, word_dropout_rate=0.4)
    for cell in ("none", "rnn", "gru", "lstm"):
        with pytest.raises(Seen):
            train(config, dataclasses.replace(MODEL, cell=cell))
    assert len(seen) == 4
    for batches in seen[1:]:
        for own, first in zip(batches, seen[0], strict=True):
            np.testing.assert_array_equal(own, first)

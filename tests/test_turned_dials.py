"""The dials of `train` and `compare`: each changes what it must and nothing else."""

from __future__ import annotations

import dataclasses
import functools
import math
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from made_up_twins import made_up_run
from test_model import RECURRENT, sigmoid

from seqclf import config as settings
from seqclf import steps
from seqclf.cells import CELLS
from seqclf.comparison import ranges
from seqclf.config import ModelConfig, RunConfig, TrainingConfig
from seqclf.errors import ConfigError, RunError
from seqclf.export.formats import FORMATS
from seqclf.export.microscope import twins
from seqclf.model.build import build_model
from seqclf.model.dials import DIALS, turned, with_dial
from seqclf.model.onnx_graph import to_onnx
from seqclf.start.texts import FreeTexts
from seqclf.steps import Target, checked, kernel_of_choice
from seqclf.studies.inside.gates import run as gates
from seqclf.studies.question import Question
from seqclf.training.language_model import language_model_file, recipe_of
from seqclf.training.optimizer import optimizer_for
from seqclf.training.proof import optimizer_of
from seqclf.training.recipe import of_optimizer, resolved

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import exports  # noqa: E402

UNITS = 6
PARTS = {"rnn": 1, "gru": 3, "lstm": 4}
TURNED = {
    "activation": "relu", "recurrent_init": "identity", "recurrent_scale": 1.5,
    "forget_bias": 3.0, "update_bias": -2.0, "chrono": 50,
}  # fmt: skip


def build(cell: str, **values: object):
    config = ModelConfig(cell=cell, units=UNITS, embedding_size=4, **values)
    return build_model(config, 12, 3, seed=5)


def weights(model) -> dict[str, np.ndarray]:
    return {weight.path: weight.numpy() for weight in model.weights}


@functools.cache
def usual_weights(cell: str) -> dict[str, np.ndarray]:
    return weights(build(cell))


def of_layer(cell: str, **values: object) -> list[np.ndarray]:
    """Returns the initial weights of the layer that reads forwards."""
    return build(cell, **values).get_layer("recurrent_0").get_weights()[:3]


def changed(cell: str, **values: object) -> set[str]:
    """Returns the last names of the initial weights that a dial changes."""
    usual, other = usual_weights(cell), weights(build(cell, **values))
    assert list(usual) == list(other)
    return {
        path.split("/")[-1]
        for path in usual
        if usual[path].tobytes() != other[path].tobytes()
    }


def test_these_are_all_the_dials_and_the_cells_they_act_on():
    assert set(DIALS) == set(TURNED)
    recurring = ["rnn", "gru", "lstm"]
    assert {dial: with_dial(dial, CELLS) for dial in DIALS} == {
        "activation": ["dense", *recurring],
        "recurrent_init": recurring,
        "recurrent_scale": recurring,
        "forget_bias": ["lstm"],
        "update_bias": ["gru"],
        "chrono": ["gru", "lstm"],
    }


@pytest.mark.parametrize("dial", DIALS)
def test_a_dial_changes_its_own_weights_and_no_other(dial):
    own = {"recurrent_kernel"} if dial.startswith("recurrent") else {"bias"}
    own = set() if dial == "activation" else own
    for cell in ("none", "dense", *RECURRENT):
        expected = own if cell in with_dial(dial, CELLS) else set()
        assert changed(cell, **{dial: TURNED[dial]}) == expected, cell


@pytest.mark.parametrize("cell", RECURRENT)
def test_recurrent_matrices_begin_as_they_are_asked_to(cell):
    width = PARTS[cell] * UNITS
    usual = of_layer(cell)[1]
    np.testing.assert_allclose(usual @ usual.T, np.eye(UNITS), atol=1e-5)
    doubled = of_layer(cell, recurrent_scale=2.0)[1]
    assert doubled.tobytes() == (2 * usual).tobytes()
    identity = of_layer(cell, recurrent_init="identity", recurrent_scale=0.5)[1]
    for part in np.split(identity, PARTS[cell], axis=1):
        assert part.tolist() == (0.5 * np.eye(UNITS)).tolist()
    # Glorot & Bengio 2010: evenly within the root of 6 / (inputs + outputs).
    glorot = of_layer(cell, recurrent_init="glorot")[1]
    most = math.sqrt(6 / (UNITS + width))
    assert 0.8 * most < np.abs(glorot).max() <= most
    assert np.abs(glorot @ glorot.T - np.eye(UNITS)).max() > 0.1


def test_gate_biases_begin_as_they_are_asked_to():
    zero, ones = np.zeros(UNITS), np.ones(UNITS)
    # input, forget, candidate, output
    bias = of_layer("lstm", forget_bias=3.0)[2]
    assert bias.tolist() == np.concatenate([zero, 3 * ones, zero, zero]).tolist()
    assert of_layer("lstm", forget_bias=0.0)[2].tolist() == [0.0] * 4 * UNITS
    # update, reset, candidate; of the input, then of the state
    bias = of_layer("gru", update_bias=-2.0)[2]
    assert bias[0].tolist() == np.concatenate([-2 * ones, zero, zero]).tolist()
    assert not bias[1].any()


def test_chrono_draws_the_same_memories_for_lstm_and_gru():
    longest = 50
    _, forget, *others = np.split(of_layer("lstm", chrono=longest)[2], 4)
    update = of_layer("gru", chrono=longest)[2][0, :UNITS]
    assert forget.tobytes() == update.tobytes()
    assert np.split(of_layer("lstm", chrono=longest)[2], 4)[0].tolist() == (
        (-forget).tolist()
    )
    assert not np.concatenate(others).any()
    many = ModelConfig(cell="lstm", units=400, embedding_size=1, chrono=longest)
    layer = build_model(many, 5, 2, seed=0).get_layer("recurrent_0")
    forward, backward = (np.split(layer.get_weights()[i], 4)[1] for i in (2, 5))
    for drawn in (np.exp(forward), np.exp(backward)):
        # Evenly between 1 and T - 1: the mean, and each quarter.
        assert 1 <= drawn.min() < 2
        assert longest - 2 < drawn.max() <= longest - 1
        assert drawn.mean() == pytest.approx(longest / 2, rel=0.1)
        quarters, _ = np.histogram(drawn, 4, (1, longest - 1))
        assert quarters.min() > 70
    assert not np.array_equal(forward, backward)
    # The gate then keeps (1 - 1/u)-ish: half of u = 9 is gone after about 6 tokens.
    assert sigmoid(math.log(9)) == pytest.approx(0.9)


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def rnn_step(x, h, c, kernel, recurrent, bias):
    return relu(x @ kernel + h @ recurrent + bias), c


def gru_step(x, h, c, kernel, recurrent, bias):
    (xz, xr, xc), (hz, hr, hc) = (
        np.split(total, 3) for total in (x @ kernel + bias[0], h @ recurrent + bias[1])
    )
    z = sigmoid(xz + hz)
    return z * h + (1 - z) * relu(xc + sigmoid(xr + hr) * hc), c


def lstm_step(x, h, c, kernel, recurrent, bias):
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4)
    c = sigmoid(f) * c + sigmoid(i) * relu(g)
    return sigmoid(o) * relu(c), c


def last_state(cell: str, x: np.ndarray, layer: list[np.ndarray]) -> np.ndarray:
    if cell == "dense":
        kernel, bias = layer
        return relu(x[-1] @ kernel + bias)
    step = {"rnn": rnn_step, "gru": gru_step, "lstm": lstm_step}[cell]
    h = c = np.zeros(UNITS)
    for row in x:
        h, c = step(row, h, c, *layer)
    return h


@pytest.mark.parametrize("cell", ["dense", *RECURRENT])
def test_with_relu_keras_and_onnx_compute_a_plain_loop(cell):
    config = ModelConfig(
        cell=cell, units=UNITS, embedding_size=4, activation="relu", pooling="last",
        bidirectional=False,
    )  # fmt: skip
    model, rng = build_model(config, 12, 3, seed=5), np.random.default_rng(1)
    model.set_weights([rng.normal(0, 1, w.shape) for w in model.get_weights()])
    ids = np.array([[3, 7, 1, 9, 2]], np.int32)
    x = model.get_layer("embedding").get_weights()[0][ids[0]]
    name = "dense_0" if cell == "dense" else "recurrent_0"
    state = last_state(cell, x, model.get_layer(name).get_weights())
    assert cell == "lstm" or (state > 1).any()  # where tanh cannot come
    kernel, bias = model.get_layer("logits").get_weights()
    np.testing.assert_allclose(model(ids)[0], state @ kernel + bias, atol=1e-4)
    both = dataclasses.replace(config, bidirectional=True, layers=2)
    model = build_model(both, 12, 3, seed=5)
    model.set_weights([rng.normal(0, 1, w.shape) for w in model.get_weights()])
    made = to_onnx(model, both, {}).SerializeToString()
    session = onnxruntime.InferenceSession(made)
    (logits,) = session.run(["logits"], {"token_ids": ids})
    np.testing.assert_allclose(logits, model(ids), rtol=1e-4, atol=1e-4)


def steps_of(name: str, gradients: list, **values: object) -> list[float]:
    """Returns a table of two rows after each gradient of the second, from 0 on.

    The learning rate is 0.1 throughout: the cosine is at its beginning.
    """
    import keras
    import tensorflow as tf

    options = {"clip_norm": 0.0, "learning_rate": 0.1, "warmup_fraction": 0.0} | values
    optimizer = optimizer_for(TrainingConfig(optimizer=name, **options), 10**6)
    table = keras.Variable(np.zeros((2, 1), np.float32))
    optimizer.build([table])
    found = []
    for values_of_rows in gradients:
        rows = tf.constant([[one] for one in values_of_rows], tf.float32)
        places = [1] * len(values_of_rows)
        optimizer.apply([tf.IndexedSlices(rows, places, (2, 1))], [table])
        found.append(float(table.numpy()[1, 0]))
        assert table.numpy()[0, 0] == 0
    return found


def test_each_optimizer_takes_the_sum_of_a_token_s_gradients():
    gradients = [[1.0, 2.0], [4.0, -2.0]]  # sums 3 and 2
    assert steps_of("sgd", gradients) == pytest.approx([-0.3, -0.5])
    # v = 0.9 v - 0.1 g: -0.3, then -0.27 - 0.2
    assert steps_of("momentum", gradients) == pytest.approx([-0.3, -0.77])
    # v = 0.9 v + 0.1 g^2: 0.9, then 0.81 + 0.4; each step 0.1 g by its root
    first = 0.3 / math.sqrt(0.9)
    expected = [-first, -first - 0.2 / math.sqrt(1.21)]
    assert steps_of("rmsprop", gradients) == pytest.approx(expected, rel=1e-5)
    # The first step of Adam is the learning rate, whatever the gradient; and what
    # decays, decays from 0.
    for name in ("adam", "adamw"):
        assert steps_of(name, gradients)[0] == pytest.approx(-0.1, rel=1e-4)


@pytest.mark.parametrize("name", settings.OPTIMIZER_NAMES)
def test_each_optimizer_clips_the_norm_of_the_sum_and_at_0_does_not(name):
    # 1.5 and 1.5 of one token, a norm of 3.
    small, whole = (steps_of(name, [[1.5, 1.5]] * 2, clip_norm=n) for n in (0.3, 5.0))
    assert steps_of(name, [[1.5, 1.5]] * 2) == whole
    assert steps_of(name, [[0.3]] * 2, clip_norm=5.0) == pytest.approx(small)
    if name in ("sgd", "momentum"):
        assert small[0] == pytest.approx(-0.03)
        assert whole[0] == pytest.approx(-0.3)


def test_adamw_alone_decays_weights():
    for name in settings.OPTIMIZER_NAMES:
        made = optimizer_for(TrainingConfig(optimizer=name, weight_decay=0.5), 10)
        assert made.weight_decay == (0.5 if name == "adamw" else None)
        assert made.get_config()["learning_rate"]["config"]["decay_steps"] == 9


def test_the_proof_says_which_optimizer_it_was():
    import keras

    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(optimizer_for(TrainingConfig(optimizer="momentum", clip_norm=0), 10))
    found = optimizer_of(model)
    assert (found.optimizer, found.momentum) == ("SGD", 0.9)
    assert found.global_clipnorm is found.weight_decay is found.beta_1 is None


def test_an_optimizer_has_its_own_rate_unless_one_is_given():
    sgd = TrainingConfig(optimizer="sgd")
    rate = settings.RATES["sgd"]
    found = of_optimizer(sgd, ())
    assert (found.learning_rate, found.weight_decay) == (rate, 0.0)
    assert of_optimizer(found, ()) == found
    assert of_optimizer(sgd, {"learning_rate"}).learning_rate == 0.004
    own = dataclasses.replace(sgd, learning_rate=0.3)
    assert of_optimizer(own, ()).learning_rate == 0.3
    assert of_optimizer(TrainingConfig(), ()) == TrainingConfig()
    for decay, given in ((0.1, ()), (0.004, {"weight_decay"})):
        with pytest.raises(ConfigError, match="--weight-decay .* --optimizer sgd"):
            of_optimizer(dataclasses.replace(sgd, weight_decay=decay), given)
    assert of_optimizer(dataclasses.replace(sgd, weight_decay=0.0), {"weight_decay"})


def test_small_batches_lower_the_rate_by_their_ratio_or_its_root():
    lengths = np.full(1000, 20)  # 16 texts a batch, a quarter of 64
    expected = {"adam": 0.5, "rmsprop": 0.5, "sgd": 0.25, "momentum": 0.25}
    for name, times in expected.items():
        config = TrainingConfig(optimizer=name, learning_rate=1.0)
        assert resolved(config, lengths).learning_rate == times


def test_tuning_draws_rates_around_that_of_the_optimizer():
    def rates(name: str) -> np.ndarray:
        config = RunConfig(training=TrainingConfig(optimizer=name))
        drawn = ranges.drawn(config, ("learning_rate",), 20)[1:]
        return np.array([one.training.learning_rate for one in drawn])

    times = settings.RATES["sgd"] / settings.RATES["adamw"]
    np.testing.assert_allclose(rates("sgd"), times * rates("adamw"), rtol=0.06)


def test_a_config_from_before_the_dials_asks_the_same_question():
    recipe, before = RunConfig(), settings.to_dict(RunConfig())
    for part, names in {"model": DIALS, "training": ["optimizer"]}.items():
        for name in names:
            del before[part][name]
            assert name not in settings.question(recipe)[part]
    assert settings.from_dict(before) == recipe
    for dial, value in TURNED.items():
        other = RunConfig(model=ModelConfig(**{dial: value}))
        assert settings.question(other)["model"][dial] == value
        assert turned(other.model) == {dial: value}
        assert not settings.same_question(other, recipe)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"activation": "rely"}, "did you mean 'relu'"),
        ({"recurrent_init": "uniform"}, "orthogonal, glorot, identity"),
        ({"recurrent_scale": 0.0}, "a positive number, got 0.0"),
        ({"forget_bias": math.inf}, "forget_bias must be a finite number"),
        ({"update_bias": math.nan}, "update_bias must be a finite number"),
        ({"chrono": 2}, "chrono must be a whole number of at least 3, got 2"),
        ({"chrono": 9, "forget_bias": 2.0}, "--chrono draws the biases"),
        ({"chrono": 9, "update_bias": 2.0}, "--chrono draws the biases"),
    ],
)
def test_what_is_out_of_range_is_refused(values, said):
    with pytest.raises(ConfigError, match=said):
        ModelConfig(**values)


@pytest.mark.parametrize("name", ["clip_norm", "optimizer"])
def test_training_refuses_what_is_out_of_range(name):
    with pytest.raises(ConfigError, match=name):
        TrainingConfig(**{name: {"clip_norm": -1.0, "optimizer": "adamm"}[name]})
    assert TrainingConfig(clip_norm=0.0).clip_norm == 0


@pytest.mark.parametrize(
    ("dial", "cells", "said"),
    [
        ("forget_bias", ("rnn", "gru"), "does nothing for rnn and gru: .* lstm"),
        ("update_bias", ("lstm",), "does nothing for lstm: it acts on gru"),
        ("chrono", ("rnn",), "does nothing for rnn: it acts on gru and lstm"),
        (
            "recurrent_init",
            ("dense",),
            "does nothing for dense: .* rnn, gru and lstm",
        ),
        (
            "recurrent_scale",
            ("none",),
            "does nothing for none: .* rnn, gru and lstm",
        ),
        (
            "activation",
            ("none",),
            "does nothing for none: it acts on dense, rnn",
        ),
    ],
)
def test_a_dial_of_no_cell_is_refused_with_those_that_have_it(
    dial, cells, said, tmp_path
):
    target = Target(tmp_path, tmp_path)
    # Also at its default, where it was typed.
    with pytest.raises(ConfigError, match=f"--{dial.replace('_', '-')} {said}"):
        checked(RunConfig(), cells, target, {dial})
    config = RunConfig(model=ModelConfig(**{dial: TURNED[dial]}))
    with pytest.raises(ConfigError, match=said):
        checked(config, cells, target)
    assert checked(config, ("none", "dense", *RECURRENT), target, {dial}) == config


def test_two_ways_to_the_same_weights_are_refused(tmp_path):
    target = Target(tmp_path, tmp_path)
    config = RunConfig(model=ModelConfig(chrono=9))
    with pytest.raises(ConfigError, match="--chrono draws the biases that --forget"):
        checked(config, ("lstm",), target, {"forget_bias"})
    start = settings.StartConfig(init_from="a-run")
    for dial in ("recurrent_init", "forget_bias", "chrono"):
        with pytest.raises(ConfigError, match="--init-from gives recurrent weights"):
            checked(RunConfig(start=start), ("lstm",), target, {dial})
    assert checked(RunConfig(start=start), ("lstm",), target, {"activation"})


class Heard(list[str]):
    """A listener of which only the notes are wanted."""

    def note(self, sentence: str) -> None:
        self.append(sentence)


def test_with_relu_no_cell_runs_on_cudnn_and_it_is_said(monkeypatch):
    heard, relu = Heard(), RunConfig(model=ModelConfig(activation="relu"))
    assert kernel_of_choice(relu, False, heard) == relu
    assert heard == []  # without a GPU nothing is lost
    monkeypatch.setattr(steps, "gpus", lambda: ["a GPU"])
    assert kernel_of_choice(relu, False, heard) == relu
    assert "--activation relu all cells run in TensorFlow's loop" in heard[0]
    assert kernel_of_choice(RunConfig(), False, heard) == RunConfig()
    assert len(heard) == 1
    with pytest.raises(ConfigError, match="leave --require-cudnn out"):
        kernel_of_choice(relu, True, heard)
    asked = dataclasses.replace(relu, training=TrainingConfig(kernel="cudnn"))
    with pytest.raises(ConfigError, match="leave --kernel cudnn out"):
        kernel_of_choice(asked, False, heard)


def test_what_computes_tanh_by_itself_refuses_relu_by_name():
    model = ModelConfig(cell="gru", activation="relu")
    assert twins.has_steps(dataclasses.replace(model, activation="tanh"))
    assert not twins.has_steps(model)
    assert twins.has_steps(dataclasses.replace(model, cell="none"))
    with pytest.raises(RunError, match="has the activation relu"):
        twins.refuse_unfit([made_up_run(model=model)])
    with pytest.raises(ConfigError, match="gates counts by the formulas of tanh"):
        gates(Question(config=RunConfig(model=model)), None)


def test_pre_training_is_adamw_s_and_is_kept_by_the_dials(tmp_path):
    texts = FreeTexts(np.zeros(10, np.int32), np.array([0, 10]), 0)
    sgd = TrainingConfig(optimizer="sgd", learning_rate=1.0)
    found = recipe_of(sgd, texts)
    assert (found.optimizer, found.learning_rate < 0.01) == ("adamw", True)
    usual = language_model_file(tmp_path, RunConfig())
    turned = RunConfig(model=ModelConfig(forget_bias=3.0))
    assert language_model_file(tmp_path, turned) != usual


@pytest.mark.slow
def test_every_format_computes_relu(tmp_path):
    grid = [
        {"cell": cell, "activation": "relu", "bidirectional": True}
        for cell in ("dense", *RECURRENT)
    ]
    names = [name for name in FORMATS if not FORMATS[name].is_lossy]
    for row in exports.checked(tmp_path, grid, names):
        for name, agreement in row.agreements.items():
            assert agreement.greatest_difference < 1e-5, (row.options, name)
            assert agreement.texts >= 200

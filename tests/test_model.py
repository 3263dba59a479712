from __future__ import annotations

import itertools

import numpy as np
import pytest
from conftest import pairs

from seqclf.cells import CELLS
from seqclf.config import ModelConfig
from seqclf.model.build import build_model, recurrent_parameters
from seqclf.model.kernels import LOOP, NONE, kernel_of
from seqclf.poolings import POOLINGS

VOCABULARY, LABELS = 20, 3
RECURRENT = ("rnn", "gru", "lstm")


def small(**values: object) -> ModelConfig:
    return ModelConfig(**{"units": 5, "embedding_size": 4} | values)


def build(seed: int = 0, **values: object):
    return build_model(small(**values), VOCABULARY, LABELS, seed)


def weights(model) -> dict[str, np.ndarray]:
    return {weight.path: weight.numpy() for weight in model.weights}


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def rnn_step(x, state, kernel, recurrent, bias):
    (h,) = state
    return (np.tanh(x @ kernel + h @ recurrent + bias),)


def gru_step(x, state, kernel, recurrent, bias):
    (h,) = state
    xz, xr, xh = np.split(x @ kernel + bias[0], 3)
    hz, hr, hh = np.split(h @ recurrent + bias[1], 3)
    z, r = sigmoid(xz + hz), sigmoid(xr + hr)
    return (z * h + (1 - z) * np.tanh(xh + r * hh),)


def lstm_step(x, state, kernel, recurrent, bias):
    h, c = state
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


STEPS = {"rnn": rnn_step, "gru": gru_step, "lstm": lstm_step}


def states_by_loop(cell: str, x: np.ndarray, layer_weights) -> np.ndarray:
    units = layer_weights[1].shape[0]
    state = (np.zeros(units),) * (2 if cell == "lstm" else 1)
    states = []
    for row in x:
        state = STEPS[cell](row, state, *layer_weights)
        states.append(state[0])
    return np.array(states)


def pool(pooling: str, states: np.ndarray, model) -> np.ndarray:
    if pooling == "attention":
        kernel, bias = model.get_layer("attention").get_weights()
        scores = (states @ kernel + bias)[:, 0]
        attention = np.exp(scores) / np.exp(scores).sum()
        return attention @ states
    return {"last": states[-1], "max": states.max(0), "mean": states.mean(0)}[pooling]


@pytest.mark.parametrize(
    ("cell", "pooling"), list(itertools.product(RECURRENT, POOLINGS))
)
def test_each_cell_and_pooling_agrees_with_a_plain_loop(cell, pooling):
    model = build(cell=cell, pooling=pooling, bidirectional=False)
    generator = np.random.default_rng(0)
    model.set_weights([generator.normal(0, 0.5, w.shape) for w in model.get_weights()])
    token_ids = np.array([[3, 7, 1, 9, 0, 0]], np.int32)
    x = model.get_layer("embedding").get_weights()[0][token_ids[0, :4]]
    states = states_by_loop(cell, x, model.get_layer("recurrent_0").get_weights())
    kernel, bias = model.get_layer("logits").get_weights()
    expected = pool(pooling, states, model) @ kernel + bias
    np.testing.assert_allclose(model(token_ids)[0], expected, atol=1e-5)


@pytest.mark.parametrize("cell", RECURRENT)
def test_a_bidirectional_layer_reads_from_both_ends(cell):
    model = build(cell=cell, pooling="last")
    token_ids = np.array([[3, 7, 9, 0]], np.int32)
    x = model.get_layer("embedding").get_weights()[0][token_ids[0, :3]]
    all_weights = model.get_layer("recurrent_0").get_weights()
    half = len(all_weights) // 2
    forward = states_by_loop(cell, x, all_weights[:half])[-1]
    backward = states_by_loop(cell, x[::-1], all_weights[half:])[-1]
    kernel, bias = model.get_layer("logits").get_weights()
    expected = np.concatenate([forward, backward]) @ kernel + bias
    np.testing.assert_allclose(model(token_ids)[0], expected, atol=1e-5)


@pytest.mark.parametrize("most", [0.02, 0.3])
def test_initial_token_vectors_fill_their_range(most):
    vectors = build(embedding_range=most).get_layer("embedding").get_weights()[0]
    assert 0.8 * most < np.abs(vectors).max() <= most
    assert abs(vectors.mean()) < 0.3 * most


@pytest.mark.parametrize("pooling", POOLINGS)
def test_without_recurrence_the_embeddings_are_pooled(pooling):
    model = build(cell="none", pooling=pooling)
    token_ids = np.array([[3, 7, 9, 0]], np.int32)
    states = model.get_layer("embedding").get_weights()[0][token_ids[0, :3]]
    kernel, bias = model.get_layer("logits").get_weights()
    expected = pool(pooling, states, model) @ kernel + bias
    np.testing.assert_allclose(model(token_ids)[0], expected, atol=1e-6)


# One layer in the quick suite, two in the slow one.
@pytest.mark.parametrize("layers", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(("cell", "pooling"), pairs(CELLS, POOLINGS))
def test_an_example_alone_is_what_it_is_in_a_padded_batch(
    cell, pooling, bidirectional, layers
):
    model = build(
        cell=cell, pooling=pooling, bidirectional=bidirectional, layers=layers
    )
    alone = np.array([[5, 6, 7]], np.int32)
    batch = np.array([[5, 6, 7, 0, 0, 0], [2, 3, 4, 5, 6, 7]], np.int32)
    np.testing.assert_allclose(model(alone)[0], model(batch)[0], atol=1e-6)


@pytest.mark.parametrize(
    ("pooling", "bidirectional"),
    list(itertools.product(POOLINGS, (False, True))),
)
@pytest.mark.parametrize("layers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_twins_start_from_equal_weights_but_for_the_recurrent_layer(
    pooling, bidirectional, layers
):
    settings = {"pooling": pooling, "bidirectional": bidirectional, "layers": layers}
    twins = [weights(build(cell=cell, **settings)) for cell in RECURRENT]
    shared = [name for name in twins[0] if "recurrent_" not in name]
    assert {"logits/kernel", "logits/bias"} < set(shared)
    for name in shared:
        for twin in twins[1:]:
            np.testing.assert_array_equal(twin[name], twins[0][name])
    dense = weights(build(cell="dense", **settings))
    shared_with_dense = [name for name in dense if not name.startswith("dense_")]
    assert sorted(shared_with_dense) == sorted(shared)
    for name in shared:
        np.testing.assert_array_equal(dense[name], twins[0][name])
    without = weights(build(cell="none", **settings))
    np.testing.assert_array_equal(
        without["embedding/embeddings"], twins[0]["embedding/embeddings"]
    )


def without_cell(model) -> dict[str, object]:
    """Returns the configs of all layers but the recurrent ones, by name."""
    return {
        layer.name: layer.get_config()
        for layer in model.layers
        if not layer.name.startswith(("recurrent_", "dense_"))
    }


def test_the_configs_of_twins_are_equal_but_for_the_recurrent_layer():
    import keras

    def named(cell: str) -> dict[str, object]:
        keras.backend.clear_session()  # restarts the numbers in automatic names
        return without_cell(build(cell=cell))

    assert named("rnn") == named("gru") == named("lstm")
    assert "dropout" in named("none")


def test_both_directions_start_from_different_weights():
    layer = build(cell="lstm").get_layer("recurrent_0")
    forward, backward = layer.forward_layer, layer.backward_layer
    assert not np.array_equal(forward.get_weights()[0], backward.get_weights()[0])
    assert not np.array_equal(forward.get_weights()[1], backward.get_weights()[1])


def test_the_seed_decides_the_weights():
    one, same, other = (weights(build(seed=s, cell="gru")) for s in (1, 1, 2))
    assert all(np.array_equal(one[name], same[name]) for name in one)
    assert not np.array_equal(one["logits/kernel"], other["logits/kernel"])


@pytest.mark.parametrize(
    ("cell", "bidirectional", "layers"),
    list(itertools.product(CELLS, (False, True), (1, 2, 3))),
)
def test_recurrent_parameters_follow_the_formulas(cell, bidirectional, layers):
    config = small(cell=cell, bidirectional=bidirectional, layers=layers)
    model = build_model(config, VOCABULARY, LABELS, seed=0)
    counted = sum(
        layer.count_params()
        for layer in model.layers
        if layer.name.startswith(("recurrent_", "dense_"))
    )
    assert counted == recurrent_parameters(config)


def test_recurrent_parameters_of_a_worked_example():
    # d = 3, h = 2: RNN 2(2+3+1), GRU 3(2(2+3)+2*2), LSTM 4*2(2+3+1), dense 2(3+1).
    one_way = {"units": 2, "embedding_size": 3, "bidirectional": False}
    counts = [recurrent_parameters(ModelConfig(cell=c, **one_way)) for c in CELLS]
    assert counts == [0, 8, 12, 42, 48]


@pytest.mark.parametrize(("cell", "pooling"), pairs(CELLS, POOLINGS))
def test_stock_keras_opens_the_saved_file(cell, pooling, tmp_path):
    import keras

    model = build(cell=cell, pooling=pooling, layers=2)
    model.save(tmp_path / "m.keras")
    opened = keras.models.load_model(tmp_path / "m.keras", safe_mode=True)
    token_ids = np.array([[5, 6, 7, 0], [2, 3, 4, 5]], np.int32)
    np.testing.assert_array_equal(opened(token_ids), model(token_ids))


@pytest.mark.parametrize("name", ["dropout", "pooled_dropout"])
def test_dropout_stands_outside_the_recurrent_layer(name):
    model = build(cell="lstm", dropout_rate=0.25)
    assert model.get_layer(name).rate == 0.25
    assert model.get_layer("recurrent_0").forward_layer.recurrent_dropout == 0


@pytest.mark.parametrize("cell", CELLS)
def test_the_kernel_is_read_from_the_graph(cell):
    model = build(cell=cell)
    model.compile(jit_compile=False)
    assert kernel_of(model) == (LOOP if CELLS[cell].recurs else NONE)

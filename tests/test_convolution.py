"""The convolution in front of the cell, against plain loops and by its promises."""

from __future__ import annotations

import dataclasses
import itertools
import json

import numpy as np
import onnxruntime
import pytest
from conftest import TINY, pairs, run_cli
from test_model import RECURRENT, pool, states_by_loop
from test_onnx import assert_agreement, padded
from test_training import MODEL, RECIPE, examples, train

from seqclf.cells import CELLS
from seqclf.config import ModelConfig
from seqclf.model import keras_file, kernels, onnx_graph
from seqclf.model.build import build_model, recurrent_parameters
from seqclf.model.keras_file import open_keras
from seqclf.model.kernels import kernel_of, use_kernel
from seqclf.model.scoring import logits_of
from seqclf.poolings import POOLINGS
from seqclf.training.fit import fit
from seqclf.training.proof import proof_of_weights

VOCABULARY, LABELS = 20, 3
KERNEL = "convolution/kernel"


def small(**values: object) -> ModelConfig:
    return ModelConfig(
        **{"units": 5, "embedding_size": 4, "conv_width": 3, "cell": "gru"} | values
    )


def build(seed: int = 0, **values: object):
    return build_model(small(**values), VOCABULARY, LABELS, seed)


def shaken(**values: object):
    """A model with large random weights, those of the padding token among them."""
    model = build(**values)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.5, w.shape) for w in model.get_weights()])
    return model


def convolved(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Filters a text [time, inputs], one place after the other: [time, filters]."""
    width, before = len(kernel), (len(kernel) - 1) // 2
    rows = []
    for place in range(len(x)):
        total = bias.copy()
        for tap in range(width):
            at = place + tap - before
            if 0 <= at < len(x):
                total += x[at] @ kernel[tap]
        rows.append(np.maximum(total, 0))
    return np.array(rows)


def by_hand(model, cell: str, pooling: str, token_ids: list[int]) -> np.ndarray:
    """Returns the logits of one text, without Keras; one layer, one direction."""
    x = model.get_layer("embedding").get_weights()[0][token_ids]
    states = convolved(x, *model.get_layer("convolution").get_weights())
    if cell == "dense":
        kernel, bias = model.get_layer("dense_0").get_weights()
        states = np.tanh(states @ kernel + bias)
    elif cell != "none":
        weights = model.get_layer("recurrent_0").get_weights()
        states = states_by_loop(cell, states, weights)
    kernel, bias = model.get_layer("logits").get_weights()
    return pool(pooling, states, model) @ kernel + bias


def test_filters_of_a_worked_example():
    # Token vectors 1, 2, 3; a filter of two taps, 1 and 10, with bias -25:
    # 1 + 20 - 25, 2 + 30 - 25, 3 - 25 behind ReLU are 0, 7, 0.
    expected = {"max": 7.0, "mean": 7 / 3, "last": 0.0}
    for pooling, value in expected.items():
        config = ModelConfig(
            cell="none", embedding_size=1, conv_width=2, pooling=pooling
        )
        model = build_model(config, 5, 2, 0)
        table = np.array([[100.0], [0], [1], [2], [3]])  # of padding, 100
        model.get_layer("embedding").set_weights([table])
        taps = np.array([1.0, 10.0]).reshape(2, 1, 1)
        model.get_layer("convolution").set_weights([taps, np.array([-25.0])])
        model.get_layer("logits").set_weights([np.array([[1.0, -1.0]]), np.zeros(2)])
        for padding in ([], [0], [0] * 5):
            logits = np.array(model(np.array([[2, 3, 4, *padding]], np.int32)))
            np.testing.assert_allclose(logits, [[value, -value]], atol=1e-5)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("cell", CELLS)
def test_each_cell_and_pooling_agrees_with_a_plain_loop(cell, pooling):
    model = shaken(cell=cell, pooling=pooling, bidirectional=False)
    token_ids = np.array([[3, 7, 1, 9, 0, 0]], np.int32)
    expected = by_hand(model, cell, pooling, [3, 7, 1, 9])
    np.testing.assert_allclose(model(token_ids)[0], expected, atol=1e-5)


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 9])
def test_each_width_agrees_with_a_plain_loop_also_on_shorter_texts(width):
    model = shaken(cell="rnn", conv_width=width, bidirectional=False)
    for text in ([4], [4, 5], [4, 5, 6, 7, 8, 9, 2]):
        token_ids = np.array([[*text, 0, 0]], np.int32)
        expected = by_hand(model, "rnn", "max", text)
        np.testing.assert_allclose(model(token_ids)[0], expected, atol=1e-5)


def assert_padding_changes_nothing(model) -> None:
    # Several, for ReLU can hide what stands behind the end of one.
    some = [[5], [6, 4], [5, 6, 7], [9, 8], [7, 2, 3, 9]]
    expected = [np.array(model(np.array([text], np.int32)))[0] for text in some]
    assert np.ptp(expected, axis=0).max() > 1e-2
    for length in (4, 5, 12):
        rows = [np.pad(text, (0, length - len(text))) for text in some]
        got = model(np.array(rows, np.int32))
        np.testing.assert_allclose(got, expected, atol=1e-6)


@pytest.mark.parametrize(("cell", "pooling"), pairs(CELLS, POOLINGS))
def test_padding_never_changes_a_result(cell, pooling):
    assert_padding_changes_nothing(shaken(cell=cell, pooling=pooling))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "bidirectional", "layers", "width"),
    list(itertools.product(RECURRENT, (False, True), (1, 2), (1, 2, 5))),
)
def test_padding_never_changes_a_result_of_any_kind(cell, bidirectional, layers, width):
    for pooling in POOLINGS:
        model = shaken(
            cell=cell, bidirectional=bidirectional, layers=layers, conv_width=width,
            pooling=pooling,
        )  # fmt: skip
        assert_padding_changes_nothing(model)


def weights(model) -> dict[str, np.ndarray]:
    return {weight.path: weight.numpy() for weight in model.weights}


def test_twins_start_with_the_same_filters_and_another_seed_with_others():
    twins = [weights(build(cell=cell)) for cell in CELLS]
    assert twins[0][KERNEL].shape == (3, 4, 4)
    assert np.abs(twins[0][KERNEL]).max() > 0.1
    for twin in twins[1:]:
        np.testing.assert_array_equal(twin[KERNEL], twins[0][KERNEL])
    other = weights(build(seed=1))
    assert not np.array_equal(other[KERNEL], twins[0][KERNEL])


def test_the_hashes_of_twins_have_the_filters():
    hashes = [proof_of_weights(build(cell=cell)) for cell in RECURRENT]
    assert hashes[0] == hashes[1] == hashes[2]
    assert {f"{KERNEL} [3, 4, 4]", "convolution/bias [4]"} < hashes[0].keys()


def test_all_other_layers_start_as_they_do_without_the_convolution():
    without, with_it = weights(build(conv_width=None)), weights(build())
    assert set(with_it) - set(without) == {KERNEL, "convolution/bias"}
    for name, value in without.items():
        np.testing.assert_array_equal(with_it[name], value)


@pytest.mark.parametrize("cell", CELLS)
def test_the_cell_has_as_many_parameters_as_without(cell):
    config = small(cell=cell, layers=2)
    counted = sum(
        layer.count_params()
        for layer in build_model(config, VOCABULARY, LABELS, 0).layers
        if layer.name.startswith(("recurrent_", "dense_"))
    )
    assert counted == recurrent_parameters(config)
    assert recurrent_parameters(small(cell=cell, layers=2, conv_width=None)) == counted


@pytest.mark.parametrize("cell", CELLS)
def test_the_gradient_reaches_filters_and_tokens_but_not_the_padding(cell):
    import tensorflow as tf

    model = shaken(cell=cell)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(np.array([[3, 4, 0, 0]], np.int32))[:, 0])
    found = dict(
        zip(
            (v.path for v in model.trainable_variables),
            tape.gradient(loss, [v.value for v in model.trainable_variables]),
            strict=True,
        )
    )
    assert np.abs(found[KERNEL]).max() > 1e-4
    assert np.abs(found["convolution/bias"]).max() > 1e-4
    of_tokens = np.abs(tf.convert_to_tensor(found["embedding/embeddings"])).max(1)
    assert of_tokens[3] > 0
    assert of_tokens[4] > 0
    assert np.delete(of_tokens, [3, 4]).max() == 0


def test_the_same_seed_gives_the_same_weights_to_the_bit():
    config = dataclasses.replace(MODEL, cell="none", conv_width=3, dropout_rate=0.5)
    first, again = (train(RECIPE, config)[0].get_weights() for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_memorises_sixteen_examples(cell):
    config = dataclasses.replace(MODEL, cell=cell, conv_width=3)
    model = build_model(config, 20, 2, 0)
    recipe = dataclasses.replace(RECIPE, epochs=30, patience=30, batch_size=16)
    fit(model, examples(16), examples(16), recipe)
    predicted = logits_of(model, examples(16), 4).argmax(1)
    assert predicted.tolist() == examples(16).label_ids.tolist()


def test_a_text_of_two_words_in_the_other_order_is_another_without_recurrence():
    # Max pooling over token vectors knows no order; over two tokens at a time it does.
    texts = np.array([[3, 4], [4, 3]], np.int32)
    orderless = np.array(shaken(cell="none", conv_width=None)(texts))
    np.testing.assert_array_equal(orderless[0], orderless[1])
    ordered = np.array(shaken(cell="none", conv_width=2)(texts))
    assert np.abs(ordered[0] - ordered[1]).max() > 1e-2


# The kernel of the recurrence.


@pytest.mark.parametrize("cell", CELLS)
def test_the_kernel_is_that_of_the_recurrence_alone(cell):
    model = build(cell=cell)
    use_kernel(model, "auto")
    model.compile(jit_compile=False)
    assert kernel_of(model) == (kernels.LOOP if CELLS[cell].recurs else kernels.NONE)


@pytest.mark.parametrize("layers", [1, 2])
def test_simple_rnn_on_cudnn_gets_the_mask_behind_the_convolution(layers, monkeypatch):
    import tensorflow as tf
    from test_kernels import TOKEN_IDS, cudnn_of_numpy

    model = shaken(cell="rnn", layers=layers)
    expected = model(TOKEN_IDS)
    monkeypatch.setattr(kernels, "gpus", lambda: ["a GPU"])
    monkeypatch.setattr(tf.raw_ops, "CudnnRNNV3", cudnn_of_numpy)
    use_kernel(model, "auto")
    np.testing.assert_allclose(model(TOKEN_IDS), expected, atol=1e-5)


# Commands.


@pytest.mark.slow
def test_twins_with_a_convolution_are_compared(workplace, tmp_path):
    data = f"--data={workplace / 'reviews'}"
    asked = ["compare", "--cells=none,gru", "--seeds=1", "--conv-width=3", data, *TINY]
    done = run_cli(asked, tmp_path)
    assert done.returncode == 0, done.stderr
    [folder] = (tmp_path / "models").glob("*-compare")
    found = json.loads((folder / "comparison.json").read_text())
    assert found["card"]["equal"]["model.conv_width"] == 3
    assert found["card"]["different"] == ["model.cell"]
    assert all(check["equal"] for check in found["card"]["checks"])
    done = run_cli(["predict", "a lovely film"], tmp_path)
    assert done.returncode == 0, done.stderr


# Files.


def session_of(model, config: ModelConfig):
    made = onnx_graph.to_onnx(model, config, {})
    return onnxruntime.InferenceSession(made.SerializeToString())


def texts() -> np.ndarray:
    """Texts of 1 to 12 tokens, int32 [7, 12]."""
    token_ids = padded()
    return np.where(token_ids > 0, token_ids % (VOCABULARY - 1) + 1, 0).astype(np.int32)


@pytest.mark.parametrize(
    ("cell", "pooling", "width"),
    [("none", "last", 2), ("none", "max", 15), ("rnn", "mean", 3), ("lstm", "max", 4)],
)
def test_onnx_and_keras_agree(cell, pooling, width):
    options = {"cell": cell, "pooling": pooling, "conv_width": width}
    model = shaken(**options)
    assert_agreement(model, session_of(model, small(**options)), texts())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "pooling", "bidirectional", "layers", "width"),
    list(itertools.product(CELLS, POOLINGS, (True, False), (1, 2), (1, 4))),
)
def test_onnx_and_keras_agree_for_every_option(
    cell, pooling, bidirectional, layers, width
):
    options = {
        "cell": cell, "pooling": pooling, "bidirectional": bidirectional,
        "layers": layers, "conv_width": width,
    }  # fmt: skip
    model = shaken(**options)
    session = session_of(model, small(**options))
    longest = np.random.default_rng(2).integers(1, VOCABULARY, (2, 400))
    for token_ids in (
        texts(),
        texts()[:, :1],  # one token each
        np.ones((3, 9), np.int32),  # unknown tokens only
        longest.astype(np.int32),
    ):
        assert_agreement(model, session, token_ids)


def test_the_difference_of_onnx_is_measured_with_the_filters():
    model = shaken(cell="none")
    made = onnx_graph.to_onnx(model, small(cell="none"), {}).SerializeToString()
    layer = model.get_layer("convolution")
    layer.set_weights([w + 0.1 for w in layer.get_weights()])
    assert onnx_graph.greatest_difference(model, made, VOCABULARY, 30) > 1e-4


def test_the_graph_has_one_native_operator_for_it():
    made = onnx_graph.to_onnx(build(cell="lstm"), small(cell="lstm"), {})
    kinds = [node.op_type for node in made.graph.node]
    assert kinds.count("Conv") == 1
    assert not set(kinds) & {"Loop", "Scan"}


@pytest.mark.parametrize("cell", ["none", "lstm"])
def test_the_file_is_opened_by_stock_keras_and_by_the_guard(cell, tmp_path):
    import keras

    model = shaken(cell=cell, layers=2)
    model.save(tmp_path / "model.keras")
    token_ids = np.array([[5, 6, 7, 0], [2, 3, 4, 5]], np.int32)
    stock = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    for opened in (stock, open_keras(tmp_path / "model.keras")):
        np.testing.assert_array_equal(opened(token_ids), model(token_ids))


@pytest.mark.slow
def test_all_models_name_only_what_is_known():
    for cell, pooling in itertools.product(CELLS, POOLINGS):
        made = json.loads(build(cell=cell, pooling=pooling, layers=2).to_json())
        assert list(keras_file._strange(made)) == []

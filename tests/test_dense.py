"""The dense twin: as wide as SimpleRNN, and nothing passes from token to token."""

from __future__ import annotations

import dataclasses
import json

import keras
import numpy as np
import pytest
from conftest import TINY, invoke
from test_model import LABELS, VOCABULARY, build, pool, small

from seqclf.cells import CELLS, recurrent_names
from seqclf.comparison.design import Design, matched
from seqclf.config import ModelConfig, RunConfig
from seqclf.errors import ConfigError
from seqclf.model import onnx_graph
from seqclf.model.build import build_model, recurrent_parameters
from seqclf.model.kernels import recurrent_layers
from seqclf.poolings import POOLINGS
from seqclf.start.start import Start, begin_with, layers_to_keep
from seqclf.steps import Target, refuse_idle_settings
from seqclf.studies.inside.unrolled import plain_network
from seqclf.studies.question import Question

ORDERLESS = [name for name, pooling in POOLINGS.items() if not pooling.is_last]


def shaken(seed: int = 0, **values: object):
    """A model of which all weights are far from zero."""
    model = build(**values)
    generator = np.random.default_rng(seed)
    model.set_weights([generator.normal(0, 0.5, w.shape) for w in model.get_weights()])
    return model


def dense(**values: object):
    return shaken(cell="dense", **values)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_each_token_has_the_states_of_its_own_vector(pooling):
    model = dense(pooling=pooling, layers=2)
    token_ids = np.array([[3, 7, 1, 9, 0, 0]], np.int32)
    states = model.get_layer("embedding").get_weights()[0][token_ids[0, :4]]
    for name in ("dense_0", "dense_1"):
        kernel, bias = model.get_layer(name).get_weights()
        states = np.tanh(states @ kernel + bias)
    assert states.shape == (4, 10)  # 5 units in each of two directions
    kernel, bias = model.get_layer("logits").get_weights()
    expected = pool(pooling, states, model) @ kernel + bias
    np.testing.assert_allclose(model(token_ids)[0], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("pooling", "bidirectional"),
    [("last", False), *((name, True) for name in ORDERLESS)],
)
def test_it_is_simplernn_without_its_recurrent_kernel(pooling, bidirectional):
    options = {"pooling": pooling, "bidirectional": bidirectional}
    rnn, twin = shaken(cell="rnn", **options), dense(**options)
    found = rnn.get_layer("recurrent_0").get_weights()
    for recurrent in found[1::3]:
        recurrent[:] = 0
    rnn.get_layer("recurrent_0").set_weights(found)
    for layer in rnn.layers:
        if layer.name != "recurrent_0" and layer.weights:
            twin.get_layer(layer.name).set_weights(layer.get_weights())
    own = np.concatenate(found[::3], axis=-1), np.concatenate(found[2::3], axis=-1)
    twin.get_layer("dense_0").set_weights(own)
    token_ids = np.array([[5, 6, 7, 0], [2, 3, 4, 5]], np.int32)
    np.testing.assert_allclose(twin(token_ids), rnn(token_ids), atol=1e-6)


@pytest.mark.parametrize("pooling", ORDERLESS)
def test_the_order_of_the_words_cannot_matter_to_it(pooling):
    token_ids = np.random.default_rng(1).integers(1, VOCABULARY, (4, 9), np.int32)
    turned = token_ids[:, ::-1]
    model = dense(pooling=pooling, layers=2)
    np.testing.assert_allclose(model(turned), model(token_ids), atol=1e-6)
    rnn = shaken(cell="rnn", pooling=pooling)
    assert np.abs(rnn(turned) - rnn(token_ids)).max() > 0.01


def test_with_the_last_state_it_sees_the_last_token_alone():
    model = dense(pooling="last")
    texts = np.array([[2, 3, 4, 9], [4, 2, 3, 9], [9, 0, 0, 0], [9, 3, 4, 2]], np.int32)
    one, other, alone, another = np.array(model(texts))
    np.testing.assert_allclose(one, other, atol=1e-6)
    np.testing.assert_allclose(one, alone, atol=1e-6)
    assert np.abs(one - another).max() > 0.01


def test_a_convolution_lets_it_see_the_neighbours():
    texts = np.array([[2, 3, 4, 9], [9, 4, 3, 2]], np.int32)
    one, turned = np.array(dense(conv_width=2)(texts))
    assert np.abs(one - turned).max() > 0.01


def test_its_onnx_graph_is_a_product_a_bias_and_tanh_and_agrees():
    model, config = dense(layers=2), small(cell="dense", layers=2)
    made = onnx_graph.to_onnx(model, config, {})
    kinds = [node.op_type for node in made.graph.node]
    assert (kinds.count("MatMul"), kinds.count("Tanh")) == (2, 2)
    assert not set(kinds) & {"RNN", "GRU", "LSTM", "Loop", "Scan"}
    made = made.SerializeToString()
    assert onnx_graph.greatest_difference(model, made, VOCABULARY, 30) < 1e-6
    model.get_layer("dense_1").set_weights(
        [w + 0.1 for w in model.get_layer("dense_1").get_weights()]
    )
    assert onnx_graph.greatest_difference(model, made, VOCABULARY, 30) > 1e-4


def test_parameters_are_matched_by_its_width():
    # One direction, 4 inputs. LSTM of 8: 4 x 8 x 13 = 416 parameters; dense has 5 a
    # unit, so 83 make 415. `none` has none to match.
    one = ModelConfig(bidirectional=False, embedding_size=4, units=8)
    lstm, twin, none = (
        dataclasses.replace(one, cell=cell) for cell in ("lstm", "dense", "none")
    )
    found = matched([lstm, twin, none])
    assert [model.units for model in found] == [8, 83, 8]
    assert [recurrent_parameters(model) for model in found] == [416, 415, 0]
    Design(config=RunConfig(), cells=("dense", "gru"), seeds=(0,), match="parameters")
    with pytest.raises(ConfigError, match="two cells with a layer"):
        Design(config=RunConfig(), cells=("dense", "none"), seeds=(0,),
               match="parameters")  # fmt: skip


def test_its_own_weights_begin_another_dense_twin_and_no_other_cell():
    given = dense()
    vectors = given.get_layer("embedding").get_weights()[0]
    start = Start(vectors, np.full(len(vectors), True), "", 0.0, layers_to_keep(given))
    assert begin_with(build(cell="dense"), start) == (
        "embedding/embeddings", "dense_0/kernel", "dense_0/bias",
    )  # fmt: skip
    assert begin_with(build(cell="rnn"), start) == ("embedding/embeddings",)


def test_it_has_width_and_depth_and_no_kernel(tmp_path):
    target = Target(tmp_path, tmp_path)
    given = {"units", "layers", "bidirectional"}
    refuse_idle_settings(RunConfig(), ("dense",), target, given)
    with pytest.raises(ConfigError, match="kernel does nothing without recurrence"):
        refuse_idle_settings(RunConfig(), ("dense",), target, {"kernel"})
    with pytest.raises(ConfigError, match="units does nothing without recurrence"):
        refuse_idle_settings(RunConfig(), ("none",), target, {"units"})
    assert not list(recurrent_layers(build(cell="dense")))


def test_it_is_no_recurrent_cell_and_no_study_looks_into_it():
    assert recurrent_names() == ("rnn", "gru", "lstm")
    assert not CELLS["dense"].recurs
    with pytest.raises(ConfigError, match="cells that recur, and dense does not"):
        plain_network(Question(config=RunConfig(), cells=("dense",)), "gates")


def test_it_learns_which_words_stand_in_a_text_and_not_their_order():
    generator = np.random.default_rng(0)
    texts = generator.integers(4, VOCABULARY, (256, 6)).astype(np.int32)
    texts[::2, 0], texts[1::2, 0] = 2, 3  # the word that decides; its place is drawn
    texts = generator.permuted(texts, axis=1)
    labels = np.array([0, 1] * 128)
    config = small(cell="dense", dropout_rate=0.0)
    model = build_model(config, VOCABULARY, LABELS, seed=0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.03), loss=loss, jit_compile=False)
    for _ in range(60):
        model.train_on_batch(texts, labels)
    assert (np.argmax(model(texts), axis=1) == labels).all()


@pytest.mark.slow
def test_it_is_trained_exported_and_predicts(workplace, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reviews").symlink_to(workplace / "reviews")
    done = invoke("train", "--cell=dense", "--data=reviews", *TINY, "--json")
    assert done.exit_code == 0, done.output
    environment = json.loads(done.stdout)["environment"]
    # 8 inputs; 8 units, in each of two directions.
    assert environment["recurrent_parameters"] == (8 + 1) * 16
    assert environment["kernel"] == "none"
    assert environment["onnx_difference"] < 1e-5
    for options in (["--format=litert"], ["--format=onnx", "--quantize=int8"]):
        exported = invoke("export", "reviews-dense-0", *options)
        assert exported.exit_code == 0, exported.output
    texts = ("good a film", "a good film")
    said = invoke("predict", "--run=reviews-dense-0", "--json", *texts)
    one, other = map(json.loads, said.stdout.splitlines())
    assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-6)

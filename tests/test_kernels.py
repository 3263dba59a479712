"""The kernel rule. cuDNN itself needs a GPU; what surrounds it does not."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from test_model import RECURRENT, rnn_step

from seqclf.config import ModelConfig, TrainingConfig
from seqclf.errors import ConfigError
from seqclf.model import kernels
from seqclf.model.build import build_model
from seqclf.model.kernels import kernel_of, use_kernel
from seqclf.poolings import POOLINGS

TOKEN_IDS = np.array([[3, 7, 9, 2, 5], [4, 8, 0, 0, 0], [6, 6, 6, 0, 0]], np.int32)


def build(cell: str, **values: object):
    config = ModelConfig(**{"cell": cell, "units": 5, "embedding_size": 4} | values)
    model = build_model(config, 20, 3, seed=0)
    generator = np.random.default_rng(1)
    model.set_weights([generator.normal(0, 0.5, w.shape) for w in model.get_weights()])
    return model


def cudnn_of_numpy(**given):
    """Does what NVIDIA documents of cudnnRNNForward, in rnn_tanh mode.

    Parameters are all matrices, input before recurrent, each row by row with one row a
    unit, then the two biases. Sequences end at their lengths; behind them outputs are
    0. Batch major, as `time_major=False` says.
    """
    import tensorflow as tf

    assert given["rnn_mode"] == "rnn_tanh"
    assert given["time_major"] is False

    def forward(x, h, parameters, lengths):
        size, width = h.shape[-1], x.shape[-1]
        of_input, of_state, bias, second = np.split(
            parameters, np.cumsum([size * width, size * size, size])
        )
        of_input = of_input.reshape(size, width)
        of_state = of_state.reshape(size, size)
        outputs, last = np.zeros((*x.shape[:2], size), np.float32), h[:, 0].copy()
        for row, length in enumerate(lengths):
            for step in range(length):
                total = of_input @ x[row, step] + of_state @ last[row] + bias + second
                outputs[row, step] = last[row] = np.tanh(total)
        return outputs, last[:, None]

    x, h = given["input"], given["input_h"]
    outputs, state = tf.numpy_function(
        forward,
        [x, h, given["params"], given["sequence_lengths"]],
        [tf.float32, tf.float32],
    )
    outputs.set_shape([*x.shape[:2], h.shape[-1]])
    state.set_shape(h.shape)
    return outputs, state, None, None, None


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.setattr(kernels, "gpus", lambda: ["a GPU"])


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", RECURRENT)
def test_on_a_cpu_every_cell_runs_in_the_same_loop(cell, bidirectional):
    model = build(cell, bidirectional=bidirectional)
    use_kernel(model, "auto")
    model.compile(jit_compile=False)
    assert kernel_of(model) == kernels.LOOP


def test_without_recurrence_there_is_no_kernel_and_nothing_to_refuse():
    model = build("none")
    use_kernel(model, "cudnn")
    model.compile(jit_compile=False)
    assert kernel_of(model) == kernels.NONE


@pytest.mark.parametrize("cell", RECURRENT)
def test_without_a_gpu_a_required_cudnn_is_refused(cell):
    with pytest.raises(ConfigError, match="TensorFlow sees no GPU"):
        use_kernel(build(cell), "cudnn")


@pytest.mark.parametrize(
    ("layer", "option", "value"),
    [
        ("SimpleRNN", "activation", "relu"),
        ("GRU", "reset_after", False),
        ("GRU", "recurrent_activation", "tanh"),
        ("LSTM", "recurrent_dropout", 0.1),
        ("LSTM", "use_bias", False),
        ("LSTM", "unroll", True),
    ],
)
def test_a_setting_that_cudnn_lacks_is_named(layer, option, value, gpu):
    import keras

    token_ids = keras.Input((4, 3))
    states = getattr(keras.layers, layer)(5, name="reader", **{option: value})(
        token_ids
    )
    with pytest.raises(ConfigError, match=f"{option} of reader is {value}"):
        use_kernel(keras.Model(token_ids, states), "cudnn")


@pytest.mark.parametrize("cell", RECURRENT)
def test_on_a_gpu_every_cell_asks_for_cudnn_unless_told_to_loop(cell, gpu, monkeypatch):
    import tensorflow as tf

    # Keras looks by itself; nothing is run here, the graph is only drawn.
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: ["a GPU"])
    for kernel, ran in {
        "auto": kernels.CUDNN, "cudnn": kernels.CUDNN, "loop": kernels.LOOP,
    }.items():  # fmt: skip
        model = build(cell)
        use_kernel(model, kernel)
        model.compile(jit_compile=False)
        assert kernel_of(model) == ran


def test_cudnn_has_a_gradient_for_simple_rnn(gpu):
    import tensorflow as tf

    model = build("rnn")
    use_kernel(model, "auto")

    @tf.function
    def gradients(token_ids):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(token_ids, training=True))
        return tape.gradient(loss, model.trainable_variables)

    graph = gradients.get_concrete_function(tf.TensorSpec([None, None], tf.int32))
    operations = {node.op for node in graph.graph.as_graph_def().node}
    assert {"CudnnRNNV3", "CudnnRNNBackpropV3"} <= operations
    assert len(graph.structured_outputs) == len(model.trainable_variables)


@pytest.mark.parametrize(
    ("pooling", "bidirectional", "layers"),
    [
        pytest.param(*options, layers, marks=[pytest.mark.slow] * (layers - 1))
        for options in itertools.product(POOLINGS, (False, True))
        for layers in (1, 2)
    ],
)
def test_simple_rnn_on_cudnn_is_simple_rnn(
    pooling, bidirectional, layers, gpu, monkeypatch
):
    import tensorflow as tf

    model = build("rnn", pooling=pooling, bidirectional=bidirectional, layers=layers)
    expected = model(TOKEN_IDS)
    monkeypatch.setattr(tf.raw_ops, "CudnnRNNV3", cudnn_of_numpy)
    use_kernel(model, "auto")
    np.testing.assert_allclose(model(TOKEN_IDS), expected, atol=1e-5)


def test_parameters_for_cudnn_of_a_worked_example():
    # Two inputs, one unit: h = tanh(2 x0 + 3 x1 + 5 h + 7).
    parameters = kernels.cudnn_parameters(
        np.array([[2.0], [3.0]]), np.array([[5.0]]), np.array([7.0])
    )
    assert parameters.numpy().tolist() == [2, 3, 5, 7, 0]
    # One input, two units: each unit's row of the recurrent kernel is a column here.
    parameters = kernels.cudnn_parameters(
        np.array([[1.0, 2.0]]), np.array([[3.0, 4.0], [5.0, 6.0]]), np.array([7.0, 8.0])
    )
    assert parameters.numpy().tolist() == [1, 2, 3, 5, 4, 6, 7, 8, 0, 0]


def test_the_loop_of_these_tests_is_the_step_of_simple_rnn():
    generator = np.random.default_rng(0)
    kernel, recurrent, bias = (
        generator.normal(size=shape).astype(np.float32)
        for shape in ((4, 5), (5, 5), (5,))
    )
    x = generator.normal(size=(1, 1, 4)).astype(np.float32)
    outputs, *_ = cudnn_of_numpy(
        input=_tensor(x),
        input_h=_tensor(np.zeros((1, 1, 5), np.float32)),
        params=kernels.cudnn_parameters(kernel, recurrent, bias),
        sequence_lengths=np.array([1], np.int32),
        rnn_mode="rnn_tanh",
        time_major=False,
    )
    (expected,) = rnn_step(x[0, 0], (np.zeros(5),), kernel, recurrent, bias)
    np.testing.assert_allclose(outputs[0, 0], expected, atol=1e-6)


def test_a_simple_rnn_of_cudnn_is_saved_as_the_stock_layer(gpu, tmp_path):
    import json
    import zipfile

    import keras

    model = build("rnn")
    expected = model(TOKEN_IDS)
    use_kernel(model, "auto")
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as file:
        saved = json.loads(file.read("config.json"))["config"]["layers"]
    (wrapper,) = [x for x in saved if x["class_name"] == "Bidirectional"]
    inner = wrapper["config"]["layer"]
    assert (inner["module"], inner["class_name"]) == ("keras.layers", "SimpleRNN")
    again = keras.models.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_allclose(again(TOKEN_IDS), expected, atol=1e-6)


def test_kernel_is_a_setting_with_three_values():
    with pytest.raises(ConfigError, match="kernel"):
        TrainingConfig(kernel="cuda")


def _tensor(values: np.ndarray):
    import tensorflow as tf

    return tf.convert_to_tensor(values)

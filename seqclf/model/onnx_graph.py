"""The same network on ONNX's own operators, so that it predicts without Keras.

Each recurrent layer becomes one native RNN, GRU or LSTM operator; padding is masked by
`sequence_lens`. A convolution becomes one Conv operator. The states are time-major,
[time, batch, width], as the recurrent operators want them. Keras orders the gates of an
LSTM i, f, c, o and ONNX i, o, f, c; a GRU's biases stay apart, as with Keras's
`reset_after` (https://onnx.ai/onnx/operators).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from seqclf.config import ModelConfig
from seqclf.model.build import CONVOLUTION, RECURRENT
from seqclf.model.scoring import probabilities_of
from seqclf.text.tokens import PADDING_ID, UNKNOWN_ID

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET, IR_VERSION = 17, 10
LONGEST_CHECKED = 1000
TELEMETRY_VARIABLE = "ORT_DISABLE_TELEMETRY"
TOKEN_IDS, LOGITS, PROBABILITIES = "token_ids", "logits", "probabilities"
FAR_BELOW = np.float32(-1e9)  # as in the Keras model, for places that hold padding
OPERATORS = {"rnn": "RNN", "gru": "GRU", "lstm": "LSTM"}


def to_onnx(model: Any, config: ModelConfig, metadata: Mapping[str, str]) -> ModelProto:
    """Builds the graph from the weights of a Keras model.

    Args:
      model: From `build_model`, with the weights to take.
      config: The config it was built from.
      metadata: Stored in the file, by key.

    Returns:
      A model from token_ids int32 [batch, time], padded on the right with 0 and with
      one token at least in each row, to logits and probabilities, float32
      [batch, labels].
    """
    import onnx
    from onnx import TensorProto, helper

    graph = _Graph()
    _write_network(graph, model, config)
    labels = model.output_shape[-1]
    made = helper.make_model(
        helper.make_graph(
            graph.nodes,
            f"seqclf_{config.cell}",
            [
                helper.make_tensor_value_info(
                    TOKEN_IDS, TensorProto.INT32, ["batch", "time"]
                )
            ],
            [
                helper.make_tensor_value_info(
                    name, TensorProto.FLOAT, ["batch", labels]
                )
                for name in (LOGITS, PROBABILITIES)
            ],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="seqclf",
    )
    helper.set_model_props(made, dict(metadata))
    onnx.checker.check_model(made)
    return made


def import_onnxruntime() -> Any:
    """Imports ONNX Runtime, without its telemetry.

    Since 1.31 it reports its use to its maker, and keeps a data base of it in the
    user's cache, unless this variable is set before it is imported.
    """
    os.environ.setdefault(TELEMETRY_VARIABLE, "1")
    import onnxruntime

    return onnxruntime


def open_session(model: bytes | str) -> Any:
    """Opens an ONNX model, given as its bytes or its path, with ONNX Runtime.

    The session runs in the thread that calls it; call it from several to use more.
    """
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors alone
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        model, options, providers=["CPUExecutionProvider"]
    )


def greatest_difference(
    model: Any, made: bytes, vocabulary_size: int, max_length: int
) -> float:
    """Returns the greatest difference in any probability between Keras and ONNX.

    Over random token ids of many lengths, one token each, unknown tokens only, and
    texts of `max_length` tokens (at most `LONGEST_CHECKED`).
    """
    session = open_session(made)
    longest = min(max_length, LONGEST_CHECKED)
    rng = np.random.default_rng(0)
    texts = rng.integers(UNKNOWN_ID, vocabulary_size, (16, longest)).astype(np.int32)
    mixed, alone = texts.copy(), texts.copy()
    for row, length in zip(mixed, rng.integers(1, longest + 1, 16), strict=True):
        row[length:] = PADDING_ID
    alone[:, 1:] = PADDING_ID
    batches = [mixed, alone, np.full_like(texts, UNKNOWN_ID), texts]
    # Keras traces its graph for each new shape: once for all is seconds cheaper.
    logits = model.predict_on_batch(np.concatenate(batches))
    expected = np.split(probabilities_of(logits), len(batches))
    batches[1] = alone[:, :1]
    differences = [
        np.abs(session.run([PROBABILITIES], {TOKEN_IDS: ids})[0] - probabilities).max()
        for ids, probabilities in zip(batches, expected, strict=True)
    ]
    return float(max(differences))


class _Graph:
    """Nodes and constants, with names that are never used twice."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: Any, kind: Any = np.float32) -> str:
        from onnx import numpy_helper

        name = f"constant_{len(self.constants)}"
        array = np.ascontiguousarray(np.asarray(value, kind))
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def shape(self, *values: int) -> str:
        return self.constant(values, np.int64)

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        return self.outputs(operator, 1, *inputs, **attributes)[0]

    def outputs(
        self, operator: str, count: int, *inputs: str, **attributes: Any
    ) -> list[str]:
        from onnx import helper

        names = [f"{operator.lower()}_{len(self.nodes)}_{i}" for i in range(count)]
        self.nodes.append(helper.make_node(operator, inputs, names, **attributes))
        return names

    def name(self, value: str, name: str) -> None:
        from onnx import helper

        self.nodes.append(helper.make_node("Identity", [value], [name]))


def _write_network(graph: _Graph, model: Any, config: ModelConfig) -> None:
    by_time = graph.add("Transpose", TOKEN_IDS, perm=[1, 0])
    padding = graph.constant(PADDING_ID, np.int32)
    is_token = graph.add("Not", graph.add("Equal", by_time, padding))
    counted = graph.add("Cast", is_token, to=6)  # int32
    lengths = graph.add("ReduceSum", counted, graph.shape(0), keepdims=0)
    is_token = graph.add("Unsqueeze", is_token, graph.shape(2))
    table = graph.constant(model.get_layer("embedding").get_weights()[0])
    states = graph.add("Gather", table, by_time)
    if config.conv_width is not None:
        layer = model.get_layer(CONVOLUTION)
        states = _write_convolution(graph, layer, states, is_token)
    last = None
    if config.cell != "none":
        for index in range(config.layers):
            layer = model.get_layer(f"{RECURRENT}_{index}")
            states, last = _write_recurrent(graph, layer, config, states, lengths)
    if config.pooling == "last" and last is not None:
        pooled = last
    else:
        pooled = POOLINGS[config.pooling](graph, states, is_token, lengths, model)
    kernel, bias = map(graph.constant, model.get_layer("logits").get_weights())
    logits = graph.add("Gemm", pooled, kernel, bias)
    graph.name(logits, LOGITS)
    graph.name(graph.add("Softmax", logits, axis=-1), PROBABILITIES)


def _write_convolution(graph: _Graph, layer: Any, states: str, is_token: str) -> str:
    """Returns the filters' outputs behind ReLU, [time, batch, filters]."""
    kernel, bias = layer.get_weights()  # kernel [width of the window, inputs, filters]
    before = (len(kernel) - 1) // 2  # as Keras's "same": the odd one stands behind
    states = graph.add("Mul", states, graph.add("Cast", is_token, to=1))  # float32
    found = graph.add(
        "Conv",
        graph.add("Transpose", states, perm=[1, 2, 0]),
        graph.constant(kernel.transpose(2, 1, 0)),
        graph.constant(bias),
        pads=[before, len(kernel) - 1 - before],
    )
    return graph.add("Relu", graph.add("Transpose", found, perm=[2, 0, 1]))


def _write_recurrent(
    graph: _Graph, layer: Any, config: ModelConfig, states: str, lengths: str
) -> tuple[str, str]:
    """Returns all states [time, batch, width] and each text's last, [batch, width]."""
    weights = layer.get_weights()
    directions = [weights[:3], weights[3:]] if config.bidirectional else [weights]
    packed = [OF_CELL[config.cell](*some) for some in directions]
    kernel, recurrent, bias = (
        graph.constant(np.stack(parts)) for parts in zip(*packed, strict=True)
    )
    attributes: dict[str, Any] = {"hidden_size": config.units}
    if config.bidirectional:
        attributes["direction"] = "bidirectional"
    if config.cell == "gru":
        attributes["linear_before_reset"] = 1
    outputs = graph.outputs(
        OPERATORS[config.cell], 2, states, kernel, recurrent, bias, lengths,
        **attributes,
    )  # fmt: skip
    width = len(directions) * config.units
    by_direction = graph.add("Transpose", outputs[0], perm=[0, 2, 1, 3])
    everything = graph.add("Reshape", by_direction, graph.shape(0, 0, width))
    lasts = graph.add("Transpose", outputs[1], perm=[1, 0, 2])
    return everything, graph.add("Reshape", lasts, graph.shape(0, width))


_Weights = tuple[np.ndarray, np.ndarray, np.ndarray]


def _rnn(kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> _Weights:
    return kernel.T, recurrent.T, np.concatenate([bias, np.zeros_like(bias)])


def _gru(kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> _Weights:
    return kernel.T, recurrent.T, bias.ravel()  # bias [2, 3 units]: input, recurrent


def _lstm(kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> _Weights:
    def ordered(values: np.ndarray) -> np.ndarray:
        # Keras: i, f, c, o. ONNX: i, o, f, c.
        gates = values.reshape(4, -1, *values.shape[1:])[[0, 3, 1, 2]]
        return gates.reshape(values.shape)

    return _rnn(ordered(kernel.T).T, ordered(recurrent.T).T, ordered(bias))


# From Keras's kernel, recurrent kernel and bias of one direction to ONNX's W, R, B.
OF_CELL: dict[str, Callable[..., _Weights]] = {"rnn": _rnn, "gru": _gru, "lstm": _lstm}


def _last(graph: _Graph, states: str, is_token: str, lengths: str, model: Any) -> str:
    """Takes the last token's state, where there is no recurrent layer to do so."""
    time = graph.add(
        "Gather", graph.add("Shape", is_token), graph.constant(0, np.int64)
    )
    zero, one = graph.constant(0, np.int64), graph.constant(1, np.int64)
    places = graph.add("Range", zero, time, one)
    places = graph.add("Unsqueeze", places, graph.shape(1))
    ends = graph.add("Sub", graph.add("Cast", lengths, to=7), one)  # int64
    is_last = graph.add("Cast", graph.add("Equal", places, ends), to=1)  # float32
    chosen = graph.add("Mul", states, graph.add("Unsqueeze", is_last, graph.shape(2)))
    return graph.add("ReduceSum", chosen, graph.shape(0), keepdims=0)


def _max(graph: _Graph, states: str, is_token: str, lengths: str, model: Any) -> str:
    kept = graph.add("Where", is_token, states, graph.constant(FAR_BELOW))
    return graph.add("ReduceMax", kept, axes=[0], keepdims=0)


def _mean(graph: _Graph, states: str, is_token: str, lengths: str, model: Any) -> str:
    counted = graph.add("Cast", is_token, to=1)
    kept = graph.add("Mul", states, counted)
    total = graph.add("ReduceSum", kept, graph.shape(0), keepdims=0)
    return graph.add(
        "Div", total, graph.add("ReduceSum", counted, graph.shape(0), keepdims=0)
    )


def _attention(
    graph: _Graph, states: str, is_token: str, lengths: str, model: Any
) -> str:
    kernel, bias = map(graph.constant, model.get_layer("attention").get_weights())
    scores = graph.add("Add", graph.add("MatMul", states, kernel), bias)
    scores = graph.add("Where", is_token, scores, graph.constant(FAR_BELOW))
    weighted = graph.add("Mul", states, graph.add("Softmax", scores, axis=0))
    return graph.add("ReduceSum", weighted, graph.shape(0), keepdims=0)


# From states [time, batch, width] to [batch, width], as in `build.POOLINGS`.
POOLINGS: dict[str, Callable[..., str]] = {
    "last": _last,
    "max": _max,
    "mean": _mean,
    "attention": _attention,
}

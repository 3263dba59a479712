"""The same network on ONNX's own operators, so that it predicts without Keras.

Each recurrent layer becomes one native RNN, GRU or LSTM operator; padding is masked by
`sequence_lens`. A layer that does not recur becomes a product and its activation, a
convolution one Conv operator. The states are time-major,
[time, batch, width], as the recurrent operators want them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from seqclf.cells import CELLS, Onnx
from seqclf.config import TANH, ModelConfig
from seqclf.errors import ConfigError
from seqclf.model.build import CONVOLUTION, EMBEDDING, cell_layers
from seqclf.model.dials import with_dial
from seqclf.model.scoring import Predict, probabilities_of
from seqclf.poolings import POOLINGS
from seqclf.text.tokens import PADDING_ID, UNKNOWN_ID

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

OPSET, IR_VERSION = 17, 10
LONGEST_CHECKED = 1000
# Of one direction, where the attribute is left out (https://onnx.ai/onnx/operators).
OWN_ACTIVATIONS = {
    "RNN": ("Tanh",), "GRU": ("Sigmoid", "Tanh"), "LSTM": ("Sigmoid", "Tanh", "Tanh"),
}  # fmt: skip
TELEMETRY_VARIABLE = "ORT_DISABLE_TELEMETRY"
TOKEN_IDS, LOGITS, PROBABILITIES = "token_ids", "logits", "probabilities"


def to_onnx(
    model: Any,
    config: ModelConfig,
    metadata: Mapping[str, str],
    several: bool = False,
) -> ModelProto:
    """Builds the graph from the weights of a model from `build_model` and its config.

    The metadata is stored in the file, by key; `several` says whether a text may have
    several labels, so that each has a probability of its own.

    Returns:
      A model from token_ids int32 [batch, time], padded on the right with 0 and with
      one token at least in each row, to logits and probabilities, float32
      [batch, labels].

    Raises:
      ConfigError: If ONNX has no operator for the cell.
    """
    graph = _Graph()
    logits = _write_network(graph, model, config)
    graph.name(logits, LOGITS)
    probabilities = "Sigmoid" if several else "Softmax"  # over the last axis
    graph.name(graph.add(probabilities, logits), PROBABILITIES)
    asked = (graph.nodes, graph.constants, model.output_shape[-1], metadata)
    return model_of(f"seqclf_{config.cell}", *asked)


def model_of(
    name: str,
    nodes: Sequence[NodeProto],
    constants: Sequence[TensorProto],
    num_labels: int,
    metadata: Mapping[str, str],
) -> ModelProto:
    """Returns a checked model from `TOKEN_IDS` to `LOGITS` and `PROBABILITIES`."""
    import onnx
    from onnx import TensorProto, helper

    value, shape = helper.make_tensor_value_info, ("batch", num_labels)
    made = helper.make_model(
        helper.make_graph(
            nodes,
            name,
            [value(TOKEN_IDS, TensorProto.INT32, ["batch", "time"])],
            [value(one, TensorProto.FLOAT, shape) for one in (LOGITS, PROBABILITIES)],
            constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="seqclf",
    )
    helper.set_model_props(made, dict(metadata))
    onnx.checker.check_model(made)
    return made


def has_onnx(cell: str) -> bool:
    """Tells whether ONNX has what a network with this cell needs."""
    return not CELLS[cell].has_layer or CELLS[cell].onnx is not None


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


def onnx_predict(model: bytes | str) -> Predict:
    """Opens an ONNX model, given as its bytes or its path, to predict.

    Returns:
      From token_ids int32 [batch, time] to logits float32 [batch, labels].
    """
    session = open_session(model)
    return lambda ids: np.asarray(session.run([LOGITS], {TOKEN_IDS: ids})[0])


def greatest_difference(
    model: Any,
    made: bytes,
    vocabulary_size: int,
    max_length: int,
    several: bool = False,
) -> float:
    """Returns the greatest difference in any probability between Keras and ONNX.

    `several` says whether each label has a probability of its own.

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
    expected = np.split(probabilities_of(logits, several), len(batches))
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

    def integer(self, value: int) -> str:
        return self.constant(value, np.int64)

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


def _write_network(graph: _Graph, model: Any, config: ModelConfig) -> str:
    """Returns the logits."""
    by_time = graph.add("Transpose", TOKEN_IDS, perm=[1, 0])
    padding = graph.constant(PADDING_ID, np.int32)
    is_token = graph.add("Not", graph.add("Equal", by_time, padding))
    counted = graph.add("Cast", is_token, to=6)  # int32
    lengths = graph.add("ReduceSum", counted, graph.shape(0), keepdims=0)
    is_token = graph.add("Unsqueeze", is_token, graph.shape(2))
    table = graph.constant(model.get_layer(EMBEDDING).get_weights()[0])
    states = graph.add("Gather", table, by_time)
    if config.conv_width is not None:
        layer = model.get_layer(CONVOLUTION)
        states = _write_convolution(graph, layer, states, is_token)
    last, pooling = None, POOLINGS[config.pooling]
    for layer in map(model.get_layer, cell_layers(config)):
        if CELLS[config.cell].recurs:
            states, last = _write_recurrent(graph, layer, config, states, lengths)
        else:
            states = _write_dense(graph, layer, config, states)

    def weights(layer: str) -> list[np.ndarray]:
        return list(model.get_layer(layer).get_weights())

    if pooling.is_last and last is not None:
        pooled = last
    else:
        pooled = pooling.in_onnx(graph, is_token, lengths, states, weights)
    kernel, bias = map(graph.constant, weights("logits"))
    return graph.add("Gemm", pooled, kernel, bias)


def _write_convolution(graph: _Graph, layer: Any, states: str, is_token: str) -> str:
    """Returns the filters' outputs behind ReLU, [time, batch, filters]."""
    kernel, bias = layer.get_weights()  # kernel [width of the window, inputs, filters]
    before = (len(kernel) - 1) // 2  # as Keras's "same": the odd one is behind
    states = graph.add("Mul", states, graph.add("Cast", is_token, to=1))  # float32
    found = graph.add(
        "Conv",
        graph.add("Transpose", states, perm=[1, 2, 0]),
        graph.constant(kernel.transpose(2, 1, 0)),
        graph.constant(bias),
        pads=[before, len(kernel) - 1 - before],
    )
    return graph.add("Relu", graph.add("Transpose", found, perm=[2, 0, 1]))


def _write_dense(graph: _Graph, layer: Any, config: ModelConfig, states: str) -> str:
    """Returns the states of a layer that does not recur, [time, batch, width]."""
    cell = _operator_of(config.cell)
    kernel, bias = map(graph.constant, layer.get_weights())
    states = graph.add("Add", graph.add(cell.operator, states, kernel), bias)
    for activation in _activations(config):
        states = graph.add(activation, states)
    return states


def _write_recurrent(
    graph: _Graph, layer: Any, config: ModelConfig, states: str, lengths: str
) -> tuple[str, str]:
    """Returns all states [time, batch, width] and each text's last, [batch, width]."""
    cell = _operator_of(config.cell)
    weights = layer.get_weights()
    directions = [weights[:3], weights[3:]] if config.bidirectional else [weights]
    packed = [cell.weights(*some) for some in directions]
    kernel, recurrent, bias = (
        graph.constant(np.stack(parts)) for parts in zip(*packed, strict=True)
    )
    attributes: dict[str, object] = {"hidden_size": config.units, **cell.attributes}
    if config.bidirectional:
        attributes |= {"direction": "bidirectional"}
    if activations := _activations(config):
        attributes |= {"activations": activations * len(directions)}
    inputs = (states, kernel, recurrent, bias, lengths)
    outputs = graph.outputs(cell.operator, 2, *inputs, **attributes)
    width = len(directions) * config.units
    by_direction = graph.add("Transpose", outputs[0], perm=[0, 2, 1, 3])
    everything = graph.add("Reshape", by_direction, graph.shape(0, 0, width))
    lasts = graph.add("Transpose", outputs[1], perm=[1, 0, 2])
    return everything, graph.add("Reshape", lasts, graph.shape(0, width))


def _activations(config: ModelConfig) -> tuple[str, ...]:
    """Returns those of one direction, by ONNX's names; none are the operator's own."""
    cell = _operator_of(config.cell)
    if config.activation == TANH or not with_dial("activation", [config.cell]):
        return cell.activations
    own = cell.activations or OWN_ACTIVATIONS.get(cell.operator, ())
    # ONNX has the activations of Keras under the same names with a capital.
    chosen = config.activation.capitalize()
    return tuple(chosen if one == "Tanh" else one for one in own)


def _operator_of(name: str) -> Onnx:
    cell = CELLS[name].onnx
    if cell is None:
        raise ConfigError(f"ONNX has no operator for the cell {name}.")
    return cell

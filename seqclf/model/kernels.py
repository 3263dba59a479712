"""The kernel rule: which implementation of the recurrence runs, and which one did.

The rule is fixed, not measured at run time. On a GPU all cells run on cuDNN: GRU and
LSTM through Keras, SimpleRNN through `cudnn_simple_rnn`, which Keras lacks, so that
three timings compare like with like. On a CPU all cells run in TensorFlow's loop: XLA
takes two to six times as long there (benchmarks/RESULTS.md), and of the loops with a
gradient of our own none was faster for all cells (docs/speed.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from seqclf.cells import CELLS
from seqclf.config import TANH
from seqclf.errors import ConfigError
from seqclf.model.backend import gpus, import_keras
from seqclf.private import choose_cudnn, replace_loop

CUDNN, XLA, LOOP, NONE = "cuDNN", "XLA", "TensorFlow loop", "none"
OPTIONS_OF_CUDNN = {
    "activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": True,
    "unroll": False, "recurrent_dropout": 0.0, "reset_after": True,
}  # fmt: skip


def use_kernel(model: Any, kernel: str) -> None:
    """Gives a model's recurrent layers their kernel; must come before its first step.

    Args:
      model: From `build_model`, stock Keras layers throughout. It stays so: the kernel
        is not saved, and weights and results are the same with each.
      kernel: `auto` follows the rule above, `loop` takes TensorFlow's loop anywhere,
        `cudnn` takes cuDNN or refuses.

    Raises:
      ConfigError: If `kernel` is `cudnn` and cuDNN cannot run; names what is in the
        way.
    """
    layers = list(recurrent_layers(model))
    if kernel == "cudnn" and layers:
        refuse_without_gpu()
        _refuse([reason for layer in layers for reason in obstacles(layer)])
    wanted = kernel != "loop"
    for layer in layers:
        has_choice = choose_cudnn(layer, wanted)
        if wanted and not has_choice and gpus() and not obstacles(layer):
            replace_loop(layer, cudnn_simple_rnn)


def loop_of_all(activation: str) -> str:
    """Says why no cell runs on cuDNN with an activation; nothing if they do.

    cuDNN has ReLU for a SimpleRNN, but times would then no longer compare.
    """
    if activation == TANH:
        return ""
    return (
        f"cuDNN has {TANH} alone for GRU and LSTM: with --activation {activation} all "
        f"cells run in TensorFlow's loop"
    )


def refuse_without_gpu() -> None:
    """Raises a ConfigError if TensorFlow sees no GPU."""
    if not gpus():
        _refuse(["TensorFlow sees no GPU (seqclf doctor tells what it sees)"])


def _refuse(reasons: Sequence[str]) -> None:
    if reasons:
        raise ConfigError(
            f"cuDNN is required and cannot run: {'; '.join(reasons)}. Without "
            f"--require-cudnn, TensorFlow's loop does the same work."
        )


def recurrent_layers(model: Any) -> Iterator[Any]:
    """Yields a model's SimpleRNN, GRU and LSTM layers, each direction by itself."""
    layers = import_keras().layers
    for layer in model.layers:
        parts = (
            (layer.forward_layer, layer.backward_layer)
            if isinstance(layer, layers.Bidirectional)
            else (layer,)
        )
        for part in parts:
            if isinstance(part, layers.RNN):
                yield part


def obstacles(layer: Any) -> list[str]:
    """Lists what of a recurrent layer cuDNN does not have."""
    known = {cell.layer for cell in CELLS.values() if cell.has_cudnn}
    kind = type(layer).__name__
    if kind not in known:
        return [f"cuDNN has no kernel for {layer.name}, a {kind}"]
    found = []
    for name, value in OPTIONS_OF_CUDNN.items():
        there = getattr(layer, name, value)
        there = getattr(there, "__name__", there)
        if there != value:
            found.append(f"{name} of {layer.name} is {there}, cuDNN has {value} only")
    return found


def cudnn_simple_rnn(
    layer: Any, sequences: Any, initial_state: Any, mask: Any, training: bool = False
) -> tuple[Any, Any, list[Any]]:
    """Runs a SimpleRNN layer on cuDNN, in place of its loop over time.

    Args:
      layer: A keras.layers.SimpleRNN with h units.
      sequences: float32 [batch, time, d].
      initial_state: One float32 [batch, h], in a list.
      mask: bool [batch, time], true on tokens, which are on the left; or None.
      training: Not used; dropout is outside.

    Returns:
      As `private.replace_loop` wants it: the last output [batch, h], all outputs
      [batch, time, h], and the last state in a list. Where the mask is false outputs
      are 0; stock Keras repeats the last one there, unless the layer is part of a
      Bidirectional.
    """
    import tensorflow as tf

    batch, time = tf.shape(sequences)[0], tf.shape(sequences)[1]
    lengths = (
        tf.fill([batch], time)
        if mask is None
        else tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)
    )
    if layer.go_backwards:
        # cuDNN wants the padding last: 3 2 1 0 0 for the tokens 1 2 3 0 0.
        sequences = tf.reverse_sequence(sequences, lengths, seq_axis=1)
    cell = layer.cell
    outputs, state, *_ = tf.raw_ops.CudnnRNNV3(
        input=sequences,
        input_h=tf.expand_dims(initial_state[0], 1),
        input_c=0.0,  # LSTM's alone
        params=cudnn_parameters(cell.kernel, cell.recurrent_kernel, cell.bias),
        sequence_lengths=lengths,
        rnn_mode="rnn_tanh",
        time_major=False,
        is_training=True,
    )
    if layer.go_backwards:
        # As Keras has it: the outputs in the order they were made, padding first.
        outputs = tf.reverse(tf.reverse_sequence(outputs, lengths, seq_axis=1), [1])
    last = tf.squeeze(state, 1)
    return last, outputs, [last]


def cudnn_parameters(kernel: Any, recurrent_kernel: Any, bias: Any) -> Any:
    """Returns a SimpleRNN's weights in the one vector that cuDNN reads.

    That is the kernel, then the recurrent kernel, each transposed and row by row, then
    two biases, for the input and for the state; Keras has one, so the second is 0.

    Args:
      kernel: float32 [d, h].
      recurrent_kernel: float32 [h, h].
      bias: float32 [h].

    Returns:
      float32 [h d + h h + 2 h].
    """
    import tensorflow as tf

    kernel, recurrent_kernel, bias = map(
        tf.convert_to_tensor, (kernel, recurrent_kernel, bias)
    )
    flat = [tf.reshape(tf.transpose(w), [-1]) for w in (kernel, recurrent_kernel)]
    return tf.concat([*flat, bias, tf.zeros_like(bias)], axis=0)


def kernel_of(model: Any) -> str:
    """Reads from the traced graph of a training step's forward pass which kernel runs.

    Keras falls back from cuDNN without a word, so only the graph can tell. It is
    `cuDNN`, `XLA` or `TensorFlow loop`, or `none` where nothing recurs; the model is
    compiled.
    """
    import tensorflow as tf

    specification = tf.TensorSpec([None, None], tf.int32)
    traced = tf.function(lambda token_ids: model(token_ids, training=True))
    graph = traced.get_concrete_function(specification).graph.as_graph_def()
    operations = {node.op for node in graph.node}
    for function in graph.library.function:
        operations |= {node.op for node in function.node_def}
    if any(operation.startswith("CudnnRNN") for operation in operations):
        return CUDNN
    if operations.isdisjoint({"While", "StatelessWhile"}):
        return NONE
    return XLA if model.jit_compile else LOOP

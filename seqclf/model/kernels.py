"""Tells which kernel really runs a model's recurrent layers."""

from __future__ import annotations

from typing import Any

CUDNN, XLA, LOOP, NONE = "cuDNN", "XLA", "TensorFlow loop", "none"


def kernel_of(model: Any) -> str:
    """Reads the kernel from the traced graph of a training step's forward pass.

    Keras falls back from cuDNN without a word, so only the graph can tell.

    Args:
      model: A compiled model.

    Returns:
      `cuDNN`, `XLA`, `TensorFlow loop`, or `none` where nothing recurs.
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

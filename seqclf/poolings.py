"""The poolings over time, from the states of all tokens to one vector of a text.

Each stands three times in its entry of `POOLINGS`: in Keras's operations, for the
twins, in ONNX's, for the file that predicts without Keras, and in JavaScript, for the
page of the microscope. None may look at padding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

FAR_BELOW = -1e9  # for padding, where a maximum or a softmax must not look
ATTENTION = "attention"  # the layer that scores the states


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooling:
    """A pooling over time.

    Attributes:
      name: In options and files.
      in_keras: From the keras module, is_token, a bool tensor [batch, time, 1], and the
        states, float32 [batch, time, width], to float32 [batch, width].
      in_onnx: The same in a graph, time first: from the graph, is_token [time, batch,
        1], the lengths [batch], the states [time, batch, width] and a function from the
        name of a Keras layer to its weights, to the name of the result [batch, width].
      is_last: Whether it takes the last state, which a recurrent layer gives by itself.
      script: The same in JavaScript: the body of a function of one text, without
        padding, from `states`, an array of arrays of numbers, and `layer`, from the
        name of a Keras layer to its `kernel` and `bias`, to an array of numbers. None
        if the page cannot show it.
    """

    name: str
    in_keras: Callable[[Any, Any, Any], Any]
    in_onnx: Callable[[Any, str, str, str, Callable[[str], list[Any]]], str]
    is_last: bool = False
    script: str | None = None


def _last(keras: Any, is_token: Any, states: Any) -> Any:
    """Takes the last token's state, where there is no recurrent layer to do so."""
    ops = keras.ops
    length = ops.sum(ops.cast(is_token, "int32"), axis=1, keepdims=True)
    return ops.squeeze(ops.take_along_axis(states, length - 1, axis=1), axis=1)


def _last_in_onnx(
    graph: Any, is_token: str, lengths: str, states: str, weights: Any
) -> str:
    zero, one = graph.integer(0), graph.integer(1)
    time = graph.add("Gather", graph.add("Shape", is_token), zero)
    places = graph.add("Range", zero, time, one)
    places = graph.add("Unsqueeze", places, graph.shape(1))
    ends = graph.add("Sub", graph.add("Cast", lengths, to=7), one)  # int64
    is_last = graph.add("Cast", graph.add("Equal", places, ends), to=1)  # float32
    chosen = graph.add("Mul", states, graph.add("Unsqueeze", is_last, graph.shape(2)))
    return str(graph.add("ReduceSum", chosen, graph.shape(0), keepdims=0))


def _max(keras: Any, is_token: Any, states: Any) -> Any:
    ops = keras.ops
    return ops.max(ops.where(is_token, states, FAR_BELOW), axis=1)


def _max_in_onnx(
    graph: Any, is_token: str, lengths: str, states: str, weights: Any
) -> str:
    kept = graph.add("Where", is_token, states, graph.constant(FAR_BELOW))
    return str(graph.add("ReduceMax", kept, axes=[0], keepdims=0))


def _mean(keras: Any, is_token: Any, states: Any) -> Any:
    ops = keras.ops
    counted = ops.cast(is_token, "float32")
    return ops.sum(states * counted, axis=1) / ops.sum(counted, axis=1)


def _mean_in_onnx(
    graph: Any, is_token: str, lengths: str, states: str, weights: Any
) -> str:
    counted = graph.add("Cast", is_token, to=1)
    kept = graph.add("Mul", states, counted)
    total = graph.add("ReduceSum", kept, graph.shape(0), keepdims=0)
    number = graph.add("ReduceSum", counted, graph.shape(0), keepdims=0)
    return str(graph.add("Div", total, number))


def _attention(keras: Any, is_token: Any, states: Any) -> Any:
    """Weighs the states by a learnt score of each (Yang et al. 2016, ACL N16-1174)."""
    ops = keras.ops
    score = keras.layers.Dense(1, kernel_initializer="zeros", name=ATTENTION)
    scores = ops.where(is_token, score(states), FAR_BELOW)
    return ops.sum(states * ops.softmax(scores, axis=1), axis=1)


def _attention_in_onnx(
    graph: Any, is_token: str, lengths: str, states: str, weights: Any
) -> str:
    kernel, bias = map(graph.constant, weights(ATTENTION))
    scores = graph.add("Add", graph.add("MatMul", states, kernel), bias)
    scores = graph.add("Where", is_token, scores, graph.constant(FAR_BELOW))
    weighted = graph.add("Mul", states, graph.add("Softmax", scores, axis=0))
    return str(graph.add("ReduceSum", weighted, graph.shape(0), keepdims=0))


_LAST_SCRIPT = "return states[states.length - 1];"
_MAX_SCRIPT = """\
const pooled = Float64Array.from(states[0]);
for (const state of states)
  state.forEach((value, u) => { if (value > pooled[u]) pooled[u] = value; });
return pooled;
"""
_MEAN_SCRIPT = "return weighted(states, states.map(() => 1 / states.length));"
_ATTENTION_SCRIPT = """\
const { kernel, bias } = layer("attention");
const scores = states.map((state) => times(state, kernel, bias)[0]);
return weighted(states, softmax(scores));
"""

POOLINGS: dict[str, Pooling] = {
    pooling.name: pooling
    for pooling in (
        Pooling(
            name="last",
            in_keras=_last,
            in_onnx=_last_in_onnx,
            is_last=True,
            script=_LAST_SCRIPT,
        ),
        Pooling(name="max", in_keras=_max, in_onnx=_max_in_onnx, script=_MAX_SCRIPT),
        Pooling(
            name="mean", in_keras=_mean, in_onnx=_mean_in_onnx, script=_MEAN_SCRIPT
        ),
        Pooling(
            name="attention",
            in_keras=_attention,
            in_onnx=_attention_in_onnx,
            script=_ATTENTION_SCRIPT,
        ),
    )
}

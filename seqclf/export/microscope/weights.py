"""The weights of a network: by name, as the page holds them, and put back to work.

float32 arrays by names such as `embedding`, `recurrent_0.forward.kernel` and
`logits.bias`. Kernels, recurrent kernels and biases are as Keras has them.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np

from seqclf.cells import CELLS
from seqclf.config import ModelConfig
from seqclf.model.build import CONVOLUTION, EMBEDDING, LOGITS, RECURRENT
from seqclf.model.onnx_graph import onnx_predict, to_onnx
from seqclf.model.scoring import Predict
from seqclf.poolings import ATTENTION

Weights = Mapping[str, np.ndarray]
FORWARD, BACKWARD = "forward", "backward"
Kind = Literal["float32", "int8"]  # how the page holds token vectors
FLOAT32: Kind = "float32"
INT8: Kind = "int8"
MOST_INT8 = 127

# Of a layer, in the order of Keras.
_DENSE = ("kernel", "bias")
_CELL = ("kernel", "recurrent", "bias")


def names_of(config: ModelConfig) -> dict[str, tuple[str, ...]]:
    """Returns the names of each layer's weights, by layer, in the order of Keras."""
    plain = [LOGITS]
    plain += [CONVOLUTION] if config.conv_width is not None else []
    plain += [ATTENTION] if config.pooling == ATTENTION else []
    names: dict[str, tuple[str, ...]] = {EMBEDDING: (EMBEDDING,)}
    names |= {layer: tuple(f"{layer}.{one}" for one in _DENSE) for layer in plain}
    for index in range(config.layers if CELLS[config.cell].recurs else 0):
        layer = f"{RECURRENT}_{index}"
        names[layer] = tuple(
            f"{layer}.{direction}.{one}"
            for direction in directions_of(config)
            for one in _CELL
        )
    return names


def directions_of(config: ModelConfig) -> tuple[str, ...]:
    """Returns the directions in which a recurrent layer reads."""
    return (FORWARD, BACKWARD) if config.bidirectional else (FORWARD,)


def weights_of(model: Any, config: ModelConfig) -> dict[str, np.ndarray]:
    """Takes the weights out of a Keras model from `build_model` and its config."""
    return {
        name: np.asarray(values, np.float32)
        for layer, names in names_of(config).items()
        for name, values in zip(
            names, model.get_layer(layer).get_weights(), strict=True
        )
    }


def predict_of(weights: Weights, config: ModelConfig) -> Predict:
    """Returns the network with these weights, to predict with ONNX Runtime.

    Raises:
      ConfigError: If ONNX has no operator for the cell.
    """
    names = names_of(config)

    def layer(name: str) -> Any:
        return SimpleNamespace(
            get_weights=lambda: [weights[one] for one in names[name]]
        )

    shape = (None, len(weights[f"{LOGITS}.bias"]))
    model = SimpleNamespace(get_layer=layer, output_shape=shape)
    return onnx_predict(to_onnx(model, config, {}).SerializeToString())


def packed(weights: Weights, kind: Kind) -> dict[str, dict[str, Any]]:
    """Returns weights as plain values, each with its `shape` and its bytes in base64.

    `kind` is how token vectors are held, `float32` or `int8`: then each has a scale of
    its own, its greatest value by 127, and is rounded. All other weights are float32.
    """
    return {
        name: _in_int8(values)
        if name == EMBEDDING and kind == INT8
        else {"shape": list(values.shape), FLOAT32: _base64(values, "<f4")}
        for name, values in weights.items()
    }


def unpacked(values: Mapping[str, Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """Returns the weights that `packed` holds, float32."""
    return {name: _unpacked(one) for name, one in values.items()}


def bytes_of(weights: Weights) -> int:
    """Returns how many characters weights take in a page as float32."""
    return sum(4 * -(-values.nbytes // 3) for values in weights.values())


def _in_int8(values: np.ndarray) -> dict[str, Any]:
    scales = np.abs(values).max(axis=1).astype(np.float32) / MOST_INT8
    rounded = np.rint(values / np.where(scales == 0, 1, scales)[:, None])
    return {
        "shape": list(values.shape),
        INT8: _base64(rounded, "i1"),
        "scales": _base64(scales, "<f4"),
    }


def _unpacked(one: Mapping[str, Any]) -> np.ndarray:
    if FLOAT32 in one:
        return _numbers(one[FLOAT32], "<f4").reshape(one["shape"])
    rows = _numbers(one[INT8], "i1").reshape(one["shape"])
    return (rows * _numbers(one["scales"], "<f4")[:, None]).astype(np.float32)


def _base64(values: np.ndarray, kind: str) -> str:
    return base64.b64encode(values.astype(kind).tobytes()).decode()


def _numbers(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), kind)

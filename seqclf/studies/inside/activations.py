"""What the cells compute, written down: every gate and state of every token.

A second implementation, from the formulas and the trained weights alone, in numpy and
float64. Keras orders the gates of a GRU z, r, candidate, and its GRU (`reset_after`)
keeps the share z of the old state: h' = z h + (1 - z) candidate. Cho et al. (2014,
arXiv:1406.1078) have it so; Chung et al. (2014, arXiv:1412.3555) write 1 - z for z. The
order of the LSTM (Hochreiter & Schmidhuber 1997; the forget gate is of Gers,
Schmidhuber & Cummins 2000) is input, forget, candidate, output.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

Values = dict[str, np.ndarray]
Weights = Sequence[np.ndarray]
# Not activations, but what the old state does to the candidate, see `_gru`.
MOVED = "moved"
GATES = {"rnn": (), "gru": ("update", "reset"), "lstm": ("input", "forget", "output")}
KEEPS = {"gru": "update", "lstm": "forget"}  # the gate by which the old state stays
STATES = {
    "rnn": ("hidden",),
    "gru": ("candidate", "hidden"),
    "lstm": ("candidate", "cell", "hidden"),
}


def activations(
    cell: str, weights: Weights, inputs: np.ndarray, is_token: np.ndarray
) -> Values:
    """Computes a layer's gates and states from its weights.

    Args:
      cell: `rnn`, `gru` or `lstm`.
      weights: Kernel, recurrent kernel and bias, as a Keras layer gives them.
      inputs: What the layer gets, float [texts, time, d].
      is_token: bool [texts, time], false on padding, which stands on the right.

    Returns:
      By name, float64 [texts, time, units]. Of all: `hidden`. Of the GRU: `update` (z),
      `reset` (r), `candidate`, and `moved`, how far the old state moved the candidate.
      Of the LSTM: `input`, `forget`, `candidate`, `output`, `cell`. What stands on
      padding means nothing, but that the state stays.
    """
    kernel, recurrent, bias = (np.asarray(w, np.float64) for w in weights)
    projected = inputs.astype(np.float64) @ kernel
    texts, time = is_token.shape
    zeros = np.zeros((texts, recurrent.shape[0]))
    states: Mapping[str, np.ndarray] = {"hidden": zeros, "cell": zeros}
    made: list[Values] = []
    for t in range(time):
        values = STEPS[cell](projected[:, t], states, recurrent, bias)
        for name in set(values) & set(states):
            values[name] = np.where(is_token[:, t, None], values[name], states[name])
        made.append(values)
        states = {**states, **values}
    return {name: np.stack([v[name] for v in made], axis=1) for name in made[0]}


def _rnn(
    x: np.ndarray,
    states: Mapping[str, np.ndarray],
    recurrent: np.ndarray,
    bias: np.ndarray,
) -> Values:
    return {"hidden": np.tanh(x + states["hidden"] @ recurrent + bias)}


def _gru(
    x: np.ndarray,
    states: Mapping[str, np.ndarray],
    recurrent: np.ndarray,
    bias: np.ndarray,
) -> Values:
    before = states["hidden"]
    x_z, x_r, x_c = np.split(x + bias[0], 3, axis=-1)
    h_z, h_r, h_c = np.split(before @ recurrent + bias[1], 3, axis=-1)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    candidate = np.tanh(x_c + r * h_c)
    # The same without an old state; its bias stands behind the reset gate too.
    alone = np.tanh(x_c + r * np.split(bias[1], 3)[2])
    return {
        "update": z,
        "reset": r,
        "candidate": candidate,
        "hidden": z * before + (1 - z) * candidate,
        MOVED: np.abs(candidate - alone),
    }


def _lstm(
    x: np.ndarray,
    states: Mapping[str, np.ndarray],
    recurrent: np.ndarray,
    bias: np.ndarray,
) -> Values:
    parts = np.split(x + states["hidden"] @ recurrent + bias, 4, axis=-1)
    i, f, o = (sigmoid(parts[index]) for index in (0, 1, 3))
    candidate = np.tanh(parts[2])
    cell = f * states["cell"] + i * candidate
    return {
        "input": i,
        "forget": f,
        "candidate": candidate,
        "output": o,
        "cell": cell,
        "hidden": o * np.tanh(cell),
    }


STEPS: dict[str, Callable[..., Values]] = {"rnn": _rnn, "gru": _gru, "lstm": _lstm}


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Returns 1 / (1 + exp(-x)), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))

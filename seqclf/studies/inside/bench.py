"""The bench of `flow`: untrained networks, their dials, and the way of a gradient back.

Everything is computed in float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqclf.cells import CELLS, GRU, LSTM, SIMPLE_RNN
from seqclf.config import ModelConfig
from seqclf.model.backend import import_keras
from seqclf.model.build import glorot
from seqclf.studies.inside import unrolled
from seqclf.studies.inside.gradients import SMALLEST

UNITS, NETWORKS, TEXTS, SPAN = 64, 3, 8, 100
UNIT_VARIANCE = 3**0.5  # half the width of a uniform distribution of variance 1
# Kinds of recurrent matrix; the study itself takes Keras's.
KERAS, ORTHOGONAL, NORMAL = "keras", "orthogonal", "normal"
# How far a gate's bias opens the memory's own way: which part, and where Keras has it.
KEEPS = {LSTM.name: ("forget", 1.0), GRU.name: ("update", 0.0)}


@dataclass(frozen=True, slots=True)
class Setting:
    """Where the dials of a network stand.

    Attributes:
      inputs: Inputs are drawn uniformly between minus and plus this.
      matrix: What the recurrent matrix is multiplied by.
      opening: Bias of the gate by which the old state stays; 0 of a cell without one.
      kind: Of the recurrent matrix, see `recurrent_of`.
    """

    inputs: float
    matrix: float
    opening: float
    kind: str = KERAS


@dataclass(frozen=True, slots=True)
class Flow:
    """What was measured of a setting.

    Attributes:
      norms: log10 of the gradient's norms by the kept state, float64 [networks, texts,
        distances].
      by_memory: log10 of the factor of the memory's own way, [networks, texts], if its
        formula is known.
    """

    norms: np.ndarray
    by_memory: np.ndarray | None


def usual(cell: str) -> Setting:
    """Returns where Keras, with the default recipe, leaves the dials of a cell."""
    return Setting(ModelConfig().embedding_range, 1.0, KEEPS.get(cell, ("", 0.0))[1])


def flow(
    network: Network, setting: Setting, networks: int = NETWORKS, span: int = SPAN
) -> Flow:
    """Measures networks of one setting, each with its own weights and inputs."""
    norms, shares = [], []
    kept = ("h", "c").index(unrolled.inside_of(network.cell).memory)
    for seed in range(networks):
        network.draw(setting, seed)
        inputs, readout = text_of(seed, span)
        inputs *= setting.inputs
        own = network.way_back(inputs, readout)[kept]
        norms.append(np.log10(np.maximum(own, SMALLEST)))
        shares.append(own_way(network.cell, network.weights, inputs))
    known = [share for share in shares if share is not None]
    return Flow(np.stack(norms), np.stack(known) if known else None)


def text_of(seed: int, span: int, texts: int = TEXTS) -> tuple[np.ndarray, np.ndarray]:
    """Draws texts for a network, and by what its last state h is read out.

    The first text of many is one alone, as far as both go.

    Returns:
      Inputs between -1 and 1, float64 [texts, span + 1, UNITS]; [texts, UNITS].
    """
    rng = np.random.default_rng(seed)
    inputs = rng.uniform(-1, 1, (texts, span + 1, UNITS))
    return inputs, rng.normal(0, UNITS**-0.5, (texts, UNITS))


def recurrent_of(kind: str, seed: int, parts: int) -> np.ndarray:
    """Draws a recurrent matrix, float64 [UNITS, parts x UNITS].

    `keras` has orthogonal rows over all parts, as Keras has it; `orthogonal` is so in
    each part by itself, which makes that of a plain network the same; `normal` has
    independent normal entries of variance 1 / UNITS, so that the eigenvalues of a part
    fill the unit disc (the circular law).
    """
    if kind == NORMAL:
        rng = np.random.default_rng((seed, parts))
        return rng.normal(0, UNITS**-0.5, (UNITS, parts * UNITS))
    if kind == KERAS:
        return _orthogonal(seed, parts)
    # A seed of its own for every part of every network.
    each = [_orthogonal(seed + NETWORKS * part, 1) for part in range(parts)]
    return np.concatenate(each, axis=1)


def _orthogonal(seed: int, parts: int) -> np.ndarray:
    drawn = import_keras().initializers.Orthogonal(seed=seed)
    return np.asarray(drawn((UNITS, parts * UNITS), "float64"))


def kernel_of(seed: int, parts: int) -> np.ndarray:
    """Draws a kernel as those of the twins are, float64 [UNITS, parts x UNITS]."""
    return np.asarray(glorot(seed, "kernel")((UNITS, parts * UNITS), "float64"))


class Network:
    """A Keras layer in float64 whose weights are drawn anew for each setting.

    A step and its way back are traced once, and run through a text token by token:
    traced as a whole it would take longer than all that is measured.
    """

    def __init__(self, cell: str) -> None:
        import tensorflow as tf

        keras, one = import_keras(), CELLS[cell]
        self.cell = cell
        self._layer = getattr(keras.layers, str(one.layer))(
            UNITS, dtype="float64", **one.options
        )
        self._layer.build((None, None, UNITS))

        def step(x: Any, states: list[Any]) -> list[Any]:
            return list(self._layer.cell.call(x, states)[1])

        def back(x: Any, states: list[Any], gradients: list[Any]) -> Any:
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(states)
                new = step(x, states)
            options = {
                "output_gradients": gradients, "unconnected_gradients": "zero"
            }  # fmt: skip
            # An LSTM's cell has a part in its own h: by the new states themselves.
            own = tape.gradient(new, new, **options)
            return own, tape.gradient(new, states, **options)

        self._step, self._back = tf.function(step), tf.function(back)

    @property
    def weights(self) -> list[np.ndarray]:
        """Kernel, recurrent kernel and bias, float64."""
        return list(self._layer.get_weights())

    def draw(self, setting: Setting, seed: int) -> None:
        """Draws the weights as those of the twins are, and sets the dials."""
        bias, parts = self.weights[2], CELLS[self.cell].parts
        bias[:] = 0.0
        if self.cell in KEEPS:
            part = unrolled.inside_of(self.cell).parts.index(KEEPS[self.cell][0])
            place = slice(part * UNITS, (part + 1) * UNITS)
            # A GRU's bias is two: the input's and the state's.
            (bias if bias.ndim == 1 else bias[0])[place] = setting.opening
        recurrent = setting.matrix * recurrent_of(setting.kind, seed, parts)
        self._layer.set_weights([kernel_of(seed, parts), recurrent, bias])

    def way_back(self, inputs: np.ndarray, gradient: np.ndarray) -> list[np.ndarray]:
        """Takes a gradient by the last state h back through all tokens.

        Args:
          inputs: float64 [texts, time, UNITS].
          gradient: float64 [texts, UNITS].

        Returns:
          For each state, h and the LSTM's c: Euclidean norms of the derivatives by the
          states after each token, float64 [texts, time], the last token first.
        """
        import tensorflow as tf

        steps = [tf.constant(x) for x in inputs.transpose(1, 0, 2)]
        states = list(self._layer.cell.get_initial_state(batch_size=len(inputs)))
        before = []
        for x in steps:
            before.append(states)
            states = self._step(x, states)
        gradients = [tf.constant(gradient), *(tf.zeros_like(s) for s in states[1:])]
        found = []
        for x, at in zip(reversed(steps), reversed(before), strict=True):
            own, gradients = self._back(x, at, gradients)
            found.append([np.linalg.norm(one.numpy(), axis=1) for one in own])
        return [np.stack(norms, axis=1) for norms in zip(*found, strict=True)]


def has_formula(cell: str) -> bool:
    """Tells whether the formula of the memory's own way is known for a cell."""
    return unrolled.inside_of(cell).keeps is not None or cell == SIMPLE_RNN.name


def own_way(
    cell: str, weights: Sequence[np.ndarray], inputs: np.ndarray
) -> np.ndarray | None:
    """Returns log10 of what the memory's own way passes back, float64 [texts].

    Over a step it multiplies a gradient, of no direction in particular, by the root of
    the mean square of what is kept.
    """
    if not has_formula(cell):
        return None
    inside = unrolled.inside_of(cell)
    kernel, recurrent, bias = weights
    states = {name: np.zeros((len(inputs), UNITS)) for name in ("hidden", "cell")}
    stretch = np.linalg.norm(recurrent) / UNITS**0.5
    total = np.zeros(len(inputs))
    for place, x in enumerate(inputs.transpose(1, 0, 2)):
        values = inside.step(x @ kernel, states, recurrent, bias)
        if inside.keeps is None:
            kept = stretch * (1 - values["hidden"] ** 2)
        else:
            kept = values[inside.keeps]
        if place:  # nothing comes back to before the first
            total += np.log10(np.sqrt((kept**2).mean(axis=1)))
        states = {name: values.get(name, states[name]) for name in states}
    return total

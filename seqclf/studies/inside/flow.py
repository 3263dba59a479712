"""How much of a gradient comes back before anything is learnt, and what that hangs on.

Textbooks show the gradients of a plain network vanish and those of gated ones not. What
an untrained network does hangs on a few dials: how large its inputs are, by what its
recurrent matrix stretches the state, and how far its gates stand open. Each dial is
moved by itself, the others are left where Keras and the recipe leave them; the
gradients come from back-propagation through Keras's own layers, in float64. No
training, no data: the inputs are random, and so is the readout.

Beside each stands what the memory's own way gives by its formula: over a step the LSTM
keeps the share f of its cell and the GRU the share z of its state, and a plain network
passes a state on by its recurrent matrix and the slope of tanh, 1 - h^2. What is more
comes back by the other ways through the recurrent matrices. (Hochreiter 1991; Bengio,
Simard & Frasconi 1994, IEEE Trans. Neural Networks 5:157; Saxe, McClelland & Ganguli
2014, arXiv:1312.6120, of orthogonal matrices; Jozefowicz, Zaremba & Sutskever 2015,
PMLR 37:2342, of the forget bias.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from seqclf.cells import CELLS, GRU, LSTM, SIMPLE_RNN
from seqclf.config import ModelConfig
from seqclf.model import backend
from seqclf.model.backend import import_keras
from seqclf.model.build import glorot
from seqclf.records.dataset import DatasetInfo
from seqclf.records.flow import FlowFindings, FlowPoint, FlowRow
from seqclf.records.training import Report, Started
from seqclf.studies.inside import flow_shown, unrolled
from seqclf.studies.inside.gradients import SMALLEST
from seqclf.studies.inside.gradients_judged import follow
from seqclf.studies.lab import SHARED, Lab
from seqclf.studies.question import Answer, Question

UNITS, NETWORKS, TEXTS, SPAN = 64, 3, 8, 100
DISTANCES = (10, 25, 50, SPAN)  # of the rows
INPUTS, MATRIX, OPENING = "inputs", "matrix", "opening"
# How far a gate's bias opens the memory's own way: which part, and where Keras has it.
KEEPS = {LSTM.name: ("forget", 1.0), GRU.name: ("update", 0.0)}


@dataclass(frozen=True, slots=True)
class Setting:
    """Where the dials of a network stand.

    Attributes:
      inputs: Inputs are drawn uniformly between minus and plus this.
      matrix: What the orthogonal recurrent matrix is multiplied by.
      opening: Bias of the gate by which the old state stays; 0 of a cell without one.
    """

    inputs: float
    matrix: float
    opening: float


DIALS: Mapping[str, tuple[float, ...]] = {
    INPUTS: (0.02, 0.05, 0.2, 0.5, 3**0.5),  # the last: of variance 1
    MATRIX: (0.8, 1.0, 1.5, 2.0),
    OPENING: (0.0, 1.0, 2.0, 3.0),
}


@dataclass(frozen=True, slots=True)
class Bench:
    """What a measuring process receives."""

    cell: str
    threads: int


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


def about(models: Path) -> DatasetInfo:
    """Returns a description of no data, in place of that of a data set."""
    return DatasetInfo(
        name=SHARED, source="", fingerprint="untrained", labels=(), sizes={}
    )


def run(question: Question, lab: Lab) -> Answer[FlowFindings]:
    """Measures the gradients of untrained networks under each dial."""
    cells = [name for name, cell in CELLS.items() if cell.inside is not None]
    benches = [Bench(cell, lab.threads) for cell in cells]
    names = [f"gradients of {cell}" for cell in cells]
    measured = dict(zip(cells, lab.measure(measure, benches, names), strict=True))
    findings = FlowFindings(
        span=SPAN, networks=NETWORKS, units=UNITS,
        memory={cell: unrolled.inside_of(cell).memory for cell in cells},
        cells={cell: points(cell, flows) for cell, flows in measured.items()},
    )  # fmt: skip
    rows = [row for cell, flows in measured.items() for row in rows_of(cell, flows)]
    return Answer(
        study="flow", title="Gradients before any training",
        sentence=flow_shown.sentence(findings), table=flow_shown.table(findings),
        rows=tuple(rows), findings=findings, trials=0,
        notes=flow_shown.notes(findings),
    )  # fmt: skip


def usual(cell: str) -> Setting:
    """Returns where Keras, with the default recipe, leaves the dials of a cell."""
    return Setting(ModelConfig().embedding_range, 1.0, KEEPS.get(cell, ("", 0.0))[1])


def settings(cell: str) -> dict[tuple[str, float], Setting]:
    """Returns the settings of a cell by dial and value, one dial moved in each."""
    at = usual(cell)
    return {
        (dial, value): replace(at, **{dial: value})
        for dial, values in DIALS.items()
        if dial != OPENING or cell in KEEPS
        for value in values
    }


def measure(bench: Bench, report: Report) -> dict[Setting, Flow]:
    """Measures a cell in each of its settings, in a separate process."""
    report(Started())
    backend.set_threads(bench.threads)
    different = dict.fromkeys(settings(bench.cell).values())
    network = Network(bench.cell)
    return {setting: flow(network, setting) for setting in different}


def flow(
    network: Network, setting: Setting, networks: int = NETWORKS, span: int = SPAN
) -> Flow:
    """Measures networks of one setting, each with its own weights and inputs."""
    norms, shares = [], []
    kept = ("h", "c").index(unrolled.inside_of(network.cell).memory)
    for seed in range(networks):
        network.draw(setting, seed)
        rng = np.random.default_rng(seed)
        shape = (TEXTS, span + 1, UNITS)
        inputs = rng.uniform(-setting.inputs, setting.inputs, shape)
        readout = rng.normal(0, UNITS**-0.5, (TEXTS, UNITS))
        own = network.way_back(inputs, readout)[kept]
        norms.append(np.log10(np.maximum(own, SMALLEST)))
        shares.append(own_way(network.cell, network.weights, inputs))
    known = [share for share in shares if share is not None]
    return Flow(np.stack(norms), np.stack(known) if known else None)


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
        keras, (kernel, recurrent, bias) = import_keras(), self.weights
        orthogonal = keras.initializers.Orthogonal(seed=seed)
        kernel = np.asarray(glorot(seed, "kernel")(kernel.shape, "float64"))
        recurrent = np.asarray(orthogonal(recurrent.shape, "float64"))
        bias[:] = 0.0
        if self.cell in KEEPS:
            part = unrolled.inside_of(self.cell).parts.index(KEEPS[self.cell][0])
            place = slice(part * UNITS, (part + 1) * UNITS)
            # A GRU's bias is two: the input's and the state's.
            (bias if bias.ndim == 1 else bias[0])[place] = setting.opening
        self._layer.set_weights([kernel, recurrent * setting.matrix, bias])

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


def own_way(
    cell: str, weights: Sequence[np.ndarray], inputs: np.ndarray
) -> np.ndarray | None:
    """Returns log10 of what the memory's own way passes back, float64 [texts].

    Over a step it multiplies a gradient, of no direction in particular, by the root of
    the mean square of what is kept.
    """
    inside = unrolled.inside_of(cell)
    if inside.keeps is None and cell != SIMPLE_RNN.name:
        return None
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


def points(cell: str, flows: Mapping[Setting, Flow]) -> tuple[FlowPoint, ...]:
    """Returns what each place of each dial gives."""
    found = []
    for (dial, value), setting in settings(cell).items():
        one = flows[setting]
        share = None if one.by_memory is None else 10 ** float(one.by_memory.mean())
        found.append(
            FlowPoint(
                dial=dial,
                value=value,
                is_usual=setting == usual(cell),
                way=follow(one.norms, SPAN),
                by_memory=share,
            )  # fmt: skip
        )
    return tuple(found)


def rows_of(cell: str, flows: Mapping[Setting, Flow]) -> list[FlowRow]:
    """Returns the factors over each of `DISTANCES`."""
    return [
        FlowRow(
            cell=cell,
            dial=dial,
            value=value,
            distance=distance,
            factor=10 ** float((norms[..., distance] - norms[..., 0]).mean()),
        )  # fmt: skip
        for (dial, value), setting in settings(cell).items()
        for norms in [flows[setting].norms]
        for distance in DISTANCES
    ]

"""The cells: all about one is in its entry of `CELLS`, and nowhere else.

Twins differ in their cell alone. With d inputs and h units a recurrent layer has, for
each of its parts (its gates and its candidate), a kernel [d, h], a recurrent kernel
[h, h] and biases [h]. Keras keeps the parts of a layer side by side in one array, in
the order of `Inside.parts`. A layer that does not recur has no recurrent kernel.

A cell may lack an ONNX operator, a cuDNN kernel or a description of its steps; what
needs one then refuses the cell by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

States = Mapping[str, "Array"]
Values = dict[str, "Array"]
Step = Callable[["Array", States, "Array", "Array"], Values]
# Not an activation, but how far the old state moved the candidate, see `_gru`.
MOVED = "moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Onnx:
    """A cell as an operator of ONNX (https://onnx.ai/onnx/operators).

    Attributes:
      operator: Its name; of a cell that does not recur, that of its product.
      gate_order: Index of Keras's part at each place of ONNX's order.
      attributes: Those of the operator besides `hidden_size` and `direction`.
      activations: Of one direction, by ONNX's names; none takes the operator's own. Of
        a cell that does not recur, what follows the product and its bias. The setting
        `activation` takes the place of Tanh.
      has_int8: Whether ONNX Runtime has it with 8-bit weights.
    """

    operator: str
    gate_order: tuple[int, ...]
    attributes: Mapping[str, int] = field(default_factory=dict)
    activations: tuple[str, ...] = ()
    has_int8: bool = False

    def weights(
        self, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Turns the weights of one direction of a Keras layer into ONNX's W, R and B.

        Args:
          kernel: float32 [d, parts x h].
          recurrent: float32 [h, parts x h].
          bias: float32 [parts x h], or [2, parts x h] with the input's and the state's
            apart, as Keras's GRU (`reset_after`) has it.

        Returns:
          float32 [parts x h, d], [parts x h, h] and [2 x parts x h].
        """
        import numpy as np

        of_input, of_state = bias if bias.ndim == 2 else (bias, np.zeros_like(bias))
        biases = np.concatenate([self._ordered(of_input), self._ordered(of_state)])
        return self._ordered(kernel.T), self._ordered(recurrent.T), biases

    def _ordered(self, values: np.ndarray) -> np.ndarray:
        parts = values.reshape(len(self.gate_order), -1, *values.shape[1:])
        return parts[list(self.gate_order)].reshape(values.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What happens in a step, for the studies that look inside a cell.

    Attributes:
      parts: Names of the parts of its kernels, in Keras's order.
      gates: Which of the values of a step are gates, in (0, 1).
      states: Which of them are shown as states.
      keeps: The gate by which the old state stays; None without one.
      memory: What is carried from token to token: `h`, or `c` of the LSTM.
      step: Computes a step in float64, from the projected input [texts, parts x h], the
        states before it (`hidden` and `cell`, [texts, h]), recurrent kernel and bias,
        to its values by name, [texts, h].
      script: The same in JavaScript, for the page of the microscope: the body of a
        loop over the units u of n. Of part p, `x[p * n + u]` is the projected input
        and `h[p * n + u]` the projected state, each with its bias; `before.hidden[u]`
        is the state before the step, and every gate and state has an array of its
        name to be filled. None if the page cannot show it.
      back: The way back through that step, for the page of `flow`: the body of such a
        loop, with the same arrays, now full. `by.hidden[u]` and `by.cell[u]` are the
        derivatives by the states as the next step has them. To be filled are `own[u]`,
        the derivative by the memory by all ways; `to[p * n + u]`, that by the projected
        state of part p; and `past.hidden[u]` and `past.cell[u]`, what comes to the
        states before past the recurrent matrix. None if that page cannot show it.
    """

    parts: tuple[str, ...]
    gates: tuple[str, ...]
    states: tuple[str, ...]
    keeps: str | None
    memory: str
    step: Step
    script: str | None = None
    back: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a cell is drawn, in Matplotlib's terms."""

    colour: str
    marker: str
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A kind of recurrent layer, or what stands in its place.

    Attributes:
      name: In options, files and tables.
      title: In sentences.
      layer: The stock Keras layer; None: there is none.
      recurs: Whether the state of a token depends on those before it.
      parts: Gates and candidate: how many pairs of kernels it has.
      biases: Biases a unit.
      relative_cost: Time of an epoch relative to GRU's, measured on IMDB
        (docs/results.md); for estimates only.
      look: How it is drawn.
      options: Arguments of the Keras layer besides units and initializers; with an
        `activation` of its own the setting is not for it.
      onnx: Its operator of ONNX; None if there is none.
      has_cudnn: Whether cuDNN has a kernel for it.
      inside: What happens in a step; None if no study can look inside.
    """

    name: str
    title: str
    layer: str | None
    parts: int
    biases: int
    relative_cost: float
    look: Look
    options: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    recurs: bool = True
    onnx: Onnx | None = None
    has_cudnn: bool = False
    inside: Inside | None = None

    @property
    def has_layer(self) -> bool:
        """Whether there is a layer, and so units, layers and directions."""
        return self.layer is not None

    def parameters(self, inputs: int, units: int) -> int:
        """Counts the weights of one direction: h (parts (h + d) + biases).

        Without recurrence h (parts d + biases).
        """
        read = inputs + units if self.recurs else inputs
        return units * (self.parts * read + self.biases)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Returns 1 / (1 + exp(-x)), without overflow."""
    import numpy as np

    return 0.5 * (1 + np.tanh(0.5 * x))


def _rnn(x: Array, states: States, recurrent: Array, bias: Array) -> Values:
    import numpy as np

    return {"hidden": np.tanh(x + states["hidden"] @ recurrent + bias)}


def _gru(x: Array, states: States, recurrent: Array, bias: Array) -> Values:
    """Computes a step of Keras's GRU (`reset_after`).

    It keeps the share z of the old state: h' = z h + (1 - z) candidate. Cho et al.
    (2014, arXiv:1406.1078) have it so; Chung et al. (2014, arXiv:1412.3555) write 1 - z
    for z.
    """
    import numpy as np

    before = states["hidden"]
    x_z, x_r, x_c = np.split(x + bias[0], 3, axis=-1)
    h_z, h_r, h_c = np.split(before @ recurrent + bias[1], 3, axis=-1)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    candidate = np.tanh(x_c + r * h_c)
    # The same without an old state; its bias goes through the reset gate too.
    alone = np.tanh(x_c + r * np.split(bias[1], 3)[2])
    return {
        "update": z,
        "reset": r,
        "candidate": candidate,
        "hidden": z * before + (1 - z) * candidate,
        MOVED: np.abs(candidate - alone),
    }


def _lstm(x: Array, states: States, recurrent: Array, bias: Array) -> Values:
    """Computes a step of an LSTM.

    Hochreiter & Schmidhuber 1997 (Neural Computation 9:1735); the forget gate is of
    Gers, Schmidhuber & Cummins 2000 (Neural Computation 12:2451).
    """
    import numpy as np

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


_RNN_SCRIPT = """\
hidden[u] = Math.tanh(x[u] + h[u]);
"""
_GRU_SCRIPT = """\
const z = sigmoid(x[u] + h[u]);
const r = sigmoid(x[n + u] + h[n + u]);
const c = Math.tanh(x[2 * n + u] + r * h[2 * n + u]);
update[u] = z;
reset[u] = r;
candidate[u] = c;
hidden[u] = z * before.hidden[u] + (1 - z) * c;
"""
_LSTM_SCRIPT = """\
const i = sigmoid(x[u] + h[u]);
const f = sigmoid(x[n + u] + h[n + u]);
const g = Math.tanh(x[2 * n + u] + h[2 * n + u]);
const o = sigmoid(x[3 * n + u] + h[3 * n + u]);
const c = f * before.cell[u] + i * g;
input[u] = i;
forget[u] = f;
candidate[u] = g;
output[u] = o;
cell[u] = c;
hidden[u] = o * Math.tanh(c);
"""
# The ways back are derived by hand from the steps above.
_RNN_BACK = """\
own[u] = by.hidden[u];
to[u] = own[u] * (1 - hidden[u] * hidden[u]);
"""
_GRU_BACK = """\
const [z, r, c] = [update[u], reset[u], candidate[u]];
own[u] = by.hidden[u];
const inner = own[u] * (1 - z) * (1 - c * c);
to[u] = own[u] * (before.hidden[u] - c) * z * (1 - z);
to[n + u] = inner * h[2 * n + u] * r * (1 - r);
to[2 * n + u] = inner * r;
past.hidden[u] = own[u] * z;
"""
_LSTM_BACK = """\
const [i, f, g, o] = [input[u], forget[u], candidate[u], output[u]];
const shown = Math.tanh(cell[u]);
own[u] = by.cell[u] + by.hidden[u] * o * (1 - shown * shown);
to[u] = own[u] * g * i * (1 - i);
to[n + u] = own[u] * before.cell[u] * f * (1 - f);
to[2 * n + u] = own[u] * i * (1 - g * g);
to[3 * n + u] = by.hidden[u] * shown * o * (1 - o);
past.cell[u] = own[u] * f;
"""

NO_RECURRENCE = Cell(
    name="none",
    title="the twin without recurrence",
    layer=None,
    parts=0,
    biases=0,
    relative_cost=0.15,
    look=Look(colour="#777777", marker="o", line=":"),
    recurs=False,
)
# SimpleRNN without its recurrent kernel: what capacity does by itself.
DENSE = Cell(
    name="dense",
    title="the dense twin",
    layer="Dense",
    parts=1,
    biases=1,
    relative_cost=0.25,  # on `demo`, by its place between `none` and SimpleRNN
    look=Look(colour="#8A4B8F", marker="p", line=":"),
    recurs=False,
    onnx=Onnx(operator="MatMul", gate_order=(0,), activations=("Tanh",), has_int8=True),
)
SIMPLE_RNN = Cell(
    name="rnn",
    title="SimpleRNN",
    layer="SimpleRNN",
    parts=1,
    biases=1,
    relative_cost=0.7,
    look=Look(colour="#B36B00", marker="s", line="-."),
    onnx=Onnx(operator="RNN", gate_order=(0,)),
    has_cudnn=True,
    inside=Inside(
        parts=("recurrent",),
        gates=(),
        states=("hidden",),
        keeps=None,
        memory="h",
        step=_rnn,
        script=_RNN_SCRIPT,
        back=_RNN_BACK,
    ),
)
GRU = Cell(
    name="gru",
    title="GRU",
    layer="GRU",
    parts=3,
    biases=6,  # `reset_after`: one of each part for the input, one for the state
    relative_cost=1.0,
    look=Look(colour="#0072B2", marker="^", line="--"),
    onnx=Onnx(
        operator="GRU", gate_order=(0, 1, 2), attributes={"linear_before_reset": 1}
    ),
    has_cudnn=True,
    inside=Inside(
        parts=("update", "reset", "candidate"),
        gates=("update", "reset"),
        states=("candidate", "hidden"),
        keeps="update",
        memory="h",
        step=_gru,
        script=_GRU_SCRIPT,
        back=_GRU_BACK,
    ),
)
LSTM = Cell(
    name="lstm",
    title="LSTM",
    layer="LSTM",
    parts=4,
    biases=4,
    relative_cost=1.1,
    look=Look(colour="#00875F", marker="D", line="-"),
    # Keras has input, forget, candidate, output; ONNX input, output, forget, candidate.
    onnx=Onnx(operator="LSTM", gate_order=(0, 3, 1, 2), has_int8=True),
    has_cudnn=True,
    inside=Inside(
        parts=("input", "forget", "candidate", "output"),
        gates=("input", "forget", "output"),
        states=("candidate", "cell", "hidden"),
        keeps="forget",
        memory="c",
        step=_lstm,
        script=_LSTM_SCRIPT,
        back=_LSTM_BACK,
    ),
)
# In the order of tables; the colours are after Okabe & Ito's, which all
# eyes tell apart, but dark enough for white paper.
CELLS: dict[str, Cell] = {
    cell.name: cell for cell in (NO_RECURRENCE, DENSE, SIMPLE_RNN, GRU, LSTM)
}
# Those of a comparison that names none, as in --cells.
DEFAULT_CELLS = ",".join(one.name for one in (NO_RECURRENCE, SIMPLE_RNN, GRU, LSTM))


def recurrent_names() -> tuple[str, ...]:
    """Returns the names of the cells that recur, in their order."""
    return tuple(name for name, cell in CELLS.items() if cell.recurs)

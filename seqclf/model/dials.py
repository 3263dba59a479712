"""The dials of a cell: which cell has which, and how they make a layer begin.

Keras's layers draw orthogonal or Glorot matrices, and set the biases of their gates to
constants of their own. What else a dial asks for is written into the layer before its
first step, so that the saved layer stays a stock one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np

from seqclf.cells import CELLS
from seqclf.config import IDENTITY, ModelConfig
from seqclf.errors import ConfigError
from seqclf.model.kernels import recurrent_layers
from seqclf.wording import joined

# The gate whose bias a dial sets; `chrono` sets that of either.
GATES: dict[str, tuple[str, ...]] = {
    "forget_bias": ("forget",), "update_bias": ("update",),
    "chrono": ("forget", "update"),
}  # fmt: skip
MATRICES = ("recurrent_init", "recurrent_scale")
DIALS = ("activation", *MATRICES, *GATES)


def with_dial(dial: str, cells: Iterable[str]) -> list[str]:
    """Returns those of the cells, by name, that a dial of `DIALS` acts on."""
    return [name for name in cells if _has(name, dial)]


def _has(name: str, dial: str) -> bool:
    cell = CELLS[name]
    if dial == "activation":
        return cell.has_layer and dial not in cell.options
    if dial in MATRICES:
        return cell.recurs
    return cell.inside is not None and cell.inside.keeps in GATES[dial]


def refuse_idle(chosen: Collection[str], cells: Sequence[str]) -> None:
    """Refuses dials that would turn nothing.

    Args:
      chosen: Settings that were given, dials among them.
      cells: Those that are trained.

    Raises:
      ConfigError: If none of the cells has a dial, or two set the same biases.
    """
    for dial in DIALS:
        if dial in chosen and not with_dial(dial, cells):
            raise ConfigError(
                f"{_option(dial)} does nothing for {joined(list(cells))}: it acts on "
                f"{joined(with_dial(dial, CELLS))}. Leave it out, or name such a cell."
            )
    both = [dial for dial in GATES if dial in chosen]
    if "chrono" in both and len(both) > 1:
        raise ConfigError(
            f"--chrono draws the biases that {_option(both[0])} sets; give one of them."
        )


def refuse_beside_weights(chosen: Collection[str], given_by: str) -> None:
    """Refuses dials of how a layer begins where it begins with given weights.

    `given_by` is the option that gives them. Raises a ConfigError.
    """
    for dial in (*MATRICES, *GATES):
        if dial in chosen:
            raise ConfigError(
                f"{given_by} gives recurrent weights to begin with, and so does "
                f"{_option(dial)}; give one of them."
            )


def _option(dial: str) -> str:
    return f"--{dial.replace('_', '-')}"


def turned(config: ModelConfig) -> dict[str, Any]:
    """Returns the dials that are not at their default, with what they are at."""
    usual = ModelConfig()
    return {
        dial: getattr(config, dial)
        for dial in DIALS
        if getattr(config, dial) != getattr(usual, dial)
    }


def turn(model: Any, config: ModelConfig, seed: int) -> None:
    """Gives the recurrent layers of a new model the weights that dials ask for.

    A dial at its default leaves a weight as Keras drew it. Draws depend on the seed and
    the layer's name alone, so that cells with the same dial have the same draws.
    """
    for layer in recurrent_layers(model) if turned(config) else ():
        kernel, recurrent, *biases = layer.get_weights()
        rng = np.random.default_rng([seed, *layer.name.encode()])
        gates = gate_biases(config, rng)
        biases = [_with_gates(bias, config, gates) for bias in biases]
        layer.set_weights([kernel, recurrent_matrices(recurrent, config), *biases])


def recurrent_matrices(drawn: np.ndarray, config: ModelConfig) -> np.ndarray:
    """Returns the recurrent kernel to begin with, float32 [units, parts x units].

    `drawn` is what Keras made of it. An identity replaces it, one a part.
    """
    if config.recurrent_init == IDENTITY:
        units, width = drawn.shape
        drawn = np.tile(np.eye(units, dtype=drawn.dtype), width // units)
    return drawn * np.float32(config.recurrent_scale)


def gate_biases(config: ModelConfig, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Returns the biases to begin with that dials set, [units] each, by gate.

    `chrono` T draws u evenly between 1 and T - 1 for each unit. The gate that keeps the
    old state gets log u, so that it keeps about u tokens, and the LSTM's input gate
    -log u (Tallec & Ollivier 2018, arXiv:1804.11188, section 3). They write 1 - z for
    Keras's z, so that their GRU has -log u.
    """
    inside = CELLS[config.cell].inside
    if inside is None or inside.keeps is None:
        return {}
    keeps = inside.keeps
    biases: dict[str, np.ndarray] = {}
    for dial, value in turned(config).items():
        if keeps not in GATES.get(dial, ()):
            continue
        if dial != "chrono":
            biases[keeps] = np.full(config.units, value)
            continue
        biases[keeps] = np.log(rng.uniform(1, value - 1, config.units))
        if "input" in inside.gates:
            biases["input"] = -biases[keeps]
    return biases


def _with_gates(
    bias: np.ndarray, config: ModelConfig, gates: dict[str, np.ndarray]
) -> np.ndarray:
    """Returns the bias of a layer with those of some gates replaced.

    It is [parts x units], or [2, parts x units] in the GRU, of which the first row, the
    input's, is set: the two are added.
    """
    inside, made = CELLS[config.cell].inside, bias.copy()
    rows = made[0] if made.ndim == 2 else made
    for gate, values in gates.items():
        start = inside.parts.index(gate) * config.units if inside else 0
        rows[start : start + config.units] = values
    return made

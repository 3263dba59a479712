"""What `gates` counts: from gates and states, token by token, to sums and shares.

Plain functions of arrays, which `gates` collects.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from seqclf.cells import MOVED, Values
from seqclf.studies.inside import unrolled
from seqclf.studies.inside.unrolled import inside_of

SHUT, OPEN = 0.1, 0.9
BINS = 10
LONGEST_HALF_LIFE = 1e6
UPDATE, RESET, OUTPUT = "update", "reset", "output"  # gates that few cells have


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What a layer computes at all tokens of some texts.

    Attributes:
      values: Gates and states by name, float32 [tokens, units], see `activations`.
      before: The hidden state before each token, float32 [tokens, units].
      text: Index of each token's text, int [tokens]; `position` is that within it.
      difference: The largest from the layer's own states.
    """

    values: Values
    before: np.ndarray
    text: np.ndarray
    position: np.ndarray
    difference: float

    @property
    def hidden(self) -> np.ndarray:
        """The hidden state after each token, float32 [tokens, units]."""
        return self.values["hidden"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitShares:
    """The mean of each unit and its shares < 0.1 and > 0.9, float64 [units] each."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Sums of k quantities in each text, and their counts, float [texts, k] each."""

    sums: np.ndarray
    counts: np.ndarray


Bins = list[tuple[int, float]]  # count and mean in each tenth of a gate's range


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What was counted in a run.

    Attributes:
      tokens: Number of tokens.
      difference: The largest from the layer's own states.
      units: By gate.
      size: Of |h|.
      half_lives: In tokens, float [units]; None without a gate that keeps the state.
      memory: By which units are sorted, the shortest memory first, float [units].
      effects: By the name in `GatesFindings`, where the effect should be small and
        large, k = 2; empty without an update and a reset gate.
      bins: By gate, its effect; empty likewise.
      exposed: ‖h‖ / ‖tanh c‖ in each text, k = 1; None without an output gate.
    """

    tokens: int
    difference: float
    units: dict[str, UnitShares]
    size: UnitShares
    half_lives: np.ndarray | None
    memory: np.ndarray
    effects: dict[str, Sums]
    bins: dict[str, Bins]
    exposed: Sums | None


def summary(cell: str, collected: Collected, texts: int) -> Summary:
    """Counts and averages what was collected from so many texts."""
    inside, values = unrolled.inside_of(cell), collected.values
    moves = np.abs(collected.hidden - collected.before)
    half_lives = half_life(values[inside.keeps]) if inside.keeps else None
    effects, bins = _effects(collected, moves, texts)
    return Summary(
        tokens=len(moves),
        difference=collected.difference,
        units={gate: shares(values[gate]) for gate in inside.gates},
        size=shares(np.abs(collected.hidden)),
        half_lives=half_lives,
        # Without gates, units that move less have the longer memory.
        memory=-moves.mean(axis=0) if half_lives is None else half_lives,
        effects=effects,
        bins=bins,
        exposed=exposure(collected, texts) if OUTPUT in inside.gates else None,
    )


def _effects(
    collected: Collected, moves: np.ndarray, texts: int
) -> tuple[dict[str, Sums], dict[str, Bins]]:
    """Returns how far z moves the state, and r the old state the candidate."""
    if not {UPDATE, RESET} <= set(collected.values):
        return {}, {}
    later = collected.position > 0  # before the first token there is no state
    text, values = collected.text[later], collected.values
    z, moves = values[UPDATE][later], moves[later]
    r, moved = values[RESET][later], values[MOVED][later]
    ends = (SHUT, OPEN)
    sums = {
        "copying": contrast(z, moves, text, texts, ends, True),
        "copying_tenths": contrast(z, moves, text, texts, tenths(z), True),
        "dropping": contrast(r, moved, text, texts, ends, False),
        "dropping_tenths": contrast(r, moved, text, texts, tenths(r), False),
    }
    return sums, {UPDATE: by_bin(z, moves), RESET: by_bin(r, moved)}


def shares(values: np.ndarray) -> UnitShares:
    """Returns mean and shares of values [tokens, units]."""
    return UnitShares(
        mean=values.mean(axis=0, dtype=np.float64),
        low=(values < SHUT).mean(axis=0),
        high=(values > OPEN).mean(axis=0),
    )


def half_life(kept: np.ndarray) -> np.ndarray:
    """Returns each unit's memory half-life in tokens, at most a million.

    `kept` are the shares of the old state that are kept, [tokens, units].
    """
    mean_log = np.log(np.maximum(kept, 1e-30), dtype=np.float64).mean(axis=0)
    return math.log(0.5) / np.minimum(mean_log, math.log(0.5) / LONGEST_HALF_LIFE)


def tenths(values: np.ndarray) -> tuple[float, float]:
    """Returns the first and the last decile."""
    low, high = np.quantile(values, [0.1, 0.9])
    return float(low), float(high)


def contrast(
    gate: np.ndarray,
    effect: np.ndarray,
    text: np.ndarray,
    texts: int,
    cuts: tuple[float, float],
    is_small_if_open: bool,
) -> Sums:
    """Sums an effect where a gate is shut and where it is open, text by text.

    Args:
      gate: Values [tokens, units].
      effect: The effect at each value, [tokens, units].
      text: The text of each token, int [tokens].
      texts: Number of texts.
      cuts: Below the first the gate is shut, above the second it is open.
      is_small_if_open: Whether open comes first in the result, k = 2.
    """
    sides = [gate < cuts[0], gate > cuts[1]]
    if is_small_if_open:
        sides.reverse()

    def by_text(values: np.ndarray) -> np.ndarray:
        return np.bincount(text, values.sum(axis=1, dtype=np.float64), texts)

    return Sums(
        sums=np.stack([by_text(effect * side) for side in sides], axis=1),
        counts=np.stack([by_text(side) for side in sides], axis=1),
    )


def by_bin(gate: np.ndarray, effect: np.ndarray) -> Bins:
    """Returns count and mean of an effect in each tenth of a gate's range."""
    places = np.minimum((gate * BINS).astype(int), BINS - 1).ravel()
    counts = np.bincount(places, minlength=BINS)
    sums = np.bincount(places, effect.ravel().astype(np.float64), BINS)
    return [
        (int(n), float(total / n) if n else 0.0)
        for n, total in zip(counts, sums, strict=True)
    ]


def exposure(collected: Collected, texts: int) -> Sums:
    """Sums ‖h‖ / ‖tanh c‖ over the tokens of each text."""
    memory = np.linalg.norm(np.tanh(collected.values["cell"]), axis=1)
    shown = np.linalg.norm(collected.hidden, axis=1) / np.maximum(memory, 1e-30)
    text = collected.text
    return Sums(
        sums=np.bincount(text, shown, texts)[:, None],
        counts=np.bincount(text, minlength=texts)[:, None].astype(float),
    )


def activations(
    cell: str, weights: Sequence[np.ndarray], inputs: np.ndarray, is_token: np.ndarray
) -> Values:
    """Computes a layer's gates and states from its weights.

    A second implementation of the cells, in numpy, by the formulas in `cells`.

    Args:
      cell: Name of the cell.
      weights: Kernel, recurrent kernel and bias, as Keras orders them.
      inputs: Of the layer, float [texts, time, d].
      is_token: bool [texts, time], false on padding, which is on the right.

    Returns:
      What the cell's `step` gives, by name, float64 [texts, time, units]. On padding
      the state is kept; other values are meaningless there.
    """
    step = inside_of(cell).step
    kernel, recurrent, bias = (np.asarray(w, np.float64) for w in weights)
    projected = inputs.astype(np.float64) @ kernel
    texts, time = is_token.shape
    zeros = np.zeros((texts, recurrent.shape[0]))
    states: Mapping[str, np.ndarray] = {"hidden": zeros, "cell": zeros}
    made: list[Values] = []
    for t in range(time):
        values = step(projected[:, t], states, recurrent, bias)
        for name in set(values) & set(states):
            values[name] = np.where(is_token[:, t, None], values[name], states[name])
        made.append(values)
        states = {**states, **values}
    return {name: np.stack([v[name] for v in made], axis=1) for name in made[0]}

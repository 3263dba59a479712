"""What `gates` counts: from gates and states, token by token, to sums and shares.

Plain functions of arrays; `gates` collects them, and says where each comes from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from seqclf.cells import MOVED, Values
from seqclf.studies.inside import unrolled

SHUT, OPEN = 0.1, 0.9
BINS = 10
LONGEST_HALF_LIFE = 1e6
# By name, what is asked of some gates alone.
UPDATE, RESET, OUTPUT = "update", "reset", "output"


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What a layer computes at all tokens of some texts.

    Attributes:
      values: Gates and states by name, float32 [tokens, units], see `activations`.
      before: The hidden state before each token, float32 [tokens, units].
      text: Place of each token's text, int [tokens].
      position: Of each token within it, int [tokens].
      difference: The greatest from the layer's own states.
    """

    values: Values
    before: np.ndarray
    text: np.ndarray
    position: np.ndarray
    difference: float

    @property
    def hidden(self) -> np.ndarray:
        """The hidden state behind each token, float32 [tokens, units]."""
        return self.values["hidden"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitShares:
    """Of each unit its mean, and its shares < 0.1 and > 0.9, float64 [units] each."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Sums of k things in each text, float [texts, k], and of how many each is one."""

    sums: np.ndarray
    counts: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What update and reset do: sums of what shall be small, and what shall be large.

    Attributes:
      copying: How far the state moves, by the update gate.
      copying_tenths: The same, by its outer tenths.
      dropping: How far the old state moves the candidate, by the reset gate.
      dropping_tenths: The same, by its outer tenths.
      bins: By gate count and mean of the effect in each tenth of its range.
    """

    copying: Sums
    copying_tenths: Sums
    dropping: Sums
    dropping_tenths: Sums
    bins: dict[str, list[tuple[int, float]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What was counted of a run.

    Attributes:
      tokens: Over which.
      difference: The greatest from the layer's own states.
      units: By gate.
      size: Of |h|.
      half_lives: In tokens, float [units]; None without a gate that keeps the state.
      memory: What units are sorted by, from the shortest to the longest, float [units].
      effects: None without an update and a reset gate.
      exposed: ‖h‖ / ‖tanh c‖ in each text, k = 1; None without an output gate.
    """

    tokens: int
    difference: float
    units: dict[str, UnitShares]
    size: UnitShares
    half_lives: np.ndarray | None
    memory: np.ndarray
    effects: Effects | None
    exposed: Sums | None


def summary(cell: str, collected: Collected, texts: int) -> Summary:
    """Counts and averages what was collected of so many texts."""
    inside, values = unrolled.inside_of(cell), collected.values
    moves = np.abs(collected.hidden - collected.before)
    half_lives = half_life(values[inside.keeps]) if inside.keeps else None
    return Summary(
        tokens=len(moves),
        difference=collected.difference,
        units={gate: shares(values[gate]) for gate in inside.gates},
        size=shares(np.abs(collected.hidden)),
        half_lives=half_lives,
        # Without gates the units that move least come last.
        memory=-moves.mean(axis=0) if half_lives is None else half_lives,
        effects=_effects(collected, moves, texts)
        if {UPDATE, RESET} <= set(inside.gates)
        else None,
        exposed=exposure(collected, texts) if OUTPUT in inside.gates else None,
    )


def _effects(collected: Collected, moves: np.ndarray, texts: int) -> Effects:
    later = collected.position > 0  # before the first token there is no state
    text, values = collected.text[later], collected.values
    z, moves = values[UPDATE][later], moves[later]
    r, moved = values[RESET][later], values[MOVED][later]
    ends = (SHUT, OPEN)
    return Effects(
        copying=contrast(z, moves, text, texts, ends, True),
        copying_tenths=contrast(z, moves, text, texts, tenths(z), True),
        dropping=contrast(r, moved, text, texts, ends, False),
        dropping_tenths=contrast(r, moved, text, texts, tenths(r), False),
        bins={UPDATE: by_bin(z, moves), RESET: by_bin(r, moved)},
    )


def shares(values: np.ndarray) -> UnitShares:
    """Counts values [tokens, units]."""
    return UnitShares(
        mean=values.mean(axis=0, dtype=np.float64),
        low=(values < SHUT).mean(axis=0),
        high=(values > OPEN).mean(axis=0),
    )


def half_life(kept: np.ndarray) -> np.ndarray:
    """Returns each unit's memory half-life in tokens, at most a million.

    Args:
      kept: Shares of the old state that are kept, [tokens, units].
    """
    mean_log = np.log(np.maximum(kept, 1e-30), dtype=np.float64).mean(axis=0)
    return math.log(0.5) / np.minimum(mean_log, math.log(0.5) / LONGEST_HALF_LIFE)


def tenths(values: np.ndarray) -> tuple[float, float]:
    """Returns below and above what a tenth of the values lies."""
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
      effect: What is seen there, [tokens, units].
      text: The text of each token, int [tokens].
      texts: How many there are.
      cuts: Below the first the gate is shut, above the second it is open.
      is_small_if_open: Whether open comes first in what is returned, k = 2.
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


def by_bin(gate: np.ndarray, effect: np.ndarray) -> list[tuple[int, float]]:
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

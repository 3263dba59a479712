"""What `gates` counts: from gates and states, token by token, to findings and rows.

Plain functions of arrays; `gates` collects them, and says where each comes from.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from seqclf.cells import GRU, MOVED, Values
from seqclf.records.inside import (
    CellGates,
    Effect,
    Exposure,
    GateRow,
    GatesFindings,
    GateUse,
    HalfLife,
)
from seqclf.studies.inside import unrolled

SHUT, OPEN = 0.1, 0.9
FORCED = 0.99  # share of all values beyond which a gate does not gate
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A text to be drawn: its tokens, and by gate and state float [tokens, chosen]."""

    tokens: list[str]
    values: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured of a run: its summary, the units chosen, and their drawings."""

    summary: Summary
    chosen: list[int]
    drawn: list[Drawing]


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


def judge(
    by_cell: Mapping[str, Sequence[Summary]], texts: int, accuracy: dict[str, float]
) -> GatesFindings:
    """Turns what was counted into the findings.

    Args:
      by_cell: A summary a seed.
      texts: How many these are of.
      accuracy: By cell, on the test split.
    """
    everything = [one for seeds in by_cell.values() for one in seeds]
    gru = [one.effects for one in by_cell.get(GRU.name, ()) if one.effects]
    return GatesFindings(
        tokens=everything[0].tokens,
        difference=max(one.difference for one in everything),
        cells={cell: _of_cell(seeds) for cell, seeds in by_cell.items()},
        copying=ratio([one.copying for one in gru]) if gru else None,
        copying_tenths=ratio([one.copying_tenths for one in gru]) if gru else None,
        dropping=ratio([one.dropping for one in gru]) if gru else None,
        dropping_tenths=ratio([one.dropping_tenths for one in gru]) if gru else None,
        texts=texts,
        accuracy=accuracy,
    )


def _of_cell(seeds: Sequence[Summary]) -> CellGates:
    lives = [one.half_lives for one in seeds if one.half_lives is not None]
    return CellGates(
        gates={
            gate: _of_gate([one.units[gate] for one in seeds])
            for gate in seeds[0].units
        },
        size=float(np.mean([one.size.mean for one in seeds])),
        saturated=float(np.mean([one.size.high for one in seeds])),
        half_life=_half_life(np.concatenate(lives)) if lives else None,
        exposed=_exposed(seeds) if lives else None,
    )


def _of_gate(seeds: Sequence[UnitShares]) -> GateUse:
    mean = np.concatenate([one.mean for one in seeds])
    low = np.concatenate([one.low for one in seeds])
    high = np.concatenate([one.high for one in seeds])
    state = "in use"
    if low.mean() > FORCED:
        state = "shut"
    elif high.mean() > FORCED:
        state = "open"
    return GateUse(
        mean=float(mean.mean()),
        low=float(low.mean()),
        high=float(high.mean()),
        units_shut=float((low > FORCED).mean()),
        units_open=float((high > FORCED).mean()),
        state=state,
    )


def _half_life(values: np.ndarray) -> HalfLife:
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75]).tolist()
    return HalfLife(
        median=median,
        low=low,
        high=high,
        above_10=float((values > 10).mean()),
        above_100=float((values > 100).mean()),
    )


def _exposed(seeds: Sequence[Summary]) -> Exposure:
    sums = [one.exposed for one in seeds if one.exposed]
    if not sums:  # no output gate: by its formula the cell shows all of its state
        return Exposure(mean=1.0, low=1.0, high=1.0)
    found = _total(sums)
    drawn = unrolled.bootstrap(found.sums, found.counts)[:, 0]
    low, high = unrolled.middle(drawn)
    mean = float(found.sums.sum() / found.counts.sum())
    return Exposure(mean=mean, low=low, high=high)


def _total(seeds: Sequence[Sums]) -> Sums:
    return Sums(
        sums=np.sum([one.sums for one in seeds], axis=0),
        counts=np.sum([one.counts for one in seeds], axis=0),
    )


def ratio(seeds: Sequence[Sums]) -> Effect:
    """Returns the means of what shall be small and large, and their ratio."""
    found = _total(seeds)
    numbers = found.counts.sum(axis=0)
    n_small, n_large = int(numbers[0]), int(numbers[1])
    if not numbers.all() or not found.sums[:, 1].sum():
        return Effect(n_small=n_small, n_large=n_large)
    small, large = (found.sums.sum(axis=0) / numbers).tolist()
    means = unrolled.bootstrap(found.sums, found.counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = unrolled.bounds(means[:, 0] / means[:, 1])
    return Effect(
        n_small=n_small, n_large=n_large, small=small, large=large,
        ratio=small / large, low=low, high=high,
    )  # fmt: skip


def rows_of(
    measured: Mapping[tuple[str, int], Measured], first_seed: int
) -> Iterator[GateRow]:
    """Yields all rows, by cell and seed; the drawings are those of the first seed."""
    for (cell, seed), one in measured.items():
        yield from _unit_rows(cell, seed, one.summary)
        if seed == first_seed:
            yield from _token_rows(cell, seed, one)


def _unit_rows(cell: str, seed: int, one: Summary) -> Iterator[GateRow]:
    for gate, units in one.units.items():
        columns = (column.tolist() for column in (units.mean, units.low, units.high))
        for unit, (mean, low, high) in enumerate(zip(*columns, strict=True)):
            yield GateRow(
                part="unit", cell=cell, seed=seed, gate=gate, unit=unit,
                value=mean, low=low, high=high,
            )  # fmt: skip
    if one.half_lives is not None:
        for unit, value in enumerate(one.half_lives.tolist()):
            yield GateRow(
                part="half-life", cell=cell, seed=seed, unit=unit, value=value
            )
    bins = one.effects.bins if one.effects else {}
    for gate, tenths_of_it in bins.items():
        for place, (count, mean) in enumerate(tenths_of_it):
            yield GateRow(
                part="bin", cell=cell, seed=seed, gate=gate, position=place,
                value=mean if count else None, count=count,
            )  # fmt: skip


def _token_rows(cell: str, seed: int, one: Measured) -> Iterator[GateRow]:
    for text, drawing in enumerate(one.drawn):
        for gate, values in drawing.values.items():
            for position, token in enumerate(drawing.tokens):
                for place, unit in enumerate(one.chosen):
                    value = round(float(values[position, place]), 4)
                    yield GateRow(
                        part="token", cell=cell, seed=seed, gate=gate, unit=unit,
                        text=text, position=position, token=token, value=value,
                    )  # fmt: skip

"""What the studies found about gradients, gates, memory and word order.

Of each study the findings, by which claims are judged, and the rows that code reads.
`low` and `high` are the ends of a 95 % interval, unless they are said to be shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from seqclf.records.details import Reach
from seqclf.records.estimates import Difference, MeanShare


@dataclass(frozen=True, slots=True, kw_only=True)
class Spectrum:
    """What a recurrent matrix does to a state.

    `spectral_radius` is its largest absolute eigenvalue, `singular_value` its largest.
    """

    spectral_radius: float
    singular_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack:
    """A gradient on its way back from the last token, over a span of tokens.

    Attributes:
      slope: Powers of ten a token, by least squares over the span.
      factor: Its norm at the far end of the span over that at the last token, the
        geometric mean over texts.
      verdict: `vanishing`, `exploding`, `steady` or `not decided`.
    """

    slope: float
    slope_low: float
    slope_high: float
    factor: float
    factor_low: float
    factor_high: float
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageGradients:
    """The gradients of a cell at a stage of its training, by state, `h` and LSTM's `c`.

    Attributes:
      clipped: Share of training batches whose gradient exceeded the clip norm.
      largest_gradient: The largest norm among them.
      matrices: By part of the recurrent kernel, the mean over seeds.
    """

    states: dict[str, WayBack]
    clipped: float
    largest_gradient: float
    matrices: dict[str, Spectrum]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A ratio with its interval."""

    ratio: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientsFindings:
    """What `gradients` found: by cell, by stage.

    Attributes:
      batches: Training batches whose gradients were measured.
      clip_norm: Norm to which training clips a gradient; 0: it does not.
      accuracy: By cell, on the test split of so many texts.
      guessing: Cells of which a training is not surely above always guessing.
      span: Tokens that factors, ratios and verdicts are over.
      threshold: A gradient is steady if its factor is between 1/threshold and this.
      memory: By cell, the state that is kept from token to token.
      against_rnn: By gated cell, by stage: its factor, of the kept state, over rnn's.
    """

    texts: int
    batches: int
    clip_norm: float
    accuracy: dict[str, float]
    span: int
    threshold: float
    memory: dict[str, str]
    cells: dict[str, dict[str, StageGradients]]
    against_rnn: dict[str, dict[str, Ratio]]
    guessing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientRow:
    """A point of a curve: the median norm over texts and seeds, with its quartiles.

    `state` is `h` or `c`, `distance` the number of tokens from the last one.
    """

    cell: str
    stage: str
    state: str
    distance: int
    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GateUse:
    """How a gate is used: the mean of its values over all tokens and units.

    Attributes:
      low: Share of values < 0.1, as `high` is of those > 0.9.
      units_shut: Share of units that are < 0.1 for 99 % of the tokens.
      units_open: Share of units that are > 0.9 for as many.
      state: `shut` or `open` if 99 % of all values are so, else `in use`.
    """

    mean: float
    low: float
    high: float
    units_shut: float
    units_open: float
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfLife:
    """The memory half-life of a cell's units, in tokens, with its quartiles.

    `above_10` and `above_100` are the shares of units with a longer half-life.
    """

    median: float
    low: float
    high: float
    above_10: float
    above_100: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CellGates:
    """The gates of a cell: mean |h| (`size`) and the share of |h| > 0.9 (`saturated`).

    Without gates there is no half-life and no `exposed`: ‖h‖/‖tanh c‖ of a cell with an
    output gate, 1 by its formula of another.
    """

    gates: dict[str, GateUse]
    size: float
    saturated: float
    half_life: HalfLife | None = None
    exposed: MeanShare | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a gate does where it is shut and where it is open.

    Attributes:
      n_small: Number of values where the effect should be small.
      n_large: Number of values where it should be large.
      small: Mean effect at the former; None, like all that follows, if there are none.
      ratio: Small over large, with its interval over texts if there is one.
    """

    n_small: int
    n_large: int
    small: float | None = None
    large: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatesFindings:
    """What `gates` found on so many tokens of so many test texts.

    Attributes:
      difference: The largest between the recomputed states and the layers' own.
      copying: How far the GRU's state moves at a token, |h - h before|: small where
        z > 0.9, large where z < 0.1; None, like all effects, without GRU.
      copying_tenths: The same at the highest and the lowest tenth of z.
      dropping: How far the old state moves the GRU's candidate: small where r < 0.1,
        large where r > 0.9.
      dropping_tenths: The same at the lowest and the highest tenth of r.
      accuracy: By cell, on the test split.
      guessing: Cells of which a training is not surely above always guessing.
    """

    tokens: int
    difference: float
    cells: dict[str, CellGates]
    copying: Effect | None = None
    copying_tenths: Effect | None = None
    dropping: Effect | None = None
    dropping_tenths: Effect | None = None
    texts: int
    accuracy: dict[str, float]
    guessing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRow:
    """A number of `gates`; its part decides which fields it has.

    Attributes:
      part: `unit` (of a gate: value is its mean, low and high the shares of its values
        < 0.1 and > 0.9), `half-life` (value, of a unit, in tokens), `bin` (a tenth of a
        gate's range, by position: value is the mean effect there, over count values) or
        `token` (value of a gate or state of a unit at a token of a drawn text).
      gate: Name of the gate or state.
      unit: Index of the unit; `text` that among the drawn texts.
      position: Of a token in its text, or of a bin.
    """

    part: Literal["unit", "half-life", "bin", "token"]
    cell: str
    seed: int
    gate: str | None = None
    unit: int | None = None
    text: int | None = None
    position: int | None = None
    token: str | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyAt(Reach):
    """The accuracy at a distance of so many tokens from the end."""

    distance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceAt(Difference):
    """A difference at a distance of so many tokens from the end."""

    distance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CellMemory:
    """How far back a cell remembers, by ascending distance; the best accuracy of all.

    Attributes:
      learnt: Whether it is above chance at one of the distances, p adjusted for their
        number.
      half_way: The distance at which it falls half-way from its best to chance; None
        if it does not, or learnt nothing.
      over_rnn: At each distance the difference to rnn on the same texts; None without
        rnn, and for rnn itself.
    """

    accuracy: tuple[AccuracyAt, ...]
    best: float
    learnt: bool
    half_way: float | None = None
    over_rnn: tuple[DifferenceAt, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesMemory:
    """What `memory` found on a task of n test texts; `chance` is that of a guess."""

    title: str
    chance: float
    n: int
    cells: dict[str, CellMemory]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryFindings:
    """What `memory` found: by distance tested, and by task."""

    distances: tuple[int, ...]
    series: dict[str, SeriesMemory]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellOrder:
    """What word order is worth to a cell.

    Attributes:
      accuracy: By what is shuffled, `neither`, `test`, `training` or `both`; None if
        that was not trained.
      lost_at_test: Neither less test: the same models.
      lost: Neither less both; p is adjusted by Holm over the recurrent cells. None if
        that was not trained.
      over_none: Neither less neither of the twin without recurrence; None for itself.
      over_dense: The same of the dense twin; earlier versions did not train it.
    """

    accuracy: dict[str, Reach | None]
    lost_at_test: Difference
    lost: Difference | None = None
    over_none: Difference | None = None
    over_dense: Difference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFindings:
    """What `order` found by cell, on n test texts.

    Attributes:
      guessing: Cells that may have learnt nothing, see `studies.inside.unrolled`.
    """

    n: int
    cells: dict[str, CellOrder]
    guessing: tuple[str, ...] = ()

"""What the studies found of gradients, gates, memory and the order of words.

Of each study its findings, by which claims are judged, and the rows that code reads.
Intervals are of 95 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from seqclf.records.details import Reach
from seqclf.records.sweeps import Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Spectrum:
    """What a recurrent matrix does to a state.

    Attributes:
      spectral_radius: Of its eigenvalues the greatest absolute one.
      singular_value: The largest.
    """

    spectral_radius: float
    singular_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack:
    """A gradient on its way back from the last token, over a span of tokens.

    Attributes:
      slope: Powers of ten a token, by least squares over the span.
      slope_low: Lower end of its interval.
      slope_high: Upper end.
      factor: Its norm at the span's end by that at the last token; the geometric mean
        over texts.
      factor_low: Lower end of its interval.
      factor_high: Upper end.
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
    """The gradients of a cell at a stage of its training.

    Attributes:
      states: By state, `h` and in the LSTM `c`.
      clipped: Share of training batches whose gradient was longer than the clip norm.
      largest_gradient: Their greatest norm.
      matrices: By the part of the recurrent kernel; the mean over seeds.
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
    """What `gradients` found.

    Attributes:
      texts: Test texts that the gradients are of.
      batches: Training batches whose gradients were measured.
      clip_norm: Norm to which training clips a gradient.
      accuracy: By cell, on the test split.
      span: Tokens that factors, ratios and verdicts are over.
      threshold: Factor beyond which, or below one by which, a gradient is not steady.
      memory: By cell, the state that is kept from token to token.
      cells: By cell, by stage.
      against_rnn: By gated cell, by stage: how many times as much of the gradient by
        the kept state is left over the span as in rnn.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientRow:
    """A point of a curve of gradients.

    Attributes:
      cell: The cell.
      stage: Of its training.
      state: `h` or `c`.
      distance: From the last token, which is at 0.
      median: Of the norm over texts and seeds.
      low: Its first quartile.
      high: Its third.
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
    """How a gate is used, over all tokens and units.

    Attributes:
      mean: Of its values.
      low: Share of values < 0.1.
      high: Share of values > 0.9.
      units_shut: Share of units that are < 0.1 for 99 % of the tokens.
      units_open: Share of units that are > 0.9 for as many.
      state: `shut` or `open` if all values but 1 % are so, else `in use`.
    """

    mean: float
    low: float
    high: float
    units_shut: float
    units_open: float
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfLife:
    """The memory half-life of a cell's units, in tokens.

    Attributes:
      median: Over units.
      low: The first quartile.
      high: The third.
      above_10: Share of units with a longer one than 10.
      above_100: Share of units with a longer one than 100.
    """

    median: float
    low: float
    high: float
    above_10: float
    above_100: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What a cell shows of its memory: the mean over tokens, and its interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CellGates:
    """The gates of a cell.

    Attributes:
      gates: By name.
      size: Mean |h|.
      saturated: Share of |h| > 0.9.
      half_life: None without gates.
      exposed: ‖h‖/‖tanh c‖ of a cell with an output gate, 1 by its formula of another;
        None without gates.
    """

    gates: dict[str, GateUse]
    size: float
    saturated: float
    half_life: HalfLife | None = None
    exposed: Exposure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a gate does where it is shut and where it is open.

    Attributes:
      n_small: Values where the effect shall be small.
      n_large: Values where it shall be large.
      small: Its mean where it shall be small; with what follows None where one of the
        numbers is 0.
      large: Its mean where it shall be large.
      ratio: Of the two.
      low: Lower end of the ratio's interval over texts; None where there is none.
      high: Upper end.
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
    """What `gates` found.

    Attributes:
      tokens: Of the test texts that all but the drawings stand on.
      difference: The greatest between these figures' states and the layers' own.
      cells: By cell.
      copying: How far the GRU's state moves at a token, |h - h before|: small where
        z > 0.9, large where z < 0.1; None without GRU, as what follows.
      copying_tenths: The same where the tenth of the greatest z and that of the least
        are, whatever they are.
      dropping: How far the old state moves the GRU's candidate: small where r < 0.1,
        large where r > 0.9.
      dropping_tenths: The same by the tenths of r.
      texts: The test texts.
      accuracy: By cell, on the test split.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRow:
    """A figure of `gates`; which of the fields it has hangs on its part.

    Attributes:
      part: `unit` (of a gate: value is its mean, low and high the shares of its values
        < 0.1 and > 0.9), `half-life` (value, of a unit, in tokens), `bin` (a tenth of a
        gate's range, by position: value is the mean effect there, over count values) or
        `token` (value of a gate or state of a unit at a token of a text that is drawn).
      cell: The cell.
      seed: The training seed.
      gate: Name of the gate, or state.
      unit: Place of the unit.
      text: Place among the texts that are drawn.
      position: Of a token in its text, or of a bin.
      token: As it is drawn.
      value: See part.
      low: See part.
      high: See part.
      count: See part.
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
    """The accuracy where what decides stands so many tokens before the end."""

    distance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceAt(Difference):
    """A difference where what decides stands so many tokens before the end."""

    distance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CellMemory:
    """How far back a cell remembers.

    Attributes:
      accuracy: At each distance, ascending.
      best: The best of them.
      learnt: Whether it is above chance at one of the distances, p adjusted for their
        number.
      half_way: The distance at which it falls half-way from its best to chance; None
        if it does not, or learnt nothing.
      over_rnn: At each distance its accuracy over rnn's, on the same texts; None
        without rnn, and of rnn.
    """

    accuracy: tuple[AccuracyAt, ...]
    best: float
    learnt: bool
    half_way: float | None = None
    over_rnn: tuple[DifferenceAt, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesMemory:
    """A task, as `memory` asks it.

    Attributes:
      title: Its name in tables and figures.
      chance: Accuracy of a guess.
      n: Test texts.
      cells: By cell.
    """

    title: str
    chance: float
    n: int
    cells: dict[str, CellMemory]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryFindings:
    """What `memory` found: the distances asked, and by series what came out."""

    distances: tuple[int, ...]
    series: dict[str, SeriesMemory]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellOrder:
    """What the order of words is worth to a cell.

    Attributes:
      accuracy: By what is shuffled, `neither`, `test`, `training` or `both`; None where
        that was not trained.
      lost_at_test: Neither less test: the same models.
      lost: Neither less both, what one who never saw an order is behind; the p of cells
        that recur is Holm's over them. None where that was not trained.
      over_none: Neither less neither of the twin without recurrence; None of itself.
    """

    accuracy: dict[str, Reach | None]
    lost_at_test: Difference
    lost: Difference | None = None
    over_none: Difference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFindings:
    """What `order` found: the number of test texts, and what it found by cell."""

    n: int
    cells: dict[str, CellOrder]

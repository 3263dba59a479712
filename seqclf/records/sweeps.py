"""What the studies that vary a setting found.

Of each study the findings, by which claims are judged, and the rows that code reads.
Everywhere `low` and `high` are the ends of a 95 % interval, None where a single
training or too few values give none; accuracies and differences are fractions,
`p` tests that there is no difference, `seeds` is their number.
"""

from __future__ import annotations

from dataclasses import dataclass

from seqclf.records.estimates import Difference, Mean, MeanShare

RANDOM, RANGE = "random trials", "range test"  # modes of `sensitivity`


@dataclass(frozen=True, slots=True, kw_only=True)
class SizePoint:
    """A cell trained on a sample of `rows` texts; the log loss is on test, in nats.

    `gap` is the train less the validation accuracy. All are means over seeds.
    """

    cell: str
    rows: int
    accuracy: MeanShare
    log_loss: float
    gap: Mean


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedLaw:
    """A fitted learning curve, error(rows) = a rows^-b + c.

    a is the error above the floor at one training text, the floor c is 0 unless
    `has_floor`; it was fitted to points of so many training texts (`sizes`).
    """

    a: float
    b: float
    c: float
    b_low: float
    b_high: float
    has_floor: bool
    sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """Whether two learning curves cross, see `learning_curve.crossing_of`.

    Attributes:
      status: What is decided; None without curves.
      share: Of the resamples that cross.
      size: Training texts at which they cross, with its interval, if they do.
      first_is_better_beyond: Whether the first has the smaller error with more texts.
    """

    status: str | None = None
    share: float | None = None
    size: float | None = None
    low: float | None = None
    high: float | None = None
    first_is_better_beyond: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SizePair(Difference):
    """Cell a less cell b at the largest size, and how that changes with the size.

    `per_doubling` is what a less b gains with each doubling of the data, with its
    interval; None with fewer than three sizes. a is the first of their curves.
    """

    a: str
    b: str
    per_doubling: float | None = None
    per_doubling_low: float | None = None
    per_doubling_high: float | None = None
    crossing: Crossing


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeGap(Mean):
    """How much larger one gap is than another at `rows` training texts."""

    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps(Mean):
    """How much larger a's train-validation gap is than b's: the mean, and by size."""

    a: str
    b: str
    by_size: tuple[SizeGap, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeFindings:
    """What `size` found; `sizes`, of training texts, ascend.

    Attributes:
      guess: Accuracy of always giving the most frequent label.
      guessing: Cells that may have learnt nothing from all texts, by validation.
      fits: By cell; None where too few sizes beat guessing.
      gaps: Of LSTM over GRU; None without both.
    """

    sizes: tuple[int, ...]
    guess: float
    curves: tuple[SizePoint, ...]
    fits: dict[str, FittedLaw | None]
    pairs: tuple[SizePair, ...]
    gaps: Gaps | None
    seeds: int
    guessing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A variant of the network with a cell, beside the plain one with that cell.

    The log loss is on test, in nats, the mean over seeds; `parameters` are all weights.

    Attributes:
      difference: Of the accuracy to the plain one's, with its interval; None, like all
        that follows, for the plain one itself.
      p: Adjusted by Holm over all variants and cells.
      of: See `Difference`.
    """

    cell: str
    variant: str
    accuracy: MeanShare
    log_loss: float
    parameters: int
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    of: str | None = None
    p_unadjusted: float | None = None

    @property
    def apart(self) -> Difference | None:
        """Its difference to the plain one; None of the plain one itself."""
        value, low, high, p = self.difference, self.low, self.high, self.p
        if value is None or low is None or high is None or p is None:
            return None
        return Difference(difference=value, low=low, high=high, p=p, of=self.of or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantsFindings:
    """What `depth` or `mix` found; `plain` names the plain variant.

    Attributes:
      guessing: Cells whose plain network may have learnt nothing.
    """

    plain: str
    variants: tuple[Variant, ...]
    seeds: int
    guessing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """A mean distance from the median, or a difference of two."""

    deviation: float
    deviation_low: float | None = None
    deviation_high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread(Deviation):
    """How far the n trials of a cell scatter, see `sensitivity.spreads`.

    The best accuracy, the standard deviation, the first quartile, the median and the
    third, and the range of the quartiles with its interval.
    """

    cell: str
    n: int
    best: float
    sd: float
    quartiles: tuple[float, float, float]
    quartile_range: float
    quartile_range_low: float | None = None
    quartile_range_high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadPair(Deviation):
    """The deviation of a less that of b; p is adjusted by Holm over the pairs."""

    a: str
    b: str
    p: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """Spearman's rank correlation of a setting with accuracy over n trials.

    rho is None where nothing varies; p is adjusted by Holm over the settings.
    """

    setting: str
    rho: float | None = None
    n: int
    p: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialsFindings:
    """What `sensitivity` found by random trials, `draws` of each cell.

    Attributes:
      best_so_far: By cell, the expected best of 1, 2, ... trials.
      differences: Of each two cells.
      correlations: By cell, the strongest first.
      reached: By cell, the validation accuracy of each trial.
      diverged: By cell, how many trainings diverged.
    """

    mode: str = RANDOM
    draws: int
    best_so_far: dict[str, tuple[float, ...]]
    spreads: tuple[Spread, ...]
    differences: tuple[SpreadPair, ...]
    correlations: dict[str, tuple[Correlation, ...]]
    reached: dict[str, tuple[float, ...]]
    diverged: dict[str, int]
    seeds: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeTurns:
    """Where the loss of a cell's range test turns: at its least, and where it diverges.

    That is the first higher rate at which the smoothed loss is back at its initial
    value; None if there is none up to 1.
    """

    cell: str
    least_rate: float
    least_loss: float
    diverging_rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeStep:
    """A step of a range test, from 1: learning rate, loss, and the loss smoothed."""

    cell: str
    step: int
    learning_rate: float
    loss: float
    smoothed_loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeFindings:
    """What `sensitivity` found by the range test: turns by cell."""

    mode: str = RANGE
    steps: int
    range: tuple[RangeTurns, ...]
    seeds: int = 1

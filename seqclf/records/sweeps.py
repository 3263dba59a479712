"""What the studies found that sweep a setting, or read what comparisons left.

Of each study its findings, by which claims are judged, and the rows that code reads.
Intervals are of 95 %; where one is None, a single training or too few tell of none.
"""

from __future__ import annotations

from dataclasses import dataclass

RANDOM, RANGE = "random trials", "range test"  # modes of `sensitivity`


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanAccuracy:
    """A cell's mean test accuracy with its interval, fractions."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """A mean over seeds, or a ratio of them, with its interval."""

    mean: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A difference of two accuracies, see `intervals.difference`.

    Attributes:
      difference: Of the first over the second, a fraction.
      low: Lower end of its interval.
      high: Upper end.
      p: Of no difference.
      of: `intervals.CELLS`, over seeds and texts, or `intervals.MODELS`, over texts.
    """

    difference: float
    low: float
    high: float
    p: float
    of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SizePoint:
    """A cell, trained on a sample.

    Attributes:
      cell: The cell.
      rows: Training texts.
      accuracy: On test.
      log_loss: On test, in nats, the mean over the seeds.
      gap: Train less validation accuracy, over the seeds.
    """

    cell: str
    rows: int
    accuracy: MeanAccuracy
    log_loss: float
    gap: Mean


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedLaw:
    """A fitted learning curve, error(rows) = a rows^-b + c.

    Attributes:
      a: Error above the floor at one training text.
      b: The exponent.
      c: The floor.
      b_low: Lower end of the exponent's interval.
      b_high: Upper end.
      has_floor: Whether c was fitted; 0 otherwise.
      sizes: Training texts of the points that it was fitted to.
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
      size: Training texts at which they cross; with what follows None if they do not.
      low: Lower end of its interval.
      high: Upper end.
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
    """Two cells, a less b: at the largest size, and how that changes with the size.

    Attributes:
      a: A cell.
      b: Another.
      per_doubling: What a less b gains with each doubling of the data; None with fewer
        than three sizes.
      per_doubling_low: Lower end of its interval.
      per_doubling_high: Upper end.
      crossing: Of their learning curves, a being the first.
    """

    a: str
    b: str
    per_doubling: float | None = None
    per_doubling_low: float | None = None
    per_doubling_high: float | None = None
    crossing: Crossing


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeGap(Mean):
    """By how much one gap is larger than another with so many training texts."""

    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps(Mean):
    """By how much the train-validation gap of a is larger than that of b.

    Attributes:
      a: A cell.
      b: Another.
      by_size: At each size; the mean is over all of them.
    """

    a: str
    b: str
    by_size: tuple[SizeGap, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeFindings:
    """What `size` found.

    Attributes:
      sizes: Training texts, ascending.
      guess: Accuracy of always giving the commonest label.
      curves: A point a size and cell.
      fits: By cell; None where too few sizes beat guessing.
      pairs: The cells two at a time.
      gaps: Of LSTM over GRU; None without both.
      seeds: How many.
    """

    sizes: tuple[int, ...]
    guess: float
    curves: tuple[SizePoint, ...]
    fits: dict[str, FittedLaw | None]
    pairs: tuple[SizePair, ...]
    gaps: Gaps | None
    seeds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A variant of the network with a cell, beside the plain one of that cell.

    Attributes:
      cell: The cell.
      variant: Name of the variant.
      accuracy: On test.
      log_loss: On test, in nats, the mean over the seeds.
      parameters: All weights.
      difference: Of the accuracy over the plain one's; with what follows None of the
        plain one itself.
      low: Lower end of its interval.
      high: Upper end.
      p: Holm's, over all variants and cells.
      of: See `Difference`.
      p_unadjusted: The same, not adjusted.
    """

    cell: str
    variant: str
    accuracy: MeanAccuracy
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
    """What `depth` or `mix` found: name of the plain variant, all variants, seeds."""

    plain: str
    variants: tuple[Variant, ...]
    seeds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """A mean distance from the median, or a difference of two, with its interval."""

    deviation: float
    deviation_low: float | None = None
    deviation_high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread(Deviation):
    """How far the trials of a cell lie apart, see `random_search.spreads`.

    Attributes:
      cell: The cell.
      n: Trials.
      best: What the best reached.
      sd: Standard deviation.
      quartiles: The first, the median and the third.
      quartile_range: Distance of the outer two.
      quartile_range_low: Lower end of its interval.
      quartile_range_high: Upper end.
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
    """The deviation of a less that of b, and its p, Holm's over the pairs."""

    a: str
    b: str
    p: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """How well a setting orders what the trials reached.

    Attributes:
      setting: Its name.
      rho: Spearman's rank correlation; None where nothing varies.
      n: Trials.
      p: Holm's over the settings.
    """

    setting: str
    rho: float | None = None
    n: int
    p: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialsFindings:
    """What `sensitivity` found by random trials.

    Attributes:
      mode: RANDOM.
      draws: Trials of each cell.
      best_so_far: By cell, what the best of 1, 2, ... trials may be expected to reach.
      spreads: Of each cell.
      differences: The cells two at a time.
      correlations: By cell, the strongest first.
      reached: By cell, the validation accuracy of each trial.
      diverged: By cell, how many trainings ran away.
      seeds: 1.
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
    """Where the loss of a range test turns.

    Attributes:
      cell: The cell.
      least_rate: Learning rate of the least smoothed loss.
      least_loss: That loss.
      diverging_rate: The first rate beyond it at which the smoothed loss is back where
        it began; None if there is none up to 1.
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
    """What `sensitivity` found by the range test: RANGE, steps, and turns by cell."""

    mode: str = RANGE
    steps: int
    range: tuple[RangeTurns, ...]
    seeds: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A validation loss, and what it took to reach it.

    Attributes:
      loss: The loss.
      trainings: By cell, how many reach it.
      steps: By cell, the mean over seeds; None unless all reach it.
      seconds_alone: The same, with steps timed alone.
      ratio: GRU's steps over those of LSTM.
      seconds_ratio: GRU's seconds alone over those of LSTM.
    """

    loss: float
    trainings: dict[str, int]
    steps: dict[str, float | None]
    seconds_alone: dict[str, float | None]
    ratio: Mean
    seconds_ratio: Mean


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvergenceFindings:
    """What `convergence` found.

    Attributes:
      levels: The losses to reach, the easiest first; none if GRU and LSTM learnt
        nothing.
      hardest: The last of them, if there are any.
      best_epoch: By cell, the mean over seeds.
      milliseconds_per_step: By cell, timed alone.
      guessing: The loss of guessing evenly.
      way: The share of it that was made good.
      fewer: To how many of the levels GRU needs fewer steps, by the interval.
      more: To how many it needs more.
      last: The steps, and the seconds alone, to the hardest loss of the GRU or LSTM
        that needs most.
      seeds: How many.
    """

    levels: tuple[Level, ...]
    hardest: Level | None
    best_epoch: dict[str, float]
    milliseconds_per_step: dict[str, float]
    guessing: float
    way: float
    fewer: int
    more: int
    last: tuple[float | None, float | None]
    seeds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochReached:
    """A training after an epoch; epoch 0 is before the first.

    Attributes:
      cell: The cell.
      seed: The training seed.
      epoch: From 0.
      steps: Steps made by then.
      seconds: Seconds of training by then, as they passed.
      validation_loss: In nats.
      is_best: 1 of the epoch with the least, else 0.
    """

    cell: str
    seed: int
    epoch: int
    steps: int
    seconds: float
    validation_loss: float
    is_best: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Median:
    """A median over the rounds, with its interval."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CellCost:
    """What a cell costs.

    Attributes:
      cell: The cell.
      recurrent_parameters: Weights of the recurrent layers.
      parameters: All weights.
      multiply_adds_per_token: Of the recurrent matrices, forward.
      milliseconds_per_step: Of training, the median over the rounds.
      milliseconds_per_step_least: Of the fastest round.
      milliseconds_per_step_most: Of the slowest.
      tokens_per_second: Of training.
      milliseconds_per_prediction: Of a single text.
      kernel: What ran the recurrence.
      step_ratio: The time of a step beside GRU's, the median over the rounds.
      step_ratio_low: Lower end of its interval.
      step_ratio_high: Upper end.
    """

    cell: str
    recurrent_parameters: int
    parameters: int
    multiply_adds_per_token: int
    milliseconds_per_step: float
    milliseconds_per_step_least: float
    milliseconds_per_step_most: float
    tokens_per_second: float
    milliseconds_per_prediction: float
    kernel: str
    step_ratio: float
    step_ratio_low: float
    step_ratio_high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CostFindings:
    """What `cost` found, each by cell; see `CellCost`."""

    recurrent_parameters: dict[str, int]
    parameters: dict[str, int]
    multiply_adds_per_token: dict[str, int]
    milliseconds_per_step: dict[str, float]
    milliseconds_per_prediction: dict[str, float]
    kernel: dict[str, str]
    step_ratio: dict[str, Median]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """GRU and LSTM in a finished comparison.

    Attributes:
      data: Name of the data set.
      comparison: Name of the comparison.
      fingerprint: Of the data.
      n: Test texts.
      seeds: How many both have.
      own_settings: 1 if the cells were tuned or matched, else 0.
      gru: Mean test accuracy.
      lstm: Mean test accuracy.
      difference: Of GRU over LSTM.
      low: Lower end of its interval; with one seed, that of the two models.
      high: Upper end.
      p: Of the cells; None with one seed.
      is_synthetic: 1 of the built-in corpus, else 0.
      counts: 1 if it counts among the data sets, else 0.
    """

    data: str
    comparison: str
    fingerprint: str
    n: int
    seeds: int
    own_settings: int
    gru: float
    lstm: float
    difference: float
    low: float
    high: float
    p: float | None = None
    is_synthetic: int
    counts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldApart:
    """On how many data sets GRU, or LSTM, is better; of those with several seeds."""

    first: int
    second: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WinsFindings:
    """What `wins` found.

    Attributes:
      data_sets: Those that count.
      first: Where GRU had the higher mean accuracy.
      second: Where LSTM had.
      ties: Where they were equal.
      p: Of the sign test; None without data sets.
      least_p: The smallest that so many could give.
      told_apart: Where they differ with p < 0.05, over seeds and texts.
    """

    data_sets: int
    first: int
    second: int
    ties: int
    p: float | None = None
    least_p: float
    told_apart: ToldApart

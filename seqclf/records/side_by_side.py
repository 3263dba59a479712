"""What the studies found that set the cells side by side: learning, costs and wins.

Of each study the findings, by which claims are judged, and the rows that code reads.
Everywhere `low` and `high` are the ends of a 95 % interval, None where a single
training or too few values give none; accuracies and differences are fractions,
`p` tests that there is no difference, `seeds` is their number.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from seqclf.records.estimates import Mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A validation loss and what it took to reach it, by cell.

    Attributes:
      trainings: How many reach it.
      steps: The mean over seeds; None unless all reach it.
      seconds_alone: The same in seconds, with steps timed alone.
      ratio: GRU's steps over LSTM's; `seconds_ratio` that of their seconds alone.
    """

    loss: float
    trainings: dict[str, int]
    steps: dict[str, float | None]
    seconds_alone: dict[str, float | None]
    ratio: Mean
    seconds_ratio: Mean


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvergenceFindings:
    """What `convergence` found; by cell, timed alone, the milliseconds of a step.

    Attributes:
      levels: The losses to reach, the easiest first; none if GRU and LSTM learnt
        nothing. `hardest` is the last of them.
      best_epoch: By cell, the mean over seeds.
      guessing: The loss of stating the labels' shares.
      way: How much of it was gained, a share.
      fewer: Number of levels that GRU reaches in fewer steps, by the interval.
      more: Number of levels for which it needs more.
      last: The most steps, and seconds alone, that a GRU or LSTM needs to the hardest
        loss.
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

    Steps and wall-clock seconds of training are counted from the start; the loss is in
    nats, and `is_best` is 1 for the epoch with the least, else 0.
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
    """A median over the rounds."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CellCost:
    """What a cell costs; times are medians over the rounds.

    Attributes:
      recurrent_parameters: Of the cell; `parameters` are all.
      multiply_adds_per_token: Of the recurrent matrices, forward.
      milliseconds_per_step: Of training; least and most are those of the fastest and
        the slowest round.
      tokens_per_second: Of training.
      milliseconds_per_prediction: Of a single text.
      kernel: What ran the recurrence.
      step_ratio: Time of a step relative to GRU's.
      prediction_ratio: Time of a prediction relative to GRU's; None in answers of
        before.
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
    prediction_ratio: float | None = None
    prediction_ratio_low: float | None = None
    prediction_ratio_high: float | None = None


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
    prediction_ratio: dict[str, Median] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """GRU and LSTM in a finished comparison, with their mean test accuracies.

    Attributes:
      data: Name of the data set; `fingerprint` is that of its content.
      seeds: Number that both have.
      own_settings: 1 if the cells were tuned or matched, else 0.
      difference: GRU less LSTM; with one seed its interval is that of the two models.
      p: Of the cells; None with one seed.
      is_synthetic: 1 for the built-in corpus, else 0.
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
    """On how many of `of` data sets GRU, or LSTM, is better over several seeds."""

    first: int
    second: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OverDataSets:
    """The mean difference in accuracy over data sets, GRU less LSTM, a fraction.

    Attributes:
      spread: Standard deviation of the true difference between data sets.
      p: Of no difference on average.
      p_equal: Of one of `margin` or more.
    """

    mean: float
    low: float
    high: float
    spread: float
    p: float
    p_equal: float
    margin: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WinsFindings:
    """What `wins` found on so many data sets that count.

    Attributes:
      first: Data sets on which GRU had the higher mean accuracy; `second` for LSTM.
      told_apart: Where they differ with p < 0.05, over seeds and texts.
      overall: The mean over the data sets that have several seeds, if these are two at
        least.
      p: Of the sign test of earlier versions; `least_p` is the smallest it could be.
    """

    data_sets: int
    first: int
    second: int
    ties: int
    told_apart: ToldApart
    overall: OverDataSets | None = None
    p: float | None = None
    least_p: float | None = None

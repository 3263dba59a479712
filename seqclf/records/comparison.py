"""What a comparison found, `comparison.json`, and what it is based on.

Accuracies, F1 and their differences are fractions, losses are in nats; `low` and
`high` are the ends of a 95 % interval. Scores and times of several seeds are their
mean.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from seqclf.cells import CELLS
from seqclf.records.looks import UntilDecided
from seqclf.records.training import StepTimes
from seqclf.records.twins import Tuned, TwinCard

# Of `comparison.json`. 1 had no `version`, and one field for a row's name and its cell.
VERSION = 2
MEAN = "mean"  # the kind of a row that combines others
OTHER = "other"  # of one that another system's answers make
YARDSTICK = "yardstick"  # of a pre-trained encoder that was trained beside the twins
# What twins are ranked by, see `comparison.metric`.
MetricName = Literal["accuracy", "macro-f1", "example-f1", "log-loss"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracySummary:
    """A test score of a row: the mean over the seeds, the least and the most of them.

    It is the accuracy, or what else the rows are ranked by. The interval is over seeds
    and texts; of one model it is Wilson's, or of another metric Student's. Where a
    training failed there is none, for none holds: there is the median instead, and the
    mean of the others, if there are any. Of another metric there is none either where
    nothing varies, or a label has fewer than ten test texts.
    """

    mean: float
    low: float | None
    high: float | None
    least: float
    most: float
    median: float | None = None
    of_others: float | None = None

    @property
    def middle(self) -> float:
        """The mean or, where there is no interval, the median."""
        return self.mean if self.median is None else self.median

    @property
    def ends(self) -> tuple[float, float]:
        """The interval or, where there is none, the range over the seeds."""
        if self.low is None or self.high is None:
            return self.least, self.most
        return self.low, self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A twin with its seeds, a baseline, a mean, another system or a yardstick.

    None is what it does not have. A mean averages probabilities: those of each seed's
    twin and of n-grams, or those of all seeds of a cell. Of another system (`other`)
    only answers are known; several files of them are its seeds. A yardstick is a
    pre-trained encoder, of which answers and costs are kept.

    Attributes:
      name: What tables call it: the cell, with the name of a run where several rows
        have one cell; or the name of the baseline. No other row has it.
      cell: Name of its cell, a key of `cells.CELLS`.
      of: The row of the twins that a mean is of.
      runs: Folders of its runs; of a mean, the folders' names are joined by `+`.
      n: Test texts.
      macro_f1: On the test split, as `accuracy` and `log_loss`.
      log_loss: None of another system that gave labels alone.
      example_f1: Of texts that may have several labels, see `records.scores`.
      further: Scores that only some labels have, by name, see `Scores.further`.
      metric: What the rows are ranked by; of earlier versions accuracy.
      by_metric: The score by that, with its interval; None where it is the accuracy.
      failed: Seeds whose training failed, see `evaluation.failed`; they count in all
        scores. Earlier versions did not keep it.
      units: Width of the recurrent state.
      parameters: All weights; `recurrent_parameters` are those of the cell.
      seconds_before: Of what comes before training, such as a language model.
      seconds_per_epoch: Of training, as `tokens_per_second`.
      seconds_to_best: Of training up to the best epoch; of a baseline, of fitting it,
        as of a yardstick whose encoder stays as it is.
      milliseconds_per_prediction: Of a single text.
      milliseconds_per_step: Of training, if the twins were timed alone.
      peak_memory_bytes: Of the process that trained.
      kernel: What ran the recurrence.
      timed: `alone` or `while training`.

    Raises:
      ValueError: If a twin has no cell that is known, or another row has one; or if it
        lacks the score by its metric.
    """

    kind: Literal["twin", "baseline", "mean", "other", "yardstick"]
    name: str
    cell: str | None = None
    of: str | None = None
    runs: tuple[str, ...]
    n: int
    accuracy: AccuracySummary
    macro_f1: float
    log_loss: float | None
    seeds: tuple[int, ...] = ()
    failed: tuple[int, ...] | None = None
    units: int | None = None
    parameters: int | None = None
    recurrent_parameters: int | None = None
    seconds_per_epoch: float | None = None
    seconds_to_best: float | None = None
    tokens_per_second: float | None = None
    milliseconds_per_prediction: float | None = None
    milliseconds_per_step: StepTimes | None = None
    peak_memory_bytes: int | None = None
    kernel: str | None = None
    timed: str | None = None
    validation_loss: float | None = None
    seconds_before: float | None = None
    metric: MetricName = "accuracy"
    by_metric: AccuracySummary | None = None
    example_f1: float | None = None
    further: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.metric == "accuracy") != (self.by_metric is None):
            raise ValueError(f"{self.name} lacks its score by {self.metric}")
        if self.kind == "twin" and self.cell not in CELLS:
            raise ValueError(f"{self.name} has the cell {self.cell}, which is unknown")
        if self.kind != "twin" and self.cell is not None:
            raise ValueError(f"the {self.kind} {self.name} has a cell, {self.cell}")

    @property
    def score(self) -> AccuracySummary:
        """The score that it is ranked by."""
        return self.by_metric or self.accuracy

    @property
    def recurs(self) -> bool:
        """Whether it has a recurrent layer; a baseline has none."""
        return self.cell is not None and CELLS[self.cell].recurs

    @property
    def title(self) -> str:
        """What sentences call it, such as `GRU` or `GRU (wide)`."""
        if self.cell is None:
            return self.name
        return CELLS[self.cell].title + self.name.removeprefix(self.cell)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPair:
    """Two trained models of one seed, or of none, on the same test texts.

    `only_a` and `only_b` count the texts that one alone has right. The difference is
    a's accuracy less b's, its interval a bootstrap's over texts; `mcnemar_p` is of
    McNemar's mid-p test. Of another metric there are none of these, and `p` and the
    interval are those of a paired t-test of the texts' values.

    Raises:
      ValueError: If it has no p.
    """

    seed: int | None = None
    only_a: int | None = None
    only_b: int | None = None
    difference: float
    low: float
    high: float
    mcnemar_p: float | None = None
    p: float | None = None

    def __post_init__(self) -> None:
        _ = self.own_p  # which raises

    @property
    def own_p(self) -> float:
        """The p of its test, not adjusted."""
        for p in (self.p, self.mcnemar_p):
            if p is not None:
                return p
        raise ValueError("a pair of models has no p")


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledBy:
    """What would more likely than not show a difference as large as the one seen.

    So many seeds, or test texts (`rows`); None if no number does.
    """

    seeds: int | None = None
    rows: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Superiority:
    """In how many pairs of a training of each cell the first one's is better.

    Attributes:
      ahead: Of `pairs`; a tie counts half.
      pairs: Each training of one cell with each of the other; what is fitted once is
        one training.
      p: Of the exact two-sided rank test (Mann & Whitney 1947) on these test texts,
        not adjusted; of folds, which are paired, of the sign test.
    """

    ahead: float
    pairs: int
    p: float


# What a pair was compared by: all trainings of two cells; two models of one seed;
# ranks, where trainings failed; or the folds of a cross-validation.
BY_CELLS: Literal["cells"] = "cells"
BY_MODELS: Literal["models"] = "models"
BY_RANKS: Literal["ranks"] = "ranks"
BY_FOLDS: Literal["folds"] = "folds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two rows, the better one first, on average.

    Attributes:
      seeds: Seeds that both have.
      difference: Accuracy of a less that of b, over all seeds of both; of another
        metric, by how much a is better. By ranks it is the median over all pairs of
        trainings. If one has a single seed, two models of a seed
        are compared, and it is theirs; None if they have none in common. Its interval
        is then None too.
      by: `cells`, `models`, `folds`, or `ranks` where a training of either failed:
        then no interval holds, and p is that of their ranks, averaged over test texts
        (see `statistics.over_texts`), or of folds that of `superiority`. Earlier
        versions lack it.
      p: Of the difference, adjusted after Holm; None of models, as `p_unadjusted`.
      p_models: Of the tests of models, McNemar's of accuracy, the largest, adjusted
        likewise; None of cells.
      p_equal: Of a difference of the margin or more, adjusted likewise: the larger of
        two one-sided tests (Schuirmann 1987). None but of cells.
      superiority: None of models.
      settled_by: What would decide it; None of models.
      models: The two models of each seed; `mcnemar_p` are theirs, none but of accuracy.
      adjusted_for: Number of the pairs that p is adjusted for; earlier versions did not
        keep it.
      is_decided: Whether the two differ, beyond chance; likewise.
      is_equal: Whether they differ by less than the margin, beyond chance; likewise.
      look: Where seeds were added until all was decided, the look from 1 that all this
        is of: the one that decided the pair, else the last. Then p, p_equal and the
        interval allow for all looks. None where there was no plan of looks.
      metric: What it is a difference of; of earlier versions accuracy.

    Raises:
      ValueError: If it has seeds but not what they tell.
    """

    a: str
    b: str
    seeds: tuple[int, ...]
    difference: float | None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_unadjusted: float | None = None
    settled_by: SettledBy | None = None
    models: tuple[ModelPair, ...] = ()
    mcnemar_p: tuple[float, ...] = ()
    adjusted_for: int | None = None
    is_decided: bool | None = None
    by: Literal["cells", "models", "ranks", "folds"] | None = None
    p_models: float | None = None
    p_equal: float | None = None
    is_equal: bool | None = None
    superiority: Superiority | None = None
    look: int | None = None
    metric: MetricName = "accuracy"

    def __post_init__(self) -> None:
        tested = self.mcnemar_p or self.metric != "accuracy"
        told = self.difference is not None and self.models and tested
        if self.seeds and not told:
            raise ValueError(f"the pair of {self.a} and {self.b} lacks its difference")
        has_interval = None not in (self.low, self.high) or self.by == BY_RANKS
        if self.p is not None and not has_interval:
            raise ValueError(f"the pair of {self.a} and {self.b} lacks its interval")


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonResult:
    """All that a comparison found.

    Attributes:
      rows: Baselines, twins, other systems, the yardstick and means.
      pairs: The twins two at a time.
      references: The best twin and each baseline; and each other system and the
        yardstick; its mean with n-grams, and these.
      margin: Difference, a fraction or in nats, below which two are practically equal;
        earlier versions had none.
      metric: What the rows are ranked by; of earlier versions accuracy.
      metric_why: Why, if it was chosen for the data, such as `labels are imbalanced
        (87 % ham)`; else empty.
      tuning: By cell, if settings were chosen for each.
      until_decided: How it went, if seeds were added until all pairs were decided.
      missing: Why trainings are missing, by name.
      command: What to type to do it again.
      seconds: How long it took; None where nothing was trained.
      phases: How long its parts took, in seconds by name, up to its statistics.
      date: When, as 2026-01-31.

    Raises:
      ValueError: If it has no twin, names a row or a cell that is not there, or has a
        row or pair of another metric.
    """

    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...] = ()
    references: tuple[Pair, ...] = ()
    verdict: str
    card: TwinCard
    margin: float | None = None
    tuning: dict[str, Tuned] | None = None
    until_decided: UntilDecided | None = None
    missing: dict[str, str] = field(default_factory=dict)
    command: str = ""
    seconds: float | None = None
    date: str | None = None
    version: int = VERSION
    metric: MetricName = "accuracy"
    metric_why: str = ""
    phases: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = {row.name for row in self.rows}
        if not self.twins:
            raise ValueError("there is no twin among the rows")
        for pair in (*self.pairs, *self.references):
            if not {pair.a, pair.b} <= names:
                raise ValueError(f"{pair.a} or {pair.b} of a pair is no row")
        metrics = {row.metric for row in self.rows}
        metrics |= {pair.metric for pair in (*self.pairs, *self.references)}
        if metrics != {self.metric}:
            raise ValueError(f"a row or a pair is not of {self.metric}")
        for cell in self.tuning or {}:
            if cell not in CELLS:
                raise ValueError(f"the cell {cell} of the tuning is unknown")

    @property
    def twins(self) -> tuple[Row, ...]:
        """The rows of the twins."""
        return tuple(row for row in self.rows if row.kind == "twin")

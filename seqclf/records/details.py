"""Where the models of a comparison differ, `details.json`; rows go by their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from seqclf.records.training import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How often the cells give the same answer, fractions of the test texts.

    Means over the seeds that all cells have: all cells give one answer, all are right,
    none is, and by row, it alone is.
    """

    seeds: tuple[int, ...]
    all_alike: float
    all_right: float
    none_right: float
    only_right: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An answer: the label, and its probability."""

    label: str
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A test text that one cell alone has right.

    Attributes:
      id: Its row in the test split, from 0.
      text: The text, perhaps cut; None if it could not be read again.
      length: Tokens.
      label: The true label.
      only_right: The row that has it right; `answers` are by row.
    """

    id: int
    text: str | None
    length: int
    label: str
    only_right: str
    answers: dict[str, Said]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """An accuracy with its 95 % interval."""

    accuracy: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The accuracies, by row, on n test texts, those of one `group`.

    `by` is what divides the texts: `length`, `label` or `negation`.
    """

    by: str
    group: str
    n: int
    cells: dict[str, Reach]


@dataclass(frozen=True, slots=True, kw_only=True)
class WordOrder:
    """What a cell's accuracy loses when the words of test texts are shuffled.

    Of many texts these are some, see `shuffled_rows`, and so is `accuracy` of them.
    `lost` is the difference of both accuracies, with the ends of its 95 % interval.
    """

    accuracy: float
    shuffled: float
    lost: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Scores at the best epoch, dropout switched off: means over the seeds."""

    train_accuracy: float
    train_log_loss: float
    validation_accuracy: float
    validation_log_loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """How a training went, epoch by epoch; seconds are counted from its start."""

    seed: int
    best_epoch: int
    epochs: tuple[int, ...]
    seconds: tuple[float, ...]
    loss: tuple[float, ...]
    validation_loss: tuple[float, ...]
    validation_accuracy: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Answers of about one stated probability: how many, its mean, their accuracy."""

    n: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How right answers are by their stated probability, and the expected error."""

    bins: tuple[Bin, ...]
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """All of it; what is not said otherwise is by row.

    Attributes:
      agreement: None for a single cell, or without a seed in common.
      examples: At most eight a row.
      groups: Parts of the test texts.
      curves: Those of a row's trainings.
      confusion: Counts of all seeds, rows true, columns predicted; of no row where a
        text may have several labels.
      environment: Of the first run.

    Raises:
      ValueError: If its parts are of different rows.
    """

    labels: tuple[str, ...]
    agreement: Agreement | None
    examples: tuple[Example, ...]
    groups: tuple[Group, ...]
    word_order: dict[str, WordOrder]
    fit: dict[str, Fit]
    curves: dict[str, tuple[Curve, ...]]
    confusion: dict[str, tuple[tuple[int, ...], ...]]
    calibration: dict[str, Calibration]
    environment: Environment

    def __post_init__(self) -> None:
        parts: list[Mapping[str, object]] = [
            self.word_order,
            self.fit,
            self.calibration,
            *([self.confusion] if self.confusion else []),
            *(group.cells for group in self.groups),
            *(example.answers for example in self.examples),
        ]
        if any(part.keys() != self.curves.keys() for part in parts):
            raise ValueError("its parts are of different rows")

"""What is equal in the twins of a comparison, and what was tuned for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from seqclf.config import Setting
from seqclf.records.dataset import DatasetInfo
from seqclf.records.yardstick import TrainedYardstick


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A thing that must be equal in twins, and the value that shows it.

    Attributes:
      differing: Names of the runs that differ from the first one.
      concerns: What depends on it: `scores`; `bits`, how numbers are rounded, so that
        one training may come out another way, in any cell; `times`.
    """

    what: str
    value: str
    equal: bool
    differing: tuple[str, ...]
    concerns: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFile:
    """A file with the answers of another system to the test texts.

    Attributes:
      name: The row that it is of; several files of one row are its seeds.
      file: As it was given.
      digest: SHA-256 of its bytes, 64 hexadecimal digits.
      rows: Answers in it, one for each test text.
    """

    name: str
    file: str
    digest: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinCard:
    """What all runs share, and in what they differ.

    Attributes:
      equal: Settings that are equal, with their value; `different` names the others.
      chosen: Settings that the comparison chose for each cell.
      dataset: Of the first run.
      vary: What the seeds vary; where it is `split`, each drew the texts that its runs
        learn from, and `dataset` has the sizes of the first draw; where it is `folds`,
        each tested on another part of the texts.
      answer_files: Of other systems beside the twins, of which nothing else is known.
      yardstick: The trainings of the pre-trained encoder beside them, one a seed.
    """

    equal: dict[str, Setting]
    different: tuple[str, ...]
    dataset: DatasetInfo
    chosen: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    vary: Literal["seed", "split", "folds"] = "seed"
    answer_files: tuple[AnswerFile, ...] = ()
    yardstick: tuple[TrainedYardstick, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A trial of tuning, and its scores.

    Earlier versions trained each trial once, and varied the first three settings alone.

    Attributes:
      epochs: Most epochs; `clip_norm` and `warmup_fraction` as in `TrainingConfig`.
      losses: Validation loss of each training; None where it diverged.
      validation_loss: Their mean, as `validation_accuracy`; None if one diverged.
    """

    learning_rate: float
    dropout_rate: float
    units: int
    epochs: int | None = None
    clip_norm: float | None = None
    warmup_fraction: float | None = None
    losses: tuple[float | None, ...] = ()
    validation_loss: float | None = None
    validation_accuracy: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """The trials of a cell, and the number of the chosen one, from 1.

    Raises:
      ValueError: If there is no such trial, or it has no scores.
    """

    trials: tuple[Tried, ...]
    chosen: int

    def __post_init__(self) -> None:
        if not 1 <= self.chosen <= len(self.trials):
            raise ValueError(f"there is no trial {self.chosen}")
        if self.best.validation_loss is None:
            raise ValueError(f"trial {self.chosen} has no scores")

    @property
    def best(self) -> Tried:
        """The chosen trial."""
        return self.trials[self.chosen - 1]

"""What trackers are given: numbers by name and step, of events or of a finished run."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from seqclf.data.dataset import TEST
from seqclf.records import training as events
from seqclf.records.training import Epoch, Event
from seqclf.runs import Run

EPOCH, STEP, PRETRAINING = "epoch", "step", "pretraining"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number, named such as `epoch/loss`, at an epoch or a step, from 1."""

    tag: str
    step: int
    value: float


class Journal(Protocol):
    """Where the numbers of one training go. What is there already is passed over."""

    def add(self, numbers: Sequence[Scalar]) -> None:
        """Writes numbers, in the order of their steps."""

    def end(self, run: Run) -> None:
        """Says that the training is finished."""

    def close(self, has_failed: bool) -> None:
        """Says that it is not: it was interrupted, or has failed."""


class Tracker(Protocol):
    """What shows trainings."""

    @property
    def name(self) -> str:
        """What people call it."""

    def open(self, run: Run, is_new: bool) -> Journal:
        """Opens the journal of a training; of a new one, nothing from before is kept.

        Otherwise it goes on with what is there, if that is of this training.
        """


def of_event(event: Event) -> list[Scalar]:
    """Returns the numbers of an event of a training, none of most."""
    match event:
        case events.Resumed():
            return of_epochs(event.history)
        case events.EpochEnded():
            return of_epochs([event.record])
        case events.PretrainingEnded():
            return [Scalar(f"{PRETRAINING}/loss", event.epoch, event.loss)]
        case events.Stepped():
            if event.accuracy is not None:  # of pre-training only the epochs are shown
                return _of_step(event, event.accuracy)
    return []


def of_run(run: Run) -> list[Scalar]:
    """Returns the numbers of a finished run: its epochs and its test scores.

    Those stand at its last epoch; those of a linear model, which has none, at 1.
    """
    history = [] if run.is_linear else run.history
    if not run.has_scores:
        return of_epochs(history)
    scores, step = run.metrics[TEST], max(len(history), 1)
    return of_epochs(history) + [
        Scalar(f"{TEST}/{name}", step, getattr(scores, name))
        for name in ("accuracy", "macro_f1", "log_loss")
    ]


def of_epochs(history: Iterable[Epoch]) -> list[Scalar]:
    """Returns the numbers of each epoch."""
    return [
        Scalar(f"{EPOCH}/{name}", record.epoch, value)
        for record in history
        for name, value in dataclasses.asdict(record).items()
        if name != "epoch"
    ]


def _of_step(event: events.Stepped, accuracy: float) -> list[Scalar]:
    step = (event.epoch - 1) * event.steps + event.step
    speed = event.tokens_per_second
    values = {"loss": event.loss, "accuracy": accuracy, "tokens_per_second": speed}
    return [Scalar(f"{STEP}/{name}", step, value) for name, value in values.items()]

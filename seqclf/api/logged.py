"""Who listens where Python calls: the logger `seqclf`."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seqclf.records.training import EpochEnded, Event, OnEvent

if TYPE_CHECKING:
    from seqclf.bulk import Answered

_log = logging.getLogger("seqclf")


@dataclass(frozen=True, slots=True)
class Logged:
    """The listener that passes what it hears to the logger `seqclf`.

    `on_report` is called with the name of a training and each event of its progress;
    `quiet` hides the progress of downloads.
    """

    on_report: OnEvent | None = None
    quiet: bool = False

    def note(self, sentence: str) -> None:
        """Logs what the user may want to know, at level INFO."""
        _log.info(sentence)

    def insist(self, sentence: str) -> None:
        """Logs what the user should know, at level WARNING."""
        _log.warning(sentence)

    def rows(
        self, parts: Iterable[Answered], total: int, done: int
    ) -> Iterator[Answered]:
        """Passes the parts of a table on; they are not logged."""
        return iter(parts)

    @contextlib.contextmanager
    def progress(self, costs: Mapping[str, float], jobs: int = 1) -> Iterator[OnEvent]:
        """Logs each epoch of trainings."""
        yield self._report

    def _report(self, name: str, event: Event) -> None:
        if isinstance(event, EpochEnded):
            one = event.record
            _log.info(
                "%s  epoch %d/%d  loss %.3f  validation loss %.3f  accuracy %.3f",
                name, one.epoch, event.epochs, one.loss, one.validation_loss,
                one.validation_accuracy,
            )  # fmt: skip
        if self.on_report is not None:
            self.on_report(name, event)

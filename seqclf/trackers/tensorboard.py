"""Trainings as TensorBoard shows them: a folder with an event file for each run."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from seqclf.errors import ConfigError
from seqclf.runs import Run
from seqclf.runs.files import HISTORY_FILE
from seqclf.trackers import event_file, scalars
from seqclf.trackers.scalars import Scalar

# TensorBoard reads files with `tfevents` in their name; the end says whose this one is.
EVENT_FILE = "events.out.tfevents.seqclf"


@dataclass(frozen=True, slots=True)
class TensorBoard:
    """The `Tracker` that writes event files below a folder."""

    folder: Path

    @property
    def name(self) -> str:
        """What people call it."""
        return f"The event files of {self.folder}"

    def open(self, run: Run, is_new: bool) -> EventJournal:
        """Opens a run's event file, in a folder of the run's name.

        It is appended to where it has this training's numbers; else it is replaced.
        """
        file = self.folder / run.name / EVENT_FILE
        file.parent.mkdir(parents=True, exist_ok=True)
        there, whole = event_file.read(file) if file.exists() else ([], 0)
        if is_new or not whole or _are_of_another(there, run):
            opened: BinaryIO = file.open("wb")
            event_file.begin(opened)
            return EventJournal(opened, {})
        opened = file.open("r+b")
        opened.truncate(whole)  # what a crash cut off
        opened.seek(whole)
        return EventJournal(opened, {tag: step for tag, step, _ in there})


def tensorboard(folder: Path) -> TensorBoard:
    """Returns the tracker that writes below a folder, which is made.

    Raises:
      ConfigError: If nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"--log-dir takes a folder, got {folder}: {error.strerror}."
        ) from error
    return TensorBoard(folder)


@dataclass(frozen=True, slots=True)
class EventJournal:
    """The `Journal` of a run: its open event file, and the last step of each tag."""

    file: BinaryIO
    last: dict[str, int]

    def add(self, numbers: Sequence[Scalar]) -> None:
        """Writes the numbers that are not there yet, an event for each step."""
        new = [one for one in numbers if one.step > self.last.get(one.tag, 0)]
        for step, some in itertools.groupby(new, lambda one: one.step):
            values = {one.tag: one.value for one in some}
            event_file.write(self.file, step, values)
            self.last.update(dict.fromkeys(values, step))

    def end(self, run: Run) -> None:
        """Closes the file."""
        self.file.close()

    def close(self, has_failed: bool) -> None:
        """Closes the file, to be continued."""
        self.file.close()


def _are_of_another(there: Sequence[tuple[str, int, float]], run: Run) -> bool:
    """Tells whether numbers are not those of a run, as far as its epochs are kept."""
    if run.is_linear or not (run.path / HISTORY_FILE).exists():
        return run.is_linear
    of_epochs = scalars.of_epochs(run.history)
    own = {(one.tag, one.step): event_file.as_float32(one.value) for one in of_epochs}
    return any(own.get((tag, step), value) != value for tag, step, value in there)

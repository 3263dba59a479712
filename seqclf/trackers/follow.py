"""Who listens to trainings lets trackers listen, too."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from seqclf.errors import ConfigError, unknown
from seqclf.records import training as events
from seqclf.records.training import Event, OnEvent
from seqclf.runs import Run
from seqclf.runs.files import CONFIG_FILE
from seqclf.steps import Listener, shortly
from seqclf.trackers.mlflow import mlflow
from seqclf.trackers.scalars import Journal, Tracker, of_event, of_run
from seqclf.trackers.tensorboard import tensorboard

TRACKERS: dict[str, Callable[[], Tracker]] = {"mlflow": mlflow}


@dataclass(frozen=True, slots=True)
class Followed:
    """A `steps.Listener` that passes on what it hears, and trainings to trackers, too.

    Followed is every run in a folder of runs; trials of tuning, which lie elsewhere,
    are not. A tracker that fails is given up, and the trainings go on.

    Attributes:
      listener: Who hears everything.
      models: Folder of the runs.
      trackers: Those that still follow.
      journals: What is open, by run: a journal for each tracker.
    """

    listener: Listener
    models: Path
    trackers: list[Tracker]
    journals: dict[str, list[tuple[Tracker, Journal]]] = field(default_factory=dict)

    @property
    def quiet(self) -> bool:
        """As the listener's."""
        return self.listener.quiet

    def note(self, sentence: str) -> None:
        """Passes it on."""
        self.listener.note(sentence)

    def insist(self, sentence: str) -> None:
        """Passes it on."""
        self.listener.insist(sentence)

    @contextlib.contextmanager
    def progress(self, costs: Mapping[str, float], jobs: int = 1) -> Iterator[OnEvent]:
        """Follows trainings as the listener does, and as trackers do."""
        with self.listener.progress(costs, jobs) as report:

            def both(name: str, event: Event) -> None:
                report(name, event)
                if self.trackers:
                    self._hear(name, event)

            yield both

    def finish(self, runs: Iterable[Run]) -> None:
        """Completes what trackers have of finished runs, also of those reused."""
        for run in runs if self.trackers else ():
            self._open(run, is_new=False)
            self._each(run.name, functools.partial(_complete, run))
            self.journals.pop(run.name, None)

    def close(self, name: str, has_failed: bool = False) -> None:
        """Closes what is open of a run that is not finished."""
        self._each(name, lambda one: one.close(has_failed))
        self.journals.pop(name, None)

    def _hear(self, name: str, event: Event) -> None:
        run = Run(self.models / name)
        match event:
            case events.Started():
                self.close(name)  # of an attempt before
            case events.Finished():
                self.finish([run] if name in self.journals else [])
            case events.Failed():
                self.close(name, has_failed=True)
            case _:  # what a training goes through
                self._open(run, is_new=not isinstance(event, events.Resumed))
                self._each(name, lambda one: one.add(of_event(event)))

    def _open(self, run: Run, is_new: bool) -> None:
        if run.name in self.journals or not (run.path / CONFIG_FILE).exists():
            return
        self.journals[run.name] = []
        for tracker in list(self.trackers):
            with self._giving_up(tracker):
                opened = tracker.open(run, is_new)
                self.journals[run.name].append((tracker, opened))

    def _each(self, name: str, call: Callable[[Journal], None]) -> None:
        for tracker, journal in self.journals.get(name, []):
            if tracker in self.trackers:
                with self._giving_up(tracker):
                    call(journal)

    @contextlib.contextmanager
    def _giving_up(self, tracker: Tracker) -> Iterator[None]:
        """Goes on without a tracker that fails, and says so once."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 -- whatever it is, the training stands
            self.trackers.remove(tracker)
            self.insist(f"{tracker.name} could not be written on: {shortly(error)}")


@contextlib.contextmanager
def followed(
    listener: Listener, models: Path, log_dir: Path | None, tracker: str | None
) -> Iterator[Followed]:
    """Lets trackers listen beside a listener, in a context; without any it alone does.

    Args:
      listener: Who hears everything.
      models: Folder of the runs.
      log_dir: Folder of TensorBoard's event files; None writes none.
      tracker: One of `TRACKERS`; None takes none.

    Raises:
      ConfigError: If there is no such tracker, it is not installed, or nothing can be
        written where it writes.
    """
    trackers: list[Tracker] = []
    if tracker is not None:
        if tracker not in TRACKERS:
            raise ConfigError(unknown("--tracker", tracker, TRACKERS))
        trackers.append(TRACKERS[tracker]())
    if log_dir is not None:
        trackers.append(tensorboard(log_dir))
    following = Followed(listener, models, trackers)
    try:
        yield following
    finally:
        for name in list(following.journals):
            following.close(name)


def _complete(run: Run, journal: Journal) -> None:
    journal.add(of_run(run))
    journal.end(run)

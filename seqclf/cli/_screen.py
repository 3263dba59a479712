"""What commands show: notes and progress on stderr, results on stdout."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from seqclf.cli._letters import escapes

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

    from seqclf.bulk import Answered
    from seqclf.records.training import (
        Epoch,
        EpochEnded,
        Event,
        OnEvent,
        PretrainingEnded,
        Stepped,
    )
    from seqclf.report.table import Table

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """Returns the text without what could steer a terminal."""
    return _CONTROLS.sub(" ", text)


def stdout() -> Console:
    """Returns the console of results; a new one, so that tests can replace streams."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)


def print_json(value: Any) -> None:
    """Prints JSON, whole, to stdout."""
    text = json.dumps(value, indent=2, ensure_ascii=escapes())
    sys.stdout.write(text + "\n")


def print_table(table: Table) -> None:
    """Prints a table to stdout."""
    from seqclf.report.table import to_terminal

    stdout().print(to_terminal(table))


def note(text: str, quiet: bool = False) -> None:
    """Tells the person something, on stderr."""
    if not quiet:
        colour = False if os.environ.get("NO_COLOR") else None  # None: on a terminal
        typer.secho(clean(text), err=True, dim=True, color=colour)


def duration(seconds: float) -> str:
    """Returns seconds as a person says them, such as `1 min 20 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


@dataclass(frozen=True, slots=True)
class Screen:
    """The `steps.Listener` that shows on stderr what it hears.

    If `quiet`, it shows nothing but what it insists on.
    """

    quiet: bool

    def note(self, sentence: str) -> None:
        """Shows what a person may want to know."""
        note(sentence, self.quiet)

    def insist(self, sentence: str) -> None:
        """Shows it, quiet or not."""
        note(sentence)

    def rows(
        self, parts: Iterable[Answered], total: int, done: int
    ) -> Iterator[Answered]:
        """Passes the parts of a table on, with a bar of their rows on a terminal."""
        from rich import progress
        from rich.console import Console

        console = Console(stderr=True, highlight=False)
        bars = progress.Progress(
            progress.TextColumn("rows"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeRemainingColumn(compact=True),
            console=console,
            disable=self.quiet or not console.is_terminal,
        )
        with bars:
            bar = bars.add_task("rows", total=total, completed=done)
            for part in parts:
                yield part
                bars.advance(bar, len(part))

    @contextlib.contextmanager
    def progress(self, costs: Mapping[str, float], jobs: int = 1) -> Iterator[OnEvent]:
        """Shows how trainings go, see `TrainingProgress`."""
        shown = TrainingProgress(costs, self.quiet, jobs)
        with shown.bars:
            yield shown.report


class TrainingProgress:
    """Shows how trainings go: bars on a terminal, a line an epoch elsewhere.

    Give the events of a training to `report`, with the name of the run; `bars` is the
    context in which to do so. The arguments are those of `steps.Listener.progress`.
    """

    def __init__(self, costs: Mapping[str, float], quiet: bool, jobs: int) -> None:
        from rich import progress
        from rich.console import Console

        self._costs = dict(costs)
        self._quiet, self._jobs = quiet, jobs
        self._estimated: set[float] = set()
        self._console = Console(stderr=True, highlight=False)
        self._tasks: dict[str, TaskID] = {}
        self.bars = progress.Progress(
            progress.SpinnerColumn(),
            progress.TextColumn("{task.description}"),
            progress.BarColumn(bar_width=16),
            progress.TextColumn("{task.fields[state]}"),
            progress.TimeRemainingColumn(compact=True),
            console=self._console,
            disable=quiet or not self._console.is_terminal,
        )

    def report(self, name: str, event: Event) -> None:
        """Shows one event of one run."""
        from seqclf.records import training as events

        if self._quiet:
            return
        match event:
            case events.Started():
                task = self.bars.add_task(name, total=None, state="starting")
                self._tasks[name] = task
            case events.Resumed():
                place = f"epoch {event.epoch}, step {event.step + 1}"
                self._print(f"{name}: resumes at {place}")
            case events.Stepped():
                self._move(name, event)
            case events.PretrainingEnded() | events.EpochEnded():
                self._end_epoch(name, event)
            case events.Failed():
                self._hide(name)
                self._print(f"{name}: {event.error}")
            case events.Finished():
                self._finish(name)

    def _finish(self, name: str) -> None:
        self._hide(name)
        if self._costs.pop(name, None) is None:  # a training has told of its epochs
            self._print(f"{name}: done")

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)

    def _move(self, name: str, event: Stepped) -> None:
        done = (event.epoch - 1) * event.steps + event.step
        what, shown = "epoch", f"loss {event.loss:.3f}"
        if event.accuracy is None:
            what = "pre-training"
        else:
            shown += f"  acc {event.accuracy:.3f}"
        speed = f"{event.tokens_per_second / 1000:.0f}k tok/s"
        state = f"{what} {event.epoch}/{event.epochs}  {shown}  {speed}"
        task, total = self._tasks[name], event.epochs * event.steps
        self.bars.update(task, total=total, completed=done, state=state)

    def _hide(self, name: str) -> None:
        if name in self._tasks:
            self.bars.update(self._tasks[name], visible=False)

    def _end_epoch(self, name: str, event: EpochEnded | PretrainingEnded) -> None:
        from seqclf.records.training import PretrainingEnded

        if isinstance(event, PretrainingEnded):
            self._print(
                f"{name}  pre-training {event.epoch}/{event.epochs}  "
                f"loss {event.loss:.3f}  {duration(event.seconds)} so far"
            )
            return
        record, epochs = event.record, event.epochs
        self._print(
            f"{name}  epoch {record.epoch}/{epochs}  "
            f"loss {record.loss:.3f}  validation loss {record.validation_loss:.3f}"
            f"  accuracy {record.validation_accuracy:.3f}  {duration(record.seconds)}"
        )
        self._estimate(name, record, epochs)

    def _estimate(self, name: str, record: Epoch, epochs: int) -> None:
        """Says how long all will take, once for each kind of training it has seen."""
        cost = self._costs.get(name, 1.0)
        # The first epoch also traces the graph.
        is_fit_to_tell = record.epoch == min(2, epochs)
        if len(self._costs) < 2 or cost in self._estimated or not is_fit_to_tell:
            return
        self._estimated.add(cost)
        left = sum(self._costs.values()) * epochs - cost * record.epoch
        left /= min(self._jobs, len(self._costs))
        self._console.print(
            f"{len(self._costs)} trainings to finish, up to {epochs} epochs "
            f"each: at most about {duration(left * record.seconds / cost)} to go",
            style="dim",
            soft_wrap=True,
        )

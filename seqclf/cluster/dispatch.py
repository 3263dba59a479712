"""Sends tasks to other machines, and takes in what comes back."""

from __future__ import annotations

import contextlib
import itertools
import math
import shutil
import tarfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from seqclf.cluster.errand import (
    Errand,
    Returned,
    environment_here,
    last_attempt,
    versions_here,
)
from seqclf.cluster.locks import Locks
from seqclf.cluster.parcels import digest_of, pack, pickled, unpack
from seqclf.engine import Outcome, Task
from seqclf.errors import ConfigError, RunError
from seqclf.marker import COMPLETE_FILE, LOCK_FILE, LOG_FILE, MARKER_FILE

TRIES = 5  # to take in a folder that may change meanwhile
KEPT = frozenset((LOCK_FILE, MARKER_FILE, LOG_FILE))
PAUSE = 0.2  # seconds between two looks for reports
COUNTING = 2.0  # seconds between two looks for how much room there is
GRACE = 30.0  # seconds for what was cut off at a deadline to come back
REFUSALS = 20  # of one task, by machines that are then left out
REST = 10.0  # seconds before what was not taken is tried again, if none comes back
ALONE = 300.0  # seconds to wait for a machine when none is left
UNFINISHED = "unfinished"  # in a shared folder


class LostError(Exception):
    """An errand that no machine brought to an end."""


class Machines(Protocol):
    """A way to other machines. Handles are what `submit` returns."""

    @property
    def shared(self) -> Path | None:
        """A folder that all have, for unfinished work to outlive a machine."""

    def room(self) -> int:
        """Returns for how many errands there is room, as far as can be told.

        Raises:
          ConfigError: If there is no fit machine.
        """

    def put(self, content: bytes) -> Any:
        """Keeps bytes where all machines can have them, and returns their name."""

    def submit(self, errand: Errand, contents: Sequence[Any]) -> Hashable:
        """Sends an errand, with the names of what it reads; returns at once.

        Raises:
          LostError: If there is no room for it, by now or at all.
        """

    def done(self, handles: Sequence[Hashable], seconds: float) -> list[Hashable]:
        """Returns those that have ended, after so many seconds at most."""

    def returned(self, handle: Hashable) -> Returned | None:
        """Returns what came back, None if it is not here yet.

        Raises:
          LostError: If nothing will come.
        """

    def heard(self) -> list[tuple[int, Any]]:
        """Returns the reports since the last time, with the errands' numbers."""

    def leave_out(self, returned: Returned) -> None:
        """Sends nothing more to a machine that refused, and says so.

        Raises:
          ConfigError: If no other is left.
        """

    def cancel(self, handles: Sequence[Hashable]) -> None:
        """Ends errands, wherever they are."""

    def close(self) -> None:
        """Leaves the machines; nothing of ours stays at work there."""


@dataclass(slots=True)
class _Sent:
    """A task that is out: its number, what was sent, and the reports that came."""

    index: int
    task: Task
    errand: Errand
    reports: int = 0


@dataclass(slots=True)
class Dispatcher:
    """Runs tasks on other machines; an `engine.Cluster`.

    Attributes:
      machines: The way there.
      jobs: Tasks at a time, as far as can be told.
      threads: Threads that a task may use.
      gpus: GPUs that it may use.
    """

    machines: Machines
    jobs: int
    threads: int
    gpus: float = 0.0
    _put: dict[Path, tuple[object, str, Any]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _name: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    _refused: Counter[Path] = field(default_factory=Counter)
    _most: int = 0
    _counted: float = -math.inf
    _alone: float | None = None
    _rest: tuple[float, int] = (-math.inf, 0)  # until then, while so many are out

    def run(
        self,
        tasks: Sequence[Task],
        on_report: Callable[[int, Any], None],
        deadline: float = math.inf,
    ) -> Iterator[Outcome]:
        """Runs tasks, see `engine.run_tasks`; as many at a time as there is room for.

        The folder that a task writes is locked here meanwhile, and filled when it comes
        back, whole. At the deadline unfinished work comes back, too, to be gone on
        with. However the caller leaves before, it is given up, but for what there is of
        it in a shared folder.
        """
        waiting = dict(enumerate(tasks))
        sent: dict[Hashable, _Sent] = {}
        locks, begun = Locks(), time.monotonic()
        try:
            while waiting or sent:
                if time.monotonic() >= deadline + (GRACE if sent else 0):
                    break
                if time.monotonic() < deadline and not self._rests(len(sent)):
                    yield from self._send(waiting, sent, locks, begun, deadline)
                done = self.machines.done(list(sent), PAUSE)
                self._report(sent, on_report)
                for handle in done:
                    yield from self._receive(handle, sent, waiting, locks, on_report)
                if self._is_alone():
                    raise RunError(
                        f"for {ALONE / 60:.0f} minutes there was no fit machine; what "
                        f"came back is kept."
                    )
        finally:
            self.machines.cancel(list(sent))
            for one in sent.values():
                _bring_unfinished(one)
            locks.free_all()

    def _send(
        self,
        waiting: dict[int, Task],
        sent: dict[Hashable, _Sent],
        locks: Locks,
        begun: float,
        deadline: float,
    ) -> Iterator[Outcome]:
        """Sends what there is room for; yields what cannot be sent."""
        for index, task in list(waiting.items()):
            if len(sent) >= self._room():
                return
            try:
                if not locks.take(task):
                    if time.monotonic() >= begun + task.patience:
                        del waiting[index]
                        yield Outcome(index, error=_taken(task))
                    continue
                errand, contents = self._errand(task, deadline)
                handle = self.machines.submit(errand, contents)
            except (OSError, LostError) as error:
                if isinstance(error, LostError) and sent:
                    self._rest = time.monotonic() + REST, len(sent)
                    return
                del waiting[index]
                yield Outcome(index, error=f"could not be sent: {error}")
            else:
                del waiting[index]
                sent[handle] = _Sent(index, task, errand)

    def _receive(
        self,
        handle: Hashable,
        sent: dict[Hashable, _Sent],
        waiting: dict[int, Task],
        locks: Locks,
        on_report: Callable[[int, Any], None],
    ) -> Iterator[Outcome]:
        """Takes in what came back; yields how it ended, but for what is sent again."""
        try:
            returned = self.machines.returned(handle)
        except LostError as error:
            returned = Returned("", error=str(error))
            _bring_unfinished(sent[handle])
        if returned is None:
            return
        one = sent.pop(handle)
        if returned.refused:
            place = one.task.writes or one.task.log
            self._refused[place] += 1
            # Some task is understood by no machine, and no machine at fault.
            if self._refused[place] < REFUSALS:
                self.machines.leave_out(returned)
                waiting[one.index] = one.task
                return
            returned = replace(returned, refused="", error=returned.refused)
        count, last = returned.reports
        lost = max(count - one.reports, 0)
        for report in last[max(len(last) - lost, 0) :]:
            on_report(one.index, report)
        outcome = _taken_in(one, returned)
        locks.free(one.task)
        self._forget(one.task, [*waiting.values(), *(o.task for o in sent.values())])
        if not returned.is_cut:
            yield outcome

    def _rests(self, out: int) -> bool:
        """Tells whether nothing would be taken yet, while so many are out."""
        until, before = self._rest
        return out >= before and time.monotonic() < until

    def _room(self) -> int:
        """Returns how many tasks may be out at a time, counted now and then."""
        if time.monotonic() > self._counted + COUNTING:
            self._counted = time.monotonic()
            try:
                self._most, self._alone = self.machines.room(), None
            except ConfigError:
                self._most, self._alone = 0, self._alone or self._counted
        return self._most

    def _is_alone(self) -> bool:
        """Tells whether there has been no machine for too long."""
        self._room()
        return self._alone is not None and time.monotonic() > self._alone + ALONE

    def _errand(self, task: Task, deadline: float) -> tuple[Errand, list[Any]]:
        put = [self._content(path) for path in task.reads]
        existing, name, attempts = None, None, None
        if task.writes is not None:
            name = task.writes.name
            if task.writes.is_dir():
                existing = pack(task.writes, (LOCK_FILE,), COMPLETE_FILE)
            if self.machines.shared is not None:
                key = digest_of(str(task.writes.resolve()).encode())
                attempts = self.machines.shared / UNFINISHED / f"{self._name}-{key}"
        left = deadline - time.monotonic()
        errand = Errand(
            next(self._numbers),
            pickled(task, _roots(task)),
            tuple(
                (digest, path.name)
                for (digest, _), path in zip(put, task.reads, strict=True)
            ),
            name,
            existing,
            attempts,
            versions_here(),
            environment_here(),
            self.gpus,
            None if left == math.inf else left,
        )
        return errand, [content for _, content in put]

    def _content(self, path: Path) -> tuple[str, Any]:
        """Returns the digest of what is read, and its name where all can have it."""
        state = tuple(_state(path))
        known = self._put.get(path)
        if known is None or known[0] != state:
            content = pack(path)
            known = state, digest_of(content), self.machines.put(content)
            self._put[path] = known
        return known[1:]

    def _forget(self, task: Task, others: Sequence[Task]) -> None:
        """Lets go of files that no task reads any more; folders are read again."""
        still = {path for other in others for path in other.reads}
        for path in task.reads:
            if path.is_file() and path not in still:
                self._put.pop(path, None)

    def _report(
        self, sent: dict[Hashable, _Sent], on_report: Callable[[int, Any], None]
    ) -> None:
        by_number = {one.errand.number: one for one in sent.values()}
        for number, report in self.machines.heard():
            if number in by_number:  # not of one that was given up before
                by_number[number].reports += 1
                on_report(by_number[number].index, report)


def _taken(task: Task) -> str:
    return (
        f"{task.writes} is being written by another process; wait for it, or give this "
        f"one another --name."
    )


def _taken_in(one: _Sent, returned: Returned) -> Outcome:
    """Writes what came back of a task where it belongs; returns how it ended."""
    task = one.task
    try:
        if task.writes is not None and returned.content is not None:
            unpack(returned.content, task.writes.parent, KEPT)
            if one.errand.attempts is not None:
                shutil.rmtree(one.errand.attempts, ignore_errors=True)
        elif returned.log:
            task.log.parent.mkdir(parents=True, exist_ok=True)
            with task.log.open("ab") as log:
                log.write(returned.log)
    except (OSError, KeyError, tarfile.TarError) as error:
        return Outcome(
            one.index, error=f"done by {returned.node}, could not be kept: {error}"
        )
    return Outcome(one.index, returned.value, _error_here(task, returned))


def _error_here(task: Task, returned: Returned) -> str | None:
    """Returns an error with the places of this machine, and the name of the other."""
    if returned.error is None:
        return None
    said = returned.error
    for there, here in zip(returned.roots, _roots(task), strict=False):
        said = said.replace(there, str(here))
    return f"{said} [{returned.node}]" if returned.node else said


def _roots(task: Task) -> list[Path]:
    """Returns where a task's paths are: what it reads, what it writes, its log."""
    return [*task.reads, *([] if task.writes is None else [task.writes]), task.log]


def _bring_unfinished(one: _Sent) -> None:
    """Takes what a shared folder has of a task that was given up, to be gone on with.

    What cannot be had stays there, and the task begins as it did before.
    """
    attempts, writes = one.errand.attempts, one.task.writes
    if attempts is None or writes is None:
        return
    for _ in range(TRIES):
        with contextlib.suppress(OSError, KeyError, tarfile.TarError):
            if (last := last_attempt(attempts, writes.name)) is not None:
                unpack(pack(last, (LOCK_FILE,), COMPLETE_FILE), writes.parent, KEPT)
            shutil.rmtree(attempts, ignore_errors=True)
            return
        time.sleep(PAUSE)  # one that is being ended may yet write


def _state(path: Path) -> Iterator[tuple[str, int, int]]:
    """Yields what tells that a file or folder has changed."""
    for one in sorted(path.rglob("*")) if path.is_dir() else [path]:
        about = one.stat()
        yield str(one), about.st_size, about.st_mtime_ns

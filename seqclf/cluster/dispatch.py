"""Sends tasks to other machines, and takes in what comes back."""

from __future__ import annotations

import contextlib
import itertools
import math
import platform
import shutil
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

from seqclf.cluster.errand import (
    Errand,
    Returned,
    environment_here,
    unfinished,
    versions_here,
)
from seqclf.cluster.parcels import digest_of, pack, pickled, unpack
from seqclf.engine import Outcome, Task
from seqclf.marker import COMPLETE_FILE, LOCK_FILE, LOG_FILE, MARKER_FILE
from seqclf.system import try_lock

KEPT = frozenset((LOCK_FILE, MARKER_FILE, LOG_FILE))
PAUSE = 0.2  # seconds between two looks for reports
GRACE = 30.0  # seconds for what was cut off at a deadline to come back


class LostError(Exception):
    """An errand that no machine brought to an end."""


class Machines(Protocol):
    """A way to other machines. Handles are what `submit` returns."""

    @property
    def asked_jobs(self) -> int | None:
        """Most errands at a time; None for as many as there is room for."""

    @property
    def shared(self) -> Path | None:
        """A folder that all have, for unfinished work to outlive a machine."""

    def room(self) -> int:
        """Returns for how many errands there is room, as far as can be told."""

    def put(self, content: bytes) -> Any:
        """Keeps bytes where all machines can have them, and returns their name."""

    def submit(self, errand: Errand, contents: Sequence[Any]) -> Hashable:
        """Sends an errand, with the names of what it reads; returns at once."""

    def done(self, handles: Sequence[Hashable], seconds: float) -> list[Hashable]:
        """Returns those that have ended, after so many seconds at most."""

    def returned(self, handle: Hashable) -> Returned:
        """Returns what came back, once; raises LostError if nothing will."""

    def heard(self) -> list[tuple[int, Any]]:
        """Returns the reports since the last time, with the errands' numbers."""

    def leave_out(self, returned: Returned) -> None:
        """Sends nothing more to a machine that refused, and says so."""

    def cancel(self, handles: Sequence[Hashable]) -> None:
        """Ends errands, wherever they are."""

    def close(self) -> None:
        """Leaves the machines; nothing of ours stays at work there."""


@dataclass(frozen=True, slots=True)
class _Sent:
    index: int
    task: Task
    errand: Errand


@dataclass(slots=True)
class Dispatcher:
    """Runs tasks on other machines; an `engine.Cluster`.

    Attributes:
      machines: The way there.
      jobs: Tasks at a time, as far as can be told.
      threads: Threads that a task may use.
    """

    machines: Machines
    jobs: int
    threads: int
    _put: dict[tuple[object, ...], tuple[str, Any]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def run(
        self,
        tasks: Sequence[Task],
        on_report: Callable[[int, Any], None],
        deadline: float = math.inf,
    ) -> Iterator[Outcome]:
        """Runs tasks, see `engine.run_tasks`; all are sent out that there is room for.

        The folder that a task writes is locked here meanwhile, and filled when it comes
        back, whole. At the deadline unfinished work comes back, too, to be gone on
        with; however the caller leaves before, it is given up.
        """
        waiting = dict(enumerate(tasks))
        sent: dict[Hashable, _Sent] = {}
        begun, ends = time.monotonic(), deadline + GRACE
        with contextlib.ExitStack() as stack:
            locks = _Locks(stack)
            stack.callback(lambda: self.machines.cancel(list(sent)))
            while waiting or sent:
                if time.monotonic() >= (ends if sent else deadline):
                    break
                if time.monotonic() < deadline:
                    yield from self._send(waiting, sent, locks, begun, deadline)
                done = self.machines.done(list(sent), PAUSE)
                self._report(sent, on_report)
                for handle in done:
                    one = sent.pop(handle)
                    returned = self._returned(handle)
                    if returned.refused:
                        self.machines.leave_out(returned)
                        waiting[one.index] = one.task
                        continue
                    outcome = _taken_in(one, returned)
                    locks.free(one.task)
                    if not returned.is_cut:
                        yield outcome

    def _send(
        self,
        waiting: dict[int, Task],
        sent: dict[Hashable, _Sent],
        locks: _Locks,
        begun: float,
        deadline: float,
    ) -> Iterator[Outcome]:
        """Sends what there is room for; yields what cannot be sent."""
        most = self.machines.asked_jobs or math.inf
        for index, task in list(waiting.items()):
            if len(sent) >= most:
                return
            try:
                if not locks.take(task):
                    if time.monotonic() >= begun + task.patience:
                        del waiting[index]
                        yield Outcome(index, error=_taken(task))
                    continue
                errand, contents = self._errand(task, deadline)
                handle = self.machines.submit(errand, contents)
            except OSError as error:
                del waiting[index]
                yield Outcome(index, error=f"could not be sent: {error}")
            else:
                del waiting[index]
                sent[handle] = _Sent(index, task, errand)

    def _errand(self, task: Task, deadline: float) -> tuple[Errand, list[Any]]:
        put = [self._content(path) for path in task.reads]
        existing, name = None, None
        if task.writes is not None:
            name = task.writes.name
            if task.writes.is_dir():
                existing = pack(task.writes, (LOCK_FILE,), COMPLETE_FILE)
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
            self.machines.shared,
            _key(task),
            versions_here(),
            environment_here(),
            None if left == math.inf else time.time() + left,
        )
        return errand, [content for _, content in put]

    def _content(self, path: Path) -> tuple[str, Any]:
        """Returns the digest of what is read, and its name where all can have it."""
        known = (path, *_sizes(path))
        if known not in self._put:
            content = pack(path)
            self._put[known] = digest_of(content), self.machines.put(content)
        return self._put[known]

    def _report(
        self, sent: dict[Hashable, _Sent], on_report: Callable[[int, Any], None]
    ) -> None:
        by_number = {one.errand.number: one.index for one in sent.values()}
        for number, report in self.machines.heard():
            if number in by_number:  # not of one that was given up before
                on_report(by_number[number], report)

    def _returned(self, handle: Hashable) -> Returned:
        try:
            return self.machines.returned(handle)
        except LostError as error:
            return Returned("", error=str(error))


class _Locks:
    """The folders that tasks write, locked for this process, until they are freed."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self._held: dict[Path, IO[Any]] = {}

    def take(self, task: Task) -> bool:
        """Locks what a task writes; returns whether it is ours."""
        if task.writes is None or task.writes in self._held:
            return True
        task.writes.mkdir(parents=True, exist_ok=True)
        file = (task.writes / LOCK_FILE).open("w")
        if not try_lock(file):
            file.close()
            return False
        self._held[task.writes] = self._stack.enter_context(file)
        self._stack.callback(_remove_if_empty, task.writes)
        return True

    def free(self, task: Task) -> None:
        """Lets go of what a task has written."""
        if task.writes is not None and task.writes in self._held:
            self._held.pop(task.writes).close()


def _remove_if_empty(folder: Path) -> None:
    """Removes a folder in which there is nothing but the lock of an unfinished task."""
    with contextlib.suppress(OSError):
        if [one.name for one in folder.iterdir()] == [LOCK_FILE]:
            (folder / LOCK_FILE).unlink()
            folder.rmdir()


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
            if one.errand.shared is not None:
                done = unfinished(one.errand.shared, one.errand.key)
                shutil.rmtree(done, ignore_errors=True)
        elif returned.log:
            task.log.parent.mkdir(parents=True, exist_ok=True)
            with task.log.open("ab") as log:
                log.write(returned.log)
    except OSError as error:
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


def _key(task: Task) -> str:
    """Returns what the work is called in a shared folder: the same another time."""
    where = (task.writes or task.log).resolve()
    return digest_of(f"{platform.node()}:{where}".encode())


def _sizes(path: Path) -> Iterator[tuple[str, int, int]]:
    """Yields what tells that a file or folder has changed."""
    for one in sorted(path.rglob("*")) if path.is_dir() else [path]:
        about = one.stat()
        yield str(one), about.st_size, about.st_mtime_ns

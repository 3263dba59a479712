"""Runs tasks in processes of their own; knows nothing of training."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Protocol, cast

from seqclf.errors import SeqclfError
from seqclf.system import PLACE_VARIABLE, can_fork, signal_name

_forks = False  # see `fork_from`
SAFE_PATH = "PYTHONSAFEPATH"  # see `python --help-env`
Report = Callable[[Any], None]  # receives the progress, as any record
LESS_MEMORY = "fewer at a time (--jobs 1) or smaller batches (--batch-size) need less"


@dataclass(frozen=True, slots=True)
class Task:
    """A call for another process to make.

    Attributes:
      function: An importable function of (argument, report), not of the main module;
        what it returns and what it reports must be plain values that can be pickled.
      argument: Its argument.
      log: File for what libraries write to the standard streams meanwhile.
      less_memory: What would need less memory, told where that runs out.
      kind: Tasks of one kind may be done in one process, one after the other, so that
        it does once what is the same for all. None: in a process of its own.
      reads: The files and folders that the argument names, for another machine to have
        them: outside of these and of `writes` it names none.
      writes: The folder that the task fills, in which one process at a time works.
      patience: Seconds to wait for another process that works in it.
    """

    function: Callable[[Any, Report], Any]
    argument: Any
    log: Path
    less_memory: str = LESS_MEMORY
    kind: str | None = None
    reads: tuple[Path, ...] = ()
    writes: Path | None = None
    patience: float = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a task ended.

    Attributes:
      index: Its place among the tasks.
      value: What it returned, None if it failed.
      error: Why it failed, None if it did not.
    """

    index: int
    value: Any = None
    error: str | None = None


class Cluster(Protocol):
    """Other machines that do tasks, see `seqclf.cluster`."""

    @property
    def jobs(self) -> int:
        """Tasks at a time, as far as can be told: machines come and go."""

    @property
    def threads(self) -> int:
        """Threads that a task may use."""

    def run(
        self,
        tasks: Sequence[Task],
        on_report: Callable[[int, Any], None],
        deadline: float,
    ) -> Iterator[Outcome]:
        """Runs tasks as `run_tasks` does, each in a process of its own."""


@dataclass(frozen=True, slots=True)
class _Running:
    """A task under way: its number, its process and its place, and itself."""

    index: int
    process: BaseProcess
    place: int
    task: Task


def run_tasks(
    tasks: Sequence[Task],
    jobs: int = 1,
    on_report: Callable[[int, Any], None] = lambda index, report: None,
    deadline: float = math.inf,
    cluster: Cluster | None = None,
) -> Iterator[Outcome]:
    """Runs tasks, at most `jobs` at a time, in processes of their own.

    A process goes on with the next task of its kind. A free place takes a kind that no
    process is busy with, so as to begin none twice; then it helps with the others, and
    tasks of no kind come last. A task that raises, crashes or is killed ends as a
    failed outcome and its process with it; the others continue. However the caller
    leaves this iterator, no process stays behind.

    Args:
      tasks: What to do, begun in this order as far as kinds allow.
      jobs: Processes at a time.
      on_report: Called with the task's index and each of its reports.
      deadline: When to stop, by `time.monotonic`: tasks that are not done by then are
        ended, and have no outcome.
      cluster: Machines that do them in place of this one, as many as they can.

    Yields:
      Outcomes as they come.
    """
    if cluster is not None:
        yield from cluster.run(tasks, on_report, deadline)
        return
    waiting = dict(enumerate(tasks))
    running: dict[Connection, _Running] = {}
    places = [*range(jobs)]
    try:
        while (waiting or running) and time.monotonic() < deadline:
            while waiting and len(running) < jobs:
                index = _next(waiting, {one.task.kind for one in running.values()})
                task = waiting.pop(index)
                place = min(places)
                places.remove(place)
                connection, process = _start(task, place)
                running[connection] = _Running(index, process, place, task)
            left = None if deadline == math.inf else deadline - time.monotonic()
            for ready in cast(list[Connection], wait(list(running), left)):
                one = running[ready]
                outcome = _receive(ready, one, on_report)
                if outcome is None:
                    continue
                follower = None if outcome.error else _follow(ready, one, waiting)
                if follower is None:
                    places.append(running.pop(ready).place)
                else:
                    running[ready] = follower
                yield outcome
    finally:
        for connection, one in running.items():
            _stop(connection, one.process)


def fork_from(module: str) -> None:
    """Lets the processes of tasks begin with a module that is imported once for all.

    They are forked from one process, which imports it and does nothing else; it begins
    with the first task and ends with this process. For commands that run many tasks: a
    program of somebody else may have a use of its own for the one fork server that
    Python gives it. Elsewhere, and where nothing should be forked, each process is
    begun anew and imports what it needs.

    Args:
      module: Its name. It raises nothing but an ImportError, which changes nothing.
    """
    global _forks
    _forks = can_fork()
    if _forks:
        multiprocessing.get_context("forkserver").set_forkserver_preload([module])


def _next(waiting: Mapping[int, Task], busy: Set[str | None]) -> int:
    """Returns which task a free place takes, see `run_tasks`."""
    with_kind = {i: task for i, task in waiting.items() if task.kind is not None}
    among = with_kind or waiting
    free = (i for i, task in among.items() if task.kind not in busy)
    return next(free, next(iter(among)))


def _follow(
    connection: Connection, one: _Running, waiting: dict[int, Task]
) -> _Running | None:
    """Gives a process that has done its task the next of its kind, or lets it end."""
    kind = one.task.kind
    same = (i for i, task in waiting.items() if kind is not None and task.kind == kind)
    index = next(same, None)
    if index is not None:
        waiting[index].log.parent.mkdir(parents=True, exist_ok=True)  # as in `_start`
    try:
        connection.send(None if index is None else waiting[index])
    except OSError:  # it has ended, as one does whose task has a process of its own
        index = None
    if index is None:
        one.process.join()
        connection.close()
        return None
    return _Running(index, one.process, one.place, waiting.pop(index))


def _start(task: Task, place: int) -> tuple[Connection, BaseProcess]:
    task.log.parent.mkdir(parents=True, exist_ok=True)  # here a refusal is an error
    is_forked = _forks and _has_server()
    context: Any = multiprocessing.get_context("forkserver" if is_forked else "spawn")
    ours, theirs = context.Pipe()
    # Of a fork server it would have the environment that was when that began.
    environment = dict(os.environ) | {PLACE_VARIABLE: str(place)}
    asked = (task, environment, theirs)
    process = context.Process(target=_serve, args=asked, daemon=True)
    # Ctrl-C reaches the whole group; only the parent shall act on it. The child
    # inherits that the signal is ignored, from its first instruction on; of the fork
    # server where there is one, for which this waits as long as it imports.
    quietly = contextlib.nullcontext if is_forked else _ignoring_interrupts
    with _hiding_the_script(), quietly():
        process.start()
    theirs.close()
    return ours, process


def _has_server() -> bool:
    """Starts the fork server unless it runs; returns whether there is one."""
    from multiprocessing.forkserver import ensure_running  # Windows has none

    try:
        with _ignoring_interrupts(), _safe_path():
            ensure_running()
    except OSError:  # the path of a temporary folder may be too long for a socket
        return False
    return True


@contextlib.contextmanager
def _safe_path() -> Iterator[None]:
    """Keeps a program that is begun with -c from the modules of the current folder.

    There may be somebody's random.py.
    """
    before = os.environ.get(SAFE_PATH)
    os.environ[SAFE_PATH] = "1"
    try:
        yield
    finally:
        del os.environ[SAFE_PATH]
        if before is not None:
            os.environ[SAFE_PATH] = before


@contextlib.contextmanager
def _ignoring_interrupts() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _hiding_the_script() -> Iterator[None]:
    """Makes the main module look as it does in a notebook, without a file.

    A spawned process otherwise runs the file of the main module again, to find there
    what it was sent. Tasks are never defined there, and a script without `if __name__
    == "__main__"` would begin its trainings again in each child.
    """
    main: dict[str, Any] = vars(sys.modules["__main__"])
    names = [name for name in ("__file__", "__spec__") if name in main]
    kept: dict[str, Any] = {name: main.pop(name) for name in names}
    main["__spec__"] = None
    try:
        yield
    finally:
        main.update(kept)


def _receive(
    connection: Connection, one: _Running, on_report: Callable[[int, Any], None]
) -> Outcome | None:
    try:
        kind, value = connection.recv()
    except (EOFError, ConnectionError):
        one.process.join()
        connection.close()
        return Outcome(one.index, error=_death(one.process.exitcode, one.task))
    if kind == "report":
        on_report(one.index, value)
        return None
    if kind == "error":  # with which it ends
        one.process.join()
        connection.close()
    return Outcome(one.index, **{kind: value})


def _death(exit_code: int | None, task: Task) -> str:
    if exit_code is not None and exit_code < 0:
        name = signal_name(-exit_code)
        if name == "SIGKILL":
            why = "killed (SIGKILL), most often because memory ran out"
            return f"{why}; {task.less_memory}"
        return f"crashed ({name}; see {task.log})"
    return f"ended without a result (exit code {exit_code}; see {task.log})"


def _is_of_memory(error: Exception) -> bool:
    """Tells whether memory ran out; TensorFlow has its own class for that."""
    names = {one.__name__ for one in type(error).__mro__}
    return not names.isdisjoint({"MemoryError", "ResourceExhaustedError"})


def _stop(connection: Connection, process: BaseProcess) -> None:
    process.terminate()
    process.join(timeout=5)
    if process.is_alive():
        process.kill()
        process.join()
    connection.close()


def _serve(first: Task, environment: Mapping[str, str], connection: Connection) -> None:
    """Runs in the child: its first task, and those that come behind it."""
    os.environ.clear()
    os.environ.update(environment)
    told: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, told), daemon=True).start()
    task: Task | None = first
    while task is not None:
        is_done = _work(task, connection)
        task = told.get() if is_done and task.kind is not None else None
    # All is said and written. To take TensorFlow down takes a second and is of no use.
    os._exit(0)


def _work(task: Task, connection: Connection) -> bool:
    """Does a task and says how it ended; returns whether it went well."""
    with task.log.open("ab", buffering=0) as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    answer: tuple[str, Any]
    try:
        value = task.function(task.argument, lambda r: connection.send(("report", r)))
    except SeqclfError as error:
        answer = "error", str(error)
    except Exception as error:  # noqa: BLE001 -- one failed task must not end the rest
        with contextlib.suppress(OSError):  # the log's disk may be what is full
            traceback.print_exc()
        said = f"{type(error).__name__}: {error}"
        if _is_of_memory(error):
            said = f"memory ran out; {task.less_memory}"
        answer = "error", f"{said} (see {task.log})"
    else:
        answer = "value", value
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    connection.send(answer)
    return answer[0] == "value"


def _listen(connection: Connection, told: queue.SimpleQueue[Task | None]) -> None:
    try:
        while True:
            told.put(connection.recv())
    finally:  # above all when the parent ends, and with it what can be read
        os._exit(1)

"""Runs tasks in processes of their own; knows nothing of training."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from seqclf.errors import SeqclfError
from seqclf.system import signal_name

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
    """

    function: Callable[[Any, Report], Any]
    argument: Any
    log: Path
    less_memory: str = LESS_MEMORY


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


@dataclass(frozen=True, slots=True)
class _Running:
    """A task under way: its place among the tasks, its process, and itself."""

    index: int
    process: BaseProcess
    task: Task


def run_tasks(
    tasks: Sequence[Task],
    jobs: int = 1,
    on_report: Callable[[int, Any], None] = lambda index, report: None,
    deadline: float = math.inf,
) -> Iterator[Outcome]:
    """Runs tasks, at most `jobs` at a time, each in a fresh process.

    A task that raises, crashes or is killed ends as a failed outcome, and the others
    continue. However the caller leaves this iterator, no process stays behind.

    Args:
      tasks: What to do, begun in this order.
      jobs: Processes at a time.
      on_report: Called with the task's index and each of its reports.
      deadline: When to stop, by `time.monotonic`: tasks that are not done by then are
        ended, and have no outcome.

    Yields:
      Outcomes as they come.
    """
    waiting = list(enumerate(tasks))[::-1]
    running: dict[Connection, _Running] = {}
    try:
        while (waiting or running) and time.monotonic() < deadline:
            while waiting and len(running) < jobs:
                index, task = waiting.pop()
                connection, process = _start(task)
                running[connection] = _Running(index, process, task)
            left = None if deadline == math.inf else deadline - time.monotonic()
            for ready in wait(list(running), left):
                one = running[ready]  # type: ignore[index]
                outcome = _receive(ready, one, on_report)  # type: ignore[arg-type]
                if outcome is not None:
                    del running[ready]  # type: ignore[arg-type]
                    yield outcome
    finally:
        for connection, one in running.items():
            _stop(connection, one.process)


def _start(task: Task) -> tuple[Connection, BaseProcess]:
    task.log.parent.mkdir(parents=True, exist_ok=True)  # here a refusal is an error
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(task, theirs), daemon=True)
    # Ctrl-C reaches the whole group; only the parent shall act on it. The child
    # inherits that the signal is ignored, from its first instruction on.
    with _ignoring_interrupts(), _hiding_the_script():
        process.start()
    theirs.close()
    return ours, process


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


def _work(task: Task, connection: Connection) -> None:
    """Runs in the child."""
    threading.Thread(target=_end_with_parent, args=(connection,), daemon=True).start()
    with task.log.open("ab", buffering=0) as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    try:
        value = task.function(task.argument, lambda r: connection.send(("report", r)))
    except SeqclfError as error:
        connection.send(("error", str(error)))
    except Exception as error:  # noqa: BLE001 -- one failed task must not end the rest
        with contextlib.suppress(OSError):  # the log's disk may be what is full
            traceback.print_exc()
        said = f"{type(error).__name__}: {error}"
        if _is_of_memory(error):
            said = f"memory ran out; {task.less_memory}"
        connection.send(("error", f"{said} (see {task.log})"))
    else:
        connection.send(("value", value))
    # All is said and written. To take TensorFlow down takes a second and is of no use.
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)


def _end_with_parent(connection: Connection) -> None:
    # Nothing is ever sent this way: the read ends when the parent does.
    with contextlib.suppress(EOFError, OSError):
        connection.recv()
    os._exit(1)

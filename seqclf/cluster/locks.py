"""Which folders of tasks that are out are locked here meanwhile."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import IO, Any

from seqclf.engine import Task
from seqclf.marker import LOCK_FILE
from seqclf.system import try_lock


class Locks:
    """The folders that tasks write, locked for this process, until they are freed."""

    def __init__(self) -> None:
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
        self._held[task.writes] = file
        return True

    def free(self, task: Task) -> None:
        """Lets go of what a task has written."""
        if task.writes is not None and task.writes in self._held:
            _remove_if_empty(task.writes)
            self._held.pop(task.writes).close()

    def free_all(self) -> None:
        """Lets go of all."""
        for folder, file in self._held.items():
            _remove_if_empty(folder)
            file.close()
        self._held.clear()


def _remove_if_empty(folder: Path) -> None:
    """Removes a folder in which there is nothing but the lock of an unfinished task."""
    with contextlib.suppress(OSError):
        if [one.name for one in folder.iterdir()] == [LOCK_FILE]:
            (folder / LOCK_FILE).unlink()
            folder.rmdir()

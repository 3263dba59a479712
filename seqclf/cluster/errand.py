"""A task on the machine that it was sent to; what is sent, and what comes back."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
import platform
import shutil
import stat
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqclf.cluster.parcels import pack, unpack, unpickled
from seqclf.engine import Task, run_tasks
from seqclf.marker import COMPLETE_FILE, LOCK_FILE
from seqclf.system import NODE_VARIABLE, locked, try_lock
from seqclf.versions import code_digest, package_versions

# Of the environment, what changes numbers or times of a training.
VARIABLES = ("SEQCLF_", "TF_", "KERAS_")
NEVER_SENT = ("SEQCLF_CLUSTER",)
LAST = 20  # reports that come back a second time
PATIENCE = 60.0  # seconds for other errands that begin on this machine
IDLE_DAY = 86_400  # seconds after which data that no task has read is removed


@dataclass(frozen=True, slots=True)
class Errand:
    """A task that is sent out.

    Attributes:
      number: What its reports are told by.
      task: The task, see `parcels.pickled`; the roots are what it reads, the folder
        that it writes, if any, and its log.
      reads: Of what it reads the digest and the name, in that order.
      writes: The name of the folder that it writes, None if it writes none.
      existing: What is in that folder already, packed; None if it is not there.
      attempts: In a folder that all machines have: where unfinished work of this errand
        outlives a machine, in a folder for each attempt; None if there is none.
      versions: Of the machine that sends it, see `versions_here`.
      environment: Variables that matter, see `VARIABLES`.
      gpus: GPUs that it may use, see `Asked`.
      seconds: After how many it is to end unfinished; None never.
    """

    number: int
    task: bytes
    reads: tuple[tuple[str, str], ...]
    writes: str | None
    existing: bytes | None
    attempts: Path | None
    versions: Mapping[str, str]
    environment: Mapping[str, str]
    gpus: float = 0.0
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Returned:
    """What comes back of an errand.

    Attributes:
      node: The machine, as its people call it.
      value: What the task returned.
      error: Why it failed; of neither value nor error, `is_cut` tells why.
      content: The folder that it wrote, packed.
      log: What libraries wrote meanwhile, of a task that writes no folder.
      refused: Why the machine is not fit for any errand, so that nothing was done:
        other versions, a full disk.
      reports: How many reports there were, and the last `LAST` of them, for those that
        were lost on their way.
      is_cut: Whether its time was over.
      roots: Where the machine had what the task read and wrote, and its log: an error
        names these.
    """

    node: str
    value: Any = None
    error: str | None = None
    content: bytes | None = None
    log: bytes = b""
    refused: str = ""
    is_cut: bool = False
    reports: tuple[int, tuple[Any, ...]] = (0, ())
    roots: tuple[str, ...] = ()


def versions_here() -> dict[str, str]:
    """Returns what must be equal on all machines, by name."""
    own = {"python": platform.python_version(), "code of seqclf": code_digest()}
    return package_versions() | own


def environment_here() -> dict[str, str]:
    """Returns the variables of the environment that matter to a task."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith(VARIABLES) and name not in NEVER_SENT
    }


def differing(versions: Mapping[str, str]) -> str:
    """Returns in what this machine differs from such versions; "" if in nothing."""
    try:
        here: Mapping[str, str] = versions_here()
    except ImportError as error:
        return str(error)
    return ", ".join(
        f"{name} {here.get(name, 'none')} in place of {wanted}"
        for name, wanted in versions.items()
        if here.get(name) != wanted
    )


def node() -> str:
    """Returns what this machine is called, by Slurm if that is there."""
    named = os.environ.get("SLURMD_NODENAME") or platform.node()
    return named or "a machine without a name"


def perform(
    errand: Errand, contents: Sequence[bytes], tell: Callable[[Any], None]
) -> Returned:
    """Does an errand in a process of its own, as on the machine that sent it.

    Args:
      errand: What to do.
      contents: What it reads, packed, in the order of `Errand.reads`.
      tell: Receives the task's reports.
    """
    if told := differing(errand.versions):
        return Returned(node(), refused=f"it has {told}")
    os.environ.update({**errand.environment, **_of_gpus(errand.gpus)})
    os.environ[NODE_VARIABLE] = node()
    begun = time.monotonic()
    with contextlib.ExitStack() as stack:
        try:
            own = stack.enter_context(_workshop())
            reads = [
                _unpacked(digest, name, content)
                for (digest, name), content in zip(errand.reads, contents, strict=True)
            ]
            writes = _begun(errand, own)
        except OSError as error:  # a full disk, above all
            return Returned(node(), refused=str(error))
        ends = begun + (math.inf if errand.seconds is None else errand.seconds)
        try:
            return _perform(errand, reads, writes, own / "log.txt", tell, ends)
        except OSError as error:
            return Returned(node(), error=str(error))


def _of_gpus(gpus: float) -> dict[str, str]:
    """Returns the variables that give a training its share of GPUs.

    Ray leaves all of a machine's to those that asked for none. One that shares a GPU
    must not take all of its memory at once.
    """
    if gpus == 0:
        return {"CUDA_VISIBLE_DEVICES": "-1"}
    return {"TF_FORCE_GPU_ALLOW_GROWTH": "true"} if gpus < 1 else {}


def _perform(
    errand: Errand,
    reads: Sequence[Path],
    writes: Path | None,
    log: Path,
    tell: Callable[[Any], None],
    ends: float,
) -> Returned:
    roots = [*reads, *([] if writes is None else [writes]), log]
    task: Task = dataclasses.replace(unpickled(errand.task, roots), kind=None)
    count, last = 0, deque[Any](maxlen=LAST)

    def hear(_: int, report: Any) -> None:
        nonlocal count
        count += 1
        last.append(report)
        tell(report)

    running = run_tasks([task], on_report=hear, deadline=ends)
    outcome = next(iter([*running]), None)
    content = None
    if writes is not None and writes.is_dir():
        content = pack(writes, without=(LOCK_FILE,), last=COMPLETE_FILE)
    return Returned(
        node(),
        outcome.value if outcome else None,
        outcome.error if outcome else None,
        content,
        log.read_bytes() if log.exists() else b"",
        is_cut=outcome is None,
        reports=(count, tuple(last)),
        roots=tuple(map(str, roots)),
    )


def _begun(errand: Errand, own: Path) -> Path | None:
    """Returns the folder that a task writes, with what there was of it already.

    In the shared folder that is what the last machine left which tried. Each attempt
    has a folder of its own: one that is only thought to be dead writes in another.
    """
    if errand.writes is None:
        return None
    last, parent = None, own
    if errand.attempts is not None:
        errand.attempts.mkdir(parents=True, exist_ok=True)
        last = last_attempt(errand.attempts, errand.writes)
        parent = Path(tempfile.mkdtemp(dir=errand.attempts))
    writes = parent / errand.writes
    if last is not None:
        shutil.copytree(last, writes, ignore=shutil.ignore_patterns(LOCK_FILE))
    elif errand.existing is not None:
        unpack(errand.existing, parent)
    return writes


def last_attempt(attempts: Path, name: str) -> Path | None:
    """Returns the folder that the last machine left which tried; None if there is none.

    It is the one in which something was written last.
    """
    there = [one / name for one in attempts.glob("*") if (one / name).is_dir()]
    return max(there, key=lambda one: one.stat().st_mtime, default=None)


def scratch() -> Path:
    """Returns where this machine keeps what it was sent, for this user alone.

    Raises:
      PermissionError: If another user made a folder or a link of that name.
    """
    owner = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
    name = f"seqclf-cluster-{owner}-{node()}".replace(os.sep, "-")
    path = Path(tempfile.gettempdir()) / name
    path.mkdir(mode=0o700, exist_ok=True)
    about = path.lstat()
    if hasattr(os, "getuid") and (
        not stat.S_ISDIR(about.st_mode) or about.st_uid != owner or about.st_mode & 0o77
    ):
        raise PermissionError(f"{path} is not a folder of this user alone")
    return path


@contextlib.contextmanager
def _workshop() -> Iterator[Path]:
    """Makes a folder for one errand, and removes those of which a process died."""
    place = scratch() / "work"
    place.mkdir(exist_ok=True)
    # One at a time, or a folder might be removed between its making and its locking.
    busy = TimeoutError(f"{place} is locked by another process")
    with contextlib.ExitStack() as stack:
        with locked(place.with_suffix(".lock"), busy, patience=PATIENCE):
            for old in place.iterdir():
                _remove_dead(old)
            own = Path(tempfile.mkdtemp(dir=place))
            stack.callback(shutil.rmtree, own, ignore_errors=True)
            try_lock(stack.enter_context((own / LOCK_FILE).open("w")))
        yield own


def _remove_dead(old: Path) -> None:
    """Removes the folder of an errand whose process died.

    Not at once: where files cannot be locked, a living one looks the same.
    """
    with contextlib.suppress(OSError):
        if old.stat().st_mtime > time.time() - IDLE_DAY:
            return
        with (old / LOCK_FILE).open("r+") as file:
            if try_lock(file):
                shutil.rmtree(old, ignore_errors=True)


def _unpacked(digest: str, name: str, content: bytes) -> Path:
    """Returns where data is that was sent, unpacked once on each machine."""
    place = scratch() / "data"
    place.mkdir(exist_ok=True)
    here = place / digest
    with contextlib.suppress(FileNotFoundError):
        os.utime(here)
    for old in place.iterdir():
        with contextlib.suppress(OSError):
            if old.stat().st_mtime < time.time() - IDLE_DAY:
                shutil.rmtree(old, ignore_errors=True)
    if not here.exists():
        partial = Path(tempfile.mkdtemp(dir=place))
        try:
            unpack(content, partial)
            with contextlib.suppress(OSError):  # another task may have been faster
                partial.rename(here)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return here / name

"""A task on the machine that it was sent to; what is sent, and what comes back."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
import platform
import shutil
import tempfile
import time
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
      shared: A folder that all machines have, for unfinished work to outlive one.
      key: What the work is called there.
      versions: Of the machine that sends it, see `versions_here`.
      environment: Variables that matter, see `VARIABLES`.
      ends: When it is to end unfinished, in seconds since 1970; None never.
    """

    number: int
    task: bytes
    reads: tuple[tuple[str, str], ...]
    writes: str | None
    existing: bytes | None
    shared: Path | None
    key: str
    versions: Mapping[str, str]
    environment: Mapping[str, str]
    ends: float | None = None


@dataclass(frozen=True, slots=True)
class Returned:
    """What comes back of an errand.

    Attributes:
      node: The machine, as its people call it.
      value: What the task returned.
      error: Why it failed; of neither value nor error, `is_cut` tells why.
      content: The folder that it wrote, packed.
      log: What libraries wrote meanwhile, of a task that writes no folder.
      refused: In which versions the machine differs, so that nothing was done.
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
    """Returns what this machine is called."""
    return platform.node() or "a machine without a name"


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
        return Returned(node(), refused=told)
    os.environ.update(errand.environment)
    os.environ[NODE_VARIABLE] = node()
    try:
        with _workshop() as own:
            return _perform(errand, contents, tell, own)
    except OSError as error:  # a full disk, above all
        return Returned(node(), error=f"{node()}: {error}")


def _perform(
    errand: Errand, contents: Sequence[bytes], tell: Callable[[Any], None], own: Path
) -> Returned:
    reads = [
        _unpacked(digest, name, content)
        for (digest, name), content in zip(errand.reads, contents, strict=True)
    ]
    writes = _begun(errand, own)
    log = own / "log.txt"
    roots = [*reads, *([] if writes is None else [writes]), log]
    task: Task = dataclasses.replace(unpickled(errand.task, roots), kind=None)
    left = math.inf if errand.ends is None else errand.ends - time.time()
    running = run_tasks(
        [task], on_report=lambda _, one: tell(one), deadline=time.monotonic() + left
    )
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
        roots=tuple(map(str, roots)),
    )


def _begun(errand: Errand, own: Path) -> Path | None:
    """Returns the folder that a task writes, with what there was of it already.

    In the shared folder that is what the last machine left which tried.
    """
    if errand.writes is None:
        return None
    parent = own
    if errand.shared is not None:
        parent = unfinished(errand.shared, errand.key)
        parent.mkdir(parents=True, exist_ok=True)
    writes = parent / errand.writes
    if errand.existing is not None and not writes.exists():
        unpack(errand.existing, parent)
    return writes


def unfinished(shared: Path, key: str) -> Path:
    """Returns where the unfinished work of an errand is in a shared folder."""
    return shared / "unfinished" / key


def scratch() -> Path:
    """Returns where this machine keeps what it was sent."""
    owner = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
    path = Path(tempfile.gettempdir()) / f"seqclf-cluster-{owner}"
    path.mkdir(mode=0o700, exist_ok=True)
    if hasattr(os, "getuid") and path.stat().st_uid != owner:
        raise PermissionError(f"{path} belongs to another user")
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
                with contextlib.suppress(OSError), (old / LOCK_FILE).open("w") as file:
                    if try_lock(file):
                        shutil.rmtree(old, ignore_errors=True)
            own = Path(tempfile.mkdtemp(dir=place))
            stack.callback(shutil.rmtree, own, ignore_errors=True)
            try_lock(stack.enter_context((own / LOCK_FILE).open("w")))
        yield own


def _unpacked(digest: str, name: str, content: bytes) -> Path:
    """Returns where data is that was sent, unpacked once on each machine."""
    place = scratch() / "data"
    place.mkdir(exist_ok=True)
    for old in place.iterdir():
        with contextlib.suppress(OSError):
            if old.stat().st_mtime < time.time() - IDLE_DAY:
                shutil.rmtree(old, ignore_errors=True)
    here = place / digest
    if not here.exists():
        partial = Path(tempfile.mkdtemp(dir=place))
        try:
            unpack(content, partial)
            with contextlib.suppress(OSError):  # another task may have been faster
                partial.rename(here)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    os.utime(here)
    return here / name

"""What differs from one operating system to the next; nowhere else asks for it."""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import IO, Any

fcntl: ModuleType | None
resource: ModuleType | None
try:
    import fcntl
    import resource
except ImportError:  # Windows has neither
    fcntl = resource = None

DEVICES, PROCESS, GROUPS = Path("/dev"), Path("/proc"), Path("/sys/fs/cgroup")
PLACE_VARIABLE = "SEQCLF_PLACE"  # of a process among those of its command, from 0
NODE_VARIABLE = "SEQCLF_NODE"  # set by a machine that works for another one
ONEDNN_VARIABLE = "TF_ENABLE_ONEDNN_OPTS"
INSTRUCTIONS = ("avx2", "fma", "avx512f", "avx512_bf16", "amx_tile", "asimd", "sve")
# Drivers of NVIDIA, of Windows below its Linux, and of AMD.
GPU_DEVICES = ("nvidia[0-9]*", "dxg", "kfd")


def try_lock(file: IO[Any]) -> bool:
    """Locks an open file for this process alone; a crash, too, lets it go.

    Returns:
      Whether it is ours; not, if another process holds it. Where no files can be
      locked, as on some network drives, everyone gets it.
    """
    if fcntl is None:
        return _windows_lock(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return not isinstance(error, BlockingIOError)
    return True


@contextlib.contextmanager
def locked(file: Path, refusal: Exception, patience: float = 0) -> Iterator[None]:
    """Makes a file and holds it for this process alone; a crash, too, lets it go.

    Its folder must be there. Raises `refusal` if another process still holds it after
    `patience`, in seconds.
    """
    end = time.monotonic() + patience
    with file.open("w") as held:
        while not try_lock(held):
            if time.monotonic() >= end:
                raise refusal
            time.sleep(0.1)
        yield


def _windows_lock(file: IO[Any]) -> bool:
    try:
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except ImportError:
        return True
    except OSError:
        return False
    return True


def sync(path: Path) -> None:
    """Waits until a file, or the names in a folder, would outlive a power cut.

    Windows opens no folder, and writes a name with its file.
    """
    is_windows = os.name == "nt"
    if is_windows and path.is_dir():
        return
    # Windows takes no descriptor that only reads.
    descriptor = os.open(path, os.O_RDWR if is_windows else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def signal_name(number: int) -> str:
    """Returns the name of a signal, such as SIGKILL; some systems know few."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return "SIGKILL" if number == 9 else f"signal {number}"


def may_have_gpu() -> bool:
    """Tells whether TensorFlow may see a GPU, without loading it.

    Where this says no there is none; where it says yes, TensorFlow has to be asked.
    """
    if os.environ.get("CUDA_VISIBLE_DEVICES", "all").strip() in ("", "-1"):
        return False
    if sys.platform == "darwin":
        with contextlib.suppress(PackageNotFoundError):
            return bool(version("tensorflow-metal"))
    return any(any(DEVICES.glob(pattern)) for pattern in GPU_DEVICES)


def can_fork() -> bool:
    """Tells whether a process may be forked that has imported TensorFlow.

    Its GPU's driver may not be, and macOS forbids it to its own libraries.
    """
    return sys.platform == "linux" and not may_have_gpu()


def cores() -> int:
    """Returns the processors that this process may use, at least 1.

    They are bounded by its affinity and, in a container, by its share of their time: a
    processor of which it has a part counts as one.
    """
    there = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        there = len(os.sched_getaffinity(0))
    return max(min([there, *_shares()]), 1)


def processor() -> str:
    """Returns what decides how numbers are rounded here, as a person reads it.

    The processor's name and kind, its cache, by whose size matrices are cut into
    blocks, those of its instructions that TensorFlow chooses kernels by, and whether
    the environment turned oneDNN off.
    """
    about = dict(_pairs(PROCESS / "cpuinfo"))
    there = about.get("flags", about.get("Features", "")).split()
    name = about.get("model name") or platform.processor() or platform.machine()
    kinds = {"family": "cpu family", "model": "model", "cache": "cache size"}
    parts = [name, *(f"{k} {about[n]}" for k, n in kinds.items() if n in about)]
    parts += [one for one in INSTRUCTIONS if one in there]
    if os.environ.get(ONEDNN_VARIABLE) == "0":
        parts.append("without oneDNN")
    return ", ".join(parts)


def free_memory() -> int | None:
    """Returns the bytes that new processes may take; None where nothing tells."""
    found = [_available()] + [most - used for most, used in _limits()]
    return min((max(n, 0) for n in found if n is not None), default=None)


def total_memory() -> int | None:
    """Returns the bytes of memory that there are for this process, if that is known."""
    found = [_installed()] + [most for most, _ in _limits()]
    return min((n for n in found if n is not None), default=None)


def peak_memory() -> int:
    """Returns the most bytes this process has held in memory; 0 where nothing tells."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        # Not by `resource` on Linux, where it would count the parent's memory too.
        status = (PROCESS / "self" / "status").read_text()
        return 1024 * int(status.split("VmHWM:")[1].split()[0])
    if resource is not None:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return _windows_peak() or 0


def forget_peak() -> None:
    """Lets `peak_memory` count from here on, where the system can: on Linux."""
    with contextlib.suppress(OSError):
        (PROCESS / "self" / "clear_refs").write_text("5")  # see proc(5)


def limit_process(seconds: int, memory: int) -> None:
    """Bounds what this process may take from now on, where the system can.

    Args:
      seconds: Of processor time.
      memory: Bytes of address space; files may have a hundredth of it.
    """
    if resource is None:
        return
    limits = {
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_FSIZE: memory // 100,
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in limits.items():
        with contextlib.suppress(ValueError, OSError):  # a lower one holds already
            resource.setrlimit(kind, (most, most))


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Ends a process begun with `start_new_session`, and what it began itself."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _shares() -> Iterator[int]:
    """Yields for each group that bounds its time how many processors that makes."""
    for folder in _groups("cpu"):
        quota = _numbers(folder / "cpu.max")
        older = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
        quota = quota or [n for name in older for n in _numbers(folder / name)]
        if len(quota) == 2 and min(quota) > 0:
            yield math.ceil(quota[0] / quota[1])


def _limits() -> Iterator[tuple[int, int]]:
    """Yields (most, used) bytes of each group that bounds its memory.

    What files left in memory and the system may drop at once is not counted as used.
    """
    for folder in _groups("memory"):
        for most, used, dropped in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            figures = _numbers(folder / most) + _numbers(folder / used)
            if len(figures) == 2:
                cached = _named(folder / "memory.stat").get(dropped, 0)
                yield figures[0], figures[1] - cached


def _groups(controller: str) -> Iterator[Path]:
    """Yields the folders of the control groups that this process is in.

    From its own up to the topmost, for each may have a bound; in a container only the
    topmost may be there. Version 2 has one tree, version 1 one a controller.
    """
    for line in _lines(PROCESS / "self" / "cgroup"):
        _, controllers, own = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        top = GROUPS / controller if controllers else GROUPS
        place = top / own.strip("/")
        yield place
        if place != top:
            yield from (folder for folder in place.parents if top in folder.parents)
            yield top


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return []


def _pairs(file: Path) -> Iterator[tuple[str, str]]:
    """Yields the names and values of a file with lines such as `name : value`."""
    for line in _lines(file):
        name, _, value = line.partition(":")
        yield name.strip(), value.strip()


def _numbers(file: Path) -> list[int]:
    """Returns the numbers of a file of one line; none if it says `max` or is not."""
    words = " ".join(_lines(file)).split()
    try:
        return [int(word) for word in words]
    except ValueError:
        return []


def _named(file: Path) -> dict[str, int]:
    """Returns the numbers of a file with a name and a number a line."""
    pairs = [line.replace(":", " ").split() for line in _lines(file)]
    return {p[0]: int(p[1]) for p in pairs if len(p) > 1 and p[1].isdigit()}


def _available() -> int | None:
    """Returns the machine's free bytes, with what can be freed at once."""
    kilobytes = _named(PROCESS / "meminfo").get("MemAvailable")
    if kilobytes is not None:
        return 1024 * kilobytes
    if sys.platform == "darwin":
        return _mac_available()
    return _pages("SC_AVPHYS_PAGES") or _windows_memory("available")


def _installed() -> int | None:
    return _pages("SC_PHYS_PAGES") or _windows_memory("total")


def _pages(name: str) -> int | None:
    try:
        return os.sysconf(name) * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _mac_available() -> int | None:
    """Returns the bytes that nobody uses or that macOS may take from who does not."""
    try:
        told = subprocess.run(
            ["/usr/bin/vm_stat"], capture_output=True, text=True, check=True, timeout=10
        ).stdout
        size = int(told.split("page size of ")[1].split()[0])
    except (OSError, subprocess.SubprocessError, IndexError, ValueError):
        return None
    counts = dict(line.split(":") for line in told.splitlines()[1:] if ":" in line)
    kinds = ("Pages free", "Pages inactive", "Pages speculative")
    return size * sum(int(counts.get(kind, "0").strip(" .")) for kind in kinds)


class _MemoryStatus(ctypes.Structure):
    """Windows' MEMORYSTATUSEX."""

    _fields_ = [
        ("length", ctypes.c_uint32), ("load", ctypes.c_uint32),
        ("total", ctypes.c_uint64), ("available", ctypes.c_uint64),
        *((f"other_{i}", ctypes.c_uint64) for i in range(5)),
    ]  # fmt: skip


class _MemoryCounters(ctypes.Structure):
    """Windows' PROCESS_MEMORY_COUNTERS."""

    _fields_ = [
        ("length", ctypes.c_uint32), ("faults", ctypes.c_uint32),
        ("peak", ctypes.c_size_t), *((f"other_{i}", ctypes.c_size_t) for i in range(7)),
    ]  # fmt: skip


def _windows_memory(field: str) -> int | None:
    status = _MemoryStatus()
    return _asked("GlobalMemoryStatusEx", status, field, ctypes.byref(status))


def _windows_peak() -> int | None:
    counters, this_process = _MemoryCounters(), ctypes.c_void_p(-1)
    size = ctypes.sizeof(counters)
    arguments = (this_process, ctypes.byref(counters), size)
    return _asked("K32GetProcessMemoryInfo", counters, "peak", *arguments)


def _asked(function: str, answer: Any, field: str, *arguments: Any) -> int | None:
    """Returns a field of the structure that a function of Windows fills in."""
    libraries = getattr(ctypes, "windll", None)
    answer.length = ctypes.sizeof(answer)
    if libraries is None or not getattr(libraries.kernel32, function)(*arguments):
        return None
    return int(getattr(answer, field))

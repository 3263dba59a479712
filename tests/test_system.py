"""What differs by operating system: containers, macOS, Windows."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from conftest import TINY
from joblib import cpu_count

from seqclf import machine, system
from seqclf.cli.commands import COMMANDS
from seqclf.model import backend

GIB = 2**30


@pytest.fixture
def host(tmp_path, monkeypatch):
    """A machine of 8 processors and 64 GiB, 40 of them free; returns a writer."""
    for name in ("DEVICES", "PROCESS", "GROUPS"):
        monkeypatch.setattr(system, name, tmp_path / name)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)))
    monkeypatch.setattr(system, "_installed", lambda: 64 * GIB)
    kilobytes = 40 * GIB // 1024

    def write(files: dict[str, str]) -> None:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(f"{text}\n")

    write({"PROCESS/meminfo": f"MemTotal: 9 kB\nMemAvailable:   {kilobytes} kB"})
    return write


def test_a_processor_is_named_with_what_decides_how_it_rounds(host, monkeypatch):
    monkeypatch.delenv(system.ONEDNN_VARIABLE, raising=False)
    lines = ("model name\t: X 9", "cpu family\t: 6", "model\t\t: 1",
             "cache size\t: 512 KB", "flags\t\t: fpu fma avx2 aes")  # fmt: skip
    host({"PROCESS/cpuinfo": "\n".join(lines * 2)})
    expected = "X 9, family 6, model 1, cache 512 KB, avx2, fma"
    assert system.processor() == expected
    monkeypatch.setenv(system.ONEDNN_VARIABLE, "0")
    assert system.processor() == f"{expected}, without oneDNN"
    host({"PROCESS/cpuinfo": ""})
    assert system.processor()  # there is always some name


def test_without_groups_the_machine_is_all_there_is(host):
    assert system.cores() == 8
    assert (system.free_memory(), system.total_memory()) == (40 * GIB, 64 * GIB)


# Containers: the group's folder, as `docker run --cpus 1.5 --memory 4g` makes it.
SECOND = {
    "PROCESS/self/cgroup": "0::/",
    "GROUPS/cpu.max": "150000 100000",
    "GROUPS/memory.max": str(4 * GIB),
    "GROUPS/memory.current": str(3 * GIB),
    "GROUPS/memory.stat": f"anon {GIB}\ninactive_file {2 * GIB}",
}
# The same by version 1, which names the folder outside, where nobody in it can look.
FIRST = {
    "PROCESS/self/cgroup": "4:memory:/docker/0f\n2:cpu,cpuacct:/docker/0f\n0::/x",
    "GROUPS/cpu/cpu.cfs_quota_us": "150000",
    "GROUPS/cpu/cpu.cfs_period_us": "100000",
    "GROUPS/memory/memory.limit_in_bytes": str(4 * GIB),
    "GROUPS/memory/memory.usage_in_bytes": str(3 * GIB),
    "GROUPS/memory/memory.stat": f"inactive_file 5\ntotal_inactive_file {2 * GIB}",
}


@pytest.mark.parametrize("files", [SECOND, FIRST], ids=["second", "first"])
def test_a_container_has_what_it_was_given(files, host):
    host(files)
    assert system.cores() == 2
    # Of 3 GiB in use 2 are files that were read, which give way.
    assert (system.free_memory(), system.total_memory()) == (3 * GIB, 4 * GIB)


@pytest.mark.parametrize(
    "files",
    [
        {"GROUPS/cpu.max": "max 100000", "GROUPS/memory.max": "max",
         "GROUPS/memory.current": "5", "PROCESS/self/cgroup": "0::/"},
        {"PROCESS/self/cgroup": "4:memory:/\n2:cpu:/", "GROUPS/cpu/cpu.cfs_quota_us":
         "-1", "GROUPS/cpu/cpu.cfs_period_us": "100000"},
        {"PROCESS/self/cgroup": "0::/gone"},
    ],
    ids=["second", "first", "gone"],
)  # fmt: skip
def test_a_group_without_bounds_bounds_nothing(files, host):
    host(files)
    assert (system.cores(), system.free_memory()) == (8, 40 * GIB)


def test_a_service_s_bounds_may_stand_further_up(host):
    above = "GROUPS/system.slice"
    host(
        {
            "PROCESS/self/cgroup": "0::/system.slice/mine.service",
            "GROUPS/system.slice/mine.service/cpu.max": "max 100000",
            f"{above}/cpu.max": "300000 100000",
            f"{above}/memory.max": str(2 * GIB),
            f"{above}/memory.current": str(3 * GIB),  # for a moment that may be
        }
    )
    assert (system.cores(), system.free_memory()) == (3, 0)


def test_cores_of_this_machine_are_those_that_joblib_counts():
    assert system.cores() == cpu_count()


def test_the_memory_of_this_machine_is_told():
    assert 0 < system.free_memory() < system.total_memory() < 2**50
    assert 10**7 < system.peak_memory() < system.total_memory()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone forgets a peak")
def test_the_peak_of_what_is_over_can_be_forgotten():
    held = bytearray(300_000_000)
    held[::4096] = bytes(1) * len(held[::4096])
    before = system.peak_memory()
    del held
    assert system.peak_memory() > before - 10_000_000
    system.forget_peak()
    assert system.peak_memory() < before - 200_000_000


def test_what_is_not_known_does_not_make_one_job_of_many(monkeypatch):
    monkeypatch.setattr(machine, "free_memory", lambda: None)
    monkeypatch.setattr(machine, "total_memory", lambda: None)
    monkeypatch.setattr(machine, "cores", lambda: 4)
    assert (machine.jobs_for(9), machine.jobs_for(3)) == (4, 3)
    assert machine.memory() == "unknown on this system"


VM_STAT = """Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                               10000.
Pages active:                            400000.
Pages inactive:                          200000.
Pages speculative:                         1000.
"Translation faults":                 123456789.
"""


def test_macos_is_asked_by_its_own_program(host, tmp_path, monkeypatch):
    (tmp_path / "PROCESS" / "meminfo").unlink()
    monkeypatch.setattr(sys, "platform", "darwin")
    run = lambda *_, **__: SimpleNamespace(stdout=VM_STAT)  # noqa: E731
    monkeypatch.setattr(system.subprocess, "run", run)
    assert system.free_memory() == 16384 * 211_000
    told = lambda *_, **__: SimpleNamespace(stdout="another one")  # noqa: E731
    monkeypatch.setattr(system.subprocess, "run", told)
    assert system.free_memory() is None


# GPUs.


@pytest.mark.parametrize("device", ["nvidia0", "nvidia3", "dxg", "kfd"])
def test_tensorflow_is_asked_where_a_gpu_may_be(device, host, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    host({"DEVICES/nvidiactl": ""})  # there is a driver, and no card
    assert not system.may_have_gpu()
    host({f"DEVICES/{device}": ""})
    assert system.may_have_gpu()
    for hidden in ("", "-1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
        assert not system.may_have_gpu()


@pytest.mark.parametrize(
    ("platform", "devices", "can"),
    [("linux", {}, True), ("linux", {"DEVICES/nvidia0": ""}, False),
     ("darwin", {}, False), ("win32", {}, False)],
)  # fmt: skip
def test_processes_are_forked_on_linux_without_a_gpu_alone(
    platform, devices, can, host, monkeypatch
):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    host(devices)
    monkeypatch.setattr(sys, "platform", platform)
    assert system.can_fork() is can


def test_jobs_ask_for_a_gpu_as_trainings_do(monkeypatch):
    monkeypatch.setattr(machine, "cores", lambda: 4)
    monkeypatch.setattr(machine, "free_memory", lambda: 64 * GIB)
    monkeypatch.setattr(backend, "gpus", lambda: ["a GPU"])
    assert machine.jobs_for(9) == 1
    monkeypatch.setattr(backend, "gpus", lambda: ["a GPU", "another", "a third"])
    assert (machine.jobs_for(9), machine.jobs_for(2)) == (3, 2)
    monkeypatch.setattr(backend, "gpus", list)
    assert machine.jobs_for(9) == 4


def test_each_process_of_a_command_sees_one_gpu_of_several(monkeypatch):
    import tensorflow as tf

    seen: list[list[str]] = []
    devices = ["GPU:0", "GPU:1"]
    config = tf.config
    monkeypatch.setattr(config, "list_physical_devices", lambda kind: devices)
    monkeypatch.setattr(
        config, "set_visible_devices", lambda one, kind: seen.append(one)
    )
    for name in ("intra", "inter"):
        door = f"set_{name}_op_parallelism_threads"
        monkeypatch.setattr(config.threading, door, lambda threads: None)
    for place in "0123":
        monkeypatch.setenv(system.PLACE_VARIABLE, place)
        backend.set_threads(1)
    assert seen == ["GPU:0", "GPU:1", "GPU:0", "GPU:1"]
    devices.pop()
    backend.set_threads(1)
    assert len(seen) == 4


def test_the_doctor_says_what_several_gpus_are_for(tmp_path, monkeypatch):
    monkeypatch.setattr(backend, "gpus", lambda: ["one GPU"])
    said = machine.examine(tmp_path, tmp_path, network=False)["runs_where"]
    assert len(said) == 1
    monkeypatch.setattr(backend, "gpus", lambda: ["one GPU", "another"])
    said = machine.examine(tmp_path, tmp_path, network=False)["runs_where"]
    assert "a training on each of the 2 GPUs" in said[1]


# Keras.


def test_packages_are_hidden_while_keras_is_imported_and_no_longer(monkeypatch):
    monkeypatch.delitem(sys.modules, "wave", raising=False)
    with backend._without(("wave", "json")):
        with pytest.raises(ImportError):
            import wave
        import json  # was there before
    import wave

    assert wave.__name__ == "wave"
    assert json.dumps([]) == "[]"


@pytest.mark.slow
def test_a_process_that_trains_imports_keras_alone():
    script = (
        "import sys\n"
        "from seqclf.model import backend\n"
        "backend.set_threads(1)\n"
        "import keras, tensorflow as tf\n"
        "print(*(name in sys.modules for name in backend.OPTIONAL),\n"
        "      tf.config.threading.get_intra_op_parallelism_threads())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["False", "False", "False", "1"]


# Windows.


def lock(path: Path) -> bool:
    """Tells whether another opening of a file gets its lock."""
    with path.open("w") as file:
        return system.try_lock(file)


@pytest.fixture
def windows(monkeypatch):
    """Python's modules of Windows, as far as locks and memory need them."""
    held = set()

    def locking(descriptor: int, mode: int, size: int) -> None:
        place = os.fstat(descriptor).st_ino
        if (mode, size) != (2, 1) or place in held:
            raise PermissionError(13, "Permission denied")
        held.add(place)

    module = ModuleType("msvcrt")
    module.LK_NBLCK, module.locking = 2, locking
    monkeypatch.setitem(sys.modules, "msvcrt", module)
    monkeypatch.setattr(system, "fcntl", None)
    monkeypatch.setattr(system, "resource", None)
    monkeypatch.setattr(system, "_pages", lambda name: None)
    return monkeypatch


def test_windows_locks_by_its_own_module(windows, tmp_path):
    with (tmp_path / "lock").open("w") as file:
        assert system.try_lock(file)
        assert not lock(tmp_path / "lock")
        assert lock(tmp_path / "another")


def test_where_no_file_can_be_locked_everyone_gets_it(monkeypatch, tmp_path):
    monkeypatch.setattr(system, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", None)
    assert lock(tmp_path / "lock")
    assert lock(tmp_path / "lock")
    monkeypatch.undo()

    def unable(file: object, mode: int) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    refuse = SimpleNamespace(LOCK_EX=1, LOCK_NB=2, flock=unable)
    monkeypatch.setattr(system, "fcntl", refuse)  # as on a network drive
    assert lock(tmp_path / "lock")


def test_windows_tells_its_memory(windows, tmp_path):
    def filled(**values: int):
        def function(*arguments: object) -> int:
            answer = next(a._obj for a in arguments if hasattr(a, "_obj"))
            assert answer.length == ctypes.sizeof(answer)
            for name, value in values.items():
                setattr(answer, name, value)
            return 1

        return function

    kernel = SimpleNamespace(
        GlobalMemoryStatusEx=filled(total=16 * GIB, available=9 * GIB),
        K32GetProcessMemoryInfo=filled(peak=3 * GIB),
    )
    libraries = SimpleNamespace(kernel32=kernel)
    windows.setattr(ctypes, "windll", libraries, raising=False)
    windows.setattr(system, "PROCESS", tmp_path)
    windows.setattr(system, "GROUPS", tmp_path)
    assert (system.free_memory(), system.total_memory()) == (9 * GIB, 16 * GIB)
    assert system.peak_memory() == 3 * GIB
    # As the system's own headers have them on 64 bits.
    assert ctypes.sizeof(system._MemoryStatus) == 64
    assert ctypes.sizeof(system._MemoryCounters) == 72


def test_a_signal_is_named_where_the_system_has_no_name(monkeypatch):
    assert system.signal_name(9) == "SIGKILL"
    assert system.signal_name(50) == "signal 50"  # one of Linux's without a name

    def unknown(number: int) -> None:
        raise ValueError(number)

    monkeypatch.setattr(system.signal, "Signals", unknown)
    assert system.signal_name(9) == "SIGKILL"


# For seqclf's own modules alone, for Python's and others' have their ways on Windows:
# modules and names that are not there, folders that cannot be opened, descriptors that
# only read and are not written to the disk.
AS_ON_WINDOWS = """
import builtins, enum, errno, fcntl, os, signal, sys, types

MODULES = {
    "fcntl", "resource", "termios", "tty", "pty", "pwd", "grp", "posix", "syslog",
    "curses", "readline", "crypt", "spwd",
}
NAMES = {
    "fork", "forkpty", "getuid", "geteuid", "getgid", "getegid", "getpgid", "setsid",
    "killpg", "uname", "sysconf", "sched_getaffinity", "sched_setaffinity", "statvfs",
    "chown", "mkfifo", "nice", "getloadavg", "sync", "pread", "pwrite", "wait3",
    "posix_fadvise", "openpty", "ttyname", "O_NOFOLLOW", "O_DIRECTORY", "O_CLOEXEC",
    "O_NONBLOCK", "WNOHANG", "waitid", "memfd_create", "sendfile", "fdatasync",
}
SIGNALS = ("SIGABRT", "SIGFPE", "SIGILL", "SIGINT", "SIGSEGV", "SIGTERM")


def opened(path, flags, *more, **named):
    if os.path.isdir(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))
    return os.open(path, flags, *more, **named)


def to_disk(descriptor):
    if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
        raise OSError(errno.EBADF, "Bad file descriptor")
    os.fsync(descriptor)


def copied(module, **changed):
    copy = types.ModuleType(module.__name__)
    vars(copy).update({k: v for k, v in vars(module).items() if k not in NAMES})
    vars(copy).update(changed)
    return copy


few = types.ModuleType("signal")
kept = (*SIGNALS, "signal", "getsignal", "SIG_DFL", "SIG_IGN", "default_int_handler")
vars(few).update({name: getattr(signal, name) for name in kept})
few.Signals = enum.IntEnum("Signals", {n: int(getattr(signal, n)) for n in SIGNALS})
COPIES = {"os": copied(os, name="nt", open=opened, fsync=to_disk), "signal": few}
stock = builtins.__import__


def bring(name, globals=None, locals=None, fromlist=(), level=0):
    asking = (globals or {}).get("__name__") or ""
    if asking.split(".")[0] == "seqclf":
        if name.split(".")[0] in MODULES:
            raise ImportError(f"No module named {name!r}", name=name)
        if name in COPIES:
            return COPIES[name]
    return stock(name, globals, locals, fromlist, level)


builtins.__import__ = bring
"""
# Every module, then every command line that stands in the arguments.
ALL_OF_THEM = """
import importlib, json, pkgutil, sys
import seqclf
from typer.testing import CliRunner

for module in pkgutil.walk_packages(seqclf.__path__, "seqclf."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
from seqclf.cli import command_line
app = command_line()
for line in json.loads(sys.argv[1]):
    done = CliRunner().invoke(app, line)
    assert done.exit_code == 0, (line, done.output, done.exception)
print("all done")
"""


def as_on_windows(folder: Path, lines: list[list[str]], cwd: Path) -> None:
    (folder / "sitecustomize.py").write_text(AS_ON_WINDOWS, "utf-8")
    path = os.pathsep.join([str(folder), str(Path(system.__file__).parents[1])])
    done = subprocess.run(
        [sys.executable, "-c", ALL_OF_THEM, json.dumps(lines)],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.stdout.endswith("all done\n"), done.stdout + done.stderr


@pytest.mark.slow
def test_all_modules_and_the_small_commands_run_as_on_windows(workplace, tmp_path):
    out, models = str(tmp_path / "out.csv"), f"--models-dir={workplace / 'models'}"
    texts = str(workplace / "reviews" / "test.csv")
    lines = [
        *([command, "--help"] for command in COMMANDS),
        ["runs", "list", models],
        ["predict", "a good film", models],
        ["predict", "--input", texts, "--output", out, models],
        ["data", "list"],
    ]
    as_on_windows(tmp_path, lines, workplace)
    assert len(Path(out).read_text("utf-8").splitlines()) == 49


@pytest.mark.slow
def test_the_commands_that_train_run_as_on_windows(workplace, tmp_path):
    """In a folder with a blank in its name, as most are there; lines end as there."""
    reviews = tmp_path / "My Films" / "reviews"
    shutil.copytree(workplace / "reviews", reviews)
    for file in reviews.glob("*.csv"):
        content = file.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        file.write_bytes(content)
    data = f"--data={reviews}"
    exported = ["--output", str(tmp_path / "exported")]
    lines = [
        ["train", "--cell=gru", data, *TINY],
        ["train", "--cell=gru", data, *TINY],  # the finished one, with its checksums
        ["compare", "--cells=none,gru", "--seeds=1", "--jobs=2", data, *TINY],
        ["evaluate", "reviews-gru-0", data],
        ["export", "reviews-gru-0", "--format=onnx", *exported],
        ["runs", "list"],
        ["runs", "show", "reviews-gru-0"],
        ["runs", "remove", "reviews-none-0", "--yes"],
        ["data", "show", str(reviews)],
        ["data", "check", str(reviews)],
        ["study", "flow"],
        ["classroom", "assign", "--data=demo", "--students=2", "--output=class"],
        ["doctor", "--no-network"],
    ]
    as_on_windows(tmp_path, lines, reviews.parent)
    assert not (reviews.parent / "models" / "reviews-none-0").exists()

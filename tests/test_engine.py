from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seqclf import engine
from seqclf.cli._options import TRAINING
from seqclf.engine import Outcome, Task, run_tasks
from seqclf.errors import TrainingError


class ResourceExhaustedError(Exception):
    """As TensorFlow calls what it raises when memory runs out."""


def work(argument, report):
    kind, value = argument
    if kind == "return":
        report({"half": value})
        os.write(1, b"heard by the log\n")
        return value * 2
    if kind == "sleep":
        report({"pid": os.getpid()})
        time.sleep(value)
    if kind == "raise":
        raise value
    if kind == "signal":
        os.kill(os.getpid(), value)
    if kind == "allocate":
        resource.setrlimit(resource.RLIMIT_AS, (value, value))
        return len(bytearray(value))
    if kind == "exit":
        os._exit(value)
    return os.getpid()


def tell_place(argument, report):
    awaited, made = argument
    while awaited and not awaited.exists():
        time.sleep(0.05)
    made.touch()
    return os.environ["SEQCLF_PLACE"]


def tasks(tmp_path: Path, *arguments) -> list[Task]:
    return [
        Task(work, a, tmp_path / f"{i}" / "log.txt") for i, a in enumerate(arguments)
    ]


def test_values_and_reports_come_back(tmp_path):
    reports = []
    outcomes = list(
        run_tasks(
            tasks(tmp_path, ("return", 1), ("return", 2)),
            jobs=2,
            on_report=lambda index, report: reports.append((index, report)),
        )
    )
    assert sorted((o.index, o.value, o.error) for o in outcomes) == [
        (0, 2, None), (1, 4, None)
    ]  # fmt: skip
    assert sorted(reports, key=lambda r: r[0]) == [(0, {"half": 1}), (1, {"half": 2})]
    assert (tmp_path / "0" / "log.txt").read_text() == "heard by the log\n"


def test_a_process_knows_its_place_and_a_free_one_is_taken_again(tmp_path):
    last = tmp_path / "3"  # for which the first waits
    some = [(None if i else last, tmp_path / f"{i}") for i in range(4)]
    here = [Task(tell_place, one, tmp_path / f"{one[1]}.txt") for one in some]
    done = {o.index: o.value for o in run_tasks(here, 2)}
    assert done == {0: "0", 1: "1", 2: "1", 3: "1"}


FAILURES = [
    (("raise", TrainingError("the loss is gone")), "the loss is gone"),
    (("raise", KeyError("x")), "KeyError: 'x' .see .*log.txt"),
    (("raise", MemoryError()), "^memory ran out; .*--jobs 1.*log.txt"),
    (("raise", ResourceExhaustedError("OOM")), "^memory ran out; .*--batch-size"),
    (("allocate", 2**36), "^memory ran out; .*--jobs 1"),
    (("signal", signal.SIGKILL), "SIGKILL.*memory ran out; .*--jobs 1"),
    (("signal", signal.SIGSEGV), "crashed .SIGSEGV; see .*log.txt"),
    (("signal", 50), "crashed .signal 50; see .*log.txt"),  # it has no name
    (("exit", 3), "without a result .exit code 3; see .*log.txt"),
]


@pytest.fixture(scope="module", params=[False, True], ids=["spawned", "forked"])
def outcomes(request, tmp_path_factory) -> list[Outcome]:
    """How the tasks of `FAILURES` end, one after the other, and a good one at last."""
    arguments = [argument for argument, _ in FAILURES]
    some = tasks(tmp_path_factory.mktemp("failures"), *arguments, ("return", 5))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "_forks", request.param)
        return list(run_tasks(some))


@pytest.mark.parametrize("index", range(len(FAILURES)))
def test_a_task_that_fails_says_why(index, outcomes):
    assert outcomes[index].index == index
    assert outcomes[index].value is None
    assert re.search(FAILURES[index][1], outcomes[index].error)


def test_the_tasks_behind_those_that_fail_go_on(outcomes):
    assert outcomes[-1] == Outcome(len(FAILURES), value=10)
    assert len(outcomes) == len(FAILURES) + 1


# Begun in a folder that has a module of a name that the standard library imports.
FORKED = """
import os
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from test_engine import tell_origin
from seqclf import engine
from seqclf.cli._options import TRAINING

engine.fork_from("slowly")
some = [engine.Task(tell_origin, i, Path(f"{{i}}.txt")) for i in range(3)]
print("begin", flush=True)
print(*(outcome.value for outcome in engine.run_tasks(some, 2)))
os.environ["SET"] = "later"
print(*(outcome.value for outcome in engine.run_tasks(some[:1])))
"""
SLOWLY = """
import os
import sys
import time

print("imports", os.getpid(), flush=True)
time.sleep({seconds})
"""


def tell_origin(argument, report):
    has_it = "slowly" in sys.modules
    told = os.environ.get("SET"), os.environ.get(engine.SAFE_PATH)
    return f"{has_it}:{os.getppid()}:{os.getpid()}:{Path.cwd()}:{told[0]}:{told[1]}"


@pytest.fixture
def forked(tmp_path, monkeypatch):
    """Begins a program whose tasks are forked from a module that takes some seconds."""
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "random.py").write_text("raise SystemExit('taken for the real one')\n")
    (tmp_path / "modules").mkdir()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "modules"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    program = tmp_path / "program.py"
    program.write_text(FORKED.format(tests=str(Path(__file__).parent)))

    def begin(seconds: float) -> subprocess.Popen[str]:
        module = tmp_path / "modules" / "slowly.py"
        module.write_text(SLOWLY.format(seconds=seconds))
        return subprocess.Popen(
            [sys.executable, program], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            encoding="utf-8", cwd=folder,
        )  # fmt: skip

    return begin


def test_tasks_are_forked_from_one_process_that_has_imported(forked, tmp_path):
    process = forked(0.1)
    said, errors = process.communicate(timeout=60)
    assert not errors
    begin, imports, told, later = said.splitlines()
    assert begin == "begin"
    server = imports.removeprefix("imports ")
    origins = [one.split(":") for one in told.split()]
    here = str(tmp_path / "here")
    for has_it, parent, _, place, *told in origins:
        assert (has_it, parent, place) == ("True", server, here)
        assert told == ["None", "None"]
    assert len({pid for _, _, pid, *_ in origins}) == 3
    assert later.split(":")[-2:] == ["later", "None"], "as in the command by now"
    assert int(server) != process.pid
    assert ends(int(server)), "with the command"


def test_ctrl_c_ends_the_wait_for_what_is_imported(forked):
    process = forked(30)
    assert process.stdout.readline() == "begin\n"
    _, server = process.stdout.readline().split()
    before = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.wait(timeout=20)
    assert time.monotonic() - before < 15
    os.kill(int(server), signal.SIGKILL)  # it would end with its import
    _, errors = process.communicate()
    assert errors.endswith("KeyboardInterrupt\n")


def test_where_there_is_no_place_for_a_socket_processes_begin_anew(
    forked, tmp_path, monkeypatch
):
    deep = tmp_path / ("a" * 100)
    deep.mkdir()
    monkeypatch.setenv("TMPDIR", str(deep))
    said, errors = forked(0.1).communicate(timeout=60)
    assert not errors
    assert said.count("False:") == 4


@pytest.mark.slow
def test_what_trainings_are_forked_from_has_tensorflow_in_it(tmp_path):
    program = f"import sys; import {TRAINING}; print('tensorflow' in sys.modules)"
    assert "True" in subprocess.check_output([sys.executable, "-c", program], text=True)


@pytest.mark.parametrize("what", [("raise", MemoryError()), ("signal", 9)])
def test_what_needs_less_memory_is_what_the_task_says(what, tmp_path):
    task = Task(work, what, tmp_path / "log.txt", "a smaller encoder needs less")
    (outcome,) = run_tasks([task])
    assert "memory ran out; a smaller encoder needs less" in outcome.error
    assert "--jobs" not in outcome.error


def test_each_task_has_a_process_of_its_own(tmp_path):
    pids = [o.value for o in run_tasks(tasks(tmp_path, ("pid", 0), ("pid", 0)))]
    assert len({*pids, os.getpid()}) == 3


def of_kinds(tmp_path: Path, *kinds: str | None, what="pid") -> list[Task]:
    return [
        Task(work, (what, 0.2), tmp_path / f"{i}" / "log.txt", kind=kind)
        for i, kind in enumerate(kinds)
    ]


def test_tasks_of_one_kind_share_a_process(tmp_path):
    some = of_kinds(tmp_path, "a", "b", "a", None, "b", None, "a")
    done = {o.index: o.value for o in run_tasks(some)}
    assert [*done] == [0, 2, 6, 1, 4, 3, 5]
    assert done[0] == done[2] == done[6]
    assert done[1] == done[4]
    assert len({done[0], done[1], done[3], done[5], os.getpid()}) == 5


def test_a_free_place_takes_another_kind_first_and_then_helps(tmp_path):
    pids = {}
    some = of_kinds(tmp_path, "a", "a", "a", "a", "b", what="sleep")
    done = list(
        run_tasks(some, 2, lambda index, report: pids.update({index: report["pid"]}))
    )
    assert len(done) == 5
    assert {*[*pids][:2]} == {0, 4}, "b was begun at once"
    assert pids.pop(4) not in pids.values()
    assert len({*pids.values()}) == 2, "then another process helped with a"


def test_a_task_of_no_kind_waits_for_all_that_have_one(tmp_path):
    begun = []
    some = of_kinds(tmp_path, None, "a", "a", "a", what="sleep")
    list(run_tasks(some, 2, lambda index, report: begun.append(index)))
    # Which of the two processes is heard first, and how often by then, is chance.
    assert begun[-1] == 0
    assert sorted(begun) == [0, 1, 2, 3]


def test_a_log_that_cannot_be_written_is_an_error_and_nothing_stays(tmp_path):
    pids = []
    some = of_kinds(tmp_path, "a", "a", what="sleep")
    (tmp_path / "1").write_text("in the way")
    running = run_tasks(some, on_report=lambda i, report: pids.append(report["pid"]))
    with pytest.raises(FileExistsError):
        next(running)
    assert not is_alive(pids[0])


def test_each_task_has_its_own_log(tmp_path):
    some = [
        Task(work, ("return", i), tmp_path / f"{i}" / "log.txt", kind="a")
        for i in range(2)
    ]
    assert [o.value for o in run_tasks(some)] == [0, 2]
    for i in range(2):
        text = (tmp_path / f"{i}" / "log.txt").read_text()
        assert text == "heard by the log\n"


@pytest.mark.parametrize("how", [("raise", KeyError("x")), ("signal", 9), ("exit", 0)])
def test_behind_a_failure_the_others_of_a_kind_begin_anew(how, tmp_path):
    asked = [("pid", 0), how, ("pid", 0), ("pid", 0)]
    some = [
        Task(work, one, tmp_path / f"{i}" / "log.txt", kind="a")
        for i, one in enumerate(asked)
    ]
    before, failed, *behind = run_tasks(some)
    assert failed.error
    assert before.value != behind[0].value == behind[1].value


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def ends(pid: int) -> bool:
    """Waits for a process to end; returns whether it did, in time."""
    end = time.monotonic() + 10
    while is_alive(pid) and time.monotonic() < end:
        time.sleep(0.05)
    return not is_alive(pid)


def test_no_process_stays_when_the_caller_leaves(tmp_path):
    pids = {}
    running = run_tasks(
        tasks(tmp_path, ("sleep", 2), ("sleep", 60)),
        jobs=2,
        on_report=lambda index, report: pids.update({index: report["pid"]}),
    )
    assert next(running).index == 0
    assert is_alive(pids[1])
    running.close()
    assert not is_alive(pids[1])


PARENT = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from test_engine import work
from seqclf.engine import Task, run_tasks

if __name__ == "__main__":
    task = Task(work, ("sleep", 60), Path("log.txt"))
    for _ in run_tasks([task], on_report=lambda i, r: print(r["pid"], flush=True)):
        pass
"""


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_no_child_outlives_its_parent(sent, tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(tests=str(Path(__file__).parent)))
    parent = subprocess.Popen(
        [sys.executable, script],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    child = int(parent.stdout.readline())
    assert is_alive(child)
    parent.send_signal(sent)
    parent.wait(timeout=20)
    parent.stdout.close()
    for _ in range(100):
        if not is_alive(child):
            return
        time.sleep(0.1)
    pytest.fail("the child lives on")


SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from test_engine import work
from seqclf.engine import Task, run_tasks

print("the script begins")
for outcome in run_tasks([Task(work, ("return", 3), Path("log.txt"))]):
    print(outcome.value, outcome.error)
print(__name__, "__file__" in globals(), __spec__)
"""


@pytest.mark.parametrize("way", ["file", "standard input", "-c"])
def test_a_script_without_a_guard_is_not_begun_again_by_its_tasks(way, tmp_path):
    text = SCRIPT.format(tests=str(Path(__file__).parent))
    (tmp_path / "script.py").write_text(text)
    given = {"file": ["script.py"], "standard input": ["-"], "-c": ["-c", text]}[way]
    done = subprocess.run(
        [sys.executable, *given],
        cwd=tmp_path,
        input=text if way == "standard input" else "",
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    begun, value, name = done.stdout.splitlines()
    assert (begun, value) == ("the script begins", "6 None")
    assert name == f"__main__ {way != '-c'} None"
    assert done.stderr == ""

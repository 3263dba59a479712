"""Two Ray nodes on this machine: the same answers, and what may go wrong."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import itertools
import json
import math
import re
import shlex
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import TINY, not_here, run_cli
from test_cluster import OF_RAY, task_of
from test_surroundings import mounted

from seqclf.cluster.asked import Asked
from seqclf.cluster.opened import opened
from seqclf.cluster.ray_machines import _what_failed
from seqclf.engine import Outcome, run_tasks
from seqclf.errors import ConfigError

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import ray_nodes
from ray_nodes import Nodes, cluster

pytestmark = OF_RAY
TOKEN = "0123456789abcdef0123456789abcdef"
CLONE_NEWNET = 0x40000000  # linux/sched.h
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1  # linux/sockios.h, linux/if.h
HERE = Path(__file__).parent


@pytest.fixture(scope="module", autouse=True)
def apart() -> Iterator[bool]:
    """A network of this module's own, of a loopback alone, where that is allowed.

    What it starts is there as well, so nothing else hears of it and it reaches nothing.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/self/ns/net").open("rb") as before:
        if libc.unshare(CLONE_NEWNET) != 0:
            yield False
            return
        try:
            flags_of("lo", SIOCSIFFLAGS, IFF_UP)  # as `ip link set lo up`
            yield True
        finally:
            assert libc.setns(before.fileno(), CLONE_NEWNET) == 0


def flags_of(interface: str, request: int, flags: int = 0) -> int:
    """Asks for, or sets, the flags of a network interface; returns them."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_one:
        asked = struct.pack("16sH14x", interface.encode(), flags)
        return struct.unpack("16sH14x", fcntl.ioctl(any_one, request, asked))[1]


@pytest.fixture(scope="module")
def nodes(apart) -> Iterator[Nodes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(HERE))  # where the nodes find `work`
        with cluster(TOKEN) as made:
            yield made


@pytest.fixture(autouse=True)
def own_token(monkeypatch, tmp_path):
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("HOME", str(tmp_path))


@contextlib.contextmanager
def joined(nodes: Nodes, said: list[str] | None = None, **options) -> Iterator:
    said = [] if said is None else said
    with opened(Asked(nodes.address, **options), said.append) as there:
        yield there


def done_by(there, *tasks) -> list[Outcome]:
    return sorted(run_tasks(tasks, cluster=there), key=lambda one: one.index)


def children(word: str) -> list[str]:
    """Returns the command lines of processes that have a word in their environment."""
    found = []
    for place in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if (
                place.name.isdigit()
                and word.encode() in (place / "environ").read_bytes()
            ):
                found.append((place / "cmdline").read_text())
    return found


def test_values_reports_files_and_errors_are_those_of_local_processes(nodes, tmp_path):
    heard = []
    some = [task_of(tmp_path, kind, kind) for kind in ("good", "raise", "exit")]
    with joined(nodes) as there:
        running = run_tasks(
            some, on_report=lambda *one: heard.append(one), cluster=there
        )
        done = sorted(running, key=lambda one: one.index)
    assert done[0] == Outcome(0, ("good", 0))
    assert [report for index, report in heard if index == 0] == [0, 1, 2]
    assert (tmp_path / "out" / "good" / "number").read_text() == "4+3"
    assert done[1].error.startswith(f"{tmp_path / 'out' / 'raise'} cannot be [")
    assert done[2].error.startswith("ended without a result (exit code 3")


def test_one_cpu_has_one_task_though_both_report(nodes, tmp_path):
    """A report that is waited for lets go of the CPU, and a third task begins."""
    some = [task_of(tmp_path, "slow", name) for name in "abcd"]
    with joined(nodes) as there:
        assert [one.error for one in done_by(there, *some)] == [None] * 4
    times = [(one.writes / "times").read_text().split() for one in some]
    moments = [(float(start), 1) for start, _ in times]
    moments += [(float(end), -1) for _, end in times]
    moments.sort()
    at_a_time = list(itertools.accumulate(sign for _, sign in moments))
    assert max(at_a_time) <= 2


def test_as_many_at_a_time_as_are_asked_for_and_as_fit(nodes):
    with joined(nodes) as there:
        assert there.jobs == 2
    with joined(nodes, jobs=1) as there:
        assert there.jobs == 1
    with pytest.raises(ConfigError, match="has 99 CPUs"), joined(nodes, cpus=99):
        pass


def test_a_killed_node_costs_nothing(nodes, tmp_path):
    some = [task_of(tmp_path, "slow", name) for name in "abcd"]
    begun = []
    with joined(nodes) as there:
        for outcome in run_tasks(
            some, on_report=lambda i, r: begun.append(i), cluster=there
        ):
            assert outcome.error is None
            if "node-1" in nodes.processes:  # both have one in hand
                nodes.kill("node-1")
                nodes.add("node-2")
    nodes.wait_for(2)
    for one in some:
        assert (one.writes / "number").read_text() == "4+3"


def test_with_a_shared_folder_lost_work_goes_on_on_a_node_that_came_later(
    nodes, tmp_path
):
    shared = tmp_path / "shared"
    shared.mkdir()
    task = task_of(tmp_path, "slow")
    seen = []

    def kill_once(index: int, step: int) -> None:
        seen.append(step)
        if step == 1 and seen.count(1) == 1:
            for name in [name for name in nodes.processes if name != "head"]:
                nodes.kill(name)
            nodes.add("node-3")
            nodes.add("node-4")

    with joined(nodes, shared=shared) as there:
        (done,) = run_tasks([task], on_report=kill_once, cluster=there)
    nodes.wait_for(2)
    assert done.error is None
    assert done.value[1] >= 1  # it did not begin at 0
    assert (task.writes / "number").read_text() == "4+3"


def test_a_node_killed_while_it_returns_costs_a_repetition(nodes, tmp_path):
    """What it made is still there, and not here yet: too large to come by itself."""
    (tmp_path / "big").mkdir()
    task = task_of(tmp_path / "big", "good", text="4" * 3_000_000)
    with joined(nodes) as there:
        errand, contents = there._errand(task, math.inf)
        handle = there.machines.submit(errand, contents)
        while not there.machines.done([handle], 1.0):
            pass
        for name in [name for name in nodes.processes if name != "head"]:
            nodes.kill(name)
        nodes.add("node-5")
        nodes.add("node-6")
        returned = there.machines.returned(handle)
    assert returned.error is None
    assert len(returned.content) > 3_000_000


def test_retries_used_up_are_an_error_and_the_others_go_on(nodes, tmp_path):
    """Whose worker is killed each time, and not only its training."""
    lost = task_of(tmp_path, "kill", "lost")
    good = task_of(tmp_path, "slow", "good")
    with joined(nodes) as there:
        done = done_by(there, lost, good)
    assert "lost with its machine, 4 times" in done[0].error
    assert done[1].error is None


def test_other_versions_are_refused_by_the_name_of_the_node(nodes, tmp_path):
    """A node whose Keras says another version of itself."""
    package = tmp_path / "old" / "keras-2.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: keras\nVersion: 2.0\n"
    )
    nodes.add("odd", PYTHONPATH=f"{package.parent}:{HERE}")
    said: list[str] = []
    try:
        until = time.monotonic() + 60
        while not said and time.monotonic() < until:
            with joined(nodes, said) as there:
                some = [task_of(tmp_path, "slow", name) for name in "abc"]
                done = done_by(there, *some)
            assert [one.error for one in done] == [None] * 3
    finally:
        nodes.kill("odd")
    assert "keras 2.0 in place of" in said[0]
    assert said[0].startswith("Nothing is sent to ")


def test_a_node_whose_disk_is_full_is_left_out_and_named(nodes, tmp_path):
    """A file system of 200 kB, where it would unpack what it is sent."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    said: list[str] = []
    nodes.add("full", within=mounted(scratch, 200), TMPDIR=str(scratch))
    try:
        until = time.monotonic() + 60
        # A node of the test before may be told first, as one that is gone.
        while "No space" not in " ".join(said) and time.monotonic() < until:
            with joined(nodes, said) as there:
                some = [task_of(tmp_path, "slow", n, "4" * 500_000) for n in "abc"]
                done = done_by(there, *some)
            assert [one.error for one in done] == [None] * 3
    finally:
        nodes.kill("full")
    told = next(one for one in said if "No space left on device" in one)
    assert told.startswith("Nothing is sent to ")


def test_a_node_that_could_not_be_asked_is_told_in_words():
    errors = pytest.importorskip("ray").exceptions
    assert _what_failed(errors.TaskUnschedulableError("node affinity")) == "it is gone"
    full = errors.RayTaskError("probe", "a traceback", OSError(28, "No space left"))
    assert _what_failed(full) == "it fails: [Errno 28] No space left"
    assert _what_failed(errors.WorkerCrashedError()) == "it fails: WorkerCrashedError"


def test_a_full_disk_of_the_command_is_said_and_nothing_passes_for_finished(
    nodes, tmp_path
):
    models = tmp_path / "models"
    models.mkdir()
    asked = [*COMPARE, "--cells=gru", "--seeds=1", f"--models-dir={models}"]
    done = subprocess.run(
        [*mounted(models, 90), sys.executable, "-m", "seqclf", *asked,
         f"--cluster={nodes.address}"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    kept = Path(f"{models}.kept")
    assert kept.is_dir()
    assert not [*kept.glob("demo-gru-*/complete")]


def test_nothing_leaves_this_machine(apart, nodes):
    """With a network of its own there is no way out, and yet all of this works."""
    if not apart:
        not_here("a process may have no network of its own here")
    names = [name for _, name in socket.if_nameindex()]
    assert [one for one in names if flags_of(one, SIOCGIFFLAGS) & IFF_UP] == ["lo"]
    with joined(nodes) as there:
        assert there.jobs == 2


def test_no_token_a_wrong_token_and_no_authentication(nodes, tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_AUTH_TOKEN", "f" * 32)
    with pytest.raises(ConfigError, match="has another token"), joined(nodes):
        pass
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    with pytest.raises(ConfigError, match="asks for a token"), joined(nodes):
        pass
    with cluster(None, 1) as open_to_all:
        monkeypatch.delenv("RAY_AUTH_MODE")
        with pytest.raises(ConfigError, match="asks for no token"), joined(open_to_all):
            pass
        command = [*COMPARE, "--seeds=1", "--cells=gru", "--insecure-cluster"]
        done = run_cli([*command, f"--cluster={open_to_all.address}"], tmp_path)
        assert done.returncode == 0, done.stderr


COMPARE = ["compare", "--data=demo", "--limit=200", *TINY]


def files_of(models: Path) -> dict[str, bytes]:
    """Returns what of runs does not tell of the time and place of them."""
    told = {"environment.json", "complete", "log.txt", "lock", "history.jsonl"}
    return {
        file.relative_to(models).as_posix(): file.read_bytes()
        for file in sorted(models.rglob("*"))
        if file.is_file() and file.name not in told and "compare" not in file.parts[-2]
    }


def test_a_comparison_is_byte_equal_to_one_of_this_machine(nodes, tmp_path):
    """Twins and baselines: weights, metrics, proof, predictions."""
    asked = [*COMPARE, "--seeds=2", "--cells=rnn,gru", "--cache-dir=cache"]
    far = run_cli([*asked, "--models-dir=far", f"--cluster={nodes.address}"], tmp_path)
    assert far.returncode == 0, far.stderr
    near = run_cli([*asked, "--models-dir=near", "--jobs=2"], tmp_path)
    assert near.returncode == 0, near.stderr
    one, other = files_of(tmp_path / "far"), files_of(tmp_path / "near")
    assert len(one) > 40
    assert one.keys() == other.keys()
    # A Keras file is a zip, which keeps the time that it was written.
    differing = {name for name in one if one[name] != other[name]}
    assert {Path(name).name for name in differing} <= {"model.keras"}
    run = tmp_path / "far" / "demo-gru-0"
    assert json.loads((run / "environment.json").read_text())["node"]
    assert json.loads((run / "environment.json").read_text())["threads"] == 1


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_command_that_ends_leaves_no_process_and_can_be_gone_on_with(
    nodes, tmp_path, how
):
    asked = [*COMPARE, "--cells=gru", "--seeds=2", "--epochs=500", "--patience=500"]
    asked += [f"--cluster={nodes.address}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "seqclf", *asked],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    until = time.monotonic() + 120
    while not trainings(nodes) and time.monotonic() < until:
        time.sleep(0.2)
    assert trainings(nodes)
    time.sleep(3)
    process.send_signal(how)
    said = process.communicate(timeout=60)[1].decode()
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert "Type the same command again" in said
    until = time.monotonic() + 40
    while trainings(nodes) and time.monotonic() < until:
        time.sleep(0.5)
    assert not trainings(nodes)
    models = tmp_path / "models"
    assert not [one for one in models.glob("demo-gru-*") if (one / "complete").exists()]
    again = run_cli([*COMPARE, "--cells=gru", "--seeds=2", *asked[-1:]], tmp_path)
    assert again.returncode == 0, again.stderr


def trainings(nodes: Nodes) -> list[str]:
    """Returns the processes of trainings that work on these nodes."""
    there = children(f"{ray_nodes.MARK}={nodes.port}")
    return [one for one in there if "spawn_main" in one]


def test_the_commands_of_the_page_work(nodes, tmp_path, monkeypatch):
    page = (HERE.parent / "docs" / "scale.md").read_text("utf-8")
    typed = re.search(r"^(seqclf compare .* --cluster auto)$", page, re.MULTILINE)
    assert typed
    rows = "".join(f"good {i},a\nbad {i},b\n" for i in range(40))
    (tmp_path / "reviews.csv").write_text(f"text,label\n{rows}")
    monkeypatch.setenv("RAY_ADDRESS", nodes.address)
    less = ["--seeds=1", "--cells=gru", "--test-fraction=0.2", *TINY]
    done = run_cli([*shlex.split(typed[1])[1:], *less], tmp_path)
    assert done.returncode == 0, done.stderr
    about = json.loads((tmp_path / "models/reviews-gru-0/environment.json").read_text())
    assert about["node"]


def four_files(folder: Path, rows: int) -> list[str]:
    """Writes files of so many rows and a run; returns what is typed to predict them."""
    trained = run_cli(["train", "--data=demo", "--limit=200", *TINY], folder)
    assert trained.returncode == 0, trained.stderr
    (folder / "texts").mkdir()
    for number in range(4):
        lines = "".join(f"text {number} {row % 50}\n" for row in range(rows))
        (folder / "texts" / f"{number}.csv").write_text(f"text\n{lines}")
    return ["predict", "--input=texts", "--text-column=text"]


def test_files_of_a_folder_are_predicted_by_all_nodes(nodes, tmp_path):
    asked = four_files(tmp_path, 50)
    far = run_cli([*asked, "--output=far", f"--cluster={nodes.address}"], tmp_path)
    assert far.returncode == 0, far.stderr
    near = run_cli([*asked, "--output=near"], tmp_path)
    assert near.returncode == 0, near.stderr
    for number in range(4):
        one = (tmp_path / "far" / f"{number}.csv").read_bytes()
        assert one == (tmp_path / "near" / f"{number}.csv").read_bytes()
    assert sorted(one.name for one in (tmp_path / "far").iterdir()) == [
        f"{number}.csv" for number in range(4)
    ]


def test_a_node_killed_in_the_middle_of_a_file_costs_a_repetition(nodes, tmp_path):
    asked = four_files(tmp_path, 150_000)
    far = [*asked, "--output=far", f"--cluster={nodes.address}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "seqclf", *far], cwd=tmp_path, stderr=subprocess.PIPE
    )
    until = time.monotonic() + 60
    while len(trainings(nodes)) < 2 and time.monotonic() < until:
        time.sleep(0.1)
    busy = len(trainings(nodes))
    name = next(one for one in nodes.processes if one != "head")
    nodes.kill(name)
    nodes.add(f"after-{name}")
    said = process.communicate(timeout=240)[1].decode()
    assert process.returncode == 0, said
    assert busy == 2  # both had a file in hand
    nodes.wait_for(2)
    near = run_cli([*asked, "--output=near"], tmp_path)
    assert near.returncode == 0, near.stderr
    made = sorted(one.name for one in (tmp_path / "far").iterdir())
    assert made == [f"{number}.csv" for number in range(4)]
    for name in made:
        there, here = (tmp_path / one / name for one in ("far", "near"))
        assert there.read_bytes() == here.read_bytes()


def test_a_bad_file_ends_no_other_and_resume_tries_it_again(nodes, tmp_path):
    trained = run_cli(["train", "--data=demo", "--limit=200", *TINY], tmp_path)
    assert trained.returncode == 0, trained.stderr
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "a.csv").write_text("text\nfine\n")
    (texts / "b.csv").write_text("other\nbad\n")
    (texts / "c.csv").write_text("text\nfine\n")
    asked = ["predict", "--input=texts", "--output=out", "--text-column=text"]
    asked += [f"--cluster={nodes.address}"]
    done = run_cli(asked, tmp_path)
    assert done.returncode == 1
    assert "1 of 3 files could not be classified: b.csv" in " ".join(
        done.stderr.split()
    )
    assert {one.name for one in (tmp_path / "out").iterdir()} == {
        ".partial", "a.csv", "c.csv"
    }  # fmt: skip
    again = run_cli([*asked, "--resume"], tmp_path)
    assert "1 of 1 files could not be classified" in " ".join(again.stderr.split())

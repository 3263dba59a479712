"""Tasks on other machines: what travels, who may, and what is lost and what is not."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import json
import math
import multiprocessing
import os
import platform
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent import futures
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import stand_in_slurm
from asked import Silent
from conftest import invoke

from seqclf.cluster import dispatch, extra, tokens
from seqclf.cluster import errand as errands
from seqclf.cluster.asked import Asked, asked_of
from seqclf.cluster.dispatch import Dispatcher, LostError
from seqclf.cluster.errand import perform, versions_here
from seqclf.cluster.parcels import pack, pickled, unpack, unpickled
from seqclf.engine import Outcome, Task, run_tasks
from seqclf.errors import ConfigError, TrainingError
from seqclf.installed import install_line
from seqclf.marker import LOCK_FILE
from seqclf.runs import Run
from seqclf.system import try_lock

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import ray_nodes


def work(argument, report):
    """Reads a number, adds one for each part of the work, and writes it."""
    kind, source, target = argument
    start = time.time()
    if kind == "raise":
        raise TrainingError(f"{target} cannot be")
    if kind == "exit":
        os._exit(3)
    if kind == "signal":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "kill":  # what supervises it, as where its machine fails
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)
    done = target / "so-far"
    begun = int(done.read_text()) if done.exists() else 0
    for step in range(begun, 3):
        report(step)
        if kind == "slow":
            time.sleep(0.4)
        target.mkdir(exist_ok=True)
        done.write_text(str(step + 1))
        if kind == "stop":
            time.sleep(60)
    (target / "number").write_text(source.read_text() + "+3")
    (target / "times").write_text(f"{start} {time.time()}")
    os.write(1, b"heard by the log\n")
    return kind, begun


def task_of(folder: Path, kind: str, name: str = "made", text: str = "4") -> Task:
    source, target = folder / "source", folder / "out" / name
    source.write_text(text)
    log = target / "log.txt"
    return Task(work, (kind, source, target), log, reads=(source,), writes=target)


# What travels.


def test_a_folder_arrives_as_it_was_and_equal_ones_are_equal_bytes(tmp_path):
    one = tmp_path / "one" / "run"
    (one / "deep").mkdir(parents=True)
    (one / "deep" / "a").write_bytes(b"\0\1")
    (one / "b").write_text("ü")
    (one / LOCK_FILE).touch()
    packed = pack(one, without=(LOCK_FILE,), last="b")
    unpack(packed, tmp_path / "two")
    two = tmp_path / "two" / "run"
    assert (two / "deep" / "a").read_bytes() == b"\0\1"
    assert not (two / LOCK_FILE).exists()
    os.utime(two / "b", (1, 1))
    assert pack(two, last="b") == packed


def test_a_file_arrives_under_its_name(tmp_path):
    (tmp_path / "a.csv").write_text("text\nx\n")
    unpack(pack(tmp_path / "a.csv"), tmp_path / "there")
    assert (tmp_path / "there" / "a.csv").read_text() == "text\nx\n"


def test_what_was_not_sent_back_is_gone_before_the_last_file_is_there(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "complete").write_text("new")
    content = pack(run, last="complete")
    for name in ("old", "kept", "complete"):
        (run / name).write_text("before")
    (run / "states").mkdir()
    (run / "states" / "s").touch()
    unpack(content, tmp_path, keep=("kept",))
    assert sorted(one.name for one in run.iterdir()) == ["complete", "kept"]
    assert (run / "complete").read_text() == "new"


def test_a_tar_that_leads_out_of_the_folder_is_refused(tmp_path):
    import io
    import tarfile

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        member = tarfile.TarInfo("../out")
        member.size = 1
        tar.addfile(member, io.BytesIO(b"x"))
    with pytest.raises(tarfile.OutsideDestinationError):
        unpack(buffer.getvalue(), tmp_path / "in")
    assert not (tmp_path / "out").exists()


def test_paths_move_with_their_root_and_others_are_refused(tmp_path):
    value = {"at": [tmp_path / "a" / "b", tmp_path / "c"]}
    content = pickled(value, [tmp_path / "a", tmp_path / "c"])
    moved = unpickled(content, [Path("x"), Path("y")])
    assert moved == {"at": [Path("x/b"), Path("y")]}
    with pytest.raises(ValueError, match="neither read nor written"):
        pickled(value, [tmp_path / "a"])


def test_a_relative_path_moves_as_well(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = pickled(Path("models/run/x"), [tmp_path / "models" / "run"])
    assert unpickled(content, [Path("/there")]) == Path("/there/x")


# Machines that stand in for others: threads, with a scratch folder of their own.


class Threads:
    """A `Machines` that does errands in this process's threads, by a faulty wire."""

    def __init__(self, lose: int = 0, other: bool = False, shared=None, jobs=2):
        self.shared, self.jobs = shared, jobs
        self.lose, self.left_out, self.other = lose, [], other
        self.cancelled: list[int] = []
        self._pool = futures.ThreadPoolExecutor(jobs)
        self._heard: list[tuple[int, object]] = []
        self._numbers = itertools.count()
        self._sent: dict[int, futures.Future] = {}

    def room(self):
        return self.jobs

    def put(self, content):
        return content

    def submit(self, errand, contents):
        if self.other:
            errand = replace(errand, versions={**errand.versions, "keras": "2.0"})
        number = next(self._numbers)
        tell = lambda report: self._heard.append((errand.number, report))  # noqa: E731
        self._sent[number] = self._pool.submit(perform, errand, contents, tell)
        return number

    def done(self, handles, seconds):
        futures.wait([self._sent[h] for h in handles], seconds, "FIRST_COMPLETED")
        return [h for h in handles if self._sent[h].done()]

    def returned(self, handle):
        if self.lose:
            self.lose -= 1
            raise LostError("lost with its machine")
        return self._sent[handle].result()

    def heard(self):
        taken, self._heard = self._heard, []
        return taken

    def leave_out(self, returned):
        self.left_out.append(returned.refused)
        self.other = False

    def cancel(self, handles):
        self.cancelled += handles
        for child in multiprocessing.active_children() if handles else ():
            child.kill()

    def close(self):
        self._pool.shutdown(cancel_futures=True)


@pytest.fixture(autouse=True)
def own_scratch(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = dict(os.environ)
    yield
    for name in set(os.environ) - set(before):
        del os.environ[name]


@contextlib.contextmanager
def threads(**options) -> Iterator[Dispatcher]:
    machines = Threads(**options)
    try:
        yield Dispatcher(machines, machines.room(), 1)
    finally:
        machines.close()


def outcomes(cluster, *some: Task, heard=None, deadline=math.inf) -> list[Outcome]:
    told = (lambda *one: heard.append(one)) if heard is not None else lambda *_: None
    done = run_tasks(some, on_report=told, cluster=cluster, deadline=deadline)
    return sorted(done, key=lambda one: one.index)


@contextlib.contextmanager
def here(folder: Path) -> Iterator[None]:
    yield None


@contextlib.contextmanager
def elsewhere(folder: Path) -> Iterator[Dispatcher]:
    with threads() as cluster:
        yield cluster


@contextlib.contextmanager
def jobs_of_slurm(folder: Path) -> Iterator[Dispatcher]:
    """Slurm, whose commands are stand-ins; nothing of a command stays behind."""
    from seqclf.cluster.slurm_machines import SlurmMachines

    shared, before = folder / "shared", dict(os.environ)
    shared.mkdir(parents=True)
    os.environ |= stand_in_slurm.install(folder / "slurm")
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)  # where jobs find `work`
    asked = Asked("slurm", shared=shared)
    machines = SlurmMachines(asked, lambda sentence: None)
    try:
        yield Dispatcher(machines, 2, 1)
    finally:
        machines.close()
        os.environ.clear()
        os.environ.update(before)
    assert not [one for one in shared.iterdir() if [*one.iterdir()]]


@contextlib.contextmanager
def nodes_of_ray(folder: Path) -> Iterator[Dispatcher]:
    """Ray, with two nodes of this machine."""
    from seqclf.cluster.opened import opened

    before = dict(os.environ)
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0123456789abcdef" * 2}
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)  # where nodes find `work`
    try:
        with (
            ray_nodes.cluster(os.environ["RAY_AUTH_TOKEN"]) as nodes,
            opened(Asked(nodes.address), lambda sentence: None) as cluster,
        ):
            yield cluster
    finally:
        os.environ.clear()
        os.environ.update(before)


# Every executor does the same.


# Ray leaves sockets and processes to the end of the interpreter.
OF_RAY = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None, reason="Ray is not installed"
    ),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
EVERYWHERE = [
    here,
    elsewhere,
    pytest.param(jobs_of_slurm, marks=pytest.mark.slow),
    pytest.param(nodes_of_ray, marks=OF_RAY),
]


@pytest.mark.parametrize("where", EVERYWHERE)
def test_values_reports_files_and_errors_are_the_same_everywhere(where, tmp_path):
    heard: list[tuple[int, int]] = []
    with where(tmp_path) as cluster:
        done = outcomes(
            cluster,
            task_of(tmp_path, "good", "a"),
            task_of(tmp_path, "raise", "b"),
            task_of(tmp_path, "exit", "c"),
            heard=heard,
        )
    out = tmp_path / "out"
    assert done[0] == Outcome(0, ("good", 0))
    assert (out / "a" / "number").read_text() == "4+3"
    assert (out / "a" / "log.txt").read_text() == "heard by the log\n"
    assert [report for index, report in heard if index == 0] == [0, 1, 2]
    name = f" [{platform.node()}]" if cluster else ""
    assert done[1].error == f"{out / 'b'} cannot be{name}"
    exit_code = f"ended without a result (exit code 3; see {out / 'c' / 'log.txt'})"
    assert done[2].error == f"{exit_code}{name}"


@pytest.mark.parametrize("where", EVERYWHERE)
def test_what_was_begun_is_gone_on_with_everywhere(where, tmp_path):
    task = task_of(tmp_path, "good")
    task.writes.mkdir(parents=True)
    (task.writes / "so-far").write_text("2")
    with where(tmp_path) as cluster:
        assert outcomes(cluster, task) == [Outcome(0, ("good", 2))]


@pytest.mark.slow
@pytest.mark.parametrize("where", EVERYWHERE)
def test_at_the_deadline_what_is_unfinished_can_be_gone_on_with(where, tmp_path):
    task = task_of(tmp_path, "stop")
    with where(tmp_path) as cluster:
        begun = time.monotonic()
        assert outcomes(cluster, task, deadline=begun + 4) == []
        assert time.monotonic() < begun + 20
    assert (task.writes / "so-far").read_text() == "1"
    finished = replace(task, argument=("good", *task.argument[1:]))
    with where(tmp_path / "again") as cluster:
        assert outcomes(cluster, finished) == [Outcome(0, ("good", 1))]


@pytest.mark.slow
def test_slurm_is_asked_for_what_was_asked(tmp_path, monkeypatch):
    from seqclf.cluster.errand import Returned

    monkeypatch.setenv("SBATCH_TIMELIMIT", "04:00:00")
    task = task_of(tmp_path, "slow")
    with jobs_of_slurm(tmp_path) as cluster:
        for _ in range(2):  # the other job had been sent there as well
            cluster.machines.leave_out(Returned("odd", refused="it has keras 2"))
        assert outcomes(cluster, task) == [Outcome(0, ("slow", 0))]
        script = (tmp_path / "slurm" / "1001.sh").read_text()
    for line in (
        "--time=240",
        "--cpus-per-task=1",
        "--exclude=odd",
        "--job-name=seqclf",
    ):
        assert f"#SBATCH {line}\n" in script
    assert "gpus" not in script


@pytest.mark.slow
def test_a_command_that_ends_cancels_its_jobs(tmp_path):
    task = task_of(tmp_path, "stop")
    with jobs_of_slurm(tmp_path) as cluster:

        def stop(index, step):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            list(run_tasks([task], cluster=cluster, on_report=stop))
        group = int((tmp_path / "slurm" / "1001.pid").read_text())
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                os.killpg(group, 0)
            except OSError:
                break
            time.sleep(0.2)
        else:
            pytest.fail("the job is still there")


# Every command that trains.


TINY_RUN = {
    "units": 8, "embedding_size": 8, "epochs": 2, "batch_size": 16, "min_count": 1,
    "learning_rate": 0.02, "limit": 80,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"seeds": 1, "tune": 2},
        {"folds": 2},
        {"seeds": 2, "until_decided": True, "max_seeds": 2},
    ],
    ids=str,
)
def test_a_comparison_of_every_kind_is_trained_elsewhere(
    options, tmp_path, monkeypatch
):
    import seqclf

    texts = tmp_path / "texts.csv"
    rows = [f"{word} {i},{word}" for i in range(20) for word in ("good", "bad")]
    texts.write_text("\n".join(["text,label", *rows]) + "\n")
    places = {"models_dir": tmp_path / "models", "cache_dir": tmp_path / "cache"}
    asked = {"cells": "none,gru", "validation_fraction": 0.2, **TINY_RUN, "epochs": 1}
    with threads() as cluster:

        @contextlib.contextmanager
        def opened(machines, insist):
            yield cluster

        monkeypatch.setattr("seqclf.api.comparing.opened", opened)
        found = seqclf.compare(texts, **places, **options, **asked)
    assert not found.missing
    files = tmp_path.rglob("environment.json")  # the trials of tuning, too
    said = [json.loads(file.read_text()) for file in files]
    assert {one["node"] for one in said if "threads" in one} == {platform.node()}


@pytest.mark.slow
def test_a_study_trains_elsewhere_and_measures_here(tmp_path):
    from seqclf.keywords import to_config
    from seqclf.steps import Target
    from seqclf.workflows.study import question_of, run_study

    config = to_config({"data": "demo", **TINY_RUN})
    target = Target(tmp_path / "models", tmp_path / "cache")
    with threads() as cluster:
        question = question_of(config, "rnn,gru", 1, quick=True)
        run_study("gates", question, target, Silent(), cluster=cluster)
    runs = [Run(one.parent) for one in tmp_path.rglob("environment.json")]
    assert {run.environment.node for run in runs} == {platform.node()}


# What comes back.


def test_an_error_names_places_of_this_machine(tmp_path):
    with threads() as cluster:
        (done,) = outcomes(cluster, task_of(tmp_path, "raise"))
    assert f"{tmp_path / 'out' / 'made'} cannot be" in done.error
    assert "seqclf-cluster" not in done.error


def test_the_log_of_a_task_that_writes_nothing_is_kept_here(tmp_path):
    log = tmp_path / "logs" / "log.txt"
    with threads() as cluster:
        assert outcomes(cluster, Task(speak, "loud", log)) == [Outcome(0, "loud")]
    assert log.read_text() == "loud\n"


def speak(argument, report):
    os.write(1, f"{argument}\n".encode())
    return argument


def test_a_folder_that_another_process_works_in_is_not_touched(tmp_path):
    task = task_of(tmp_path, "good")
    task.writes.mkdir(parents=True)
    with (task.writes / LOCK_FILE).open("w") as file:
        assert try_lock(file)
        with threads() as cluster:
            (done,) = outcomes(cluster, task)
    assert "is being written by another process" in done.error
    assert [one.name for one in task.writes.iterdir()] == [LOCK_FILE]


@pytest.mark.slow
def test_a_patient_task_waits_for_the_other_process(tmp_path):
    task = replace(task_of(tmp_path, "good"), patience=30)
    task.writes.mkdir(parents=True)
    file = (task.writes / LOCK_FILE).open("w")
    assert try_lock(file)
    threading.Timer(1, file.close).start()
    with threads() as cluster:
        assert outcomes(cluster, task) == [Outcome(0, ("good", 0))]


@pytest.mark.slow
def test_what_was_left_before_it_ended_leaves_no_folder_behind(tmp_path):
    some = [task_of(tmp_path, "slow", name) for name in "abc"]
    with threads(jobs=3) as cluster:
        running = run_tasks(some, cluster=cluster)
        assert next(running).error is None
        running.close()
        assert len(cluster.machines.cancelled) == 2
    left = [one for one in (tmp_path / "out").iterdir() if one.name]
    assert len(left) == 1
    assert (left[0] / "number").exists()


def test_a_killed_training_is_told_as_here(tmp_path):
    """As where its memory runs out: the machine and the supervising process live on."""
    some = [task_of(tmp_path, kind, kind) for kind in ("signal", "good")]
    with threads() as cluster:
        killed, good = outcomes(cluster, *some)
    assert "most often because memory ran out" in killed.error
    assert good.error is None


def test_a_lost_errand_is_an_error_and_the_others_go_on(tmp_path):
    some = [task_of(tmp_path, "good", name) for name in "ab"]
    with threads(lose=1) as cluster:
        done = outcomes(cluster, *some)
    assert sorted(str(one.error) for one in done) == ["None", "lost with its machine"]


def test_a_machine_with_other_versions_is_left_out_by_what_differs(tmp_path):
    with threads(other=True) as cluster:
        assert outcomes(cluster, task_of(tmp_path, "good")) == [Outcome(0, ("good", 0))]
        (why,) = cluster.machines.left_out
    assert why == f"it has keras {versions_here()['keras']} in place of 2.0"


def test_a_machine_with_a_full_disk_is_left_out_and_the_task_done_elsewhere(
    tmp_path, monkeypatch
):
    times = []

    def full_at_first(content, parent):
        times.append(parent)
        if len(times) == 1:
            raise OSError(28, "No space left on device")
        unpack(content, parent)

    monkeypatch.setattr(errands, "unpack", full_at_first)
    with threads() as cluster:
        (done,) = outcomes(cluster, task_of(tmp_path, "good"))
        (why,) = cluster.machines.left_out
    assert "No space left on device" in why
    assert done == Outcome(0, ("good", 0))


def test_a_task_that_every_machine_refuses_is_an_error_and_no_endless_loop(
    tmp_path, monkeypatch
):
    def full(content, parent):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(errands, "unpack", full)
    monkeypatch.setattr("seqclf.cluster.dispatch.REFUSALS", 3)
    with threads() as cluster:
        (done,) = outcomes(cluster, task_of(tmp_path, "good"))
        assert len(cluster.machines.left_out) == 2
    assert "No space left on device" in done.error


def test_what_is_asked_for_a_training_is_what_it_gets(tmp_path, monkeypatch):
    from seqclf.cluster import opened as opening

    machines = Threads(jobs=3)
    monkeypatch.setattr(opening, "_connected", lambda asked, insist: machines)
    asked = asked_of("auto", cpus_per_training=2, gpus_per_training=0.5)
    with opening.opened(asked, lambda sentence: None) as cluster:
        assert (cluster.jobs, cluster.threads) == (3, 2)
        errand, _ = cluster._errand(task_of(tmp_path, "good"), math.inf)
    assert errand.gpus == 0.5


def test_where_no_machine_is_left_the_command_ends(tmp_path, monkeypatch):
    from seqclf.errors import RunError

    monkeypatch.setattr(dispatch, "ALONE", 1.0)
    monkeypatch.setattr(dispatch, "COUNTING", 0.1)

    def none_is_left():
        raise ConfigError("none")

    with threads() as cluster:
        monkeypatch.setattr(cluster.machines, "room", none_is_left)
        with pytest.raises(RunError, match="there was no fit machine"):
            outcomes(cluster, task_of(tmp_path, "good"))
    assert not [*(tmp_path / "out").glob("*")]


@pytest.mark.slow
def test_no_more_is_sent_than_there_is_room_for(tmp_path, monkeypatch):
    """A thousand files would need a thousand locks, and a store for all of them."""
    some = [task_of(tmp_path, "good", f"{i}") for i in range(5)]
    out = []
    with threads(jobs=2) as cluster:
        submit = cluster.machines.submit

        def counted(errand, contents):
            held = list((tmp_path / "out").glob("*/lock"))
            done = list((tmp_path / "out").glob("*/number"))
            out.append(len(held) - len(done))
            return submit(errand, contents)

        monkeypatch.setattr(cluster.machines, "submit", counted)
        assert len(outcomes(cluster, *some)) == 5
        assert not [path for path in cluster._put if path.is_file()]
    assert max(out) <= 2


def test_what_cannot_be_sent_by_now_is_sent_later(tmp_path, monkeypatch):
    """And meanwhile the machines are not asked again and again."""
    some = [task_of(tmp_path, "slow", name) for name in "ab"]
    with threads(jobs=2) as cluster:
        submit, returned = cluster.machines.submit, cluster.machines.returned
        times, out = [], []

        def limited(errand, contents):
            times.append(errand)
            if out:
                raise LostError("a limit of jobs")
            out.append(errand)
            return submit(errand, contents)

        def back(handle):
            out.clear()
            return returned(handle)

        monkeypatch.setattr(cluster.machines, "submit", limited)
        monkeypatch.setattr(cluster.machines, "returned", back)
        assert [one.error for one in outcomes(cluster, *some)] == [None, None]
    assert len(times) == 3


@pytest.mark.parametrize("most", [20, 3, 2])
def test_reports_that_were_lost_come_with_the_result(most, tmp_path, monkeypatch):
    heard: list[tuple[int, int]] = []
    monkeypatch.setattr(errands, "LAST", most)
    with threads() as cluster:
        monkeypatch.setattr(cluster.machines, "heard", list)
        outcomes(cluster, task_of(tmp_path, "good"), heard=heard)
    assert heard == [(0, 0), (0, 1), (0, 2)][-most:]


def test_a_link_arrives_as_what_it_leads_to(tmp_path):
    task = task_of(tmp_path, "good")
    real = task.reads[0].rename(tmp_path / "elsewhere")
    task.reads[0].symlink_to(real)
    with threads() as cluster:
        assert outcomes(cluster, task) == [Outcome(0, ("good", 0))]


def test_a_folder_of_another_user_is_not_used(tmp_path):
    errands.scratch().rmdir()
    (tmp_path / "other").mkdir()
    errands.scratch().rmdir()
    name = errands.scratch()
    name.rmdir()
    name.symlink_to(tmp_path / "other")
    with pytest.raises(PermissionError):
        errands.scratch()
    name.unlink()
    name.mkdir(mode=0o755)
    with pytest.raises(PermissionError):
        errands.scratch()


@pytest.mark.parametrize(
    ("gpus", "variables"),
    [
        (0.0, {"CUDA_VISIBLE_DEVICES": "-1"}),
        (0.5, {"TF_FORCE_GPU_ALLOW_GROWTH": "true"}),
        (1.0, {}),
    ],
)
def test_a_training_has_the_gpus_that_were_asked_for_and_no_other(gpus, variables):
    assert errands._of_gpus(gpus) == variables


@pytest.mark.parametrize(
    ("limit", "minutes"),
    [("", 1440), ("90", 90), ("04:00:00", 240), ("30:00", 30), ("2-0", 2880),
     ("1-02:30", 1590), ("0:00:30", 1), ("soon", 1440), ("UNLIMITED", 1440)],
)  # fmt: skip
def test_a_time_limit_of_slurm_is_read(limit, minutes):
    from seqclf.cluster.slurm_machines import minutes_of

    assert minutes_of(limit) == minutes


def test_a_full_disk_here_fails_that_task_alone(tmp_path, monkeypatch):

    real = unpack

    def full(content, parent, keep=()):
        if b"x+3" in content:
            raise OSError(28, "No space left on device")
        real(content, parent, keep)

    bad = task_of(tmp_path, "good", "bad", "x")
    with threads() as cluster:
        errand, contents = cluster._errand(bad, math.inf)
        monkeypatch.setattr(dispatch, "unpack", full)
        returned = perform(errand, contents, lambda report: None)
        outcome = dispatch._taken_in(dispatch._Sent(0, bad, errand), returned)
        assert outcome.error.startswith(f"done by {platform.node()}, could not be kept")
        good = task_of(tmp_path, "good", "good")
        assert outcomes(cluster, good) == [Outcome(0, ("good", 0))]


def test_with_a_shared_folder_work_goes_on_where_another_machine_left_it(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    task = task_of(tmp_path, "good")
    with threads(shared=shared) as cluster:
        errand, _ = cluster._errand(task, math.inf)
        for attempt, done in enumerate("12"):
            lost = errand.attempts / f"{attempt}" / "made"
            lost.mkdir(parents=True)
            (lost / "so-far").write_text(done)
            (lost / LOCK_FILE).touch()
            os.utime(lost, (attempt, attempt))
        assert outcomes(cluster, task) == [Outcome(0, ("good", 2))]
    assert not [*(shared / "unfinished").iterdir()]
    assert (task.writes / "number").read_text() == "4+3"


def test_what_a_shared_folder_has_of_a_lost_errand_comes_back(tmp_path):
    """As of a job that Slurm ended at its time limit: the next command goes on."""
    shared = tmp_path / "shared"
    task = task_of(tmp_path, "stop")
    with threads(shared=shared, lose=1) as cluster:
        errand, _ = cluster._errand(task, math.inf)
        lost = errand.attempts / "0" / "made"
        lost.mkdir(parents=True)
        (lost / "so-far").write_text("2")
        cluster.machines.submit = lambda *asked: 7
        cluster.machines.done = lambda handles, seconds: list(handles)
        (done,) = outcomes(cluster, task)
    assert done.error == "lost with its machine"
    assert (task.writes / "so-far").read_text() == "2"
    assert not [*(shared / "unfinished").iterdir()]


def test_unfinished_work_that_cannot_be_had_stays_where_it_is(tmp_path, monkeypatch):
    def changing(*asked):
        raise FileNotFoundError("renamed meanwhile")

    attempts = tmp_path / "shared" / "unfinished" / "x"
    (attempts / "0" / "made").mkdir(parents=True)
    (attempts / "0" / "made" / "so-far").write_text("2")
    task = task_of(tmp_path, "good")
    with threads() as cluster:
        errand = replace(cluster._errand(task, math.inf)[0], attempts=attempts)
    monkeypatch.setattr(dispatch, "pack", changing)
    monkeypatch.setattr(dispatch, "PAUSE", 0.0)
    dispatch._bring_unfinished(dispatch._Sent(0, task, errand))
    assert (attempts / "0" / "made" / "so-far").read_text() == "2"


def test_work_of_another_command_in_a_shared_folder_is_not_taken(tmp_path):
    """It may be of a command that was typed with --fresh, or of an older one."""
    shared = tmp_path / "shared"
    task = task_of(tmp_path, "good")
    with threads(shared=shared) as cluster:
        errand, _ = cluster._errand(task, math.inf)
        lost = errand.attempts / "0" / "made"
        lost.mkdir(parents=True)
        (lost / "so-far").write_text("2")
    with threads(shared=shared) as cluster:
        assert outcomes(cluster, task) == [Outcome(0, ("good", 0))]


def test_what_a_shared_folder_has_of_given_up_work_comes_back(tmp_path):
    """With Ctrl-C; without such a folder it is where the other machine was."""
    task = task_of(tmp_path, "stop")

    def stop(index, step):
        for _ in range(100):
            if [*(tmp_path / "shared").rglob("so-far")]:
                break
            time.sleep(0.1)
        raise KeyboardInterrupt

    with threads(shared=tmp_path / "shared") as cluster:
        with pytest.raises(KeyboardInterrupt):
            list(run_tasks([task], cluster=cluster, on_report=stop))
        assert not [*(tmp_path / "shared" / "unfinished").iterdir()]
    assert (task.writes / "so-far").read_text() == "1"


def test_what_is_read_travels_once_and_again_when_it_has_changed(tmp_path):
    task = task_of(tmp_path, "good")
    with threads() as cluster:
        first = cluster._content(task.reads[0])
        assert cluster._content(task.reads[0])[1] is first[1]
        task.reads[0].write_text("other")
        assert cluster._content(task.reads[0]) != first


def test_a_machine_keeps_what_it_was_sent_for_a_day(tmp_path):
    with threads() as cluster:
        outcomes(cluster, task_of(tmp_path, "good", "a"))
        (kept,) = (errands.scratch() / "data").iterdir()
        os.utime(kept, (1, 1))
        outcomes(cluster, task_of(tmp_path, "good", "b", "other"))
    assert not kept.exists()
    assert not [*(errands.scratch() / "work").iterdir()]


def test_the_work_of_a_process_that_died_is_removed_there(tmp_path):
    dead = errands.scratch() / "work" / "dead"
    dead.mkdir(parents=True)
    (dead / LOCK_FILE).touch()
    os.utime(dead, (1, 1))
    with threads() as cluster:
        outcomes(cluster, task_of(tmp_path, "good"))
    assert not dead.exists()


def test_what_changes_numbers_travels_and_where_to_send_does_not(monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    monkeypatch.setenv("SEQCLF_CLUSTER", "auto")
    monkeypatch.setenv("AWS_SECRET", "x")
    sent = errands.environment_here()
    assert sent["TF_ENABLE_ONEDNN_OPTS"] == "0"
    assert not {"SEQCLF_CLUSTER", "AWS_SECRET"} & set(sent)


# What a person asks for.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cluster": "somewhere"}, "auto, HOST:PORT of a Ray head or slurm"),
        ({"cluster": "host:0"}, "HOST:PORT"),
        ({"cluster": "auto", "cpus_per_training": 0}, "at least 1, got 0"),
        ({"cluster": "auto", "gpus_per_training": -1.0}, "from 0 to 1, got -1"),
        ({"cluster": "auto", "gpus_per_training": 2.0}, "from 0 to 1, got 2"),
        ({"cluster": "slurm"}, "needs --shared DIR"),
        ({"cluster": "auto", "shared": Path("nowhere")}, "there is no such folder"),
        ({"cluster": None, "cpus_per_training": 2}, "--cpus-per-training does nothing"),
        (
            {"cluster": None, "insecure_cluster": True},
            "--insecure-cluster does nothing",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        asked_of(**options)


def test_slurm_has_no_use_for_insecurity(tmp_path):
    with pytest.raises(ConfigError, match="Slurm knows who asks"):
        asked_of("slurm", shared=tmp_path, insecure_cluster=True)


def test_the_environment_names_a_cluster_and_an_option_takes_it_back(monkeypatch):
    assert asked_of(None) is None
    monkeypatch.setenv("SEQCLF_CLUSTER", "head:6379")
    assert asked_of(None, jobs=3) == Asked("head:6379", jobs=3)
    assert asked_of("none") is None


@pytest.mark.parametrize(
    ("name", "where", "line"),
    [("ray", "auto", "seqclf.ray."), ("slurm", "slurm", "seqclf.slurm.")],
)
def test_without_the_extra_a_command_says_what_to_type(
    name, where, line, tmp_path, monkeypatch
):
    monkeypatch.setattr(extra, "find_spec", lambda package: None)
    done = invoke("compare", "--cluster", where, "--shared", tmp_path)
    assert done.exit_code == 2
    said = " ".join(done.output.split())
    assert install_line(name) in said


def test_a_cluster_of_the_environment_matters_only_where_something_is_sent(
    monkeypatch,
):
    monkeypatch.setenv("SEQCLF_CLUSTER", "slurm")  # and no --shared
    assert invoke("study").exit_code == 0
    assert "needs --shared DIR" in invoke("compare", "--data", "demo").output


def test_what_follows_files_does_not_follow_those_of_other_machines(tmp_path):
    done = invoke("compare", "--cluster", "auto", "--log-dir", tmp_path)
    assert "--log-dir follows trainings of this machine" in done.output


def test_a_text_needs_no_cluster(tmp_path):
    done = invoke("predict", "a text", "--cluster", "auto")
    assert "--cluster does nothing when there is no --input" in done.output


# Who may use a cluster.


@pytest.fixture
def head(monkeypatch, tmp_path):
    """A head that lets in whoever has the token; None lets in everyone."""
    import grpc

    wanted: list[str | None] = ["secret"]

    def check(request, context):
        bearer = dict(context.invocation_metadata()).get("authorization")
        if wanted[0] is not None and bearer != f"Bearer {wanted[0]}":
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "no")
        return b""

    service, method = tokens.QUESTION.strip("/").split("/")
    handlers = {method: grpc.unary_unary_rpc_method_handler(check)}
    server = grpc.server(futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(service, handlers),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    for name in (tokens.MODE, tokens.TOKEN, tokens.TOKEN_FILE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    yield f"127.0.0.1:{port}", wanted
    server.stop(None).wait()


def test_a_cluster_without_a_token_is_refused_unless_it_is_wanted(head):
    address, wanted = head
    wanted[0] = None
    with pytest.raises(ConfigError, match="asks for no token.*--insecure-cluster"):
        tokens.mode_of(address, insecure=False)
    assert tokens.mode_of(address, insecure=True) == "disabled"


def test_no_token_and_a_wrong_one_are_told_apart(head, monkeypatch, tmp_path):
    address, _ = head
    with pytest.raises(ConfigError, match="asks for a token, and none is set here"):
        tokens.mode_of(address, insecure=True)
    monkeypatch.setenv(tokens.TOKEN, "guessed")
    with pytest.raises(ConfigError, match="has another token"):
        tokens.mode_of(address, insecure=False)
    monkeypatch.delenv(tokens.TOKEN)
    file = tmp_path / "token"
    file.write_text("secret\n")
    monkeypatch.setenv(tokens.TOKEN_FILE, str(file))
    assert tokens.mode_of(address, insecure=False) == "token"


def test_a_token_is_also_found_where_ray_keeps_its_own(head, tmp_path):
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("secret")
    tokens.mode_of(head[0], insecure=False)


def test_a_head_that_does_not_answer_is_told(monkeypatch):
    monkeypatch.setattr(tokens, "SECONDS", 0.3)
    with pytest.raises(ConfigError, match="no Ray head answers at 127.0.0.1:9"):
        tokens.mode_of("127.0.0.1:9", insecure=False)


def test_auto_is_the_cluster_that_this_machine_is_part_of(tmp_path, monkeypatch):
    monkeypatch.setattr(tokens, "CURRENT", tmp_path / "current")
    monkeypatch.delenv(tokens.ADDRESS, raising=False)
    with pytest.raises(ConfigError, match="part of no Ray cluster.*ray start"):
        tokens.head_of("auto")
    (tmp_path / "current").write_text("10.0.0.1:6379\n")
    assert tokens.head_of("auto") == "10.0.0.1:6379"
    monkeypatch.setenv(tokens.ADDRESS, "10.0.0.2:6379")
    assert tokens.head_of("auto") == "10.0.0.2:6379"
    assert tokens.head_of("host:1") == "host:1"


def test_a_cluster_that_another_user_named_does_not_get_the_token(
    tmp_path, monkeypatch
):
    (tmp_path / "current").write_text("10.0.0.1:6379\n")
    monkeypatch.setattr(tokens, "CURRENT", tmp_path / "current")
    of_another = SimpleNamespace(st_uid=os.getuid() + 1)
    system = SimpleNamespace(**vars(os) | {"fstat": lambda descriptor: of_another})
    monkeypatch.setattr(tokens, "os", system)
    monkeypatch.delenv(tokens.ADDRESS, raising=False)
    with pytest.raises(ConfigError, match="current is of another user"):
        tokens.head_of("auto")

"""Interrupted commands, typed again: they resume, or restart with --fresh."""

from __future__ import annotations

import datetime
import json
import os
import sys
import time
from pathlib import Path

import pytest
from conftest import run_cli

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import kills

from seqclf.runs import Run

pytestmark = pytest.mark.slow
OPTIONS = [o for o in kills.OPTIONS if not o.startswith(("--name", "--epochs"))]
TRAIN = ["train", "--cell=gru", "--epochs=3", *OPTIONS]
COMPARE = ["compare", "--cells=rnn,gru", "--seeds=1", "--epochs=3", "--json", *OPTIONS]
STUDY = ["study", "order", "--cells=gru", "--epochs=3", "--json", "--jobs=1", *OPTIONS]
COMMAND = "multiprocessing.parent_process().pid"  # of the command that sent a process
# Read by every process: one whose third checkpoint stands kills whom it is told to.
SITE = """
import multiprocessing, os, pathlib, signal
left, real = 3, pathlib.Path.replace
def replace(self, target):
    global left
    result = real(self, target)
    left -= os.path.basename(target) == "checkpoint.npz"
    if left == 0 and {condition}:
        os.kill({whom}, signal.SIGKILL)
    return result
pathlib.Path.replace = replace
"""


# In every process: an hour back at each look at the time of day, a year back since
# yesterday.
CLOCK = """
import datetime, itertools, time, types
from seqclf.runs import writing
hours, real_time = itertools.count(), time.time
time.time = lambda: real_time() - 3600 * next(hours)
class Earlier(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.now(tz) - datetime.timedelta(days=365)
writing.datetime = types.SimpleNamespace(datetime=Earlier, UTC=datetime.UTC)
"""


def surroundings(folder: Path, whom: str = "", condition: str = "True"):
    """Returns an environment in which `whom` is killed; with checkpoints all the time.

    Args:
      folder: Where what kills is put.
      whom: The number of the process, as Python; nobody if it is empty.
      condition: When, as Python; `target` is the checkpoint.
    """
    environment = os.environ | {"SEQCLF_CHECKPOINT_SECONDS": "0.05"}
    if not whom:
        return environment
    folder.mkdir(exist_ok=True)
    code = SITE.format(whom=whom, condition=condition)
    (folder / "sitecustomize.py").write_text(code)
    path = os.pathsep.join([str(folder), environment.get("PYTHONPATH", "")])
    return environment | {"PYTHONPATH": path}


def typed(command, folder, *more, whom="", condition="True"):
    """Types a command; waits until nobody is at any run any more."""
    environment = surroundings(folder / "site", whom, condition)
    done = run_cli([*command, *more], folder, env=environment, timeout=600)
    for lock in (folder / "models").rglob("lock"):
        kills.wait_until_free(lock.parent)
    return done


def runs_of(folder: Path) -> list[Run]:
    """Returns the networks; the linear baselines beside them have no epochs."""
    found = [Run(path.parent) for path in sorted(folder.glob("models/*/config.json"))]
    return [run for run in found if not run.is_linear]


@pytest.fixture(scope="module")
def uncut(tmp_path_factory):
    """The numbers of a training and of a comparison that nobody cut, by name."""
    folder = tmp_path_factory.mktemp("uncut")
    kills.write_reviews(folder, 120)
    done = typed(COMPARE, folder)
    assert done.returncode == 0, done.stderr
    return {run.name: kills.numbers(run.path) for run in runs_of(folder)}


@pytest.fixture
def folder(tmp_path):
    kills.write_reviews(tmp_path, 120)
    return tmp_path


@pytest.mark.parametrize("fresh", [False, True])
def test_a_training_goes_on_or_begins_anew_and_ends_with_the_same(fresh, folder, uncut):
    cut = typed(TRAIN, folder, whom="os.getpid()")
    assert cut.returncode == 1
    assert "killed (SIGKILL), most often because memory ran out" in cut.stderr
    [run] = runs_of(folder)
    assert (run.path / "checkpoint.npz").exists()
    done = typed(TRAIN, folder, *["--fresh"] * fresh)
    assert done.returncode == 0, done.stderr
    assert f"training is {'restarted' if fresh else 'resumed'}" in done.stderr
    assert ("resumes at epoch" in done.stderr) is not fresh
    assert run.environment.cuts == (0 if fresh else 1)
    assert kills.numbers(run.path) == uncut[run.name]
    assert not (run.path / "checkpoint.npz").exists()


@pytest.mark.parametrize("fresh", [False, True])
def test_a_killed_comparison_goes_on_or_begins_anew(fresh, folder, uncut):
    cut = typed(COMPARE, folder, "--jobs=1", whom=COMMAND)
    assert cut.returncode == -9
    assert [run.is_finished for run in runs_of(folder)] == [False]
    done = typed(COMPARE, folder, "--jobs=1", *["--fresh"] * fresh)
    assert done.returncode == 0, done.stderr
    assert ("resumes at epoch" in done.stderr) is not fresh
    found = runs_of(folder)
    assert {run.name: kills.numbers(run.path) for run in found} == uncut
    cuts = sorted(run.environment.cuts for run in found)
    assert cuts == ([0, 0] if fresh else [0, 1])


def test_a_killed_study_goes_on_and_gives_the_same_answer(tmp_path):
    folders = tmp_path / "cut", tmp_path / "uncut"
    for folder in folders:
        folder.mkdir()
        kills.write_reviews(folder, 120)
    first, whole = folders
    shuffled = "'-shuffled-' in str(target)"
    cut = typed(STUDY, first, whom=COMMAND, condition=shuffled)
    assert cut.returncode == -9
    trials = first / "models" / "reviews-studies" / "trials"
    states = [Run(file.parent).is_finished for file in trials.glob("*/config.json")]
    assert sorted(states) == [False, True]  # the longest first: GRU in order; the cut
    assert not list(first.rglob("answer.json"))
    again, undisturbed = typed(STUDY, first), typed(STUDY, whole)
    assert again.returncode == 0, again.stderr
    assert "and 1 that is finished: reused." in again.stderr, again.stderr
    assert "resumes at epoch" in again.stderr
    assert json.loads(again.stdout) == json.loads(undisturbed.stdout)


def test_a_clock_that_is_set_back_changes_nothing(folder, uncut):
    tomorrow = time.time() + 24 * 3600
    os.utime(folder / "reviews.csv", (tomorrow, tomorrow))
    assert typed(TRAIN, folder, whom="os.getpid()").returncode == 1
    [run] = runs_of(folder)
    for file in run.path.iterdir():
        os.utime(file, (tomorrow, tomorrow))
    (folder / "site" / "sitecustomize.py").write_text(CLOCK)
    path = os.pathsep.join([str(folder / "site"), os.environ.get("PYTHONPATH", "")])
    back = surroundings(folder) | {"PYTHONPATH": path}
    done = run_cli(TRAIN, folder, env=back, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "resumes at epoch" in done.stderr
    assert run.environment.cuts == 1
    assert run.environment.seconds > 0
    assert int(run.complete.time[:4]) == datetime.datetime.now().year - 1
    assert kills.numbers(run.path) == uncut[run.name]
    again = run_cli(TRAIN, folder, env=back, timeout=600)
    assert "is finished with these settings and data: reused" in again.stderr


def test_a_training_that_is_killed_is_missing_and_the_others_go_on(folder, uncut):
    cut = typed(COMPARE, folder, whom="os.getpid()", condition="'-rnn-' in str(target)")
    assert cut.returncode == 1
    said = "reviews-rnn-0: killed (SIGKILL), most often because memory ran out; fewer"
    assert said in cut.stderr
    result = json.loads(cut.stdout)
    assert "SIGKILL" in result["missing"]["reviews-rnn-0"]
    twins = [row["cell"] for row in result["rows"] if row["kind"] == "twin"]
    assert twins == ["gru"]
    again = typed(COMPARE, folder)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["missing"] == {}
    assert "reviews-rnn-0: resumes at epoch" in again.stderr
    found = {run.name: kills.numbers(run.path) for run in runs_of(folder)}
    assert found == uncut

"""A plan is carried out by processes: trainings, and behind the last the timing."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from seqclf.clock import Clock
from seqclf.comparison import plan as planning
from seqclf.errors import TrainingError
from seqclf.training.timing import TimingTask


def noted(path: Path, **times: float) -> None:
    path.write_text(json.dumps(times))


def fake_trial(trial: SimpleNamespace, report) -> None:
    began = time.time()
    time.sleep(0.4)
    if trial.fails:
        raise TrainingError("it fails")
    noted(trial.path / "times", began=began, ended=time.time())


def fake_timing(task: TimingTask, report) -> list:
    """Notes when it was begun, and when it was told that nothing is trained."""
    began = time.time()
    assert task.start is not None
    while not task.start.exists():
        time.sleep(0.01)
    noted(task.encoded / "timing", began=began, told=time.time())
    return []


def carry_out(place: Path, kinds: str, jobs: int, fails: str = "") -> dict:
    """Returns what was noted by name, and why trainings failed."""
    trials = [
        SimpleNamespace(
            path=place / f"{kind}{i}", kind=kind, fails=kind in fails, encoded=place
        )
        for i, kind in enumerate(kinds)
    ]
    for trial in trials:
        trial.path.mkdir()
    timing = TimingTask((), place, 1)
    plan = planning.Plan(place / "c", trials, [], [], timing, jobs)
    clock = Clock()
    failures = planning._train_and_time(plan, lambda name, event: None, clock)
    assert [*clock.seconds] == ["training", "timing"]
    assert (place / "c" / "timing.json").exists()
    names = [*(f"{t.path.name}/times" for t in trials if not t.fails), "timing"]
    found = {n: json.loads((place / n).read_text()) for n in names}
    return found | {"failures": failures}


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(planning, "run_trial", fake_trial)
    monkeypatch.setattr(planning, "run_timing", fake_timing)
    return tmp_path


@pytest.mark.parametrize(("kinds", "jobs"), [("aab", 2), ("ab", 3), ("aa", 1)])
def test_nothing_is_timed_while_anything_is_trained(place, kinds, jobs):
    found = carry_out(place, kinds, jobs)
    ends = [one["ended"] for name, one in found.items() if name.endswith("/times")]
    assert len(ends) == len(kinds)
    assert found["timing"]["told"] > max(ends)
    assert found["failures"] == {}


def test_the_timing_takes_no_place_from_a_training_that_waits(place):
    """With two places, the second helps with `a` before it prepares the timing."""
    found = carry_out(place, "aaaab", 2)
    begins = [one["began"] for name, one in found.items() if name.endswith("/times")]
    assert found["timing"]["began"] > max(begins)


def test_trainings_that_fail_leave_the_timing(place):
    found = carry_out(place, "ab", 2, fails="ab")
    assert found["failures"] == {"a0": "it fails", "b1": "it fails"}
    assert found["timing"]["told"] > 0


def test_nothing_stays_behind_when_the_caller_is_interrupted(place, monkeypatch):
    begun = []

    def interrupt(name: str, event: object) -> None:
        begun.append(name)
        raise KeyboardInterrupt

    trial = SimpleNamespace(path=place / "a0", kind="a", fails=True, encoded=place)
    plan = planning.Plan(place / "c", [trial], [], [], TimingTask((), place, 1), 2)
    with pytest.raises(KeyboardInterrupt):
        planning._train_and_time(plan, interrupt, Clock())
    assert begun == ["a0"]
    assert not (place / "timing").exists()

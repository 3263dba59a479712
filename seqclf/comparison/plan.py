"""Twins x seeds, side by side with the baselines."""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqclf import config as settings
from seqclf import runs
from seqclf.comparison.rows import compare_runs
from seqclf.comparison.saved import (
    COMPARISON_FILE,
    QUESTION_FILE,
    TIMING_FILE,
    read_timing,
)
from seqclf.config import CELL_NAMES, RunConfig, twin
from seqclf.engine import Outcome, Task, cores, run_tasks
from seqclf.errors import ConfigError, RunError, unknown
from seqclf.evaluation.baselines import BaselineTask, baseline_tasks, run_baseline
from seqclf.runs import Run
from seqclf.runs import run as files
from seqclf.storage import write_json
from seqclf.text.encoding import EncodedDataset
from seqclf.training.timing import TimingTask, run_timing
from seqclf.training.trial import Trial, run_trial

TIMING = "timing of the twins"
# Time of an epoch beside GRU's, measured on IMDB (docs/results.md); for estimates only.
RELATIVE_COST = {"none": 0.15, "rnn": 0.7, "gru": 1.0, "lstm": 1.1}

OnReport = Callable[[str, dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a comparison will do.

    Attributes:
      path: Its directory.
      trials: Trainings that are not finished yet.
      finished: Runs that are.
      baselines: The baselines, fitted or not.
      timing: The kinds of twins, to be timed against each other.
      jobs: Trainings at a time.
    """

    path: Path
    trials: list[Trial]
    finished: list[Run]
    baselines: list[BaselineTask]
    timing: TimingTask
    jobs: int = 1


def parse_cells(text: str) -> tuple[str, ...]:
    """Reads a list such as `rnn,gru`; a name twice or unknown is refused."""
    cells = tuple(cell.strip() for cell in text.split(","))
    for cell in cells:
        if cell not in CELL_NAMES:
            raise ConfigError(unknown("cell", cell, CELL_NAMES))
    if len(set(cells)) < len(cells):
        raise ConfigError(f"--cells names a cell twice: {text}.")
    return cells


def relative_cost(config: RunConfig) -> float:
    """Returns about how long a training takes beside that of a GRU."""
    return RELATIVE_COST[config.model.cell]


def plan(
    config: RunConfig,
    cells: Sequence[str],
    seeds: Sequence[int],
    data: EncodedDataset,
    models: Path,
    name: str | None = None,
    overwrite: bool = False,
    jobs: int = 1,
) -> Plan:
    """Finds out what of a comparison is done already and where the rest goes.

    Args:
      config: The recipe; cell and seed are replaced.
      cells: Cells to compare.
      seeds: Training seeds, each for all cells.
      data: The encoded data set.
      models: Folder of the runs.
      name: Name of the comparison; None takes <data>-compare.
      overwrite: Whether a given name may be taken from another comparison.
      jobs: Trainings at a time; the cores are divided among them.

    Returns:
      The plan; seed by seed, so that a cut leaves whole rounds, and the longest
      training of a seed first, so that none is left alone at the end.
    """
    question = _question(config, cells, seeds, data)
    path = _comparison_path(models, question, data, name, overwrite)
    _begin(path, question)
    trials, finished = [], []
    threads = max(cores() // jobs, 1)
    by_cost = sorted(cells, key=lambda cell: -RELATIVE_COST[cell])
    for seed in seeds:
        for cell in by_cost:
            one = twin(config, cell, seed)
            place = runs.find_place(models, one, data.about)
            if place.is_done:
                finished.append(Run(place.path))
            else:
                about = data.about
                trials.append(
                    Trial(one, data.path, about, place.path, "compare", threads, jobs)
                )
    kinds = tuple(twin(config, cell, seeds[0]) for cell in cells)
    timing = TimingTask(kinds, data.path, cores())
    return Plan(path, trials, finished, baseline_tasks(data, models), timing, jobs)


def _begin(path: Path, question: dict[str, Any]) -> None:
    """Makes the directory; what another question left there is removed."""
    if path.exists() and not _is_free_for(path, question):
        shutil.rmtree(path)
    path.mkdir(parents=True, exist_ok=True)
    write_json(path / QUESTION_FILE, question)


def _question(
    config: RunConfig, cells: Sequence[str], seeds: Sequence[int], data: EncodedDataset
) -> dict[str, Any]:
    values = settings.question(config)
    del values["model"]["cell"], values["training"]["seed"]
    return values | {
        "cells": list(cells),
        "seeds": list(seeds),
        "fingerprint": data.about["fingerprint"],
    }


def _comparison_path(
    models: Path,
    question: dict[str, Any],
    data: EncodedDataset,
    name: str | None,
    overwrite: bool,
) -> Path:
    if name is not None:
        runs.check_name(name)
        path = models / name
        if _is_free_for(path, question):
            return path
        if not (path / QUESTION_FILE).exists():
            raise RunError(f"{path} is no comparison; choose another --name.")
        if not overwrite:
            raise RunError(
                f"{path} already holds another comparison; pass --overwrite to "
                f"replace it, or choose another --name."
            )
        return path
    base, number = f"{data.about['name']}-compare", 1
    while True:
        path = models / (base if number == 1 else f"{base}-{number}")
        if _is_free_for(path, question):
            return path
        number += 1


def _is_free_for(path: Path, question: dict[str, Any]) -> bool:
    if not path.exists():
        return True
    return _read_question(path) == question


def _read_question(path: Path) -> dict[str, Any]:
    """Returns what a comparison asks; nothing if that cannot be read."""
    try:
        question: dict[str, Any] = json.loads((path / QUESTION_FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return question


def execute(plan: Plan, on_report: OnReport) -> tuple[list[Run], dict[str, str]]:
    """Trains and fits what is missing, each in a process of its own.

    Args:
      plan: What to do.
      on_report: Told the name of a run or baseline and what it reports.

    Returns:
      All finished runs, and why the others are missing, by name.
    """
    failures = fit_baselines(plan.baselines, on_report)
    tasks = [Task(run_trial, t, t.path / files.LOG_FILE) for t in plan.trials]
    names = [trial.path.name for trial in plan.trials]
    failures |= _run_all(tasks, names, on_report, plan.jobs)[1]
    failures |= _time(plan, on_report)
    return finished_runs(plan), failures


def fit_baselines(
    baselines: Sequence[BaselineTask], on_report: OnReport
) -> dict[str, str]:
    """Fits the baselines that are not fitted yet; returns why some could not be."""
    missing = [baseline for baseline in baselines if not baseline.is_fitted]
    tasks = [Task(run_baseline, b, b.path / files.LOG_FILE) for b in missing]
    return _run_all(tasks, [baseline.name for baseline in missing], on_report)[1]


def _time(plan: Plan, on_report: OnReport) -> dict[str, str]:
    """Times the twins alone, unless that was done; returns why it could not be."""
    file = plan.path / TIMING_FILE
    if file.exists() and not plan.trials:
        return {}
    task = Task(run_timing, plan.timing, plan.path / files.LOG_FILE)
    values, failures = _run_all([task], [TIMING], on_report)
    if not failures:
        cells = [config.model.cell for config in plan.timing.configs]
        write_json(file, dict(zip(cells, values[0], strict=True)))
    return failures


def _run_all(
    tasks: Sequence[Task], names: Sequence[str], on_report: OnReport, jobs: int = 1
) -> tuple[dict[int, Any], dict[str, str]]:
    """Returns what the tasks returned, by index, and why others failed, by name."""
    values, failures = {}, {}
    for outcome in run_tasks(tasks, jobs, lambda i, r: on_report(names[i], r)):
        on_report(names[outcome.index], _ended(outcome))
        if outcome.error:
            failures[names[outcome.index]] = outcome.error
        else:
            values[outcome.index] = outcome.value
    return values, failures


def finished_runs(plan: Plan) -> list[Run]:
    """Returns the runs of a plan that are finished by now."""
    trained = [Run(trial.path) for trial in plan.trials]
    return plan.finished + [run for run in trained if run.is_finished]


def _ended(outcome: Outcome) -> dict[str, Any]:
    if outcome.error:
        return {"event": "failed", "error": outcome.error}
    return {"event": "finished"}


def finish(
    plan: Plan, finished: Sequence[Run], failures: dict[str, str], seconds: float
) -> dict[str, Any]:
    """Writes and returns `comparison.json` of runs and fitted baselines.

    Raises:
      RunError: If every training failed; the reasons are named.
    """
    if not finished:
        reasons = "; ".join(f"{name}: {error}" for name, error in failures.items())
        raise RunError(f"no training was finished. {reasons}")
    result = compare_runs(finished, plan.baselines, read_timing(plan.path)) | {
        "missing": failures,
        "seconds": seconds,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    write_json(plan.path / COMPARISON_FILE, result)
    files.mark_complete(plan.path, "compare")
    return result


def missing_none_twins(finished: Sequence[Run]) -> list[Run]:
    """Returns finished runs that differ from the given ones in having no recurrence.

    Args:
      finished: Runs; each is looked for in its own folder of runs.

    Returns:
      One run for each different question, in order.
    """
    found: dict[Path, Run] = {}
    for run in finished:
        wanted = twin(run.config, "none")
        place = runs.find_place(run.path.parent, wanted, run.dataset)
        if place.is_done:
            found[place.path] = Run(place.path)
    return list(found.values())

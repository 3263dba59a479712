"""Twins x seeds, side by side with the baselines."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seqclf import config as settings
from seqclf import runs
from seqclf.baselines import BASELINES, BaselineTask, run_baseline
from seqclf.config import CELL_NAMES, RunConfig, twin
from seqclf.data.dataset import TEST, VALIDATION
from seqclf.encoding import EncodedDataset
from seqclf.engine import Outcome, Task, run_tasks
from seqclf.errors import ConfigError, RunError, unknown
from seqclf.runs import Run
from seqclf.storage import write_json
from seqclf.trial import Trial, cores, run_trial

COMPARISON_FILE = "comparison.json"
QUESTION_FILE = "question.json"
BASELINES_FOLDER = "baselines"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a comparison will do.

    Attributes:
      path: Its directory.
      trials: Trainings that are not finished yet.
      finished: Runs that are.
      baselines: Baselines that are not fitted yet.
    """

    path: Path
    trials: list[Trial]
    finished: list[Run]
    baselines: list[BaselineTask]


def parse_cells(text: str) -> tuple[str, ...]:
    """Reads a list such as `rnn,gru`; a name twice or unknown is refused."""
    cells = tuple(cell.strip() for cell in text.split(","))
    for cell in cells:
        if cell not in CELL_NAMES:
            raise ConfigError(unknown("cell", cell, CELL_NAMES))
    if len(set(cells)) < len(cells):
        raise ConfigError(f"--cells names a cell twice: {text}.")
    return cells


def plan(
    config: RunConfig,
    cells: Sequence[str],
    seeds: Sequence[int],
    data: EncodedDataset,
    models: Path,
    name: str | None = None,
    overwrite: bool = False,
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

    Returns:
      The plan; seed by seed, so that a cut leaves whole rounds.
    """
    question = _question(config, cells, seeds, data)
    path = _comparison_path(models, question, data, name, overwrite)
    trials, finished = [], []
    for seed in seeds:
        for cell in cells:
            one = twin(config, cell, seed)
            place = runs.find_place(models, one, data.about)
            if place.is_done:
                finished.append(Run(place.path))
            else:
                trials.append(Trial(one, data.path, place.path, "compare", cores()))
    baselines = [
        BaselineTask(key, config.data, data.path, folder)
        for key in BASELINES
        if not ((folder := _baseline_path(path, key)) / runs.COMPLETE_FILE).exists()
    ]
    path.mkdir(parents=True, exist_ok=True)
    write_json(path / QUESTION_FILE, question)
    return Plan(path, trials, finished, baselines)


def _question(
    config: RunConfig, cells: Sequence[str], seeds: Sequence[int], data: EncodedDataset
) -> dict[str, Any]:
    values = settings.to_dict(config)
    del values["data"]["source"], values["model"]["cell"], values["training"]["seed"]
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
        if not overwrite and not _is_free_for(models / name, question):
            raise RunError(
                f"{models / name} already holds something else; pass --overwrite to "
                f"replace it, or choose another --name."
            )
        return models / name
    base, number = f"{data.about['name']}-compare", 1
    while True:
        path = models / (base if number == 1 else f"{base}-{number}")
        if _is_free_for(path, question):
            return path
        number += 1


def _is_free_for(path: Path, question: dict[str, Any]) -> bool:
    if not path.exists():
        return True
    try:
        text = (path / QUESTION_FILE).read_text("utf-8")
        return bool(json.loads(text) == question)
    except (OSError, ValueError):
        return False


def _baseline_path(comparison: Path, name: str) -> Path:
    return comparison / BASELINES_FOLDER / name.split()[0]


def execute(
    plan: Plan, on_report: Callable[[str, dict[str, Any]], None]
) -> tuple[list[Run], dict[str, str]]:
    """Trains and fits what is missing, each in a process of its own.

    Args:
      plan: What to do.
      on_report: Told the name of a run or baseline and what it reports.

    Returns:
      All finished runs, and why the others are missing, by name.
    """
    names = [task.name for task in plan.baselines] + [t.path.name for t in plan.trials]
    tasks = [
        Task(run_baseline, task, task.path / runs.LOG_FILE) for task in plan.baselines
    ] + [Task(run_trial, trial, trial.path / runs.LOG_FILE) for trial in plan.trials]
    failures = {}
    for outcome in run_tasks(tasks, on_report=lambda i, r: on_report(names[i], r)):
        on_report(names[outcome.index], _ended(outcome))
        if outcome.error:
            failures[names[outcome.index]] = outcome.error
    trained = [Run(trial.path) for trial in plan.trials if _is_done(trial.path)]
    return plan.finished + trained, failures


def _ended(outcome: Outcome) -> dict[str, Any]:
    if outcome.error:
        return {"event": "failed", "error": outcome.error}
    return {"event": "finished"}


def _is_done(path: Path) -> bool:
    return Run(path).is_finished


def finish(
    path: Path, finished: Sequence[Run], failures: dict[str, str], seconds: float
) -> dict[str, Any]:
    """Writes and returns `comparison.json` of runs and fitted baselines."""
    baselines = {
        name: folder
        for name in BASELINES
        if ((folder := _baseline_path(path, name)) / runs.COMPLETE_FILE).exists()
    }
    result = compare_runs(finished, baselines) | {
        "missing": failures,
        "seconds": seconds,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    write_json(path / COMPARISON_FILE, result)
    runs.mark_complete(path, "compare")
    return result


def compare_runs(
    finished: Sequence[Run], baselines: dict[str, Path] | None = None
) -> dict[str, Any]:
    """Puts finished runs side by side, without training.

    Args:
      finished: Runs on the same data, divided in the same way.
      baselines: Folders of fitted baselines, by name.

    Returns:
      Rows, a verdict and the card of what is equal, as in `comparison.json`.

    Raises:
      RunError: If the runs are not comparable; what differs is named.
    """
    if not finished:
        raise RunError("there is nothing to compare: no run is finished.")
    _refuse_different_data(finished)
    groups = _group(finished)
    rows = [_row(name, group) for name, group in groups.items()]
    rows.sort(key=lambda row: CELL_NAMES.index(row["cell"].split()[0]))
    rows = [_baseline_row(n, p) for n, p in (baselines or {}).items()] + rows
    return {"rows": rows, "verdict": verdict(rows), "card": _card(finished)}


def _refuse_different_data(finished: Sequence[Run]) -> None:
    first = finished[0]
    for run in finished[1:]:
        different = [
            f"{key}: {first.dataset[key]}, {run.dataset[key]}"
            for key in ("fingerprint", "labels", "sizes")
            if first.dataset[key] != run.dataset[key]
        ]
        different += [
            line
            for line in settings.differences(first.config, run.config)
            if line.startswith("data.")
        ]
        if different:
            raise RunError(
                f"{first.name} and {run.name} cannot be compared, their data "
                f"differs: {'; '.join(different)}."
            )


def _group(finished: Sequence[Run]) -> dict[str, list[Run]]:
    """Puts runs that differ in their seed only together, named by cell."""
    groups: list[list[Run]] = []
    for run in finished:
        for group in groups:
            if settings.same_question(
                group[0].config,
                twin(run.config, run.config.model.cell, _seed(group[0])),
            ):
                group.append(run)
                break
        else:
            groups.append([run])
    cells = [group[0].config.model.cell for group in groups]
    return {
        cell if cells.count(cell) == 1 else f"{cell} ({group[0].name})": group
        for cell, group in zip(cells, groups, strict=True)
    }


def _seed(run: Run) -> int:
    return run.config.training.seed


def _row(name: str, group: Sequence[Run]) -> dict[str, Any]:
    test = [run.metrics[TEST] for run in group]
    environment = [run.environment for run in group]

    def mean(key: str) -> float:
        return float(np.mean([values[key] for values in environment]))

    return {
        "cell": name,
        "kind": "recurrent",
        "seeds": [_seed(run) for run in group],
        "runs": [str(run.path) for run in group],
        "parameters": environment[0]["parameters"],
        "recurrent_parameters": environment[0]["recurrent_parameters"],
        **_quality(test),
        "seconds_per_epoch": mean("seconds_per_epoch"),
        "seconds_to_best": mean("seconds_to_best"),
        "tokens_per_second": mean("tokens_per_second"),
        "milliseconds_per_prediction": mean("milliseconds_per_prediction"),
        "peak_memory_bytes": max(e["peak_memory_bytes"] for e in environment),
        "kernel": ", ".join(sorted({e["kernel"] for e in environment})),
        "validation_loss": float(
            np.mean([run.metrics[VALIDATION]["log_loss"] for run in group])
        ),
    }


def _baseline_row(name: str, folder: Path) -> dict[str, Any]:
    run = Run(folder)
    return {
        "cell": name,
        "kind": "baseline",
        "runs": [str(folder)],
        "parameters": None,
        **_quality([run.metrics[TEST]]),
        "seconds_to_best": run.environment["seconds"],
        "peak_memory_bytes": run.environment["peak_memory_bytes"],
    }


def _quality(test: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Returns the test scores: their mean, and how far they reach.

    low and high: the range over seeds, joined with the Wilson interval of the mean on
    that many test rows. With one seed that is the Wilson interval.
    """
    accuracies = [scores["accuracy"] for scores in test]
    mean, n = float(np.mean(accuracies)), test[0]["n"]
    from seqclf.metrics import wilson

    low, high = wilson(round(mean * n), n)
    return {
        "n": n,
        "accuracy": {
            "mean": mean,
            "low": min(low, *accuracies),
            "high": max(high, *accuracies),
            "least": min(accuracies),
            "most": max(accuracies),
        },
        "macro_f1": float(np.mean([scores["macro_f1"] for scores in test])),
        "log_loss": float(np.mean([scores["log_loss"] for scores in test])),
    }


def verdict(rows: Sequence[dict[str, Any]]) -> str:
    """Says in plain words what the accuracies support, and no more."""
    twins = sorted(
        (row for row in rows if row["kind"] == "recurrent"),
        key=lambda row: -row["accuracy"]["mean"],
    )
    best = twins[0]
    seeds = len(best["seeds"])
    basis = "one seed" if seeds == 1 else f"{seeds} seeds"
    text = (
        f"{_title(best['cell'])} has the highest test accuracy, {_points(best)} % "
        f"(n = {best['n']:,}, {basis})"
    )
    close = [_title(r["cell"]) for r in twins[1:] if _overlap(r, best)]
    if close:
        text += f", but {_join(close)} cannot be told apart from it on this evidence"
    text += "."
    if seeds == 1:
        text += " One seed tells about these trained models, not about the cells."
    return text + _about_baselines(rows, best)


def _about_baselines(rows: Sequence[dict[str, Any]], best: dict[str, Any]) -> str:
    baselines = [row for row in rows if row["kind"] == "baseline"]
    if not baselines:
        return ""
    top = max(baselines, key=lambda row: row["accuracy"]["mean"])
    gap = 100 * (top["accuracy"]["mean"] - best["accuracy"]["mean"])
    name = f"The best baseline, {top['cell']},"
    if _overlap(top, best):
        return f" {name} is as good within the uncertainty ({_points(top)} %)."
    if gap > 0:
        return f" {name} beats every twin, by {gap:.1f} points ({_points(top)} %)."
    return f" {name} is {-gap:.1f} points below ({_points(top)} %)."


def _overlap(a: dict[str, Any], b: dict[str, Any]) -> bool:
    first, second = a["accuracy"], b["accuracy"]
    return bool(first["low"] <= second["high"] and second["low"] <= first["high"])


def _points(row: dict[str, Any]) -> str:
    return f"{100 * row['accuracy']['mean']:.1f}"


def _title(cell: str) -> str:
    names = {"none": "no recurrence", "rnn": "SimpleRNN", "gru": "GRU", "lstm": "LSTM"}
    first, *rest = cell.split(maxsplit=1)
    return " ".join([names.get(first, first), *rest])


def _join(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _card(finished: Sequence[Run]) -> dict[str, Any]:
    """Returns what all runs share, and the settings in which they differ."""
    first = finished[0]
    different = {
        line.split(":")[0]
        for run in finished
        for line in settings.differences(first.config, run.config)
    }
    equal = {
        f"{part}.{key}": value
        for part, values in settings.to_dict(first.config).items()
        for key, value in values.items()
        if f"{part}.{key}" not in different
    }
    return {"equal": equal, "different": sorted(different), "dataset": first.dataset}


def find_comparisons(models: Path) -> list[Path]:
    """Returns the directories of finished comparisons, by name."""
    if not models.is_dir():
        return []
    found = sorted(file.parent for file in models.glob(f"*/{COMPARISON_FILE}"))
    return [path for path in found if (path / runs.COMPLETE_FILE).exists()]


def default_run(models: Path) -> Run:
    """Returns the run that `predict` takes if none is named.

    The newest `train`, or the best by validation loss of the newest `compare`,
    whichever was asked for last.

    Raises:
      RunError: If there is no finished run.
    """
    asked: list[tuple[str, Run]] = []
    for run in runs.list_runs(models):
        if run.is_finished and run.complete["command"] == "train":
            asked.append((run.complete["time"], run))
    for path in find_comparisons(models):
        best = _best_run(path)
        if best is not None:
            asked.append((Run(path).complete["time"], best))
    if not asked:
        raise RunError(f"no run to predict with; {runs.no_runs(models)}")
    return max(asked, key=lambda one: one[0])[1]


def _best_run(comparison: Path) -> Run | None:
    """Returns the run of a comparison with the least validation loss."""
    rows = json.loads((comparison / COMPARISON_FILE).read_text("utf-8"))["rows"]
    found = [
        Run(comparison.parent / Path(path).name)
        for row in rows
        if row["kind"] == "recurrent"
        for path in row["runs"]
    ]
    there = [run for run in found if run.is_finished]
    return min(there, key=lambda r: r.metrics[VALIDATION]["log_loss"], default=None)

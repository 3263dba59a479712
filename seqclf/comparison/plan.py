"""Trains and compares twins x seeds, with the baselines."""

from __future__ import annotations

import datetime
import itertools
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from seqclf import marker, runs
from seqclf.cells import CELLS, NO_RECURRENCE
from seqclf.comparison import saved, tuning
from seqclf.comparison.at_look import ONCE, AtLook
from seqclf.comparison.design import Design, twins
from seqclf.comparison.details import details
from seqclf.comparison.pairs import MARGIN
from seqclf.comparison.rows import compare_runs, group_runs
from seqclf.config import RunConfig, twin
from seqclf.data.dataset import TEST
from seqclf.engine import Task, run_tasks
from seqclf.errors import RunError
from seqclf.evaluation.baselines import BaselineTask, baseline_tasks, run_baseline
from seqclf.marker import COMPARISON_FILE, QUESTION_FILE
from seqclf.records.comparison import ComparisonResult, Tuned
from seqclf.records.looks import UntilDecided
from seqclf.records.plain import to_plain
from seqclf.records.training import Failed, Finished, OnEvent
from seqclf.runs import Run, files, writing
from seqclf.storage import numbered, read_object, write_json
from seqclf.system import cores
from seqclf.text.encoding import EncodedDataset, open_encoded
from seqclf.training.timing import TimingTask, run_timing
from seqclf.training.trial import Trial, run_trial

TIMING, DETAILS = "timing of the twins", "details of where the twins differ"
# What distinguishes a comparison from others, as `question.json` has it.
Question = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a comparison in the directory `path` will do, with so many jobs at a time.

    Attributes:
      trials: Trainings that are not finished yet; `finished` are the other runs.
      baselines: The baselines, fitted or not.
      timing: The twins, to be timed against each other.
      chosen: Settings in which the twins may differ, see `Design.chosen`.
      tuning: The trials that chose them, if any.
      margin: Difference in accuracy, a fraction, below which two are practically equal.
    """

    path: Path
    trials: list[Trial]
    finished: list[Run]
    baselines: list[BaselineTask]
    timing: TimingTask
    jobs: int = 1
    chosen: tuple[str, ...] = ()
    tuning: dict[str, Tuned] | None = None
    margin: float = MARGIN


def relative_cost(config: RunConfig) -> float:
    """Returns about how long a training takes, relative to one GRU layer."""
    cell = CELLS[config.model.cell]
    return cell.relative_cost * (config.model.layers if cell.has_layer else 1)


def begin(
    design: Design,
    data: EncodedDataset,
    models: Path,
    name: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Creates, or finds, the directory of a comparison; removes another's files in it.

    It is called <data>-compare unless a name is given; under that, another comparison
    is replaced only to `overwrite` it.
    """
    question = design.question(data.about.fingerprint)
    if name is not None:
        path = _named_path(models, question, name, overwrite)
    else:
        paths = (models / one for one in numbered(f"{data.about.name}-compare"))
        path = next(path for path in paths if _is_free_for(path, question))
    _begin(path, question)
    return path


def plan(
    design: Design,
    data: EncodedDataset,
    path: Path,
    jobs: int = 1,
    configs: Mapping[str, RunConfig] | None = None,
    tried: dict[str, Tuned] | None = None,
    seeds: Mapping[str, Sequence[int]] | None = None,
) -> Plan:
    """Returns what of a comparison in a directory is finished and what is left to do.

    Args:
      design: What is compared.
      data: The encoded data set.
      path: The directory, in the folder of the runs.
      jobs: Trainings in parallel; the cores are divided among them.
      configs: By cell, as tuning chose them; None takes the design's recipe.
      tried: The trials of tuning, see `tuning.choose`.
      seeds: By cell, as looks have asked for; None takes the design's.

    Returns:
      The plan. Trainings are ordered by seed, so that an interruption leaves complete
      seeds, then longest first, so that none runs alone at the end.
    """
    configs = configs or twins(design)
    models = path.parent
    trials, finished = [], []
    by_cost = sorted(design.cells, key=lambda cell: -CELLS[cell].relative_cost)
    asked = seeds or dict.fromkeys(design.cells, design.seeds)
    for seed in sorted(set(itertools.chain(*asked.values()))):
        for cell in (cell for cell in by_cost if seed in asked[cell]):
            one = twin(configs[cell], cell, seed)
            place = runs.find_place(models, one, data.about)
            if place.is_done:
                finished.append(Run(place.path))
            else:
                trials.append(_trial(one, data, place.path, jobs))
    return Plan(
        path,
        trials,
        finished,
        baseline_tasks(design.config, data, models),
        TimingTask(tuple(configs.values()), data.path, cores()),
        jobs,
        design.chosen,
        tried,
        design.margin / 100,
    )


def tuning_trials(
    search: tuning.Search, data: EncodedDataset, jobs: int = 1
) -> list[Trial]:
    """Returns the trainings of tuning that are not finished yet."""
    left = tuning.unfinished(search)
    return [_trial(config, data, place, jobs) for place, config in left]


def _trial(config: RunConfig, data: EncodedDataset, path: Path, jobs: int) -> Trial:
    threads = max(cores() // jobs, 1)
    return Trial(config, data.path, data.about, path, "compare", threads, jobs)


def _begin(path: Path, question: Question) -> None:
    """Creates the directory; removes what another question left there."""
    if path.exists() and not _is_free_for(path, question):
        marker.remove(path)
    marker.begin(path, marker.COMPARISON)
    write_json(path / QUESTION_FILE, question)


def _named_path(models: Path, question: Question, name: str, overwrite: bool) -> Path:
    runs.check_name(name)
    path = models / name
    if _is_free_for(path, question):
        return path
    if not marker.is_ours(path, marker.COMPARISON):
        raise RunError(f"{path} is no comparison; choose another --name.")
    if not overwrite:
        was = ", of trials that do not count today" if _is_old(path, question) else ""
        raise RunError(
            f"{path} already holds another comparison{was}; pass --overwrite to "
            f"replace it, or choose another --name."
        )
    return path


def tuned_by_old_trials(design: Design, data: EncodedDataset, models: Path) -> str:
    """Names the comparisons that ask the same, tuned as earlier versions did."""
    question = design.question(data.about.fingerprint)
    places = sorted(file.parent for file in models.glob(f"*/{QUESTION_FILE}"))
    return ", ".join(path.name for path in places if _is_old(path, question))


def _is_old(path: Path, question: Question) -> bool:
    """Tells whether a directory has the question but for what the trials are."""
    if "tuning" not in question or not marker.is_ours(path, marker.COMPARISON):
        return False
    kept = read_object(path / QUESTION_FILE)
    return kept != question and kept | {"tuning": question["tuning"]} == question


def place_for(
    finished: Sequence[Run], models: Path, name: str, overwrite: bool = False
) -> tuple[Path, Question]:
    """Returns the directory and question of a comparison of finished runs.

    Raises:
      RunError: If the name is taken, unless by a comparison to `overwrite`, or a run is
        inside what would be replaced.
    """
    question = {"finished": sorted(str(run.path.resolve()) for run in finished)}
    path = _named_path(models, question, name, overwrite)
    for run in finished:
        if path.resolve() in run.path.resolve().parents:
            raise RunError(f"{run.path} lies in {path}; choose another --name.")
    return path, question


def _is_free_for(path: Path, question: Question) -> bool:
    """Tells whether a path is free, or has the comparison of this question."""
    if not os.path.lexists(path):
        return True
    is_ours = marker.is_ours(path, marker.COMPARISON)
    if is_ours and not (path / QUESTION_FILE).exists():
        return not (path / COMPARISON_FILE).exists()  # interrupted at its start
    return is_ours and read_object(path / QUESTION_FILE) == question


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of a plan.

    Attributes:
      plan: The plan; of several rounds the last one's.
      finished: All finished runs.
      failures: Why the others are missing, by name.
      at: At which look it ended, where seeds were added until all pairs were decided.
      until_decided: How that went.
    """

    plan: Plan
    finished: Sequence[Run]
    failures: dict[str, str]
    at: AtLook = ONCE
    until_decided: UntilDecided | None = None


def execute(plan: Plan, on_report: OnEvent) -> Ended:
    """Trains and fits what is missing, each in a subprocess, and reports by name."""
    failures = fit_baselines(plan.baselines, on_report)
    failures |= train(plan.trials, on_report, plan.jobs)
    failures |= time_twins(plan, on_report)
    return Ended(plan, finished_runs(plan), failures)


def train(
    trials: Sequence[Trial],
    on_report: OnEvent,
    jobs: int = 1,
    may_diverge: bool = False,
    deadline: float = math.inf,
) -> dict[str, str]:
    """Trains, and reports by name; returns why some could not be trained, by name.

    In tuning a loss `may_diverge`: that is a result. At the `deadline`, see
    `engine.run_tasks`, trainings are cut off, to be resumed another time.
    """
    tasks = []
    for trial in trials:
        is_lenient = may_diverge or _is_tuning(trial)
        run = tuning.run_tuning_trial if is_lenient else run_trial
        tasks.append(Task(run, trial, trial.path / files.LOG_FILE))
    names = [name_of(trial) for trial in trials]
    return _run_all(tasks, names, on_report, jobs, deadline)[1]


def _is_tuning(trial: Trial) -> bool:
    return trial.path.parent.name == tuning.FOLDER


def name_of(trial: Trial) -> str:
    """Returns what a trial is called on the screen: its run, or `tuning gru-3`."""
    prefix = f"{tuning.FOLDER} " if _is_tuning(trial) else ""
    return f"{prefix}{trial.path.name}"


def costs(trials: Sequence[Trial]) -> dict[str, float]:
    """Returns about how long each takes, by name, see `relative_cost`."""
    return {name_of(trial): relative_cost(trial.config) for trial in trials}


def fit_baselines(
    baselines: Sequence[BaselineTask], on_report: OnEvent
) -> dict[str, str]:
    """Fits the baselines that are not fitted yet; returns why some could not be."""
    missing = [baseline for baseline in baselines if not baseline.is_fitted]
    tasks = [Task(run_baseline, b.trial, b.path / files.LOG_FILE) for b in missing]
    return _run_all(tasks, [baseline.name for baseline in missing], on_report)[1]


def time_twins(plan: Plan, on_report: OnEvent) -> dict[str, str]:
    """Times the twins alone, unless that is done; returns why it could not be."""
    cells = [config.model.cell for config in plan.timing.configs]
    if set(cells) <= set(saved.read_timing(plan.path)) and not plan.trials:
        return {}
    task = Task(run_timing, plan.timing, plan.path / files.LOG_FILE)
    values, failures = _run_all([task], [TIMING], on_report)
    if not failures:
        timing = dict(zip(cells, values[0], strict=True))
        write_json(plan.path / saved.TIMING_FILE, to_plain(timing))
    return failures


def _run_all(
    tasks: Sequence[Task],
    names: Sequence[str],
    on_report: OnEvent,
    jobs: int = 1,
    deadline: float = math.inf,
) -> tuple[dict[int, Any], dict[str, str]]:
    """Returns what the tasks returned, by index, and why others failed, by name."""
    values, failures = {}, {}
    for outcome in run_tasks(
        tasks, jobs, lambda i, r: on_report(names[i], r), deadline
    ):
        name = names[outcome.index]
        if outcome.error:
            on_report(name, Failed(error=outcome.error))
            failures[name] = outcome.error
        else:
            on_report(name, Finished())
            values[outcome.index] = outcome.value
    return values, failures


def finished_runs(plan: Plan) -> list[Run]:
    """Returns the runs of a plan that are finished by now."""
    trained = [Run(trial.path) for trial in plan.trials]
    return plan.finished + [run for run in trained if run.is_finished]


def finish(ended: Ended, seconds: float, command: str = "") -> ComparisonResult:
    """Writes `comparison.json` and `details.json`; returns the whole result.

    It keeps why runs are missing, by name, how long it took, and what to type to do it
    again.

    Raises:
      RunError: If every training failed; the reasons are named.
    """
    plan = ended.plan
    if not ended.finished:
        reasons = "; ".join(
            f"{name}: {error}" for name, error in ended.failures.items()
        )
        raise RunError(f"no training was finished. {reasons}")
    timing = saved.read_timing(plan.path)
    found = compare_runs(
        ended.finished,
        plan.baselines,
        timing,
        plan.chosen,
        plan.margin,
        ended.at,
        ended.until_decided,
    )
    budgets = [tuning.budget(plan.tuning)] if plan.tuning else []
    result = replace(
        found,
        card=replace(found.card, checks=(*found.card.checks, *budgets)),
        tuning=plan.tuning,
        missing=ended.failures,
        command=command,
        seconds=seconds,
        date=_today(),
    )
    encoded = plan.timing.encoded
    return _write(plan.path, result, ended.finished, lambda: open_encoded(encoded))


def _write(
    path: Path,
    result: ComparisonResult,
    finished: Sequence[Run],
    open_data: Callable[[], EncodedDataset | None],
) -> ComparisonResult:
    """Writes result and details, and marks the comparison complete.

    Returns:
      The result; if the details fail, it says under `missing` why.
    """
    try:
        data = open_data()
        texts = data.texts(TEST) if data is not None else None
        found = details(group_runs(finished), texts)
        write_json(path / saved.DETAILS_FILE, to_plain(found))
    except Exception as error:  # noqa: BLE001 -- whatever it is, the result is kept
        # An earlier one is of other runs.
        (path / saved.DETAILS_FILE).unlink(missing_ok=True)
        result = replace(result, missing=result.missing | {DETAILS: str(error)})
    write_json(path / COMPARISON_FILE, to_plain(result))
    writing.mark_complete(path, "compare")
    return result


def keep(
    place: tuple[Path, Question],
    result: ComparisonResult,
    finished: Sequence[Run],
    data: EncodedDataset | None,
    command: str = "",
) -> ComparisonResult:
    """Writes a result of finished runs; returns the whole of it.

    Another comparison at the place, from `place_for`, is removed. The data is for the
    texts; None if it cannot be read.
    """
    path, question = place
    _begin(path, question)
    result = replace(result, command=command, date=_today())
    return _write(path, result, finished, lambda: data)


def _today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def missing_none_twins(finished: Sequence[Run]) -> list[Run]:
    """Returns the finished twins without recurrence of these runs, each once.

    They are looked for in the folder of each run.
    """
    found: dict[Path, Run] = {}
    for run in finished:
        wanted = twin(run.config, NO_RECURRENCE.name)
        place = runs.find_place(run.path.parent, wanted, run.dataset)
        if place.is_done:
            found[place.path] = Run(place.path)
    return list(found.values())

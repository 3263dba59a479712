"""Trains and compares twins x seeds, with the baselines."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import math
import tempfile
from collections import deque
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seqclf import runs
from seqclf.cells import CELLS, NO_RECURRENCE
from seqclf.clock import Clock
from seqclf.comparison import saved, tuning
from seqclf.comparison.at_look import ONCE, AtLook
from seqclf.comparison.design import Design, twins
from seqclf.comparison.draws import Draw, DrawOf
from seqclf.comparison.metric import AUTO
from seqclf.comparison.pairs import MARGIN
from seqclf.config import RunConfig, twin
from seqclf.engine import Cluster, Outcome, Task, run_tasks
from seqclf.evaluation.baselines import (
    PATIENCE,
    BaselineTask,
    baseline_tasks,
    run_baseline,
)
from seqclf.records.looks import UntilDecided
from seqclf.records.plain import to_plain
from seqclf.records.training import Failed, Finished, OnEvent
from seqclf.records.twins import Tuned
from seqclf.runs import Run, files
from seqclf.storage import write_json
from seqclf.system import cores
from seqclf.text.encoding import EncodedDataset
from seqclf.training.timing import TimingTask, run_timing
from seqclf.training.trial import Trial, run_trial

TIMING = "timing of the twins"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a comparison in the directory `path` will do, with so many jobs at a time.

    Attributes:
      trials: Trainings that are not finished yet; `finished` are the other runs.
      baselines: The baselines, fitted or not.
      timing: The twins, to be timed against each other.
      chosen: Settings in which the twins may differ, see `Design.chosen`.
      tuning: The trials that chose them, if any.
      margin: Difference, a fraction or in nats, below which two are practically equal.
      metric: What ranks them, see `metric.ranked_by`.
      cluster: Machines that train in place of this one, which times the twins.
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
    metric: str = AUTO
    cluster: Cluster | None = None


def relative_cost(config: RunConfig) -> float:
    """Returns about how long a training takes, relative to one GRU layer."""
    cell = CELLS[config.model.cell]
    return cell.relative_cost * (config.model.layers if cell.has_layer else 1)


def plan(  # noqa: PLR0913 -- what is asked, where, and what is known of it
    design: Design,
    data: EncodedDataset,
    path: Path,
    jobs: int = 1,
    configs: Mapping[str, RunConfig] | None = None,
    tried: dict[str, Tuned] | None = None,
    seeds: Mapping[str, Sequence[int]] | None = None,
    draw_of: DrawOf | None = None,
    cluster: Cluster | None = None,
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
      draw_of: What each seed draws, where the split varies; the baselines are then
        fitted on each draw. None gives all seeds the same data.
      cluster: Machines that train in place of this one.

    Returns:
      The plan. Trainings are ordered by seed, the longest first, so that none runs
      alone at the end; a process that has trained a cell goes on with its other seeds.
    """
    configs = configs or twins(design)
    models = path.parent
    trials, finished = [], []
    by_cost = sorted(design.cells, key=lambda cell: -CELLS[cell].relative_cost)
    asked = seeds or dict.fromkeys(design.cells, design.seeds)
    every = sorted(set(itertools.chain(*asked.values())))
    for seed in every:
        for cell in (cell for cell in by_cost if seed in asked[cell]):
            one, own = twin(configs[cell], cell, seed), data
            if draw_of is not None:
                one, own = _on_draw(one, draw_of(seed))
            place = runs.find_place(models, one, own.about)
            if place.is_done:
                finished.append(Run(place.path))
            else:
                trials.append(_trial(one, own, place.path, jobs, cluster))
    return Plan(
        path,
        trials,
        finished,
        _baselines(design, data, models, map(draw_of, every) if draw_of else None),
        TimingTask(tuple(configs.values()), data.path, cores()),
        jobs,
        design.chosen,
        tried,
        design.margin / 100,
        design.metric,
        cluster,
    )


def _on_draw(config: RunConfig, draw: Draw) -> tuple[RunConfig, EncodedDataset]:
    """Returns the config with the settings of a draw, and its data."""
    own = draw.config
    return dataclasses.replace(config, data=own.data, start=own.start), draw.data


def _baselines(
    design: Design, data: EncodedDataset, models: Path, draws: Iterable[Draw] | None
) -> list[BaselineTask]:
    if draws is None:
        return baseline_tasks(design.config, data, models)
    return [
        task for one in draws for task in baseline_tasks(one.config, one.data, models)
    ]


def tuning_trials(
    search: tuning.Search,
    data: EncodedDataset,
    jobs: int = 1,
    cluster: Cluster | None = None,
) -> list[Trial]:
    """Returns the trainings of tuning that are not finished yet."""
    left = tuning.unfinished(search)
    return [_trial(config, data, place, jobs, cluster) for place, config in left]


def _trial(
    config: RunConfig,
    data: EncodedDataset,
    path: Path,
    jobs: int,
    cluster: Cluster | None,
) -> Trial:
    threads = cluster.threads if cluster else max(cores() // jobs, 1)
    return Trial(config, data.path, data.about, path, "compare", threads, jobs)


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of a plan.

    Attributes:
      plan: The plan; of several rounds the last one's.
      finished: All finished runs.
      failures: Why the others are missing, by name.
      seconds: How long its phases took, by name.
      at: At which look it ended, where seeds were added until all pairs were decided.
      until_decided: How that went.
    """

    plan: Plan
    finished: Sequence[Run]
    failures: dict[str, str]
    seconds: Mapping[str, float] = field(default_factory=dict)
    at: AtLook = ONCE
    until_decided: UntilDecided | None = None


def execute(plan: Plan, on_report: OnEvent) -> Ended:
    """Trains and fits what is missing, in subprocesses, and reports by name."""
    clock = Clock()
    with clock.of("baselines"):
        failures = fit_baselines(plan.baselines, on_report, plan.jobs, plan.cluster)
    if plan.cluster is None:
        failures |= _train_and_time(plan, on_report, clock)
    else:
        with clock.of("training"):
            failures |= train(plan.trials, on_report, cluster=plan.cluster)
        with clock.of("timing"):
            failures |= time_twins(plan, on_report)
    return Ended(plan, finished_runs(plan), failures, clock.seconds)


def _train_and_time(plan: Plan, on_report: OnEvent, clock: Clock) -> dict[str, str]:
    """Trains, and times the twins when nothing is trained any more.

    What times them is begun in the first place that is free, beside the last trainings:
    to build and to trace the twins takes longer than to time them.
    """
    tasks = [_training_task(trial) for trial in plan.trials]
    names = [*map(name_of, plan.trials), TIMING]
    failures: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        start = Path(folder) / "start"
        last = [] if _are_timed(plan) else [_timing_task(plan, start)]
        outcomes = stack.enter_context(
            contextlib.closing(
                _outcomes([*tasks, *last], names, on_report, failures, plan.jobs)
            )
        )
        left = {*range(len(tasks))}
        with clock.of("training"):
            while left:
                left.discard(next(outcomes).index)
        start.touch()
        with clock.of("timing"):
            for outcome in outcomes:
                _keep_timing(plan, outcome)
    return failures


def train(
    trials: Sequence[Trial],
    on_report: OnEvent,
    jobs: int = 1,
    may_diverge: bool = False,
    deadline: float = math.inf,
    cluster: Cluster | None = None,
) -> dict[str, str]:
    """Trains, and reports by name; returns why some could not be trained, by name.

    In tuning a loss `may_diverge`: that is a result. At the `deadline`, see
    `engine.run_tasks`, trainings are cut off, to be resumed another time.
    """
    failures: dict[str, str] = {}
    tasks = [_training_task(trial, may_diverge) for trial in trials]
    if deadline < math.inf:  # what is finished by then shall be whole seeds
        tasks = [dataclasses.replace(task, kind=None) for task in tasks]
    names = [name_of(trial) for trial in trials]
    where = (jobs, deadline, cluster)
    deque(_outcomes(tasks, names, on_report, failures, *where), maxlen=0)
    return failures


def _training_task(trial: Trial, may_diverge: bool = False) -> Task:
    is_lenient = may_diverge or _is_tuning(trial)
    run = tuning.run_tuning_trial if is_lenient else run_trial
    return Task(
        run,
        trial,
        trial.path / files.LOG_FILE,
        kind=trial.kind,
        reads=(trial.encoded,),
        writes=trial.path,
    )


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
    baselines: Sequence[BaselineTask],
    on_report: OnEvent,
    jobs: int = 1,
    cluster: Cluster | None = None,
) -> dict[str, str]:
    """Fits the baselines that are not fitted yet; returns why some could not be."""
    missing = [baseline for baseline in baselines if not baseline.is_fitted]
    tasks = [_baseline_task(baseline.trial) for baseline in missing]
    failures: dict[str, str] = {}
    names = [baseline.shown for baseline in missing]
    where = (jobs, math.inf, cluster)
    deque(_outcomes(tasks, names, on_report, failures, *where), maxlen=0)
    return failures


def _baseline_task(trial: Trial) -> Task:
    return Task(
        run_baseline,
        trial,
        trial.path / files.LOG_FILE,
        reads=(trial.encoded,),
        writes=trial.path,
        patience=PATIENCE,
    )


def time_twins(plan: Plan, on_report: OnEvent) -> dict[str, str]:
    """Times the twins alone, unless that is done; returns why it could not be."""
    failures: dict[str, str] = {}
    if not _are_timed(plan):
        task = _timing_task(plan)
        for outcome in _outcomes([task], [TIMING], on_report, failures):
            _keep_timing(plan, outcome)
    return failures


def _are_timed(plan: Plan) -> bool:
    cells = {config.model.cell for config in plan.timing.configs}
    return cells <= set(saved.read_timing(plan.path)) and not plan.trials


def _timing_task(plan: Plan, start: Path | None = None) -> Task:
    timing = dataclasses.replace(plan.timing, start=start)
    return Task(run_timing, timing, plan.path / files.LOG_FILE)


def _keep_timing(plan: Plan, outcome: Outcome) -> None:
    if outcome.error is None:
        cells = [config.model.cell for config in plan.timing.configs]
        timing = dict(zip(cells, outcome.value, strict=True))
        write_json(plan.path / saved.TIMING_FILE, to_plain(timing))


def _outcomes(  # noqa: PLR0913 -- those of `run_tasks`, and who hears of them
    tasks: Sequence[Task],
    names: Sequence[str],
    on_report: OnEvent,
    failures: dict[str, str],
    jobs: int = 1,
    deadline: float = math.inf,
    cluster: Cluster | None = None,
) -> Generator[Outcome]:
    """Runs tasks; yields how they ended, reports by name, and keeps why some failed."""
    for outcome in run_tasks(
        tasks, jobs, lambda i, r: on_report(names[i], r), deadline, cluster
    ):
        name = names[outcome.index]
        if outcome.error:
            on_report(name, Failed(error=outcome.error))
            failures[name] = outcome.error
        else:
            on_report(name, Finished())
        yield outcome


def finished_runs(plan: Plan) -> list[Run]:
    """Returns the runs of a plan that are finished by now."""
    trained = [Run(trial.path) for trial in plan.trials]
    return plan.finished + [run for run in trained if run.is_finished]


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

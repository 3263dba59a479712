"""`seqclf compare` as a function, with its page."""

from __future__ import annotations

import dataclasses
import shlex
import time
from collections.abc import Collection, Sequence
from pathlib import Path

from seqclf import keywords, runs, steps
from seqclf.comparison import plan as planning
from seqclf.comparison import tuning
from seqclf.comparison.design import Design, parse_cells, twins
from seqclf.comparison.pairs import MARGIN
from seqclf.config import RunConfig, require_count
from seqclf.machine import jobs_for
from seqclf.marker import COMPARISON_FILE
from seqclf.model import backend
from seqclf.records.comparison import ComparisonResult, Tuned
from seqclf.runs import Run
from seqclf.steps import Listener, Target
from seqclf.studies import write_page
from seqclf.text.encoding import EncodedDataset
from seqclf.training.trial import Trial


def design_of(
    config: RunConfig,
    cells: str,
    seeds: int,
    match: str,
    tune: int,
    margin: float = 100 * MARGIN,
) -> Design:
    """Returns the question of a comparison.

    The recipe is `config`; its cell is replaced by `cells`, separated by commas, and
    its seed by `seeds` of them, at least 1. `match` is `units` or `parameters`, see
    `Design`; `tune` is the number of tuning trials of each cell, 0 for none; `margin`
    are the points below which two are practically equal.

    Raises:
      ConfigError: If there is no such comparison.
    """
    require_count("--seeds", seeds)
    require_count("--tune", tune, least=0)
    design = Design(
        config=config,
        cells=parse_cells(cells),
        seeds=tuple(range(seeds)),
        match=match,
        tune=tune,
        margin=margin,
    )
    # What cannot be matched is refused before anything is written.
    tuning.tuning_configs(design) if tune else twins(design)
    return design


def compare_twins(
    design: Design,
    target: Target,
    listener: Listener,
    jobs: int | None = None,
    require_cudnn: bool = False,
    given: Collection[str] = (),
) -> tuple[ComparisonResult, Path]:
    """Trains what is missing of a comparison, compares, and writes the page.

    Arguments and errors are those of all workflows, see `seqclf.workflows`; a training
    that fails is listed in the result, and a RunError only if none was finished.

    Returns:
      What was found, and the folder of the comparison.
    """
    backend.refuse_other_backends()
    if jobs is not None:
        require_count("--jobs", jobs)
    config = steps.kernel_of_choice(design.config, require_cudnn)
    steps.refuse_idle_settings(config, design.cells, target, given)
    design = dataclasses.replace(design, config=config)
    start = time.perf_counter()
    data = steps.load_and_encode(design.config, target.cache, listener)
    config = steps.with_knowledge(design.config, data, target.models, listener)
    design = dataclasses.replace(design, config=config)
    jobs = jobs or jobs_for(len(design.cells) * max(len(design.seeds), design.tune))
    named = (target.name, target.overwrite)
    path = planning.begin(design, data, target.models, *named)
    tuned = _tune(design, data, path, jobs, target.fresh, listener)
    plan = planning.plan(design, data, path, jobs, *tuned)
    _forget(plan.trials, target.fresh)
    finished, failures = _execute(plan, jobs, listener)
    seconds = time.perf_counter() - start
    command = _command(design, target)
    result = planning.finish(plan, finished, failures, seconds, command)
    steps.tell_doubts(finished, listener)
    listener.note(f"Written: {plan.path / COMPARISON_FILE}")
    write_page(plan.path, result, target.models, listener)
    return result, plan.path


def _execute(
    plan: planning.Plan, jobs: int, listener: Listener
) -> tuple[list[Run], dict[str, str]]:
    if plan.finished:
        reused = ", ".join(run.name for run in plan.finished)
        listener.note(f"Finished with these settings and data, reused: {reused}.")
    with listener.progress(_costs(plan.trials), jobs) as report:
        try:
            return planning.execute(plan, report)
        except KeyboardInterrupt:
            kept = [run.name for run in planning.finished_runs(plan)]
            listener.insist(f"Finished so far: {', '.join(kept) or 'no run'}.")
            listener.insist("Type the same command again to train the others.")
            raise


def _tune(
    design: Design,
    data: EncodedDataset,
    path: Path,
    jobs: int,
    fresh: bool,
    listener: Listener,
) -> tuple[dict[str, RunConfig] | None, dict[str, Tuned] | None]:
    """Returns what tuning chose, and what it tried, by cell; None without it."""
    if not design.tune:
        return None, None
    trials = planning.tuning_trials(design, data, path, jobs)
    _forget(trials, fresh)
    count = design.tune * len(design.cells)
    listener.note(
        f"Tuning: {count} trainings, {count - len(trials)} of them finished before; "
        f"validation loss chooses."
    )
    with listener.progress(_costs(trials), jobs) as report:
        try:
            failures = planning.train(trials, report, jobs)
        except KeyboardInterrupt:
            listener.insist("Type the same command again to continue the tuning.")
            raise
    return tuning.choose(design, path, failures)


def _forget(trials: Sequence[Trial], fresh: bool) -> None:
    """Removes the checkpoints of trainings that are to restart."""
    for trial in trials if fresh else ():
        runs.forget(trial.path)


def _costs(trials: Sequence[Trial]) -> dict[str, float]:
    return {planning.name_of(t): planning.relative_cost(t.config) for t in trials}


def _command(design: Design, target: Target) -> str:
    """Returns what to type to ask the same again, in the same place."""
    parts, left_out = ["seqclf", "compare"], ["cell", "seed"]
    if design.config.start.digest:  # the vectors say how wide they are
        left_out.append("embedding_size")
    parts += keywords.as_options(design.config, left_out)
    parts += ["--cells", ",".join(design.cells), "--seeds", str(len(design.seeds))]
    if design.match != "units":
        parts += ["--match", design.match]
    if design.tune:
        parts += ["--tune", str(design.tune)]
    parts += margin_option(design.margin)
    return shlex.join(parts + place_options(target))


def margin_option(points: float) -> list[str]:
    """Returns the option of a margin that is not the usual one."""
    return [] if points == 100 * MARGIN else ["--margin", f"{points:g}"]


def place_options(target: Target) -> list[str]:
    """Returns the options of a target that are not the usual ones."""
    places = {
        "--name": (target.name, None),
        "--models-dir": (target.models, keywords.DEFAULT_MODELS),
        "--cache-dir": (target.cache, keywords.DEFAULT_CACHE),
    }
    parts = []
    for option, (given, usual) in places.items():
        parts += [option, str(given)] if given != usual else []
    return parts

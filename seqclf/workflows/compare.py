"""`seqclf compare` as a function, with its page."""

from __future__ import annotations

import dataclasses
import functools
import shlex
import time
from collections.abc import Collection, Sequence
from pathlib import Path

from seqclf import keywords, runs, steps
from seqclf.cells import CELLS, NO_RECURRENCE
from seqclf.comparison import plan as planning
from seqclf.comparison import tuning, until
from seqclf.comparison.design import (
    MOST_SEEDS,
    TUNING_SEEDS,
    Design,
    Limits,
    parse_cells,
    require_margin,
    twins,
)
from seqclf.comparison.pairs import MARGIN
from seqclf.comparison.rows import compare_runs
from seqclf.comparison.typical import typical_runs
from seqclf.config import RunConfig, require_count
from seqclf.data.dataset import TRAIN
from seqclf.data.layout import STANDARD_INPUT
from seqclf.errors import ConfigError
from seqclf.evaluation.baselines import baseline_tasks
from seqclf.export.microscope import MICROSCOPE_FILE, has_steps, write_microscope
from seqclf.machine import jobs_for
from seqclf.marker import COMPARISON, COMPARISON_FILE, kind_of
from seqclf.model import backend
from seqclf.records.comparison import ComparisonResult, Tuned
from seqclf.runs import Run
from seqclf.runs.comparisons import read_comparison
from seqclf.steps import Listener, Target, optional
from seqclf.studies import write_page
from seqclf.text.encoding import EncodedDataset
from seqclf.training.trial import Trial
from seqclf.workflows.until import train_until_decided


def design_of(
    config: RunConfig,
    cells: str,
    seeds: int,
    match: str,
    tune: int,
    margin: float = 100 * MARGIN,
    until: Limits | None = None,
) -> Design:
    """Returns the question of a comparison.

    The recipe is `config`; its cell is replaced by `cells`, separated by commas, and
    its seed by `seeds` of them, at least 1. `match` is `units` or `parameters`, see
    `Design`; `tune` is the number of tuning trials of each cell, 0 for none; `margin`
    are the points below which two are practically equal; `until` is where it ends if
    seeds are added until all is decided, see `limits_of`.

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
        until=until,
    )
    twins(design)  # what cannot be matched is refused before anything is written
    return design


def compare_twins(
    design: Design,
    target: Target,
    listener: Listener,
    jobs: int | None = None,
    require_cudnn: bool = False,
    given: Collection[str] = (),
    microscope: bool = False,
) -> tuple[ComparisonResult, Path]:
    """Trains what is missing of a comparison, compares, and writes the page.

    Arguments and errors are those of all workflows, see `seqclf.workflows`; a training
    that fails is listed in the result, and a RunError only if none was finished. With
    `microscope` the page in which one watches a twin of each cell is written, too.

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
    most = max(len(design.seeds), len(TUNING_SEEDS) * design.tune)
    jobs = jobs or jobs_for(len(design.cells) * most)
    named = (target.name, target.overwrite)
    path = planning.begin(design, data, target.models, *named)
    so_far = until.begin(path, design)
    tuned = _tune(design, data, path, jobs, target.fresh, listener)
    plan_of = functools.partial(planning.plan, design, data, path, jobs, *tuned)
    plan = plan_of(so_far.asked)
    _forget(plan.trials, target.fresh)
    if design.until is None:
        ended = _execute(plan, jobs, listener)
    else:
        ended = train_until_decided(design, so_far, plan, plan_of, listener)
    seconds = time.perf_counter() - start
    result = planning.finish(ended, seconds, _command(design, target))
    steps.tell_doubts(ended.finished, listener)
    listener.note(f"Written: {path / COMPARISON_FILE}")
    _write_pages(path, result, target, listener, microscope)
    return result, path


def compare_finished(
    paths: Sequence[Path],
    target: Target,
    listener: Listener,
    margin: float = 100 * MARGIN,
    microscope: bool = False,
) -> tuple[ComparisonResult, Path | None]:
    """Compares finished runs, or reads a finished comparison, and writes the page.

    Trains nothing. `microscope` is as in `compare_twins`.

    `paths` are runs or one comparison, by path or by name in the folder of the runs. A
    comparison of runs is written if the target has a name. `margin` are the points
    below which two runs are practically equal; a finished comparison has its own.

    Returns:
      What was found, and the folder of the comparison, None if it has none.

    Raises:
      ConfigError: If one path is given that is no comparison, or there is no place for
        the microscope.
      RunError: If a run is missing or unfinished, they cannot be compared, or the name
        is taken.
    """
    steps.refuse_idle_overwrite(target)
    require_margin(margin)
    if microscope and len(paths) > 1 and target.name is None:
        raise ConfigError(
            "--page is written beside a comparison that is kept: give --name, or take "
            "seqclf export RUN RUN --format microscope."
        )
    result, folder = _compare_finished(paths, target, listener, margin)
    if folder is not None:
        _write_pages(folder, result, target, listener, microscope)
    return result, folder


def _write_pages(
    folder: Path,
    result: ComparisonResult,
    target: Target,
    listener: Listener,
    microscope: bool,
) -> None:
    """Writes the report and, before it, the microscope that it links to."""
    file = folder / MICROSCOPE_FILE
    if microscope:
        with optional(listener.insist, f"No {file} could be written"):
            typical = typical_runs(result, folder.parent)
            chosen = [run for run in typical if has_steps(run.config.model.cell)]
            write_microscope(chosen, file, target.cache)
            names = ", ".join(run.name for run in chosen)
            listener.note(f"Written: {file}, with the vocabulary and {names}.")
            for run in typical:
                if run not in chosen:
                    listener.note(f"{run.name} has no steps to show there.")
    write_page(folder, result, target.models, listener)


def _compare_finished(
    paths: Sequence[Path], target: Target, listener: Listener, margin: float
) -> tuple[ComparisonResult, Path | None]:
    if len(paths) == 1:
        folder = paths[0] if paths[0].exists() else target.models / paths[0]
        if kind_of(folder) != COMPARISON:
            raise ConfigError(
                f"{paths[0]} is no comparison; name two or more runs, or the folder "
                f"of a comparison."
            )
        return read_comparison(folder), folder
    finished = [runs.open_run(path, target.models) for path in paths]
    compare_runs(finished)  # refuses what is not comparable, before any work
    finished += _without_recurrence(finished, listener)
    place = None
    if target.name is not None:
        named = (target.name, target.overwrite)
        place = planning.place_for(finished, target.models, *named)
    data = _data_again(finished[0], target.cache, listener)
    models = finished[0].path.parent
    baselines = baseline_tasks(finished[0].config, data, models) if data else []
    with listener.progress({}) as report:
        planning.fit_baselines(baselines, report)
    result = compare_runs(finished, baselines, margin=margin / 100)
    if place is None:
        return result, None
    asked = [*map(str, paths), *_margin(margin), *_places(target)]
    parts = ["seqclf", "compare", *asked]
    result = planning.keep(place, result, finished, data, shlex.join(parts))
    listener.note(f"Written: {place[0] / COMPARISON_FILE}")
    return result, place[0]


def _execute(plan: planning.Plan, jobs: int, listener: Listener) -> planning.Ended:
    if plan.finished:
        reused = ", ".join(run.name for run in plan.finished)
        listener.note(f"Finished with these settings and data, reused: {reused}.")
    with listener.progress(planning.costs(plan.trials), jobs) as report:
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
    search = tuning.search_of(design, path, data.splits[TRAIN].lengths)
    trials = planning.tuning_trials(search, data, jobs)
    _forget(trials, fresh)
    count = len(list(search.every))
    listener.note(
        f"Tuning: {count} trainings, {count - len(trials)} of them finished before; "
        f"validation loss chooses."
    )
    if old := planning.tuned_by_old_trials(design, data, path.parent):
        listener.note(
            f"Trials of one training, as in {old}, are not reused; trainings with the "
            f"same settings are."
        )
    with listener.progress(planning.costs(trials), jobs) as report:
        try:
            failures = planning.train(trials, report, jobs)
        except KeyboardInterrupt:
            listener.insist("Type the same command again to continue the tuning.")
            raise
    return tuning.choose(search, failures)


def _forget(trials: Sequence[Trial], fresh: bool) -> None:
    """Removes the checkpoints of trainings that are to restart."""
    for trial in trials if fresh else ():
        runs.forget(trial.path)


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
    parts += [*_margin(design.margin), *_until(design.until)]
    return shlex.join(parts + _places(target))


def _margin(points: float) -> list[str]:
    """Returns the option of a margin that is not the usual one."""
    return [] if points == 100 * MARGIN else ["--margin", f"{points:g}"]


def _until(limits: Limits | None) -> list[str]:
    """Returns the options of a comparison that adds seeds until all is decided."""
    if limits is None:
        return []
    parts = ["--until-decided"]
    if limits.budget_seconds is not None:
        parts += ["--budget", f"{limits.budget_seconds:g}s"]
    if limits.max_seeds != MOST_SEEDS:
        parts += ["--max-seeds", str(limits.max_seeds)]
    return parts


def _places(target: Target) -> list[str]:
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


def _without_recurrence(finished: list[Run], listener: Listener) -> list[Run]:
    """Returns the `none` twins of the runs that are finished beside them."""
    if not all(CELLS[run.config.model.cell].recurs for run in finished):
        return []
    found: list[Run] = []
    with optional(listener.note, "The twin without recurrence is left out"):
        found = planning.missing_none_twins(finished)
    names = ", ".join(run.name for run in found)
    listener.note(
        f"Added, the twin without recurrence: {names}."
        if found
        else "The twin without recurrence is not trained; "
        f"seqclf train --cell {NO_RECURRENCE.name} with the same options adds it."
    )
    return found


def _data_again(run: Run, cache: Path, listener: Listener) -> EncodedDataset | None:
    """Reads a run's data again; None if that cannot be done, or it has changed."""
    source = run.config.data.source
    if source == STANDARD_INPUT:
        listener.note("No baselines, for the data came from standard input.")
        return None
    data = None
    with optional(listener.note, "No baselines, for the data could not be read again"):
        config = dataclasses.replace(run.config, data=run.data)
        data = steps.load_and_encode(config, cache, None)
    if data is None:
        return None
    if data.about.fingerprint != run.dataset.fingerprint:
        listener.note(f"No baselines, for {source} has changed since the training.")
        return None
    return data

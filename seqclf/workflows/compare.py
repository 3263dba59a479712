"""`seqclf compare` as a function, with its page."""

from __future__ import annotations

import dataclasses
import functools
import shlex
from collections.abc import Collection, Sequence
from pathlib import Path

from seqclf import keywords, runs, steps
from seqclf.clock import Clock, took
from seqclf.comparison import places, tuning, until
from seqclf.comparison import plan as planning
from seqclf.comparison.design import (
    MOST_SEEDS,
    TUNING_SEEDS,
    Design,
    Limits,
    parse_cells,
    twins,
)
from seqclf.comparison.draws import SEED, DrawOf
from seqclf.comparison.finish import finish
from seqclf.comparison.metric import AUTO
from seqclf.comparison.others.given import Given, as_options
from seqclf.comparison.others.other import Other, read_others
from seqclf.comparison.pairs import MARGIN
from seqclf.comparison.typical import typical_runs
from seqclf.config import RunConfig, require_count
from seqclf.data.dataset import TRAIN
from seqclf.engine import Cluster
from seqclf.errors import ConfigError
from seqclf.export.microscope import MICROSCOPE_FILE, has_steps, write_microscope
from seqclf.machine import jobs_of
from seqclf.marker import COMPARISON_FILE
from seqclf.model import backend
from seqclf.records.comparison import ComparisonResult
from seqclf.records.twins import Tuned
from seqclf.steps import Listener, Target, optional
from seqclf.studies import write_page
from seqclf.text.encoding import EncodedDataset
from seqclf.training.trial import Trial
from seqclf.workflows.until import train_until_decided
from seqclf.workflows.yardstick import refuse_several, train_yardstick
from seqclf.yardstick import asked as yardsticks

USUAL_SEEDS = 3  # of each cell, unless others are given
SEEDS_OF_FOLDS = (
    "--seeds does nothing with --folds, which trains each cell once for each part of "
    "the texts; --repeats N divides them N times."
)


def design_of(  # noqa: PLR0913 -- an argument for each option of a comparison
    config: RunConfig,
    cells: str,
    seeds: int,
    match: str,
    tune: int,
    margin: float = 100 * MARGIN,
    until: Limits | None = None,
    metric: str = AUTO,
    vary: str = SEED,
    folds: int | None = None,
    repeats: int | None = None,
    others: Sequence[Given] = (),
    yardstick: yardsticks.Yardstick | None = None,
) -> Design:
    """Returns the question of a comparison.

    The recipe is `config`; its cell is replaced by `cells`, separated by commas, and
    its seed by `seeds` of them, at least 1. `match` is `units` or `parameters`, see
    `Design`; `tune` is the number of tuning trials of each cell, 0 for none; `margin`
    are the points below which two are practically equal; `until` is where it ends if
    seeds are added until all is decided, see `limits_of`; `metric` is what ranks them;
    `vary` is `seed` or `split`, what the seeds vary; of so many `folds` each is tested
    on once, or `repeats` times: there are as many seeds then as trainings of a cell;
    `others` are files with the answers of other systems, see `given_files`;
    `yardstick` is a pre-trained encoder, see `yardstick_of`; its files are found, and
    downloaded if need be, when all else is known to be possible.

    Raises:
      ConfigError: If there is no such comparison.
      RunError: If the yardstick cannot be had.
    """
    require_count("--seeds", seeds)
    require_count("--tune", tune, least=0)
    if folds is not None:
        if seeds != USUAL_SEEDS:
            raise ConfigError(SEEDS_OF_FOLDS)
        require_count("--repeats", 1 if repeats is None else repeats)
        seeds = max(folds, 1) * (repeats or 1)
    elif repeats is not None:
        raise ConfigError(f"--repeats {repeats} is of --folds; give both.")
    design = Design(
        config=config,
        cells=parse_cells(cells),
        seeds=tuple(range(seeds)),
        match=match,
        tune=tune,
        margin=margin,
        until=until,
        metric=metric,
        vary=vary,
        folds=folds,
        others=tuple(others),
        yardstick=yardstick,
    )
    twins(design)  # what cannot be matched is refused before anything is written
    if yardstick is None:
        return design
    return dataclasses.replace(design, yardstick=yardsticks.with_files(yardstick))


def compare_twins(
    design: Design,
    target: Target,
    listener: Listener,
    jobs: int | None = None,
    require_cudnn: bool = False,
    given: Collection[str] = (),
    microscope: bool = False,
    cluster: Cluster | None = None,
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
    config = steps.kernel_of_choice(design.config, require_cudnn, listener)
    config = steps.checked(config, design.cells, target, given)
    design = dataclasses.replace(design, config=config)
    clock = Clock()
    with clock.of("data"):
        data, draw_of = _data(design, target, listener)
    refuse_several(design, data)
    others = answers_of(design.others, data, design.metric, listener)
    with clock.of("data"):
        config = steps.with_knowledge(design.config, data, target.models, listener)
    design = dataclasses.replace(design, config=config)
    most = max(len(design.seeds), len(TUNING_SEEDS) * design.tune)
    jobs = jobs_of(jobs, len(design.cells) * most, cluster)
    named = (target.name, target.overwrite)
    path = places.begin(design, data, target.models, *named)
    so_far = until.begin(path, design)
    with clock.of("yardstick"):
        beside, failures = train_yardstick(design, data, path, listener, target.fresh)
    with clock.of("tuning"):
        tuned = _tune(design, data, path, jobs, target.fresh, listener, cluster)
    plan_of = functools.partial(
        planning.plan, design, data, path, jobs, *tuned, draw_of=draw_of,
        cluster=cluster,
    )  # fmt: skip
    plan = plan_of(so_far.asked)
    _forget(plan.trials, target.fresh)
    if design.until is None:
        ended = _execute(plan, jobs, listener)
    else:
        ended = train_until_decided(design, so_far, plan, plan_of, listener)
    clock.add(ended.seconds)
    ended = dataclasses.replace(
        ended, failures=failures | ended.failures, seconds=dict(clock.seconds)
    )
    with clock.of("statistics"):
        result = finish(ended, _command(design, target), (*others, *beside))
    steps.tell_doubts(ended.finished, listener)
    listener.note(f"Written: {path / COMPARISON_FILE}")
    with clock.of("page"):
        write_pages(path, result, target, listener, microscope)
    listener.note(took(clock.seconds))
    return result, path


def _data(
    design: Design, target: Target, listener: Listener
) -> tuple[EncodedDataset, DrawOf | None]:
    """Returns the encoded data, and what the seeds draw from it, if they do."""
    if design.vary == SEED and design.folds is None:
        return steps.load_and_encode(design.config, target.cache, listener), None
    asked = (design.config, target.cache, target.models, listener)
    data, draw_of = steps.load_and_draw(*asked, design.folds)
    draw_of(design.seeds[0])  # what cannot be drawn is refused before anything is made
    return data, draw_of


def answers_of(
    given: Sequence[Given], data: EncodedDataset, metric: str, listener: Listener
) -> tuple[Other, ...]:
    """Reads the answers of other systems before any training, and says how."""
    others = read_others(given, data, metric)
    for other in others:
        for sentence in other.notes:
            listener.note(sentence)
        for sentence in other.doubts:
            listener.insist(sentence)
    return others


def write_pages(
    folder: Path,
    result: ComparisonResult,
    target: Target,
    listener: Listener,
    microscope: bool,
) -> None:
    """Writes the report and, before it, the microscope that it links to."""
    file = folder / MICROSCOPE_FILE
    if microscope and result.card.dataset.has_several:
        listener.note(f"No {file}: it shows one label a text, and here are several.")
    elif microscope:
        with optional(listener.insist, f"No {file} could be written"):
            typical = typical_runs(result, folder.parent)
            chosen = [run for run in typical if has_steps(run.config.model)]
            write_microscope(chosen, file, target.cache)
            names = ", ".join(run.name for run in chosen)
            listener.note(f"Written: {file}, with the vocabulary and {names}.")
            for run in typical:
                if run not in chosen:
                    listener.note(f"{run.name} has no steps to show there.")
    write_page(folder, result, target.models, listener)


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
    cluster: Cluster | None,
) -> tuple[dict[str, RunConfig] | None, dict[str, Tuned] | None]:
    """Returns what tuning chose, and what it tried, by cell; None without it."""
    if not design.tune:
        return None, None
    search = tuning.search_of(design, path, data.splits[TRAIN].lengths)
    trials = planning.tuning_trials(search, data, jobs, cluster)
    _forget(trials, fresh)
    count = len(list(search.every))
    listener.note(
        f"Tuning: {count} trainings, {count - len(trials)} of them finished before; "
        f"validation loss chooses."
    )
    if old := places.tuned_by_old_trials(design, data, path.parent):
        listener.note(
            f"Trials of one training, as in {old}, are not reused; trainings with the "
            f"same settings are."
        )
    with listener.progress(planning.costs(trials), jobs) as report:
        try:
            failures = planning.train(trials, report, jobs, cluster=cluster)
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
    parts += ["--cells", ",".join(design.cells), *_trainings(design)]
    if design.match != "units":
        parts += ["--match", design.match]
    if design.tune:
        parts += ["--tune", str(design.tune)]
    if design.vary != SEED:
        parts += ["--vary", design.vary]
    parts += [*margin_option(design.margin), *metric_option(design.metric)]
    parts += [*_until(design.until), *as_options(design.others)]
    parts += yardsticks.as_options(design.yardstick)
    return shlex.join(parts + place_options(target))


def _trainings(design: Design) -> list[str]:
    """Returns the options that say how often each cell is trained."""
    count = len(design.seeds)
    if design.folds is None:
        return ["--seeds", str(count)]
    return ["--folds", str(design.folds), "--repeats", str(count // design.folds)]


def margin_option(points: float) -> list[str]:
    """Returns the option of a margin that is not the usual one."""
    return [] if points == 100 * MARGIN else ["--margin", f"{points:g}"]


def metric_option(name: str) -> list[str]:
    """Returns the option of a metric that is not left to the data."""
    return [] if name == AUTO else ["--metric", name]


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

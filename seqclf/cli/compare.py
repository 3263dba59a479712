"""`seqclf compare`."""

from __future__ import annotations

import dataclasses
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqclf.cli import _options as options
from seqclf.cli._screen import TrainingProgress, note, print_json, stdout
from seqclf.cli._steps import kernel_of_choice, load_and_encode, refuse_idle_settings
from seqclf.config import RunConfig
from seqclf.errors import ConfigError, SeqclfError

if TYPE_CHECKING:
    from seqclf.comparison.design import Design
    from seqclf.evaluation.baselines import BaselineTask
    from seqclf.runs import Run
    from seqclf.text.encoding import EncodedDataset
    from seqclf.training.trial import Trial

Cells = Annotated[
    str, typer.Option("--cells", help="Cells to compare; `none` has no recurrence.")
]
Seeds = Annotated[int, typer.Option("--seeds", help="Trainings of each cell.")]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        help="Trainings at a time, the cores divided among them; left out, as many as "
        "cores and free memory allow. Results do not depend on it.",
    ),
]
Match = Annotated[
    str,
    typer.Option(
        "--match",
        help="What the twins have equally many of: units, or recurrent parameters "
        "(smaller cells become wider).",
        autocompletion=lambda incomplete: [
            name for name in ("units", "parameters") if name.startswith(incomplete)
        ],
    ),
]
Tune = Annotated[
    int,
    typer.Option(
        "--tune",
        metavar="N",
        help="First choose learning rate, dropout and, unless parameters are matched, "
        "units for each cell, by N trainings each and their validation loss; 0: one "
        "recipe for all.",
    ),
]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print Markdown tables.")]
Csv = Annotated[
    bool,
    typer.Option("--csv", help="Print comma-separated values, a line a cell and pair."),
]
Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[RUN...]",
        help="Finished runs, or one comparison, to compare without training.",
        autocompletion=options.complete_run,
    ),
]


# What has a meaning for finished runs.
OF_FINISHED = {"paths", "models_dir", "cache_dir", "config_file"}
OF_FINISHED |= {"json", "markdown", "csv", "quiet"}


@options.with_config(without=("cell", "seed"))
def compare(
    context: typer.Context,
    config: RunConfig,
    paths: Paths = None,
    cells: Cells = "none,rnn,gru,lstm",
    seeds: Seeds = 3,
    match: Match = "units",
    tune: Tune = 0,
    jobs: Jobs = None,
    name: options.Name = None,
    overwrite: options.Overwrite = False,
    fresh: options.Fresh = False,
    models_dir: options.ModelsDir = options.DEFAULT_MODELS,
    cache_dir: options.CacheDir = options.DEFAULT_CACHE,
    json: options.Json = False,
    markdown: Markdown = False,
    csv: Csv = False,
    require_cudnn: options.RequireCudnn = False,
    quiet: options.Quiet = False,
    config_file: options.ConfigFile = None,
) -> None:
    """Train twins that differ only in the recurrent layer, and compare them.

    Reads a data set; writes a run for each cell and seed, and a comparison,
    models/<data>-compare. Finished runs of equal settings and data are reused; one
    that was cut off goes on.
    Given runs or a comparison, it trains nothing.

    Example: seqclf compare --data reviews.csv --seeds 5
    """
    forms = {"json": json, "markdown": markdown, "csv": csv}
    chosen = [name for name in forms if forms[name]]
    if len(chosen) > 1:
        given = " and ".join(f"--{name}" for name in chosen)
        raise ConfigError(f"{given} cannot be printed at the same time; choose one.")
    if paths:
        options.refuse_given(context, OF_FINISHED, "finished runs are compared")
        result, folder = _compare_finished(paths, models_dir, cache_dir, quiet)
    else:
        result, folder = _train_and_compare(
            kernel_of_choice(config, require_cudnn),
            (cells, seeds, match, tune),
            (jobs, fresh),
            (name, overwrite),
            (models_dir, cache_dir),
            quiet,
        )
    _print(result, *chosen)
    if folder:
        _write_report(folder, result, quiet)
    if result.get("missing"):
        raise typer.Exit(1)


def _train_and_compare(
    config: RunConfig,
    asked: tuple[str, int, str, int],
    way: tuple[int | None, bool],
    naming: tuple[str | None, bool],
    folders: tuple[Path, Path],
    quiet: bool,
) -> tuple[dict[str, Any], Path]:
    from seqclf.comparison import plan as planning
    from seqclf.comparison.saved import COMPARISON_FILE
    from seqclf.machine import jobs_for
    from seqclf.model import backend

    design = _design(config, *asked)
    jobs, fresh = way
    if jobs is not None and jobs < 1:
        raise ConfigError(f"--jobs must be a whole number of at least 1, got {jobs}.")
    backend.refuse_other_backends()
    refuse_idle_settings(config, design.cells, *naming)
    start = time.perf_counter()
    data = load_and_encode(config, folders[1], quiet)
    jobs = jobs or jobs_for(len(design.cells) * max(len(design.seeds), design.tune))
    path = planning.begin(design, data, folders[0], *naming)
    tuned = _tune(design, data, path, (jobs, fresh), quiet) if design.tune else ()
    plan = planning.plan(design, data, path, jobs, *tuned)
    _forget(plan.trials, fresh)
    if plan.finished:
        reused = ", ".join(run.name for run in plan.finished)
        note(f"Finished with these settings and data, reused: {reused}.", quiet)
    with TrainingProgress(_costs(plan.trials), quiet, jobs) as progress:
        try:
            finished, failures = planning.execute(plan, progress.report)
        except KeyboardInterrupt:
            kept = [run.name for run in planning.finished_runs(plan)]
            note(f"Finished so far: {', '.join(kept) or 'no run'}.")
            note("Type the same command again to train the others.")
            raise
    seconds = time.perf_counter() - start
    command = _command(design, naming[0], *folders)
    result = planning.finish(plan, finished, failures, seconds, command)
    note(f"Written: {plan.path / COMPARISON_FILE}", quiet)
    return result, plan.path


def _command(design: Design, name: str | None, models: Path, cache: Path) -> str:
    """Returns what to type to ask the same again, in the same place."""
    parts = ["seqclf", "compare", *options.as_options(design.config, ("cell", "seed"))]
    parts += ["--cells", ",".join(design.cells), "--seeds", str(len(design.seeds))]
    if design.match != "units":
        parts += ["--match", design.match]
    if design.tune:
        parts += ["--tune", str(design.tune)]
    places = {
        "--name": (name, None),
        "--models-dir": (models, options.DEFAULT_MODELS),
        "--cache-dir": (cache, options.DEFAULT_CACHE),
    }
    for option, (given, usual) in places.items():
        parts += [option, str(given)] if given != usual else []
    return shlex.join(parts)


def _write_report(folder: Path, result: dict[str, Any], quiet: bool) -> None:
    """Writes the page of a comparison from its saved files."""
    from seqclf.comparison.saved import REPORT_FILE, read_details
    from seqclf.report.page import page
    from seqclf.storage import write_text

    try:
        write_text(folder / REPORT_FILE, page(result, read_details(folder)))
    except (OSError, KeyError) as error:  # the folder is another's, or of another time
        note(f"No {folder / REPORT_FILE} could be written: {error!r}")
    else:
        note(f"To look at: {folder / REPORT_FILE}", quiet)


def _design(config: RunConfig, cells: str, seeds: int, match: str, tune: int) -> Design:
    from seqclf.comparison.design import Design, parse_cells, twins
    from seqclf.comparison.tuning import tuning_configs

    if seeds < 1:
        raise ConfigError(f"--seeds must be a whole number of at least 1, got {seeds}.")
    design = Design(
        config=config,
        cells=parse_cells(cells),
        seeds=tuple(range(seeds)),
        match=match,
        tune=tune,
    )
    # What cannot be matched is refused before anything is written.
    tuning_configs(design) if tune else twins(design)
    return design


def _tune(
    design: Design,
    data: EncodedDataset,
    path: Path,
    way: tuple[int, bool],
    quiet: bool,
) -> tuple[dict[str, RunConfig], dict[str, Any]]:
    """Returns what tuning chose, by cell, and what it tried."""
    from seqclf.comparison import plan as planning
    from seqclf.comparison import tuning

    jobs, fresh = way
    trials = planning.tuning_trials(design, data, path, jobs)
    _forget(trials, fresh)
    count = design.tune * len(design.cells)
    note(
        f"Tuning: {count} trainings, {count - len(trials)} of them finished before; "
        f"validation loss chooses.",
        quiet,
    )
    with TrainingProgress(_costs(trials), quiet, jobs) as progress:
        try:
            failures = planning.train(trials, progress.report, jobs)
        except KeyboardInterrupt:
            note("Type the same command again to go on with the tuning.")
            raise
    return tuning.choose(design, path, failures)


def _forget(trials: list[Trial], fresh: bool) -> None:
    """Removes the checkpoints of trainings that are to begin anew."""
    from seqclf.runs import forget

    for trial in trials if fresh else ():
        forget(trial.path)


def _costs(trials: list[Trial]) -> dict[str, float]:
    from seqclf.comparison import plan as planning

    return {planning.name_of(t): planning.relative_cost(t.config) for t in trials}


def _compare_finished(
    paths: list[Path], models: Path, cache: Path, quiet: bool
) -> tuple[dict[str, Any], Path | None]:
    from seqclf import runs
    from seqclf.comparison.rows import compare_runs
    from seqclf.comparison.saved import COMPARISON_FILES, read_comparison

    if len(paths) == 1:
        folder = paths[0] if paths[0].exists() else models / paths[0]
        if not any((folder / f).exists() for f in COMPARISON_FILES):
            raise ConfigError(
                f"{paths[0]} is no comparison; name two or more runs, or the folder "
                f"of a comparison."
            )
        return read_comparison(folder), folder
    finished = [runs.open_run(path, models) for path in paths]
    compare_runs(finished)  # refuses what is not comparable, before any work
    finished += _without_recurrence(finished, quiet)
    baselines = _baselines(finished[0], cache, quiet)
    return compare_runs(finished, baselines), None


def _without_recurrence(finished: list[Run], quiet: bool) -> list[Run]:
    """Returns the `none` twins of the runs that are finished beside them."""
    from seqclf.comparison.plan import missing_none_twins

    if any(run.config.model.cell == "none" for run in finished):
        return []
    found = missing_none_twins(finished)
    names = ", ".join(run.name for run in found)
    note(
        f"Added, the twin without recurrence: {names}."
        if found
        else "The twin without recurrence is not trained; "
        "seqclf train --cell none with the same options adds it.",
        quiet,
    )
    return found


def _baselines(run: Run, cache: Path, quiet: bool) -> list[BaselineTask]:
    """Fits the baselines on a run's data, unless that is done or cannot be done."""
    from seqclf.comparison.plan import fit_baselines
    from seqclf.data.layout import STANDARD_INPUT
    from seqclf.evaluation.baselines import baseline_tasks

    source = run.config.data.source
    if source == STANDARD_INPUT:
        note("No baselines, for the data came from standard input.", quiet)
        return []
    try:
        config = dataclasses.replace(run.config, data=run.data)
        data = load_and_encode(config, cache, quiet=True)
    except SeqclfError as error:
        note(f"No baselines, for the data could not be read again: {error}", quiet)
        return []
    if data.about["fingerprint"] != run.dataset["fingerprint"]:
        note(f"No baselines, for {source} has changed since the training.", quiet)
        return []
    tasks = baseline_tasks(data, run.path.parent)
    with TrainingProgress({}, quiet) as progress:
        fit_baselines(tasks, progress.report)
    return tasks


def _print(result: dict[str, Any], form: str = "") -> None:
    from seqclf.report import tables

    if form == "json":
        print_json(result)
    elif form:
        text = {"markdown": tables.markdown, "csv": tables.csv}[form](result)
        typer.echo(text, nl=not text.endswith("\n"))
    else:
        console = stdout()
        for table in tables.terminal(result):
            console.print(table)
        console.print(tables.closing(result))

"""`seqclf compare`."""

from __future__ import annotations

import dataclasses
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
    from seqclf.evaluation.baselines import BaselineTask
    from seqclf.runs import Run

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
Markdown = Annotated[bool, typer.Option("--markdown", help="Print Markdown tables.")]
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
OF_FINISHED |= {"json", "markdown", "quiet"}


@options.with_config(without=("cell", "seed"))
def compare(
    context: typer.Context,
    config: RunConfig,
    paths: Paths = None,
    cells: Cells = "none,rnn,gru,lstm",
    seeds: Seeds = 3,
    jobs: Jobs = None,
    name: options.Name = None,
    overwrite: options.Overwrite = False,
    models_dir: options.ModelsDir = options.DEFAULT_MODELS,
    cache_dir: options.CacheDir = options.DEFAULT_CACHE,
    json: options.Json = False,
    markdown: Markdown = False,
    require_cudnn: options.RequireCudnn = False,
    quiet: options.Quiet = False,
    config_file: options.ConfigFile = None,
) -> None:
    """Train twins that differ only in the recurrent layer, and compare them.

    Reads a data set; writes a run for each cell and seed, and a comparison,
    models/<data>-compare. Finished runs of equal settings and data are reused.
    Given runs or a comparison, it trains nothing.

    Example: seqclf compare --data reviews.csv --seeds 5
    """
    if paths:
        options.refuse_given(context, OF_FINISHED, "finished runs are compared")
        result = _compare_finished(paths, models_dir, cache_dir, quiet)
    else:
        result = _train_and_compare(
            kernel_of_choice(config, require_cudnn),
            (cells, seeds, jobs),
            (name, overwrite),
            (models_dir, cache_dir),
            quiet,
        )
    _print(result, json, markdown)
    if result.get("missing"):
        raise typer.Exit(1)


def _train_and_compare(
    config: RunConfig,
    extent: tuple[str, int, int | None],
    naming: tuple[str | None, bool],
    folders: tuple[Path, Path],
    quiet: bool,
) -> dict[str, Any]:
    from seqclf.comparison import plan as planning
    from seqclf.comparison.saved import COMPARISON_FILE
    from seqclf.machine import jobs_for
    from seqclf.model import backend

    cells, seeds, jobs = extent
    chosen = planning.parse_cells(cells)
    if seeds < 1:
        raise ConfigError(f"--seeds must be a whole number of at least 1, got {seeds}.")
    if jobs is not None and jobs < 1:
        raise ConfigError(f"--jobs must be a whole number of at least 1, got {jobs}.")
    backend.refuse_other_backends()
    refuse_idle_settings(config, chosen, *naming)
    start = time.perf_counter()
    data = load_and_encode(config, folders[1], quiet)
    jobs = jobs or jobs_for(len(chosen) * seeds)
    plan = planning.plan(config, chosen, range(seeds), data, folders[0], *naming, jobs)
    if plan.finished:
        reused = ", ".join(run.name for run in plan.finished)
        note(f"Finished with these settings and data, reused: {reused}.", quiet)
    costs = {t.path.name: planning.relative_cost(t.config) for t in plan.trials}
    with TrainingProgress(costs, quiet, jobs) as progress:
        try:
            finished, failures = planning.execute(plan, progress.report)
        except KeyboardInterrupt:
            kept = [run.name for run in planning.finished_runs(plan)]
            note(f"Finished so far: {', '.join(kept) or 'no run'}.")
            note("Type the same command again to train the others.")
            raise
    seconds = time.perf_counter() - start
    result = planning.finish(plan, finished, failures, seconds)
    note(f"Written: {plan.path / COMPARISON_FILE}", quiet)
    return result


def _compare_finished(
    paths: list[Path], models: Path, cache: Path, quiet: bool
) -> dict[str, Any]:
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
        return read_comparison(folder)
    finished = [runs.open_run(path, models) for path in paths]
    compare_runs(finished)  # refuses what is not comparable, before any work
    finished += _without_recurrence(finished, quiet)
    baselines = _baselines(finished[0], cache, quiet)
    return compare_runs(finished, baselines)


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


def _print(result: dict[str, Any], json: bool, markdown: bool) -> None:
    from seqclf.report import tables

    if json:
        print_json(result)
    elif markdown:
        typer.echo(tables.markdown(result))
    else:
        console = stdout()
        for table in tables.terminal(result):
            console.print(table)
        console.print(tables.closing(result))

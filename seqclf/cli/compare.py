"""`seqclf compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqclf.cells import DEFAULT_CELLS
from seqclf.cli import _options as options
from seqclf.cli._machines import Machines, with_machines
from seqclf.cli._options import option
from seqclf.cli._screen import Screen, print_json, stdout
from seqclf.config import RunConfig
from seqclf.errors import ConfigError

if TYPE_CHECKING:
    from seqclf.records.comparison import ComparisonResult

Cells = Annotated[
    str,
    option(
        "--cells",
        "Recurrent layers to compare; none leaves it out, dense has a dense layer of "
        "equal width in its place.",
    ),
]
Seeds = Annotated[int, option("--seeds", "Number of training seeds per cell.")]
Jobs = Annotated[
    int | None,
    option(
        "--jobs",
        "Trainings to run in parallel. What each gives does not depend on it.",
        "as many as cores and free memory allow",
    ),
]
Match = Annotated[
    str,
    option(
        "--match",
        "What is equal in all twins: units, or recurrent parameters (smaller cells "
        "become wider).",
        choices=("units", "parameters"),
    ),
]
Tune = Annotated[
    int,
    option(
        "--tune",
        "Tune learning rate, epochs, warm-up, clipping, dropout and (unless parameters "
        "are matched) units for each cell by random search: N trials of 2 trainings "
        "per cell, chosen by validation loss; 0: no tuning.",
        metavar="N",
    ),
]
Margin = Annotated[
    float,
    option(
        "--margin",
        "Points below which two cells are practically equal; with log loss, hundredths "
        "of a nat.",
    ),
]
Metric = Annotated[
    str,
    option(
        "--metric",
        "What ranks the cells; auto: accuracy or, where training labels are "
        "imbalanced, macro F1.",
        choices=("auto", "accuracy", "macro-f1", "log-loss"),
    ),
]
Vary = Annotated[
    str,
    option(
        "--vary",
        "What the seeds vary: seed, the training alone; split, also which texts are "
        "held out for validation, and which resample of the others is learnt from.",
        choices=("seed", "split"),
    ),
]
Folds = Annotated[
    int | None,
    option(
        "--folds",
        "Test on each of K parts of the texts in turn, with models that learn from the "
        "others, in place of a test split: for small data.",
        "no folds",
        metavar="K",
    ),
]
Repeats = Annotated[
    int | None,
    option(
        "--repeats",
        "With --folds: how often the texts are divided anew.",
        "1",
        metavar="N",
    ),
]
Page = Annotated[
    bool,
    option(
        "--page",
        "Also write microscope.html, in which a twin of each cell can be watched as "
        "it reads.",
    ),
]
UntilDecided = Annotated[
    bool,
    option(
        "--until-decided",
        "Add seeds, to the cells where they help most, until every pair is better, or "
        "equal within --margin; --seeds are the first. Valid wherever it stops.",
    ),
]
Budget = Annotated[
    str | None,
    option(
        "--budget",
        "With --until-decided: time for its trainings, such as 90s, 30m or 2h.",
        "no end",
        metavar="TIME",
    ),
]
MaxSeeds = Annotated[
    int | None,
    option(
        "--max-seeds",
        "With --until-decided: the most seeds of a cell, by which looks are planned.",
        "20",
        metavar="N",
    ),
]
Markdown = Annotated[bool, option("--markdown", "Print Markdown tables.")]
Tables = Annotated[
    bool, option("--tables", "Print all tables: means, pairs, costs, tuned settings.")
]
Csv = Annotated[bool, option("--csv", "Print CSV: one line per cell and per pair.")]
PoolOf = Annotated[
    Path | None,
    option(
        "--pool",
        "Compare all finished runs below a folder that agree, without training: those "
        "of a class, a seed each.",
        metavar="DIR",
    ),
]
With = Annotated[
    list[str] | None,
    option(
        "--with",
        "A file with another system's answers to the test texts, as a row beside the "
        "twins: CSV, JSON Lines or Parquet with text and label or probabilities. May "
        "be given again; several files of a NAME are its seeds.",
        metavar="NAME=FILE",
    ),
]
YardstickOf = Annotated[
    str | None,
    option(
        "--yardstick",
        "A pre-trained transformer encoder, trained on the same texts, as a row beside "
        "the twins: hf://OWNER/NAME or a folder (docs/yardstick.md).",
        "none",
        metavar="NAME",
    ),
]
YardstickMode = Annotated[
    str | None,
    option(
        "--yardstick-mode",
        "What is trained of the yardstick: fine-tune, all its weights; features, a "
        "linear model on what it says of a text.",
        "fine-tune",
        choices=("fine-tune", "features"),
    ),
]
YardstickSeeds = Annotated[
    int | None,
    option(
        "--yardstick-seeds",
        "Number of training seeds of a fine-tuned yardstick.",
        "1",
        metavar="N",
    ),
]
Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[RUN...]",
        help="Finished runs, or a comparison, to compare without training.",
        autocompletion=options.complete_run,
    ),
]


# What has a meaning for finished runs.
OF_FINISHED = {"paths", "models_dir", "cache_dir", "config_file"}
OF_FINISHED |= {"json", "markdown", "csv", "tables", "quiet", "page"}
OF_SEVERAL = OF_FINISHED | {"name", "overwrite", "margin", "metric", "with_"}
OF_POOL = OF_SEVERAL - {"paths", "page"} | {"pool"}


@options.with_config(without=("cell", "seed", "baseline"))
@with_machines
def compare(
    context: typer.Context,
    config: RunConfig,
    machines: Machines,
    paths: Paths = None,
    pool: PoolOf = None,
    cells: Cells = DEFAULT_CELLS,
    seeds: Seeds = 3,
    match: Match = "units",
    tune: Tune = 0,
    margin: Margin = 1.0,
    metric: Metric = "auto",
    vary: Vary = "seed",
    folds: Folds = None,
    repeats: Repeats = None,
    with_: With = None,
    yardstick: YardstickOf = None,
    yardstick_mode: YardstickMode = None,
    yardstick_seeds: YardstickSeeds = None,
    until_decided: UntilDecided = False,
    budget: Budget = None,
    max_seeds: MaxSeeds = None,
    jobs: Jobs = None,
    page: Page = False,
    name: options.Name = None,
    overwrite: options.Overwrite = False,
    fresh: options.Fresh = False,
    log_dir: options.LogDir = None,
    tracker: options.Tracker = None,
    models_dir: options.ModelsDir = options.DEFAULT_MODELS,
    cache_dir: options.CacheDir = options.DEFAULT_CACHE,
    json: options.Json = False,
    markdown: Markdown = False,
    csv: Csv = False,
    tables: Tables = False,
    require_cudnn: options.RequireCudnn = False,
    quiet: options.Quiet = False,
    config_file: options.ConfigFile = None,
) -> None:
    """Train twins that differ only in the recurrent layer, and compare them.

    Writes a run for each cell and seed, and a comparison, models/<data>-compare.
    Finished runs with equal settings and data are reused; interrupted ones are
    resumed. Given runs, a comparison or --pool, it trains nothing; a comparison of
    runs is kept where --name says.

    Example: seqclf compare --data reviews.csv --seeds 5
    """
    form = options.one_form(json=json, markdown=markdown, csv=csv, tables=tables)
    from seqclf.cluster.asked import refuse_followers
    from seqclf.cluster.opened import opened
    from seqclf.comparison.design import limits_of
    from seqclf.comparison.others.given import given_files, named_files
    from seqclf.comparison.saved import REPORT_FILE
    from seqclf.engine import fork_from
    from seqclf.runs.comparisons import runs_of
    from seqclf.steps import Target
    from seqclf.trackers import followed
    from seqclf.workflows import finished
    from seqclf.workflows.compare import compare_twins, design_of
    from seqclf.yardstick.asked import yardstick_of

    screen = Screen(quiet)
    target = Target(models_dir, cache_dir, name, overwrite, fresh)
    others = given_files(named_files(with_ or ()))
    folder: Path | None
    if pool is not None:
        options.refuse_given(context, OF_POOL, "the runs below a folder are compared")
        asked_of_pool = (pool, target, screen, margin, metric, others)
        result, folder = finished.compare_pool(*asked_of_pool)
    elif paths:
        if len(paths) == 1:
            options.refuse_given(context, OF_FINISHED, "a finished comparison is shown")
        options.refuse_given(context, OF_SEVERAL, "finished runs are compared")
        asked_of = (paths, target, screen, margin, page, metric, others)
        result, folder = finished.compare_finished(*asked_of)
    else:
        until = limits_of(until_decided, budget, max_seeds)
        _refuse_seeds_of_folds(folds, options.is_given(context, "seeds"))
        design = design_of(
            config,
            cells,
            seeds,
            match,
            tune,
            margin,
            until,
            metric,
            vary,
            folds,
            repeats,
            others,
            yardstick_of(yardstick, yardstick_mode, yardstick_seeds),
        )
        given = options.given_settings(context, "model", "training")
        refuse_followers(machines(), log_dir=log_dir, tracker=tracker)
        fork_from(options.TRAINING)
        with (
            opened(machines(), screen.insist) as cluster,
            followed(screen, models_dir, log_dir, tracker) as listener,
        ):
            asked = (design, target, listener, jobs, require_cudnn, given, page)
            result, folder = compare_twins(*asked, cluster=cluster)
            listener.finish(runs_of(result, models_dir))
    _print(result, form)
    if folder is None:
        screen.note("Not kept: --name NAME writes it, with a page to look at.")
    elif (folder / REPORT_FILE).exists():
        more = "" if form else " (--tables prints all tables here)"
        screen.note(f"Report: {folder / REPORT_FILE}{more}")
    if result.until_decided and result.until_decided.was_interrupted:
        raise typer.Exit(130)  # as after any other interruption
    if result.missing:
        raise typer.Exit(1)


def _refuse_seeds_of_folds(folds: int | None, is_given: bool) -> None:
    if folds is not None and is_given:
        from seqclf.workflows.compare import SEEDS_OF_FOLDS

        raise ConfigError(SEEDS_OF_FOLDS)


def _print(result: ComparisonResult, form: str) -> None:
    from seqclf.records.plain import to_plain
    from seqclf.report import tables
    from seqclf.report.csv_lines import csv

    if form == "json":
        print_json(to_plain(result))
    elif form in ("markdown", "csv"):
        text = {"markdown": tables.markdown, "csv": csv}[form](result)
        typer.echo(text, nl=not text.endswith("\n"))
    else:
        console = stdout()
        is_whole = form == "tables"
        shown = tables.terminal(result) if is_whole else [tables.short(result)]
        for table in shown:
            console.print(table)
        console.print(tables.closing(result))

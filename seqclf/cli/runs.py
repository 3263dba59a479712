"""`seqclf runs list`, `show` and `remove`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqclf.cli import _options as options
from seqclf.cli._screen import note, print_json, print_table, stdout

if TYPE_CHECKING:
    from seqclf.report.table import Table
    from seqclf.runs import Run

app = typer.Typer(help="List, inspect and remove runs.", no_args_is_help=True)

Shown = Annotated[Path | None, options.run_argument("A run, by name or path.")]
Names = Annotated[
    list[Path],
    typer.Argument(
        metavar="RUN...",
        help="Runs or comparisons, by name or path.",
        autocompletion=options.complete_run,
    ),
]
Yes = Annotated[bool, options.option("--yes -y", "Do not ask for confirmation.")]


@app.command("list", cls=options.Command)
def list_runs(
    models_dir: options.ModelsDir = options.DEFAULT_MODELS, json: options.Json = False
) -> None:
    """List the trained models, with data set, cell and test accuracy.

    Example: seqclf runs list
    """
    from seqclf import runs

    records = [_record(run) for run in runs.list_runs(models_dir)]
    if json:
        print_json(records)
    elif records:
        print_table(_table(records))
    else:
        note(f"No runs: {runs.no_runs(models_dir)}")


def _record(run: Run) -> dict[str, Any]:
    from seqclf.data.dataset import TEST
    from seqclf.errors import SeqclfError

    try:
        config = run.config
        record = {"run": run.name, "finished": run.is_finished}
        record |= {"data": run.dataset.name}
        if run.is_linear:
            record |= {"baseline": config.model.baseline}
        else:
            record |= {"cell": config.model.cell, "seed": config.training.seed}
        if run.is_finished:
            record["time"] = run.complete.time
            if run.has_scores:
                record["accuracy"] = run.metrics[TEST].accuracy
    except SeqclfError as error:
        return {"run": run.name, "finished": False, "error": str(error)}
    return record


def _table(records: list[dict[str, Any]]) -> Table:
    from seqclf.report.table import Table

    header = ("run", "data", "cell", "seed", "test accuracy %", "finished")
    rows = []
    for record in records:
        accuracy = f"{100 * record['accuracy']:.1f}" if "accuracy" in record else ""
        state = "damaged" if "error" in record else "no"
        when = record["time"][:16].replace("T", " ") if "time" in record else state
        kind, seed = record.get("cell") or record.get("baseline"), record.get("seed")
        shown = (record["run"], record.get("data"), kind, seed)
        cells = ("" if value is None else str(value) for value in shown)
        rows.append((*cells, accuracy, when))
    return Table(header=header, rows=tuple(rows), numbers=(4,))


@app.command("show", cls=options.Command)
def show(
    chosen_run: Shown = None,
    run: options.NamedRun = None,
    models_dir: options.ModelsDir = options.DEFAULT_MODELS,
    json: options.Json = False,
) -> None:
    """Show the settings, training history, scores and versions of a run.

    Example: seqclf runs show demo-lstm-0
    """
    from seqclf import config as settings
    from seqclf.data.dataset import TEST
    from seqclf.records.plain import to_plain
    from seqclf.report import scores
    from seqclf.runs import members_of, open_run
    from seqclf.runs.comparisons import run_by_default

    named = options.run_of(chosen_run, run)
    if named is None:
        [chosen] = members_of(run_by_default(models_dir, single=True)[0])
    else:
        chosen = open_run(named, models_dir)
    chosen.verify()
    if json:
        scored = chosen.has_scores
        values = {
            "run": str(chosen.path),
            "config": settings.to_dict(chosen.config),
            "dataset": to_plain(chosen.dataset),
            "history": [] if chosen.is_linear else to_plain(chosen.history),
            "metrics": to_plain(chosen.metrics) if scored else None,
            "environment": to_plain(chosen.any_environment) if scored else None,
        }
        print_json(values)
        return
    console, test = stdout(), None
    if chosen.has_scores:
        test, source = chosen.metrics[TEST], chosen.dataset.source
        console.print(scores.headline(chosen.name, source, "test", test))
    else:
        console.print(f"{chosen.name}: saved from Python, without scores", markup=False)
    for table in _settings_tables(chosen):
        print_table(table)
    if not chosen.is_linear:
        console.print(_history_table(chosen))
    for one in scores.tables(test) if test else ():
        console.print(one)


def _settings_tables(run: Run) -> Iterator[Table]:
    from seqclf import config as settings
    from seqclf.records.plain import to_plain
    from seqclf.report.table import Table

    groups: dict[str, Any] = {**settings.to_dict(run.config)}
    if run.is_linear:
        model = {"baseline": run.config.model.baseline}
        groups = {"data": groups["data"], "model": model}
    if run.has_scores:
        groups["environment"] = to_plain(run.any_environment)
    for part, values in groups.items():
        rows = tuple((key.replace("_", " "), _shown(values[key])) for key in values)
        yield Table(header=("setting", "value"), rows=rows, title=part, numbers=())


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {part}" for key, part in value.items())
    return f"{value:,.4g}" if isinstance(value, float) else str(value)


def _history_table(run: Run) -> Any:
    from rich.table import Table

    keys = ("loss", "accuracy", "validation_loss", "validation_accuracy")
    table = Table("epoch", *(key.replace("_", " ") for key in keys), "seconds")
    best = run.environment.best_epoch if run.has_scores else None
    for record in run.history:
        values = [f"{getattr(record, key):.4f}" for key in keys]
        style = "bold" if record.epoch == best else None
        table.add_row(str(record.epoch), *values, f"{record.seconds:.1f}", style=style)
    return table


@app.command("remove", cls=options.Command)
def remove(
    names: Names,
    models_dir: options.ModelsDir = options.DEFAULT_MODELS,
    yes: Yes = False,
) -> None:
    """Delete runs and comparisons.

    Removes nothing that seqclf did not make, and nothing outside of --models-dir.

    Example: seqclf runs remove demo-lstm-0
    """
    folders = list(dict.fromkeys(_removable(name, models_dir) for name in names))
    listed = ", ".join(str(folder) for folder in folders)
    if not yes and not typer.confirm(f"Remove {listed}?"):
        raise typer.Exit(1)
    from seqclf import marker

    for folder in folders:
        marker.remove(folder)
        note(f"Removed {folder}.")


def _removable(name: Path, models: Path) -> Path:
    """Returns the folder of a run or comparison; anything else is left alone."""
    from seqclf import marker
    from seqclf.errors import RunError, unknown

    for folder in (models / name, name):
        if os.path.lexists(folder):
            marker.require_removable(folder, models)
            return folder
    there = [one for one in options.ours(models) if not (models / one).is_symlink()]
    raise RunError(unknown("run", name, there))

"""`seqclf evaluate`."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqclf.cli import _options as options
from seqclf.cli._screen import note, print_json, stdout
from seqclf.config import SOURCE_FIELDS, DataConfig, RunConfig
from seqclf.errors import ConfigError

if TYPE_CHECKING:
    from seqclf.runs import Run

Split = Annotated[
    str, typer.Option("--split", help="Split to evaluate: train, validation, test.")
]
Data = Annotated[
    str | None,
    typer.Option(
        "--data", help="Data set.", show_default="the one the run was trained on"
    ),
]


@options.with_config(parts=("data",), only=SOURCE_FIELDS - {"source"})
def evaluate(
    context: typer.Context,
    config: RunConfig,
    chosen_run: options.RunArgument = None,
    run: options.NamedRun = None,
    data: Data = None,
    split: Split = "test",
    models_dir: options.ModelsDir = options.DEFAULT_MODELS,
    json: options.Json = False,
    quiet: options.Quiet = False,
    config_file: options.ConfigFile = None,
) -> None:
    """Evaluate a trained model on a split of its own data set, or of another.

    Labels are matched by name. Writes nothing.

    Example: seqclf evaluate demo-lstm-0 --data reviews.csv
    """
    from seqclf.evaluation.evaluate import evaluate as evaluate_run
    from seqclf.records.plain import to_plain
    from seqclf.runs import open_run
    from seqclf.runs.comparisons import default_run

    named = options.run_of(chosen_run, run)
    chosen = open_run(named, models_dir) if named else default_run(models_dir)
    given = options.given_settings(context, "data") & SOURCE_FIELDS
    result = evaluate_run(chosen, _data(chosen, config.data, given, data), split)
    for sentence in result.notes:
        note(f"Note: {sentence}", quiet)
    if json:
        said = {"run": str(chosen.path), "split": split, "source": result.source}
        print_json(said | to_plain(result.scores))
    else:
        _print(chosen.name, result)


def _data(
    run: Run, config: DataConfig, given: frozenset[str], source: str | None
) -> DataConfig:
    """Returns where to read: the run's own data, unless another source is named.

    Args:
      run: The run.
      config: What was typed, with the defaults of the rest.
      given: The fields that were typed; they go before the run's own, a default too.
      source: Another source.
    """
    if source is not None:
        return dataclasses.replace(config, source=source)
    own = run.data
    if own.source == "-":
        raise ConfigError(
            f"{run.name} was trained on standard input, which is gone; name the data "
            f"with --data."
        )
    changed = {field: getattr(config, field) for field in given - {"source"}}
    return dataclasses.replace(own, **changed)


def _print(name: str, result: Any) -> None:
    from seqclf.report import scores

    console = stdout()
    console.print(scores.headline(name, result.source, result.split, result.scores))
    for table in scores.tables(result.scores):
        console.print(table)

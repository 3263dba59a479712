"""`seqclf evaluate`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from seqclf.cli import _options as options
from seqclf.cli._screen import note, print_json, stdout

Split = Annotated[
    str, typer.Option("--split", help="Split to score: train, validation, test.")
]
Data = Annotated[
    str | None,
    typer.Option("--data", help="Data set; else the one the run was trained on."),
]
TextColumn = Annotated[
    str | None, typer.Option("--text-column", help="Column that holds the texts.")
]
LabelColumn = Annotated[
    str | None, typer.Option("--label-column", help="Column that holds the labels.")
]


def evaluate(
    run: options.RunArgument = None,
    data: Data = None,
    split: Split = "test",
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    models_dir: options.ModelsDir = options.DEFAULT_MODELS,
    json: options.Json = False,
    quiet: options.Quiet = False,
    config_file: options.ConfigFile = None,
) -> None:
    """Score a finished run on a split of its own data set, or of another.

    Labels are matched by name. Reads a run and a data set, writes nothing.

    Example: seqclf evaluate demo-lstm-0 --data reviews.csv
    """
    import dataclasses

    from seqclf.comparison.plan import default_run
    from seqclf.evaluation.evaluate import evaluate as evaluate_run
    from seqclf.runs import open_run

    chosen = open_run(run, models_dir) if run else default_run(models_dir)
    trained_on = chosen.config.data
    wanted = dataclasses.replace(
        trained_on,
        source=data or trained_on.source,
        text_column=text_column or trained_on.text_column,
        label_column=label_column or trained_on.label_column,
    )
    result = evaluate_run(chosen, wanted, split)
    for sentence in result.notes:
        note(f"Note: {sentence}", quiet)
    if json:
        print_json(
            {"run": str(chosen.path), "split": split, "source": result.source}
            | result.scores
        )
    else:
        _print(chosen.name, result)


def _print(name: str, result: Any) -> None:
    from seqclf.report import scores

    console = stdout()
    console.print(scores.headline(name, result.source, result.split, result.scores))
    for table in scores.tables(result.scores):
        console.print(table)

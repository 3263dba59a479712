"""`seqclf evaluate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from seqclf.cli import _options as options
from seqclf.cli._options import option
from seqclf.cli._screen import Screen, print_json, stdout
from seqclf.config import SOURCE_FIELDS, RunConfig

if TYPE_CHECKING:
    from seqclf.evaluation.evaluate import Evaluation

Split = Annotated[str, option("--split", "Split to evaluate: train, validation, test.")]
Data = Annotated[
    str | None, option("--data", "Data set.", "the one the run was trained on")
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
    from seqclf.records.plain import to_plain
    from seqclf.runs.comparisons import run_or_default
    from seqclf.workflows.evaluate import evaluate_run

    chosen = run_or_default(options.run_of(chosen_run, run), models_dir)
    given = options.given_settings(context, "data") & SOURCE_FIELDS
    result = evaluate_run(chosen, Screen(quiet), split, data, config.data, given)
    if json:
        said = {"run": str(chosen.path), "split": split, "source": result.source}
        print_json(said | to_plain(result.scores))
    else:
        _print(chosen.name, result)


def _print(name: str, result: Evaluation) -> None:
    from seqclf.report import scores

    console = stdout()
    console.print(scores.headline(name, result.source, result.split, result.scores))
    for table in scores.tables(result.scores):
        console.print(table)

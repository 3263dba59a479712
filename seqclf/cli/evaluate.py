"""`seqclf evaluate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqclf.cli import _options as options
from seqclf.cli._options import option
from seqclf.cli._screen import Screen, print_json, stdout
from seqclf.config import SOURCE_FIELDS, RunConfig

if TYPE_CHECKING:
    from seqclf.evaluation.evaluate import Evaluation
    from seqclf.unsure import AtLeast

Split = Annotated[str, option("--split", "Split to evaluate: train, validation, test.")]
Wanted = Annotated[
    float | None,
    option(
        "--wanted-accuracy",
        "Choose --at-least for this accuracy, a fraction, on --split validation.",
    ),
]
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
    at_least: options.AtLeast = None,
    wanted_accuracy: Wanted = None,
    models_dir: options.ModelsDir = options.DEFAULT_MODELS,
    json: options.Json = False,
    quiet: options.Quiet = False,
    config_file: options.ConfigFile = None,
) -> None:
    """Evaluate a trained model on a split of its own data set, or of another.

    Labels are matched by name. The accuracy on the surest texts tells what predict
    --at-least would give; choose its value on validation (--split validation), or let
    --wanted-accuracy choose it. Writes nothing.

    Example: seqclf evaluate demo-lstm-0 --data reviews.csv
    """
    from seqclf.runs.comparisons import run_or_default
    from seqclf.unsure import parse
    from seqclf.workflows.evaluate import evaluate_run

    thresholds = parse(at_least or [])
    chosen = run_or_default(options.run_of(chosen_run, run), models_dir)
    given = options.given_settings(context, "data") & SOURCE_FIELDS
    asked = (split, data, config.data, given, thresholds, wanted_accuracy)
    result = evaluate_run(chosen, Screen(quiet), *asked)
    if json:
        values = _values(result, thresholds, wanted_accuracy)
        print_json({"run": str(chosen.path)} | values)
    else:
        _print(chosen.name, result, thresholds, wanted_accuracy)


def _values(
    result: Evaluation, thresholds: AtLeast | None, wanted: float | None
) -> dict[str, Any]:
    """Returns plain values; what was not asked for is left out."""
    from seqclf.records.plain import to_plain

    values = {"split": result.split, "source": result.source}
    values |= to_plain(result.scores)
    if result.coverage is not None:
        values |= {"coverage": to_plain(result.coverage)}
    if thresholds:
        found = {"at_least": thresholds, "answered": result.answered}
        values |= to_plain(found)
    if wanted is not None:
        values |= to_plain({"wanted_accuracy": wanted, "reaching": result.reaching})
    return values


def _print(
    name: str, result: Evaluation, thresholds: AtLeast | None, wanted: float | None
) -> None:
    from seqclf.data.dataset import TEST
    from seqclf.report import scores

    console, n = stdout(), result.scores.n
    console.print(scores.headline(name, result.source, result.split, result.scores))
    if thresholds:
        said = scores.answered_said(result.answered, n, str(thresholds))
        console.print(said, markup=False)
    if wanted is not None:
        console.print(scores.reaching_said(result.reaching, wanted), markup=False)
    for table in scores.tables(result.scores):
        console.print(table)
    if result.coverage is None:
        return
    note = "at least: what predict --at-least takes for it"
    if result.split == TEST:
        note += "; choose by --split validation"
    console.print(scores.coverage_table(result.coverage, f"{note}."))

"""`seqclf export`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqclf.cli import _options as options
from seqclf.cli._options import option
from seqclf.cli._screen import Screen, print_json, print_table
from seqclf.errors import ConfigError

if TYPE_CHECKING:
    from seqclf.export import Artefact
    from seqclf.report.table import Table

Run = Annotated[
    Path | None,
    typer.Argument(
        metavar="RUN",
        help="A finished run, by name or path; A+B is their mean.",
        autocompletion=options.complete_run,
    ),
]
Formats = Annotated[
    list[str],
    option("--format", "keras, saved_model, onnx, litert, or all; may be repeated."),
]
Output = Annotated[
    Path | None,
    option(
        "--output",
        "Output folder; with several formats, one folder per format inside it.",
        "exports/RUN/FORMAT",
        metavar="DIR",
    ),
]
Quantize = Annotated[
    str | None,
    option(
        "--quantize", "int8: 8-bit weights, for onnx; reports the loss in accuracy."
    ),
]
License = Annotated[
    str, option("--license", "Licence of the model, for its model card: mit.")
]
Language = Annotated[
    str | None,
    option("--language", "Languages of the texts, for its model card: en,de."),
]
Overwrite = Annotated[bool, option("--overwrite", "Replace existing exports.")]


def export(
    format: Formats,
    chosen_run: Run = None,
    run: options.NamedRun = None,
    output: Output = None,
    quantize: Quantize = None,
    license: License = "unknown",
    language: Language = None,
    overwrite: Overwrite = False,
    models_dir: options.ModelsDir = options.DEFAULT_MODELS,
    cache_dir: options.CacheDir = options.DEFAULT_CACHE,
    json: options.Json = False,
    quiet: options.Quiet = False,
    config_file: options.ConfigFile = None,
) -> None:
    """Export a trained model for use without seqclf: Keras, TensorFlow, ONNX, LiteRT.

    Writes a folder with the model, vocabulary, tokenizer rules, labels and a model
    card. Every export is opened in a fresh process without seqclf and compared with
    the run on more than 200 texts; one that differs too much is an error and is not
    written. An export of the same run that exists already is left as it is.

    Example: seqclf export demo-lstm-0 --format onnx
    """
    named = options.run_of(chosen_run, run)
    if named is None:
        raise ConfigError("export takes a run: seqclf export RUN --format onnx.")
    from seqclf.export import to_json
    from seqclf.runs import open_any
    from seqclf.workflows.export import EXPORTS, about_of, export_run, formats_of

    names, about = formats_of(format, quantize), about_of(license, language)
    chosen = open_any(named, models_dir)
    asked = (names, Screen(quiet), cache_dir, output, about, overwrite)
    made = export_run(chosen, *asked)
    if json:
        print_json([{"path": str(a.path)} | to_json(a.record) for a in made])
    else:
        print_table(_table(made, output or EXPORTS / chosen.name))


def _table(made: Sequence[Artefact], folder: Path) -> Table:
    from seqclf.report.table import Table

    header = ("format", "kB", "greatest\ndifference", "same\nlabel %", "ms per\ntext")
    rows = tuple(
        (
            record.format,
            f"{record.bytes / 1000:,.0f}",
            f"{record.greatest_difference:.1e}",
            f"{100 * record.label_agreement:.2f}",
            f"{record.milliseconds_per_text:.2f}",
        )
        for record in (artefact.record for artefact in made)
    )
    return Table(header=header, rows=rows, title=str(folder))

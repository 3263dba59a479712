"""`seqclf export`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqclf.cli import _options as options
from seqclf.cli._screen import note, print_json, stdout
from seqclf.errors import ConfigError, unknown

if TYPE_CHECKING:
    from seqclf.export import Artefact

# `formats.FORMATS` without those that --quantize makes; a test compares them.
NAMES = ("keras", "saved_model", "onnx", "litert")
ALL = "all"
QUANTIZED = {"int8": "onnx-int8"}
EXPORTS = Path("exports")

Run = Annotated[
    Path | None,
    typer.Argument(
        metavar="RUN",
        help="A finished run, by name or path.",
        autocompletion=options.complete_run,
    ),
]
Formats = Annotated[
    list[str],
    typer.Option(
        "--format",
        help="keras, saved_model, onnx, litert, or all; may be repeated.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        metavar="DIR",
        help="Output folder; with several formats, one folder per format inside it.",
        show_default="exports/RUN/FORMAT",
    ),
]
Quantize = Annotated[
    str | None,
    typer.Option(
        "--quantize",
        help="int8: 8-bit weights, for onnx; reports the loss in accuracy.",
    ),
]
License = Annotated[
    str,
    typer.Option("--license", help="Licence of the model, for its model card: mit."),
]
Language = Annotated[
    str | None,
    typer.Option(
        "--language", help="Languages of the texts, for its model card: en,de."
    ),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace existing exports.")
]


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
    names = _names(format, quantize)
    _check_card(license, language)
    from seqclf.export import About, to_json
    from seqclf.export import export as export_run
    from seqclf.runs import open_run

    chosen = open_run(named, models_dir)
    folder = output or EXPORTS / chosen.name
    is_one = output is not None and len(names) == 1
    places = {name: folder if is_one else folder / name for name in names}
    languages = tuple(language.split(",")) if language else ()
    about = About(license=license, languages=languages)
    left = [n for n in names if overwrite or not places[n].exists()]
    if left:
        note(f"Writing, opening and comparing: {', '.join(left)}.", quiet)
    made = []
    for artefact in export_run(chosen, places, about, cache_dir, overwrite):
        note(_told(artefact), quiet)
        made.append(artefact)
    made.sort(key=lambda artefact: names.index(artefact.record.format))
    if json:
        print_json([{"path": str(a.path)} | to_json(a.record) for a in made])
    else:
        stdout().print(_table(made, folder))


def _names(formats: Sequence[str], quantize: str | None) -> list[str]:
    """Returns the formats that are asked for, each once.

    Raises:
      ConfigError: If there is no such format, or none that can be quantized.
    """
    for format in formats:
        if format not in (*NAMES, ALL):
            raise ConfigError(unknown("format", format, (*NAMES, ALL)))
    names = list(NAMES) if ALL in formats else list(dict.fromkeys(formats))
    if quantize is None:
        return names
    if quantize not in QUANTIZED:
        raise ConfigError(unknown("--quantize", quantize, QUANTIZED))
    if "onnx" not in names:
        raise ConfigError(
            f"--quantize {quantize} is for onnx, got --format {', '.join(names)}; use "
            f"--format onnx."
        )
    if ALL in formats:
        return [*names, QUANTIZED[quantize]]
    return [QUANTIZED[quantize] if name == "onnx" else name for name in names]


def _check_card(license: str, language: str | None) -> None:
    """Refuses what the card could not say.

    Raises:
      ConfigError: Names the option.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9.+-]*", license):
        raise ConfigError(
            f"--license takes an identifier such as apache-2.0 or mit, got {license!r}."
        )
    if language and not re.fullmatch(r"[a-z]{2,3}(,[a-z]{2,3})*", language):
        raise ConfigError(
            f"--language takes codes such as en or en,de, got {language!r}."
        )


def _told(artefact: Artefact) -> str:
    from seqclf.export import FORMATS

    path, record = artefact.path, artefact.record
    if artefact.is_reused:
        return f"{path} is there already, of this run and settings: reused"
    told = (
        f"{path}: differs by {record.greatest_difference:.2g} at most (may by "
        f"{record.bound:g}), same label for {100 * record.label_agreement:.2f} % of "
        f"{record.texts} texts"
    )
    if not FORMATS[record.format].is_lossy:
        return told
    if record.test is None:
        return (
            f"{told}; the loss in accuracy could not be measured: the run's data is "
            f"not in the cache"
        )
    before, after = record.test.run.accuracy, record.test.artefact.accuracy
    return f"{told}; test accuracy {100 * after:.2f} % instead of {100 * before:.2f} %"


def _table(made: Sequence[Artefact], folder: Path) -> Any:
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(str(folder)), title_justify="left")
    headers = ("format", "kB", "greatest\ndifference", "same\nlabel %", "ms per\ntext")
    for header in headers:
        table.add_column(header, justify="left" if header == "format" else "right")
    for artefact in made:
        record = artefact.record
        table.add_row(
            record.format,
            f"{record.bytes / 1000:,.0f}",
            f"{record.greatest_difference:.1e}",
            f"{100 * record.label_agreement:.2f}",
            f"{record.milliseconds_per_text:.2f}",
        )
    return table

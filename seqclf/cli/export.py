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
    from seqclf.export import About, Artefact
    from seqclf.export.microscope import Microscope
    from seqclf.report.table import Table

Runs = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="RUN",
        help="A finished run, by name or path, or hf://OWNER/NAME; A+B is their mean. "
        "Several for --format microscope.",
        autocompletion=options.complete_run,
    ),
]
Formats = Annotated[
    list[str],
    option(
        "--format",
        "keras, saved_model, onnx, litert, or all; may be repeated. microscope (or "
        "page): one offline page in which the runs can be watched as they read.",
    ),
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
    chosen_runs: Runs = None,
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

    With --format microscope it writes one HTML file of one or several runs, in which
    one steps through a text and sees each twin's probabilities, gates and states.

    Example: seqclf export demo-lstm-0 --format onnx
    """
    named, folders = _named(chosen_runs or [], run), (models_dir, cache_dir)
    from seqclf.workflows.export import about_of, formats_of, is_page

    if is_page(format):
        given = {"--quantize": quantize, "--language": language}
        given |= {"--license": None if license == "unknown" else license}
        _refuse_for_page([name for name, value in given.items() if value])
        _export_page(named, folders, output, overwrite, Screen(quiet), json)
        return
    names, about = formats_of(format, quantize), about_of(license, language)
    if len(named) > 1:
        raise ConfigError(
            f"--format {format[0]} is of one run, got {len(named)}; export them one by "
            f"one, name their mean with +, or take --format microscope."
        )
    _export(named[0], names, about, folders, output, overwrite, Screen(quiet), json)


def _named(chosen: list[Path], run: Path | None) -> list[Path]:
    """Returns the runs that were named, by arguments or by --run."""
    if len(chosen) > 1 and run is not None:
        raise ConfigError(f"--run {run} names a run beside others; name all as RUN.")
    named = options.run_of(chosen[0] if chosen else None, run)
    if named is None:
        raise ConfigError("export takes a run: seqclf export RUN --format onnx.")
    return chosen or [named]


def _refuse_for_page(given: list[str]) -> None:
    if given:
        raise ConfigError(
            f"{given[0]} does nothing for a page, which has no model card and chooses "
            f"its numbers by its size; leave it out."
        )


def _export(
    named: Path,
    names: list[str],
    about: About,
    folders: tuple[Path, Path],
    output: Path | None,
    overwrite: bool,
    screen: Screen,
    json: bool,
) -> None:
    from seqclf.export import to_json
    from seqclf.runs import open_any
    from seqclf.workflows.export import EXPORTS, export_run

    models, cache = folders
    run = open_any(named, models)
    made = export_run(run, names, screen, cache, output, about, overwrite)
    if json:
        print_json([{"path": str(a.path)} | to_json(a.record) for a in made])
    else:
        print_table(_table(made, output or EXPORTS / run.name))


def _export_page(
    named: list[Path],
    folders: tuple[Path, Path],
    output: Path | None,
    overwrite: bool,
    screen: Screen,
    json: bool,
) -> None:
    from seqclf.records.plain import to_plain
    from seqclf.runs import open_any
    from seqclf.workflows.export import export_page

    models, cache = folders
    runs = [open_any(one, models) for one in named]
    made = export_page(runs, screen, cache, output, overwrite)
    if json:
        print_json([{"path": str(made.path)} | to_plain(made.record)])
    else:
        print_table(_page_table(made))


def _page_table(made: Microscope) -> Table:
    from seqclf.export.microscope import MICROSCOPE_FILE
    from seqclf.report.table import Table

    return Table(
        header=("run", "cell", "greatest\ndifference", "other\nlabels", "texts"),
        rows=tuple(
            (
                twin.run,
                twin.cell,
                f"{twin.greatest_difference:.1e}",
                f"{twin.other_labels}",
                f"{twin.texts}",
            )
            for twin in made.record.twins
        ),
        title=f"{made.path / MICROSCOPE_FILE}, {made.record.bytes / 1000:,.0f} kB",
    )


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

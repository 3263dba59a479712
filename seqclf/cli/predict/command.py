"""`seqclf predict`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqclf.cli import _options as options
from seqclf.cli._screen import Screen
from seqclf.cli.predict.answers import answer_line, row_lines
from seqclf.cli.predict.explanation import explain_texts
from seqclf.cli.predict.texts import typed_texts
from seqclf.config import require_count
from seqclf.errors import ConfigError
from seqclf.keywords import to_config

if TYPE_CHECKING:
    from seqclf.runs import Run

ON_ERROR = ("fail", "keep")

Texts = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TEXT...]", help="Texts; - reads one per line from standard input."
    ),
]
Input = Annotated[
    Path | None,
    typer.Option(
        "--input",
        metavar="FILE",
        help="File to classify: CSV, TSV, JSON, Parquet, Excel, or .txt with one text "
        "per file (per line: --lines); or a folder or pattern ('parts/*.csv') of "
        "several files of one format.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        metavar="FILE",
        help="File for the rows of --input with their predictions: Parquet, CSV, "
        "TSV, JSONL.",
        show_default="print a line per row",
    ),
]
TextColumn = Annotated[
    str | None,
    typer.Option(
        "--text-column",
        help="Text column, or several to join.",
        show_default="as in training",
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(
        "--encoding",
        help="Character encoding of --input.",
        show_default="as in training",
    ),
]
Delimiter = Annotated[
    str | None,
    typer.Option(
        "--delimiter",
        help="Delimiter of CSV files: one character, or tab.",
        show_default="detected",
    ),
]
Header = Annotated[
    bool | None,
    typer.Option(
        "--header/--no-header",
        help="Whether the first line of a CSV file names the columns.",
        show_default="as in training, or detected",
    ),
]
Columns = Annotated[
    str | None,
    typer.Option("--columns", help="Column names of CSV files without a header."),
]
Lines = Annotated[
    bool, typer.Option("--lines", help="Treat each line of a .txt file as a text.")
]
OnError = Annotated[
    str,
    typer.Option(
        "--on-error",
        help="Rows that cannot be classified (no text, wrong encoding, broken JSON, a "
        "wrong number of fields): fail at the first, or keep them with an empty label.",
        autocompletion=lambda incomplete: [
            c for c in ON_ERROR if c.startswith(incomplete)
        ],
    ),
]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Resume an interrupted --output."),
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace an existing or unfinished --output."),
]
Explain = Annotated[
    bool,
    typer.Option(
        "--explain",
        help="Show the words that influenced each answer, and when the model decided.",
    ),
]
Top = Annotated[int, typer.Option("--top", help="Number of labels to show per text.")]
RunOption = Annotated[
    Path | None,
    typer.Option(
        "--run",
        help="Run to use, by name or path.",
        show_default="the newest training, or the best of the newest comparison",
        autocompletion=options.complete_run,
    ),
]


COMMON = {"texts", "run", "models_dir", "quiet", "config_file"}
WITHOUT_INPUT = COMMON | {"top", "json", "explain"}
READING = {"text_column", "encoding", "delimiter", "header", "columns"}
WITH_INPUT = COMMON | READING | {"input_file", "output", "on_error", "lines"}
WITH_OUTPUT = WITH_INPUT | {"resume", "overwrite"}


def predict(
    context: typer.Context,
    texts: Texts = None,
    run: RunOption = None,
    top: Top = 1,
    input_file: Input = None,
    output: Output = None,
    text_column: TextColumn = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    header: Header = None,
    columns: Columns = None,
    lines: Lines = False,
    on_error: OnError = "fail",
    resume: Resume = False,
    overwrite: Overwrite = False,
    explain: Explain = False,
    models_dir: options.ModelsDir = options.DEFAULT_MODELS,
    json: options.Json = False,
    quiet: options.Quiet = False,
    config_file: options.ConfigFile = None,
) -> None:
    """Classify texts with a trained model.

    Texts are arguments, lines of standard input (-), or rows of files (--input).
    Prints label and probability, one line per text, in the same order. With --output
    it writes the rows with all their columns, predicted_label and probability; for
    .txt files, their names.

    Example: seqclf predict "Not half as dull as I feared."
    """
    from seqclf.records.reading import Reading
    from seqclf.runs import open_run
    from seqclf.runs.comparisons import run_by_default

    require_count("--top", top)
    _refuse_options(context, input_file, output, texts)
    if resume and overwrite:
        raise ConfigError("--resume continues, --overwrite starts over; give one.")
    config = to_config(
        {
            "encoding": encoding,
            "delimiter": delimiter,
            "header": header,
            "columns": columns,
            "text_column": text_column,
        }
    )
    batches = typed_texts(texts or []) if input_file is None else iter(())
    screen = Screen(quiet)
    named = open_run(run, models_dir) if run is not None else None
    chosen, why = (named, "") if named else run_by_default(models_dir)
    _introduce(chosen, why, screen)
    if input_file is None:
        _answer_texts(chosen, batches, top, json, explain)
        return
    from seqclf.workflows import predict as workflow

    files = workflow.Files(input_file, Reading.of(config.data), on_error, lines)
    opened = workflow.open_files(chosen, files, screen)
    if output is not None:
        workflow.write_classified(chosen, opened, output, screen, resume, overwrite)
    elif explain:
        explain_texts(chosen, workflow.texts_of(opened, screen), top, json)
    else:
        for part in workflow.classified(chosen, opened, screen):
            _print_lines(row_lines(part, chosen.labels, top, json, opened.is_named))


def _refuse_options(
    context: typer.Context,
    input_file: Path | None,
    output: Path | None,
    texts: list[str] | None,
) -> None:
    if input_file is None:
        options.refuse_given(context, WITHOUT_INPUT, "there is no --input")
    elif texts:
        raise ConfigError("--input and texts are two sources; give one.")
    elif output is not None:
        options.refuse_given(context, WITH_OUTPUT, "an --output is written")
    else:
        options.refuse_given(
            context, WITH_INPUT | {"top", "json", "explain"}, "there is no --output"
        )


def _answer_texts(
    run: Run, batches: Iterator[list[str]], top: int, as_json: bool, explain: bool
) -> None:
    if explain:
        explain_texts(run, batches, top, as_json)
        return
    from seqclf.classifier import Classifier

    classifier, show = Classifier.open(run), answer_line(run.labels, top, as_json)
    for batch in batches:
        rows = classifier.predict_proba(batch).tolist()
        _print_lines(map(show, batch, rows))


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _introduce(run: Run, why: str, screen: Screen) -> None:
    if why:
        screen.note(why)
    data = run.dataset.name
    if run.complete.command == "fit":  # saved from Python, without a test split
        screen.note(f"{run.name}, saved from Python")
        return
    accuracy = 100 * run.metrics["test"].accuracy
    screen.note(f"{run.name}, trained on {data}, test accuracy {accuracy:.1f} %")

"""`seqclf predict`."""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqclf.cli import _options as options
from seqclf.cli._answers import Line, answer_line
from seqclf.cli._explanation import explain_texts
from seqclf.cli._files import Files, print_rows, text_batches, write_rows
from seqclf.cli._screen import note
from seqclf.config import require_count
from seqclf.errors import ConfigError
from seqclf.keywords import to_config

if TYPE_CHECKING:
    from seqclf.runs import Run

BATCH_SIZE = 64
ON_ERROR = ("fail", "keep")

Texts = Annotated[
    list[str] | None,
    typer.Argument(metavar="[TEXT...]", help="Texts; - reads a text a line."),
]
Input = Annotated[
    Path | None,
    typer.Option(
        "--input",
        metavar="FILE",
        help="Rows to classify: CSV, TSV, JSON, Parquet, Excel, or .txt with one text "
        "a file (or a line: --lines). A folder or a pattern ('parts/*.csv') takes "
        "several of one format.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        metavar="FILE",
        help="Where to write the rows of --input with their predictions: Parquet, "
        "CSV, TSV, JSONL. Left out, a line a row is printed.",
    ),
]
TextColumn = Annotated[
    str | None,
    typer.Option("--text-column", help="Column of the texts, or several to join."),
]
Encoding = Annotated[
    str | None,
    typer.Option(
        "--encoding", help="Character encoding of --input; else as in training."
    ),
]
Delimiter = Annotated[
    str | None,
    typer.Option("--delimiter", help="Character between fields, or tab; else found."),
]
Header = Annotated[
    bool | None,
    typer.Option(
        "--header/--no-header",
        help="Whether the first line names the columns; else as in training, or told "
        "by its content.",
    ),
]
Columns = Annotated[
    str | None,
    typer.Option("--columns", help="Names of the columns of a file without a header."),
]
Lines = Annotated[
    bool, typer.Option("--lines", help="Each line of a .txt file is a text.")
]
OnError = Annotated[
    str,
    typer.Option(
        "--on-error",
        help="What to do with a row that cannot be classified (no text, bytes of "
        "another encoding, broken JSON, a wrong number of fields): fail, naming it; "
        "or keep it, with an empty label.",
        autocompletion=lambda incomplete: [
            c for c in ON_ERROR if c.startswith(incomplete)
        ],
    ),
]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Go on with an --output whose writing was cut off."),
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace an --output that is there, or begun."),
]
Explain = Annotated[
    bool,
    typer.Option(
        "--explain",
        help="Show which words moved the answer, and where the model made up its mind.",
    ),
]
Top = Annotated[int, typer.Option("--top", help="Labels to show for each text.")]
RunOption = Annotated[
    Path | None,
    typer.Option(
        "--run",
        help="A run, by name or path; else the newest training, or the best of the "
        "newest comparison.",
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
    """Classify texts with a finished run.

    Reads arguments, a text a line from standard input, or the rows of files; prints
    label and probability, a line a text, in the same order. With --output it writes
    the rows, all their columns kept, with predicted_label and probability; of .txt
    files it writes the names. What was cut off goes on with --resume.

    Example: seqclf predict "Not half as dull as I feared."
    """
    from seqclf.records.reading import Reading
    from seqclf.runs import open_run
    from seqclf.runs.comparisons import default_run

    require_count("--top", top)
    _refuse_options(context, input_file, output, texts)
    if resume and overwrite:
        raise ConfigError("--resume goes on, --overwrite begins anew; give one.")
    config = to_config(
        {
            "encoding": encoding,
            "delimiter": delimiter,
            "header": header,
            "columns": columns,
            "text_column": text_column,
        }
    )
    files = None
    if input_file is not None:
        files = Files(input_file, Reading.of(config.data), on_error, lines)
    batches = _batches(texts or []) if files is None else iter(())
    chosen = open_run(run, models_dir) if run else default_run(models_dir)
    _introduce(chosen, quiet)
    if explain:
        if files is not None:
            batches = text_batches(chosen, files, quiet)
        explain_texts(chosen, batches, top, json)
    elif files is None:
        _answer_texts(chosen, batches, answer_line(chosen.labels, top, json))
    elif output is None:
        print_rows(chosen, files, top, json, quiet)
    else:
        write_rows(chosen, files, output, resume, overwrite, quiet)


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


def _answer_texts(run: Run, batches: Iterator[list[str]], show: Line) -> None:
    from seqclf.classifier import Classifier

    classifier = Classifier.open(run)
    for batch in batches:
        for text, row in zip(batch, classifier.predict(batch).tolist(), strict=True):
            sys.stdout.write(show(text, row) + "\n")
        sys.stdout.flush()


def _introduce(run: Any, quiet: bool) -> None:
    data = run.dataset.name
    if run.complete.command == "fit":  # saved from Python, without a test split
        note(f"{run.name}, saved from Python", quiet)
        return
    accuracy = 100 * run.metrics["test"].accuracy
    note(f"{run.name}, trained on {data}, test accuracy {accuracy:.1f} %", quiet)


def _batches(texts: list[str]) -> Iterator[list[str]]:
    """Returns batches of texts, from the arguments or from standard input."""
    if "-" in texts and len(texts) > 1:
        raise ConfigError("- reads standard input; it goes with no other text.")
    if texts and texts != ["-"]:
        return iter([[_valid(text) for text in texts]])
    if sys.stdin is None or (not texts and sys.stdin.isatty()):
        raise ConfigError(
            'predict needs a text: seqclf predict "text", or - to read a text a line '
            "from standard input."
        )
    return _stream()


def _valid(text: str) -> str:
    # An argument that is not UTF-8 arrives with lone surrogates in it.
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _stream() -> Iterator[list[str]]:
    """Yields what standard input holds so far, a text a line, without waiting for more.

    So answers come as fast as texts do, and a full pipe is still read in batches.
    """
    lines: queue.Queue[str | None] = queue.Queue(maxsize=16 * BATCH_SIZE)

    def read() -> None:
        for line in _lines(sys.stdin.fileno()):
            lines.put(line.removesuffix(b"\r").decode("utf-8", "replace"))
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    line = lines.get()
    while line is not None:
        batch = [line]
        line = None
        while len(batch) < BATCH_SIZE and not lines.empty():
            line = lines.get()
            if line is None:
                yield batch
                return
            batch.append(line)
        yield batch
        line = lines.get()


def _lines(descriptor: int) -> Iterator[bytes]:
    # From the descriptor: a thread that waits inside Python's own buffer would hold
    # its lock when Ctrl-C ends the process.
    rest = b""
    while block := os.read(descriptor, 1 << 16):
        *lines, rest = (rest + block).split(b"\n")
        yield from lines
    if rest:
        yield rest

"""`seqclf predict`: its options, and where texts come from that are typed or piped."""

from __future__ import annotations

import os
import queue
import select
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqclf.cli import _options as options
from seqclf.cli._machines import ASKED, Machines, with_machines
from seqclf.cli._options import option
from seqclf.cli._screen import Screen
from seqclf.cli.predict.answers import Form, answer_lines, row_lines
from seqclf.cli.predict.explained import explain_texts
from seqclf.config import require_count
from seqclf.errors import ConfigError, DataError
from seqclf.keywords import to_config

if TYPE_CHECKING:
    from seqclf.runs import AnyRun
    from seqclf.unsure import Tally

Texts = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TEXT...]", help="Texts; - reads one per line from standard input."
    ),
]
Input = Annotated[
    Path | None,
    option(
        "--input",
        "File to classify: CSV, TSV, JSON, Parquet, Excel, or .txt with one text per "
        "file (per line: --lines); or a folder or pattern ('parts/*.csv') of several "
        "files of one format; a folder by its URL, such as s3://bucket/texts.",
        metavar="FILE",
    ),
]
Output = Annotated[
    Path | None,
    option(
        "--output",
        "File for the rows of --input with their predictions: Parquet, CSV, TSV, "
        "JSONL; or a folder, or its URL, for a file each, by its name.",
        "print a line per row",
        metavar="FILE",
    ),
]
TextColumn = Annotated[
    str | None,
    option("--text-column", "Text column, or several to join.", "as in training"),
]
Encoding = Annotated[
    str | None,
    option("--encoding", "Character encoding of --input.", "as in training"),
]
Delimiter = Annotated[
    str | None,
    option("--delimiter", "Delimiter of CSV files: one character, or tab.", "detected"),
]
Header = Annotated[
    bool | None,
    option(
        "--header/--no-header",
        "Whether the first line of a CSV file names the columns.",
        "as in training, or detected",
    ),
]
Columns = Annotated[
    str | None, option("--columns", "Column names of CSV files without a header.")
]
Lines = Annotated[bool, option("--lines", "Treat each line of a .txt file as a text.")]
OnError = Annotated[
    str,
    option(
        "--on-error",
        "Rows that cannot be classified (no text, wrong encoding, broken JSON, a "
        "wrong number of fields): fail at the first, or keep them with an empty label.",
        choices=("fail", "keep"),
    ),
]
Resume = Annotated[bool, option("--resume", "Resume an interrupted --output.")]
Overwrite = Annotated[
    bool, option("--overwrite", "Replace an existing or unfinished --output.")
]
Explain = Annotated[
    bool,
    option(
        "--explain",
        "Show the words that influenced each answer, and when the model decided.",
    ),
]
Top = Annotated[int, option("--top", "Number of labels to show per text.")]
RunOption = Annotated[
    Path | None,
    option(
        "--run",
        "Run to use, by name or path, or hf://OWNER/NAME; A+B is their mean.",
        "the newest training, or the best of the newest comparison",
        autocompletion=options.complete_run,
    ),
]

BATCH_SIZE = 64
COMMON = {"texts", "run", "at_least", "models_dir", "quiet", "config_file"}
PRINTING = {"top", "json", "explain"}
READING = {"text_column", "encoding", "delimiter", "header", "columns"}
WITH_INPUT = COMMON | READING | {"input_file", "output", "on_error", "lines"}
WITH_OUTPUT = WITH_INPUT | {"resume", "overwrite"}


@with_machines
def predict(
    context: typer.Context,
    machines: Machines,
    texts: Texts = None,
    run: RunOption = None,
    top: Top = 1,
    at_least: options.AtLeast = None,
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
    .txt files, their names. An answer below --at-least is "unsure": without a label in
    JSON (null) and in --output (empty). Of a run whose texts may have several labels it
    prints those that apply, as labels in JSON and predicted_labels in --output.

    Example: seqclf predict "Not half as dull as I feared."
    """
    from seqclf.records.reading import Reading
    from seqclf.runs import open_any
    from seqclf.runs.comparisons import run_by_default
    from seqclf.unsure import Tally, floors_of, parse, refuse_of_several

    require_count("--top", top)
    thresholds = parse(at_least or [])
    _refuse_options(context, input_file, output, texts)
    if resume and overwrite:
        raise ConfigError("--resume continues, --overwrite starts over; give one.")
    given = {"encoding": encoding, "delimiter": delimiter, "header": header}
    config = to_config(given | {"columns": columns, "text_column": text_column})
    batches = _typed_texts(texts or []) if input_file is None else iter(())
    screen = Screen(quiet)
    named = open_any(run, models_dir) if run is not None else None
    chosen, why = (named, "") if named else run_by_default(models_dir)
    refuse_of_several(thresholds, chosen.name, chosen.dataset.has_several)
    labels, floors = chosen.labels, floors_of(thresholds, chosen.labels)
    _introduce(chosen, why, screen)
    form = Form(labels, top, json, floors, chosen.thresholds)
    tally = Tally(thresholds, labels)
    if input_file is None:
        _answer_texts(chosen, batches, form, tally, explain)
        _tell(tally, chosen, screen)
        return
    from seqclf.bulk.chunks import Options
    from seqclf.bulk.folder import is_folder
    from seqclf.bulk.remote import url_of
    from seqclf.cluster.opened import opened as opened_machines
    from seqclf.workflows import predict as workflow

    reading = Reading.of(config.data)
    if output is not None and (url_of(input_file) or url_of(output)):
        from seqclf.workflows.predict_remote import write_remote

        as_read = Options(reading, chosen.reading, on_error, lines)
        how = (resume, overwrite, thresholds)
        write_remote(chosen, input_file, output, as_read, screen, *how)
        return
    if output is not None and is_folder(output):
        source = workflow.found_source(input_file, screen)
        as_read = Options(reading, chosen.reading, on_error, lines)
        how = (resume, overwrite, thresholds)
        with opened_machines(machines(), screen.insist) as cluster:
            asked = (chosen, source, as_read, output, screen, *how, cluster)
            workflow.write_each(*asked)
        return
    opened = workflow.open_files(chosen, input_file, reading, screen, on_error, lines)
    if output is not None:
        how = (resume, overwrite, thresholds)
        workflow.write_classified(chosen, opened, output, screen, *how)
        return
    if explain:
        explain_texts(chosen, workflow.texts_of(opened, screen), form, tally)
    else:
        for part in workflow.classified(chosen, opened, screen):
            tally.add(part.probabilities, part.unknown)
            _print_lines(row_lines(part, form, opened.is_named))
    _tell(tally, chosen, screen)


def _refuse_options(
    context: typer.Context,
    input_file: Path | None,
    output: Path | None,
    texts: list[str] | None,
) -> None:
    if input_file is None:
        options.refuse_given(context, COMMON | PRINTING, "there is no --input")
    elif texts:
        raise ConfigError("--input and texts are two sources; give one.")
    elif output is not None:
        from seqclf.bulk.folder import is_folder
        from seqclf.bulk.remote import is_a_file, url_of

        if url_of(input_file) or url_of(output):
            if not (is_folder(output) or url_of(output)) or is_a_file(output):
                raise ConfigError(
                    f"--output {output.name}: where --input or --output is a URL, the "
                    f"output is a folder, which gets a file for each, by its name."
                )
            options.refuse_given(context, WITH_OUTPUT, "a URL is predicted from here")
        elif is_folder(output):
            options.refuse_given(context, WITH_OUTPUT | {*ASKED}, "files are written")
        else:
            options.refuse_given(context, WITH_OUTPUT, "an --output is written")
    else:
        options.refuse_given(context, WITH_INPUT | PRINTING, "there is no --output")
        _refuse_url(input_file)


def _refuse_url(input_file: Path) -> None:
    from seqclf.bulk.remote import url_of

    if url := url_of(input_file):
        raise ConfigError(f"--input {url} needs --output, a folder here or a URL.")


def _answer_texts(
    run: AnyRun, batches: Iterator[list[str]], form: Form, tally: Tally, explain: bool
) -> None:
    if explain:
        explain_texts(run, batches, form, tally)
        return
    from seqclf.classifier import Classifier

    classifier = Classifier.open(run)
    for batch in batches:
        found = classifier.answer(batch)
        tally.add(found.probabilities, found.unknown)
        shares = found.unknown.tolist()
        _print_lines(answer_lines(batch, found.probabilities.tolist(), shares, form))


def _tell(tally: Tally, run: AnyRun, screen: Screen) -> None:
    from seqclf.runs import unit_of

    for sentence in tally.said(run.name, unit_of(run)):
        screen.note(sentence)


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _introduce(run: AnyRun, why: str, screen: Screen) -> None:
    from seqclf.runs import members_of

    if why:
        screen.note(why)
    first, *more = members_of(run)
    if not first.has_scores:
        screen.note(f"{run.name}, saved from Python")
        return
    what = f"the mean of {1 + len(more)} models, " if more else ""
    accuracy = f"test accuracy {100 * run.test_accuracy:.1f} %"
    screen.note(f"{run.name}, {what}trained on {run.dataset.name}, {accuracy}")


def _typed_texts(texts: list[str]) -> Iterator[list[str]]:
    """Returns batches of texts, from the arguments or from standard input."""
    if "-" in texts and len(texts) > 1:
        raise ConfigError("- reads standard input; it goes with no other text.")
    if texts and texts != ["-"]:
        # An argument that is not UTF-8 arrives with lone surrogates in it.
        given = [text.encode("utf-8", "surrogateescape") for text in texts]
        return iter([[text.decode("utf-8", "replace") for text in given]])
    if sys.stdin is None or (not texts and sys.stdin.isatty()):
        raise ConfigError(
            'predict needs a text: seqclf predict "text", or - to read a text a line '
            "from standard input."
        )
    return _stream()


def _stream() -> Iterator[list[str]]:
    """Yields what standard input holds so far, a text a line, without waiting for more.

    So answers come as fast as texts do, and a full pipe is still read in batches.
    """
    lines: queue.Queue[str | OSError | None] = queue.Queue(maxsize=16 * BATCH_SIZE)
    threading.Thread(target=_fill, args=(lines,), daemon=True).start()
    line: str | OSError | None
    while isinstance(line := lines.get(), str):
        batch = [line]
        while len(batch) < BATCH_SIZE and not lines.empty():
            if not isinstance(line := lines.get(), str):
                break
            batch.append(line)
        yield batch
        if not isinstance(line, str):
            break
    if line is not None:
        raise DataError(f"standard input cannot be read: {line}.")


def _fill(lines: queue.Queue[str | OSError | None]) -> None:
    """Puts the lines of standard input into a queue; behind them None or an error."""
    end = None
    try:
        for line in _lines_of(sys.stdin.fileno()):
            lines.put(line.removesuffix(b"\r").decode("utf-8", "replace"))
    except OSError as error:
        end = error
    lines.put(end)


def _block_of(descriptor: int) -> bytes:
    while True:
        try:
            return os.read(descriptor, 1 << 16)
        except BlockingIOError:  # another process that has it, too, wants no waiting
            select.select([descriptor], [], [])


def _lines_of(descriptor: int) -> Iterator[bytes]:
    # From the descriptor: a thread that waits inside Python's own buffer would hold
    # its lock when Ctrl-C ends the process.
    rest = b""
    while block := _block_of(descriptor):
        *lines, rest = (rest + block).split(b"\n")
        yield from lines
    if rest:
        yield rest

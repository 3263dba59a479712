"""`seqclf predict`."""

from __future__ import annotations

import functools
import json as json_format
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqclf.cli import _options as options
from seqclf.cli._screen import clean, note, show_rows
from seqclf.errors import ConfigError

if TYPE_CHECKING:
    from seqclf.runs import Run

Show = Callable[[str, list[float]], str]  # from a text and its probabilities to a line

BATCH_SIZE = 64
SHOWN_CHARACTERS = 60

Texts = Annotated[
    list[str] | None,
    typer.Argument(metavar="[TEXT...]", help="Texts; - reads a text a line."),
]
Input = Annotated[
    Path | None,
    typer.Option(
        "--input", metavar="FILE", help="Rows to classify: CSV, TSV, JSONL, Parquet."
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
    str, typer.Option("--encoding", help="Character encoding of --input.")
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace an --output that is there.")
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
WITHOUT_INPUT = COMMON | {"top", "json"}
WITH_OUTPUT = COMMON | {"input_file", "output", "text_column", "encoding", "overwrite"}


def predict(
    context: typer.Context,
    texts: Texts = None,
    run: RunOption = None,
    top: Top = 1,
    input_file: Input = None,
    output: Output = None,
    text_column: TextColumn = None,
    encoding: Encoding = "utf-8",
    overwrite: Overwrite = False,
    models_dir: options.ModelsDir = options.DEFAULT_MODELS,
    json: options.Json = False,
    quiet: options.Quiet = False,
    config_file: options.ConfigFile = None,
) -> None:
    """Classify texts with a finished run.

    Reads arguments, a text a line from standard input, or the rows of a file; prints
    label and probability, a line a text, in the same order. With --output it writes
    the rows, all their columns kept, with predicted_label and probability.

    Example: seqclf predict "Not half as dull as I feared."
    """
    from seqclf.comparison.saved import default_run
    from seqclf.runs import open_run

    if top < 1:
        raise ConfigError(f"--top must be a whole number of at least 1, got {top}.")
    if input_file is None:
        options.refuse_given(context, WITHOUT_INPUT, "there is no --input")
    elif texts:
        raise ConfigError("--input and texts are two sources; give one.")
    elif output is not None:
        options.refuse_given(context, WITH_OUTPUT, "an --output is written")
    batches = _batches(texts or []) if input_file is None else iter(())
    chosen = open_run(run, models_dir) if run else default_run(models_dir)
    _introduce(chosen, quiet)
    show = functools.partial(_json_line if json else _plain_line, chosen.labels, top)
    if input_file is None:
        _answer_texts(chosen, batches, show)
    else:
        source = (input_file, encoding, text_column)
        _answer_file(chosen, source, (output, overwrite), show, quiet)


def _answer_texts(run: Run, batches: Iterator[list[str]], show: Show) -> None:
    from seqclf.classifier import Classifier

    classifier = Classifier.open(run)
    for batch in batches:
        _print_answers(batch, classifier.predict(batch), show)


def _answer_file(
    run: Run,
    source: tuple[Path, str, str | None],
    target: tuple[Path | None, bool],
    show: Show,
    quiet: bool,
) -> None:
    from seqclf import bulk
    from seqclf.classifier import Classifier

    (file, encoding, text_column), (output, overwrite) = source, target
    rows = bulk.Rows(file, encoding)
    if output is not None:
        bulk.refuse_output(output, rows, overwrite)
    classifier = Classifier.open(run)
    answered = bulk.predict_rows(classifier, rows, text_column)
    if output is None:
        for part in answered:
            _print_answers(part.texts.to_pylist(), part.probabilities, show)
        return
    shown = show_rows(answered, rows.num_rows, quiet)
    bulk.write_predictions(output, rows.schema, shown, run.labels)
    note(f"Written: {output}, {rows.num_rows:,} rows", quiet)


def _print_answers(texts: Iterable[str], probabilities: Any, show: Show) -> None:
    for text, row in zip(texts, probabilities.tolist(), strict=True):
        sys.stdout.write(show(text, row) + "\n")
    sys.stdout.flush()


def _introduce(run: Any, quiet: bool) -> None:
    data = run.dataset["name"]
    if run.complete["command"] == "fit":  # saved from Python, without a test split
        note(f"{run.name}, saved from Python", quiet)
        return
    accuracy = 100 * run.metrics["test"]["accuracy"]
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


def _ranked(labels: Sequence[str], row: Sequence[float]) -> list[tuple[str, float]]:
    return sorted(zip(labels, row, strict=True), key=lambda pair: -pair[1])


def _json_line(labels: Sequence[str], top: int, text: str, row: list[float]) -> str:
    label, probability = _ranked(labels, row)[0]
    values: dict[str, Any] = {"text": text, "label": label, "probability": probability}
    shown = _ranked(labels, row)[:top] if top > 1 else zip(labels, row, strict=True)
    values["probabilities"] = dict(shown)
    return json_format.dumps(values, ensure_ascii=False)


def _plain_line(labels: Sequence[str], top: int, text: str, row: list[float]) -> str:
    answers = "  ".join(
        f"{clean(label)} {100 * probability:.1f} %"
        for label, probability in _ranked(labels, row)[:top]
    )
    shown = clean(text).strip()
    if len(shown) > SHOWN_CHARACTERS:
        shown = shown[: SHOWN_CHARACTERS - 1] + "…"
    return f"{answers}\t{shown}"

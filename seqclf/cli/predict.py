"""`seqclf predict`."""

from __future__ import annotations

import json as json_format
import os
import queue
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from seqclf.cli import _options as options
from seqclf.cli._screen import clean, note
from seqclf.errors import ConfigError

BATCH_SIZE = 64
SHOWN_CHARACTERS = 60

Texts = Annotated[
    list[str] | None,
    typer.Argument(metavar="[TEXT...]", help="Texts; - reads a text a line."),
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


def predict(
    texts: Texts = None,
    run: RunOption = None,
    top: Top = 1,
    models_dir: options.ModelsDir = options.DEFAULT_MODELS,
    json: options.Json = False,
    quiet: options.Quiet = False,
    config_file: options.ConfigFile = None,
) -> None:
    """Classify texts with a finished run.

    Reads arguments, or a text a line from standard input; prints label and
    probability, a line a text, in the same order.

    Example: seqclf predict "Not half as dull as I feared."
    """
    from seqclf.classifier import Classifier
    from seqclf.comparison.plan import default_run
    from seqclf.runs import open_run

    if top < 1:
        raise ConfigError(f"--top must be a whole number of at least 1, got {top}.")
    batches = _batches(texts or [])
    chosen = open_run(run, models_dir) if run else default_run(models_dir)
    _introduce(chosen, quiet)
    classifier = Classifier.open(chosen)
    for batch in batches:
        probabilities = classifier.predict(batch)
        for text, row in zip(batch, probabilities.tolist(), strict=True):
            show = _json_line if json else _plain_line
            sys.stdout.write(show(text, classifier.labels, row, top) + "\n")
        sys.stdout.flush()


def _introduce(run: Any, quiet: bool) -> None:
    accuracy = 100 * run.metrics["test"]["accuracy"]
    data = run.dataset["name"]
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


def _json_line(text: str, labels: Sequence[str], row: list[float], top: int) -> str:
    label, probability = _ranked(labels, row)[0]
    values: dict[str, Any] = {"text": text, "label": label, "probability": probability}
    shown = _ranked(labels, row)[:top] if top > 1 else zip(labels, row, strict=True)
    values["probabilities"] = dict(shown)
    return json_format.dumps(values, ensure_ascii=False)


def _plain_line(text: str, labels: Sequence[str], row: list[float], top: int) -> str:
    answers = "  ".join(
        f"{clean(label)} {100 * probability:.1f} %"
        for label, probability in _ranked(labels, row)[:top]
    )
    shown = clean(text).strip()
    if len(shown) > SHOWN_CHARACTERS:
        shown = shown[: SHOWN_CHARACTERS - 1] + "…"
    return f"{answers}\t{shown}"

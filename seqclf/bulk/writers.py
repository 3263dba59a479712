"""Answers rows, and writes tables as files, one table after the other.

A new output format is one function and one entry in `WRITERS`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqclf.bulk.chunks import Chunk, Rows
from seqclf.classifier import Classifier
from seqclf.data.formats.contents import format_of
from seqclf.data.label_rows import SEPARATOR_OPTION, separated
from seqclf.errors import ConfigError, unknown
from seqclf.several import applying
from seqclf.text.arrays import booleans, integers, strings
from seqclf.unsure import stands

LABEL, PROBABILITY, LABELS = "predicted_label", "probability", "predicted_labels"
ADDED = (pa.field(LABEL, pa.string()), pa.field(PROBABILITY, pa.float32()))
# Where a text may have several labels: those that apply, the likeliest first.
ADDED_LABELS = pa.field(LABELS, pa.list_(pa.string()))
SEPARATOR = "|"  # between labels in CSV and TSV, as --labels-separator takes it
DELIMITED = (".csv", ".tsv")

Write = Callable[[pa.Table], None]


@dataclass(frozen=True, slots=True)
class Answered:
    """Some rows with the answers to them.

    Attributes:
      chunk: The rows.
      probabilities: float32 [rows, labels]; NaN for bad rows.
      unknown: float32 [rows], the share of unknown tokens; NaN for bad rows.
    """

    chunk: Chunk
    probabilities: np.ndarray
    unknown: np.ndarray

    def __len__(self) -> int:
        return len(self.chunk.texts)


def predict_rows(classifier: Classifier, chunks: Iterable[Chunk]) -> Iterator[Answered]:
    """Classifies chunks as they are read; yields all of them, in order."""
    for chunk in chunks:
        if chunk.problems:
            yield _answered(classifier, chunk)
        else:
            answers = classifier.answer(chunk.texts)
            yield Answered(chunk, answers.probabilities, answers.unknown)


def _answered(classifier: Classifier, chunk: Chunk) -> Answered:
    """Answers the rows that can be, of a chunk with bad ones."""
    count, answers = len(chunk.texts), classifier.answer(chunk.texts.drop_null())
    probabilities = np.full((count, len(classifier.labels)), np.nan, np.float32)
    unknown = np.full(count, np.nan, np.float32)
    good = np.delete(np.arange(count), list(chunk.problems))
    probabilities[good], unknown[good] = answers.probabilities, answers.unknown
    return Answered(chunk, probabilities, unknown)


def with_predictions(
    answered: Answered,
    labels: tuple[str, ...],
    floors: np.ndarray | None = None,
    thresholds: np.ndarray | None = None,
) -> pa.Table:
    """Returns the rows with two more columns, `ADDED`; null for bad rows.

    Of answers below `floors`, see `floors_of`, the label is null. Where a text may have
    several labels, `thresholds` says from which probability on each applies, float32
    [labels], `ADDED_LABELS` is a third column, and the label is the likeliest of it,
    null where none applies.
    """
    highest = answered.probabilities.max(axis=1)
    best = strings(labels).take(integers(answered.probabilities.argmax(axis=1)))
    probability = pa.array(highest, pa.float32())
    if answered.chunk.problems:
        is_good = booleans(~np.isnan(highest))
        probability = pc.if_else(is_good, probability, pa.scalar(None, pa.float32()))
    if answered.chunk.problems or floors is not None:
        standing = booleans(stands(answered.probabilities, floors))
        best = pc.if_else(standing, best, pa.scalar(None, best.type))
    if thresholds is not None:
        best, probability = _likeliest(answered.probabilities, labels, thresholds)
    table = answered.chunk.table
    for field, column in zip(ADDED, (best, probability), strict=True):
        table = table.append_column(field, column)
    if thresholds is None:
        return table
    names = _applying(answered.probabilities, labels, thresholds)
    return table.append_column(ADDED_LABELS, names)


def _likeliest(
    probabilities: np.ndarray, labels: tuple[str, ...], thresholds: np.ndarray
) -> tuple[pa.Array, pa.Array]:
    """Returns the likeliest label that applies and its probability; null for none."""
    applies = np.where(probabilities >= thresholds, probabilities, np.float32(-1))
    place, highest = applies.argmax(axis=1), applies.max(axis=1)
    has_any = booleans(highest >= 0)
    best = strings(labels).take(integers(place))
    probability = pa.array(highest, pa.float32())
    return (
        pc.if_else(has_any, best, pa.scalar(None, best.type)),
        pc.if_else(has_any, probability, pa.scalar(None, pa.float32())),
    )


def _applying(
    probabilities: np.ndarray, labels: tuple[str, ...], thresholds: np.ndarray
) -> pa.Array:
    """Returns the labels that apply, list<string> [rows]; null for bad rows."""
    ids, counts = applying(probabilities, thresholds)
    offsets = integers(np.concatenate([[0], np.cumsum(counts)]))
    names = strings(labels).take(integers(ids))
    return pa.ListArray.from_arrays(
        offsets, names, mask=booleans(np.isnan(probabilities).any(axis=1))
    )


def refuse_output(output: Path, rows: Rows, several: bool = False) -> None:
    """Refuses an output that could not hold the rows and their predictions.

    `several` says whether a text may have several labels.

    Raises:
      ConfigError: On another format, no folder, or columns that the format or the
        added ones exclude.
    """
    if not output.absolute().parent.is_dir():
        raise ConfigError(f"{output}: there is no folder {output.absolute().parent}.")
    files = [file.resolve() for file in rows.source.files]
    if len(files) > 1 and output.resolve() in files:
        raise ConfigError(
            f"{output} is itself one of the files of {rows.source.name}; write it "
            f"elsewhere."
        )
    suffix, names = refuse_format(output), rows.schema.names
    for field in added(several):
        if field.name in names:
            raise ConfigError(
                f"{rows.source.name} has a column {field.name!r} already, the name of "
                f"one that is added; rename it."
            )
    twice = [name for name in names if names.count(name) > 1]
    if twice and suffix == ".jsonl":
        raise ConfigError(
            f"{rows.source.name} has two columns named {twice[0]!r}, which {suffix} "
            f"cannot hold; rename one."
        )
    nested = [f for f in rows.schema if pa.types.is_nested(f.type)]
    if nested and suffix in DELIMITED:
        raise ConfigError(
            f"column {nested[0].name!r} holds {nested[0].type}, which {suffix} cannot "
            f"hold; write .parquet or .jsonl."
        )


def refuse_format(output: Path) -> str:
    """Returns the suffix of an output; ConfigError if it is of no format to write."""
    suffix = format_of(output)
    if suffix not in WRITERS or output.suffix.lower() != suffix:
        raise ConfigError(unknown(f"format of {output}:", output.suffix, WRITERS))
    return suffix


def refuse_labels(output: Path, labels: Sequence[str]) -> None:
    """Refuses CSV and TSV for several labels a text that could not be read back.

    Raises:
      ConfigError: If what separates labels there is in one, or around it.
    """
    suffix = format_of(output)
    for label in labels if suffix in DELIMITED else ():
        if label.startswith("[") or separated(label, SEPARATOR) != (label,):
            raise ConfigError(
                f"the label {label!r} could not be told from several in {suffix}, "
                f"which separates labels by {SEPARATOR}, as {SEPARATOR_OPTION} reads "
                f"them; write .parquet or .jsonl."
            )


def added(several: bool) -> tuple[pa.Field, ...]:
    """Returns the columns that are added, of texts that may have `several` labels."""
    return (*ADDED, ADDED_LABELS) if several else ADDED


def predicted_schema(schema: pa.Schema, several: bool = False) -> pa.Schema:
    """Returns the columns of rows with those that are `added` behind them."""
    for field in added(several):
        schema = schema.append(field)
    return schema


@contextmanager
def _parquet_writer(output: Path, schema: pa.Schema) -> Iterator[Write]:
    from pyarrow import parquet

    with parquet.ParquetWriter(output, schema, compression="zstd") as writer:
        yield writer.write_table


@contextmanager
def _delimited_writer(
    output: Path, schema: pa.Schema, delimiter: str
) -> Iterator[Write]:
    from pyarrow import csv

    options = csv.WriteOptions(delimiter=delimiter, quoting_style="needed")
    schema = _joined(schema.empty_table()).schema
    with csv.CSVWriter(str(output), schema, write_options=options) as writer:
        yield lambda table: writer.write_table(_joined(table))


def _joined(table: pa.Table) -> pa.Table:
    """Returns a table with lists, which are labels of a text, as one string each."""
    for place, field in enumerate(table.schema):
        if pa.types.is_list(field.type):
            joined = pc.binary_join(table.column(place), f" {SEPARATOR} ")
            table = table.set_column(place, field.name, joined)
    return table


@contextmanager
def _json_lines_writer(output: Path, schema: pa.Schema) -> Iterator[Write]:
    with output.open("w", encoding="utf-8", newline="\n") as stream:

        def write(table: pa.Table) -> None:
            for row in table.to_pylist():
                stream.write(_json_line(row) + "\n")

        yield write


def _json_line(row: dict[str, Any]) -> str:
    """Returns a row as JSON; NaN and infinity, which it cannot hold, become null."""
    options: dict[str, Any] = {"ensure_ascii": False, "default": str}
    try:
        return json.dumps(row, allow_nan=False, **options)
    except ValueError:
        return json.dumps(_finite(row), allow_nan=False, **options)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


# From the path and the schema to a context that takes one table after the other.
WRITERS: dict[str, Callable[[Path, pa.Schema], AbstractContextManager[Write]]] = {
    ".parquet": _parquet_writer,
    ".csv": lambda output, schema: _delimited_writer(output, schema, ","),
    ".tsv": lambda output, schema: _delimited_writer(output, schema, "\t"),
    ".jsonl": _json_lines_writer,
}

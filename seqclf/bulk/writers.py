"""Answers rows, and writes tables as files, one table after the other.

A new output format is one function and one entry in `WRITERS`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
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
from seqclf.errors import ConfigError, unknown
from seqclf.text.arrays import booleans, integers, strings
from seqclf.unsure import stands

LABEL, PROBABILITY = "predicted_label", "probability"
ADDED = (pa.field(LABEL, pa.string()), pa.field(PROBABILITY, pa.float32()))

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
    answered: Answered, labels: tuple[str, ...], floors: np.ndarray | None = None
) -> pa.Table:
    """Returns the rows with two more columns, `ADDED`; null for bad rows.

    Of answers below `floors`, see `floors_of`, the label is null.
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
    table = answered.chunk.table
    for field, column in zip(ADDED, (best, probability), strict=True):
        table = table.append_column(field, column)
    return table


def refuse_output(output: Path, rows: Rows) -> None:
    """Refuses an output that could not hold the rows and their predictions.

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
    suffix, names = format_of(output), rows.schema.names
    if suffix not in WRITERS or output.suffix.lower() != suffix:
        raise ConfigError(unknown(f"format of {output}:", output.suffix, WRITERS))
    for field in ADDED:
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
    if nested and suffix in (".csv", ".tsv"):
        raise ConfigError(
            f"column {nested[0].name!r} holds {nested[0].type}, which {suffix} cannot "
            f"hold; write .parquet or .jsonl."
        )


def predicted_schema(schema: pa.Schema) -> pa.Schema:
    """Returns the columns of rows with `ADDED` behind them."""
    for field in ADDED:
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
    with csv.CSVWriter(str(output), schema, write_options=options) as writer:
        yield writer.write_table


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

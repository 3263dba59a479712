"""Classifies a whole file: rows in, the same rows with their predictions out.

A new output format is one function and one entry in `WRITERS`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from seqclf.classifier import Classifier
from seqclf.data.columns import texts_of
from seqclf.data.dataset import Part
from seqclf.data.files import format_of, read_file
from seqclf.errors import ConfigError, DataError, unknown
from seqclf.storage import write_whole
from seqclf.text.arrays import integers, strings

# Rows in memory at a time: enough to find texts of similar length for every batch.
CHUNK_ROWS = 8192
LABEL, PROBABILITY = "predicted_label", "probability"
ADDED = (pa.field(LABEL, pa.string()), pa.field(PROBABILITY, pa.float32()))

Write = Callable[[pa.Table], None]


class Rows:
    """The rows of a file of texts, read a chunk at a time.

    Parquet is read from its row groups as they are needed; the other formats are
    parsed at once.

    Attributes:
      place: The file, for messages.
      num_rows: Rows it has.
      schema: Its columns.
    """

    def __init__(self, file: Path, encoding: str) -> None:
        """Opens a file.

        Args:
          file: CSV, TSV, JSON Lines or Parquet, by its suffix.
          encoding: Character encoding of a text file.

        Raises:
          DataError: If it cannot be read; see `data.files.read_file`.
        """
        self.place = str(file)
        if not file.is_file():
            raise DataError(f"{file}: there is no file of that name.")
        if format_of(file) == ".parquet":
            parquet = _open_parquet(file)
            self.num_rows = parquet.metadata.num_rows
            self.schema = parquet.schema_arrow
            self._batches = parquet.iter_batches(CHUNK_ROWS)
        else:
            table = read_file(file, encoding).table
            self.num_rows, self.schema = table.num_rows, table.schema
            self._batches = iter(table.to_batches(CHUNK_ROWS))

    def __iter__(self) -> Iterator[pa.Table]:
        """Yields all rows, `CHUNK_ROWS` at a time, in order; to be asked once."""
        waiting: list[pa.RecordBatch] = []
        for batch in self._batches:
            waiting.append(batch)
            if sum(one.num_rows for one in waiting) >= CHUNK_ROWS:
                together = pa.Table.from_batches(waiting)
                yield together.slice(0, CHUNK_ROWS)
                waiting = together.slice(CHUNK_ROWS).to_batches()
        if waiting:
            yield pa.Table.from_batches(waiting)


def _open_parquet(file: Path) -> Any:
    from pyarrow import parquet

    try:
        return parquet.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{file} could not be read: {error}; is it whole?") from error


@dataclass(frozen=True, slots=True)
class Answered:
    """Some rows with the answers to them.

    Attributes:
      table: The rows as they came.
      texts: Their texts, string [rows].
      probabilities: float32 [rows, labels].
    """

    table: pa.Table
    texts: pa.Array
    probabilities: np.ndarray


def predict_rows(
    classifier: Classifier, rows: Rows, text_column: str | None
) -> Iterator[Answered]:
    """Classifies rows as they are read.

    Args:
      classifier: An opened run.
      rows: What to classify.
      text_column: Column of the texts, or several to join, separated by commas; None
        finds one by its name.

    Yields:
      All rows, in order, some at a time.

    Raises:
      DataError: If there is no such column, or a row has no text; the row is named.
    """
    before = 0
    for table in rows:
        column = texts_of(Part(rows.place, table, before + 1), text_column)
        texts = pa.concat_arrays(column.chunks)
        yield Answered(table, texts, classifier.predict(texts))
        before += table.num_rows


def write_predictions(
    output: Path,
    schema: pa.Schema,
    answered: Iterable[Answered],
    labels: tuple[str, ...],
) -> None:
    """Writes rows with two more columns, `ADDED`: the whole file or none.

    Args:
      output: Where to write; see `refuse_output`.
      schema: Columns of the rows.
      answered: The rows; written as they come, so that they need not fit in memory.
      labels: Label names; the columns of the probabilities.
    """
    for field in ADDED:
        schema = schema.append(field)

    def write_all(partial: Path) -> None:
        with WRITERS[format_of(output)](partial, schema) as write:
            for part in answered:
                write(_with_predictions(part, labels))

    write_whole(output, write_all)


def _with_predictions(part: Answered, labels: tuple[str, ...]) -> pa.Table:
    best = strings(labels).take(integers(part.probabilities.argmax(axis=1)))
    probability = pa.array(part.probabilities.max(axis=1), pa.float32())
    table = part.table
    for field, column in zip(ADDED, (best, probability), strict=True):
        table = table.append_column(field, column)
    return table


def refuse_output(output: Path, rows: Rows, overwrite: bool) -> None:
    """Refuses an output that could not hold the rows and their predictions.

    Raises:
      ConfigError: On another format, a file that is there (unless `overwrite`), no
        folder, or a column that has the name of an added one.
    """
    if output.exists() and not overwrite:
        raise ConfigError(f"{output} is there already; --overwrite replaces it.")
    if not output.absolute().parent.is_dir():
        raise ConfigError(f"{output}: there is no folder {output.absolute().parent}.")
    suffix = format_of(output)
    if suffix not in WRITERS or output.suffix.lower() != suffix:
        raise ConfigError(unknown(f"format of {output}:", output.suffix, WRITERS))
    for field in ADDED:
        if field.name in rows.schema.names:
            raise ConfigError(
                f"{rows.place} has a column {field.name!r} already, the name of one "
                f"that is added; rename it."
            )
    nested = [f for f in rows.schema if pa.types.is_nested(f.type)]
    if nested and suffix in (".csv", ".tsv"):
        raise ConfigError(
            f"column {nested[0].name!r} holds {nested[0].type}, which {suffix} cannot "
            f"hold; write .parquet or .jsonl."
        )


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
                stream.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")

        yield write


# From the path and the schema to a context that takes one table after the other.
WRITERS: dict[str, Callable[[Path, pa.Schema], AbstractContextManager[Write]]] = {
    ".parquet": _parquet_writer,
    ".csv": lambda output, schema: _delimited_writer(output, schema, ","),
    ".tsv": lambda output, schema: _delimited_writer(output, schema, "\t"),
    ".jsonl": _json_lines_writer,
}

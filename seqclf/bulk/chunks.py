"""What reading files gives: chunks of rows, and what is wrong with some of the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from seqclf.bulk.sources import Source
from seqclf.config import require_encoding
from seqclf.data.columns import text_names, texts_or_nulls
from seqclf.data.dataset import Part
from seqclf.errors import ConfigError, DataError, unknown

# Rows in memory at a time: enough to find texts of similar length for every batch. Of
# text files fewer, if they hold so many characters.
CHUNK_ROWS, CHUNK_CHARACTERS = 8192, 1 << 25
FAIL, KEEP = "fail", "keep"
ON_ERROR = (FAIL, KEEP)
NO_TEXT = "has no text"
# The column of plain text files; the text is not kept.
FILE_SCHEMA = pa.schema([("file", pa.string())])


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read.

    Attributes:
      encoding: Character encoding of text files.
      text_column: Column of the texts, or several to join, separated by commas; None
        finds one by its name.
      on_error: `fail` raises at the first bad row; `keep` gives it a null for a text.
    """

    encoding: str = "utf-8"
    text_column: str | None = None
    on_error: str = FAIL

    def __post_init__(self) -> None:
        require_encoding(self.encoding)
        if self.on_error not in ON_ERROR:
            raise ConfigError(unknown("--on-error", self.on_error, ON_ERROR))


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row cannot be classified.

    Attributes:
      file: The file it stands in.
      at: Where: `row 17`, counted from 1 without the first line of CSV and TSV,
        `line 17` of JSON Lines, "" where a file is a row.
      why: Such as `has no text`.
    """

    file: str
    at: str
    why: str

    def __str__(self) -> str:
        return f"{self.file}{', ' if self.at else ''}{self.at} {self.why}"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows.

    Attributes:
      table: The rows, all their columns.
      texts: string [rows], null where a row is bad.
      problems: The bad rows, by their place in the chunk, in order.
    """

    table: pa.Table
    texts: pa.Array
    problems: dict[int, Problem]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that can be read, as often as one likes.

    Attributes:
      source: The files.
      num_rows: How many rows there are, bad ones included.
      schema: Their columns.
      read: Yields them in order; equal chunks whenever the files are equal.
    """

    source: Source
    num_rows: int
    schema: pa.Schema
    read: Callable[[], Iterator[Chunk]]


def refuse(problem: Problem, reading: Reading) -> None:
    """Raises for a bad row, unless it is kept."""
    if reading.on_error == FAIL:
        raise DataError(
            f"{problem}. Mend it or take it out; --on-error keep leaves such rows "
            f"without a label."
        )


def differ(
    first: Path, columns: Sequence[str], file: Path, others: Sequence[str]
) -> DataError:
    """Returns the error of a file whose columns are not those of the first one."""
    return DataError(
        f"{file} has other columns than {first}: {', '.join(others)}, and not "
        f"{', '.join(columns)}. Give files with the same ones, or predict each alone."
    )


def text_columns(source: Source, schema: pa.Schema, reading: Reading) -> list[str]:
    """Returns the names of the text columns.

    Raises:
      DataError: If one is missing or holds no text.
    """
    part = Part(source.name, schema.empty_table())
    texts_or_nulls(part, reading.text_column)
    return text_names(part, reading.text_column)


def texts_in(table: pa.Table, reading: Reading) -> pa.Array:
    """Returns the texts of rows, string [rows], null where there is none."""
    column = texts_or_nulls(Part("", table), reading.text_column)
    return pa.concat_arrays(column.chunks)


def make_chunk(
    table: pa.Table,
    texts: pa.Array,
    problems: dict[int, Problem],
    at: Callable[[int], tuple[str, str]],
    reading: Reading,
) -> Chunk:
    """Puts a chunk together; a row without a text is bad too.

    Args:
      table: The rows.
      texts: string [rows].
      problems: The bad rows found so far, by their place in the chunk.
      at: From a place in the chunk to file and row, as in `Problem`.
      reading: Whether bad rows are refused.

    Raises:
      DataError: At the first bad row, with `fail`.
    """
    for row in pc.indices_nonzero(texts.is_null()).to_pylist():
        problems.setdefault(row, Problem(*at(row), NO_TEXT))
    if not problems:
        return Chunk(table, texts, problems)
    refuse(problems[min(problems)], reading)
    values = texts.to_pylist()
    for row in problems:
        values[row] = None
    return Chunk(table, pa.array(values, pa.string()), dict(sorted(problems.items())))

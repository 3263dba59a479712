"""What reading files gives: chunks of rows, and what is wrong with some of the rows.

`table_rows` reads files whole: spreadsheets, JSON documents and the like.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from seqclf.bulk.sources import Source
from seqclf.data.choice import guess_text
from seqclf.data.columns import has_column, text_names, texts_or_nulls
from seqclf.data.dataset import Part
from seqclf.data.files import read_file
from seqclf.data.names import TEXT
from seqclf.errors import ConfigError, DataError, unknown
from seqclf.records.reading import Known

# Rows in memory at a time: enough to find texts of similar length for every batch. Of
# text files fewer, if they hold so many characters.
CHUNK_ROWS, CHUNK_CHARACTERS = 8192, 1 << 25
FAIL, KEEP = "fail", "keep"
ON_ERROR = (FAIL, KEEP)
NO_TEXT = "has no text"
# The column of plain text files; the text is not kept.
FILE_SCHEMA = pa.schema([("file", pa.string())])


@dataclass(frozen=True, slots=True)
class Options(Known):
    """How files are read, and what becomes of bad rows.

    Attributes:
      on_error: `fail` raises at the first bad row; `keep` gives it a null for a text.
      lines: Whether each line of a plain text file is a text.
    """

    on_error: str = FAIL
    lines: bool = False

    def __post_init__(self) -> None:
        if self.on_error not in ON_ERROR:
            raise ConfigError(unknown("--on-error", self.on_error, ON_ERROR))


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row cannot be classified.

    Attributes:
      file: The file it is in.
      at: Where: `row 17`, as an editor counts, so of CSV and TSV the line in which the
        row begins; `line 17` of JSON Lines; "" where a file is a row.
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
      notes: What the user should know, a sentence each.
    """

    source: Source
    num_rows: int
    schema: pa.Schema
    read: Callable[[], Iterator[Chunk]]
    notes: tuple[str, ...] = ()


def refuse(problem: Problem, options: Options) -> None:
    """Raises for a bad row, unless it is kept."""
    if options.on_error == FAIL:
        raise DataError(
            f"{problem}. Mend it or take it out; --on-error keep leaves such rows "
            f"without a label."
        )


def differ(
    first: Path, columns: Sequence[str], file: Path, others: Sequence[str]
) -> DataError:
    """Returns the error of a file with other columns than the first one."""
    return DataError(
        f"{file} has other columns than {first}: {', '.join(others)}, and not "
        f"{', '.join(columns)}. Give files with the same ones, or predict each alone."
    )


def text_column(part: Part, options: Options) -> tuple[str, tuple[str, ...]]:
    """Returns the column of the texts, or several to join, and what to say of it.

    The one that was given; else that of the training, if it is there; else the
    likeliest by the first rows, `part`.

    Raises:
      DataError: If it is missing or holds no text.
    """
    name, trained = options.given.text_column, options.usual.text_column
    said: tuple[str, ...] = ()
    if name is None and trained and has_column(part, trained):
        name = trained
        if name != TEXT:
            said = (f"took column {name!r} for texts, as in training.",)
    if name is None:
        name = guess_text(part)
        if name != TEXT or trained not in (None, name):
            why = f" There is no column {trained!r} as in training." if trained else ""
            said = (
                f"took column {name!r} for texts; --text-column names another.{why}",
            )
    texts_or_nulls(part, name)  # refuses what holds no text
    return ",".join(text_names(part, name)), said


def texts_in(table: pa.Table, column: str) -> pa.Array:
    """Returns the texts of rows, string [rows], null where there is none."""
    texts = texts_or_nulls(Part("", table), column)
    return pa.concat_arrays(texts.chunks)


def make_chunk(
    table: pa.Table,
    texts: pa.Array,
    problems: dict[int, Problem],
    at: Callable[[int], tuple[str, str]],
    options: Options,
) -> Chunk:
    """Puts a chunk together; a row without a text, string [rows], is bad too.

    `problems` has the bad rows found so far, by their place in the chunk; `at` gives
    file and row of such a place, as in `Problem`.

    Raises:
      DataError: At the first bad row, with `fail`.
    """
    for row in pc.indices_nonzero(texts.is_null()).to_pylist():
        problems.setdefault(row, Problem(*at(row), NO_TEXT))
    if not problems:
        return Chunk(table, texts, problems)
    refuse(problems[min(problems)], options)
    values = texts.to_pylist()
    for row in problems:
        values[row] = None
    return Chunk(table, pa.array(values, pa.string()), dict(sorted(problems.items())))


def table_rows(source: Source, options: Options) -> Rows:
    """Opens files as the reader of data sets does, each whole in memory."""
    parts = [read_file(f, options) for f in source.files]
    first = parts[0]
    columns = first.table.column_names
    for file, part in zip(source.files, parts, strict=True):
        if part.table.column_names != columns:
            others = part.table.column_names
            raise differ(source.files[0], columns, file, others)
    column, said = text_column(first, options)

    def read() -> Iterator[Chunk]:
        for part in parts:
            yield from _chunks_of(part, column, options)

    for _ in read():
        pass  # a row without a text is refused before anything is predicted
    notes = dict.fromkeys(note for part in parts for note in part.notes)
    schema = pa.unify_schemas(
        [p.table.schema for p in parts], promote_options="default"
    )
    num_rows = sum(part.table.num_rows for part in parts)
    return Rows(source, num_rows, schema, read, (*notes, *said))


def _chunks_of(part: Part, column: str, options: Options) -> Iterator[Chunk]:
    for start in range(0, part.table.num_rows, CHUNK_ROWS):
        table = part.table.slice(start, CHUNK_ROWS)

        def at(row: int, start: int = start) -> tuple[str, str]:
            return part.place, f"row {part.row(start + row):,}"

        texts = texts_in(table, column)
        yield make_chunk(table, texts, {}, at, options)

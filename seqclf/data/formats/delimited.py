"""CSV and TSV from memory to a table."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from seqclf.data.dataset import Part
from seqclf.data.formats import dialect as dialects
from seqclf.data.formats.dialect import Dialect
from seqclf.data.formats.json_files import grown
from seqclf.errors import DataError
from seqclf.records.reading import Reading


def read_delimited(
    content: pa.Buffer, place: str, suffix: str, given: Reading, usual: Reading
) -> Part:
    """Reads CSV or TSV, every column as string.

    Args:
      content: UTF-8 without a byte order mark.
      place: What messages call it.
      suffix: `.csv` or `.tsv`.
      given: What a person said of it.
      usual: How the training read its files.

    Raises:
      DataError: If a row has too few or too many fields, or it cannot be told how
        they are separated.
    """

    def lines() -> Iterator[str]:
        with io.TextIOWrapper(pa.BufferReader(content), "utf-8", newline="") as stream:
            yield from stream

    dialect = dialects.find_dialect(lines, place, suffix, given, usual)
    table = _parse_csv(content, lines, place, dialect)
    return Part(
        place,
        table,
        row=_row_in(lines, place, dialect),
        notes=dialect.notes,
        reading=Reading(
            delimiter=dialect.delimiter,
            header=dialect.has_header,
            columns=None if dialect.has_header else ",".join(dialect.names),
        ),
    )


def _row_in(
    lines: Callable[[], Iterator[str]], place: str, dialect: Dialect
) -> Callable[[int], int]:
    """Returns what finds the line that a row begins in, for messages."""

    def row(index: int) -> int:
        found = _without_blank(dialects.rows_of(lines(), place, dialect), dialect)
        for place_in_file, (line, _) in enumerate(found, -int(dialect.has_header)):
            if place_in_file == index:
                return line
        return index + 1

    return row


def _without_blank(rows: Iterator[Any], dialect: Dialect) -> Iterator[Any]:
    """Leaves blank lines out, which are no rows unless a row is nothing but a text."""
    has_begun = False
    for line, fields in rows:
        if fields or (has_begun and len(dialect.names) == 1):
            yield line, fields
        has_begun = has_begun or bool(fields)


def _parse_csv(
    content: pa.Buffer, lines: Callable[[], Iterator[str]], place: str, dialect: Dialect
) -> pa.Table:
    from pyarrow import csv

    invalid: list[Any] = []

    def keep_note(row: Any) -> str:
        invalid.append(row)
        return "skip"

    content = content[_start_of_rows(lines, place, dialect) :]
    if dialect.escape:
        text = memoryview(content).tobytes().decode()
        content = pa.py_buffer(dialects.unescaped(text, dialect.escape).encode())
    unique = [str(i) for i in range(len(dialect.names))]
    if not content.size:
        return pa.table([pa.array([], pa.string())] * len(unique), list(dialect.names))
    parsing = csv.ParseOptions(
        delimiter=dialect.delimiter,
        quote_char='"' if dialect.quoted else False,
        newlines_in_values=dialect.quoted,
        invalid_row_handler=keep_note,
        # A blank line is no row, unless a row has nothing but its text.
        ignore_empty_lines=len(unique) > 1,
    )
    # Everything is read as text: a review that says NA or 007 stays that review.
    converting = csv.ConvertOptions(
        column_types=dict.fromkeys(unique, pa.string()), strings_can_be_null=False
    )

    def parse(size: int) -> pa.Table:
        # One thread: only then are the rows counted that have too few fields.
        reading = csv.ReadOptions(
            block_size=size, use_threads=False, column_names=unique
        )
        invalid.clear()
        return csv.read_csv(pa.BufferReader(content), reading, parsing, converting)

    table = grown(parse)
    if invalid:
        raise DataError(_uneven(lines, place, dialect, len(invalid)))
    return table.rename_columns(list(dialect.names))


def _start_of_rows(
    lines: Callable[[], Iterator[str]], place: str, dialect: Dialect
) -> int:
    """Returns the byte behind the header and what stands before it."""
    taken = 0

    def counted() -> Iterator[str]:
        nonlocal taken
        for line in lines():
            taken += len(line.encode())
            yield line

    before = 0
    for _, fields in dialects.rows_of(counted(), place, dialect):
        if fields:
            return taken if dialect.has_header else before
        before = taken
    return before


def _uneven(
    lines: Callable[[], Iterator[str]], place: str, dialect: Dialect, count: int
) -> str:
    """Names the first row that has too few or too many fields."""
    width = len(dialect.names)
    for line, fields in dialects.rows_of(lines(), place, dialect):
        if fields and len(fields) != width:
            row = dialect.delimiter.join(fields)
            return (
                f"{place}, row {line:,}: expected {width} fields, as in the first "
                f"line, got {len(fields)}: {row[:60]!r}. Rows like it: {count:,}."
            )
    return f"{place}: {count:,} rows have not {width} fields, as the first line has."

r"""CSV and TSV: how a file is written (delimiter, quoting, first line), and its rows.

All is found by content, in the same way where a file is read whole and where it is
streamed. What cannot be told is an error that names the options.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from seqclf.data.dataset import Part
from seqclf.data.formats.header import as_in_training, columns_of
from seqclf.errors import DataError
from seqclf.records.reading import Known, Reading

TAB = "\t"
# What separates fields, the usual one of a format first.
DELIMITERS = {".csv": ",;\t|", ".tsv": "\t;|,"}
BLOCK_ROWS = 1000  # rows that are Python strings at a time
SAMPLE = 10_000  # rows from which delimiter and header are guessed
QUOTING = (
    "a quoted field does not end where it should. In CSV a text that begins with a "
    'quotation mark is put in quotation marks, and those within it are doubled: "".'
)
Lines = Callable[[], Iterable[str]]
QUOTES, ALL = "quotes", "all"  # what a backslash is put in front of
ESCAPED = re.compile(r'\\(["\\])')
ESCAPES_OTHERS = re.compile(r'(?<!\\)(?:\\\\)*\\(?!["\\])')


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a delimited file is written.

    Attributes:
      delimiter: The character between fields.
      quoted: Whether quotation marks around a field are no part of it.
      escape: What a backslash means: None itself; `quotes` that the quotation mark
        behind it is text, as Spark writes it; `all` that a backslash behind it is,
        too.
      names: The columns, named by the first line, by the user, or by their numbers.
      has_header: Whether the first line is one of names and no row.
      notes: What the user should know.
    """

    delimiter: str
    quoted: bool
    escape: str | None
    names: tuple[str, ...]
    has_header: bool
    notes: tuple[str, ...] = ()


def find_dialect(lines: Lines, place: str, suffix: str, known: Known) -> Dialect:
    """Finds out how a file is written.

    `lines` yields its lines, with their ends, each time it is called; `suffix` is
    `.csv` or `.tsv`.

    Raises:
      DataError: If the file is empty, or nothing tells whether its first line is a
        header.
      ConfigError: If the names that were given are not as many as its columns.
    """
    delimiter = _delimiter(lines, suffix, known)
    quoting = _quoting(lines, place, delimiter)
    rows = _reader(lines(), delimiter, quoting.quoted, quoting.escape)
    sample = list(itertools.islice(filter(None, rows), SAMPLE))
    if not sample:
        raise DataError(f"{place} is empty.")
    notes = [*quoting.notes]
    if delimiter != DELIMITERS[suffix][0] and known.given.delimiter is None:
        notes.append(f"{place}: its fields are separated by {delimiter!r}.")
    columns, has_header, more = columns_of(sample, place, known)
    return Dialect(
        delimiter=delimiter,
        quoted=quoting.quoted,
        escape=quoting.escape,
        names=columns,
        has_header=has_header,
        notes=(*notes, *more),
    )


def rows_of(
    lines: Iterable[str], place: str, dialect: Dialect
) -> Iterator[tuple[int, list[str], str]]:
    """Yields the rows of a file, without its header and blank lines.

    Each comes as the line in which it begins, its fields, and its lines as they are.

    Raises:
      DataError: If a quoted field does not end; no row behind it can be told.
    """
    taken: list[str] = []
    reader = _reader(
        _noted(lines, taken), dialect.delimiter, dialect.quoted, dialect.escape
    )
    before, has_begun, is_header = 0, False, dialect.has_header
    try:
        for fields in reader:
            # A blank line is no row, unless a row has nothing but its text.
            if fields or (has_begun and len(dialect.names) == 1):
                if not is_header:
                    yield before + 1, fields or [""], "".join(taken)
                has_begun, is_header = True, False
            before = reader.line_num
            taken.clear()
    except csv.Error as error:
        raise DataError(f"{place}, line {before + 1:,}: {QUOTING}") from error


def _noted(lines: Iterable[str], taken: list[str]) -> Iterator[str]:
    for line in lines:
        taken.append(line)
        yield line


def _reader(
    lines: Iterable[str], delimiter: str, quoted: bool, escape: str | None = None
) -> Any:
    csv.field_size_limit(sys.maxsize)  # a text may be as long as it is
    options: dict[str, Any] = {} if quoted else {"quoting": csv.QUOTE_NONE}
    doubled = (unescaped(line, escape) for line in lines) if escape else lines
    return csv.reader(doubled, delimiter=delimiter, strict=True, **options)


def unescaped(text: str, escape: str) -> str:
    """Returns lines with doubled quotation marks instead of backslashes before them."""
    if escape == QUOTES:
        return text.replace('\\"', '""')
    return ESCAPED.sub(lambda found: '""' if found[1] == '"' else "\\", text)


def _delimiter(lines: Lines, suffix: str, known: Known) -> str:
    """Returns the delimiter: that of the format if it divides all rows alike.

    One that was given goes before it, and that of the training where the columns are
    the same; behind it goes whatever divides the rows alike.
    """
    if known.given.delimiter is not None:
        return known.given.delimiter
    usual = known.usual
    if usual.delimiter is not None:
        rows = _reader(lines(), usual.delimiter, False)
        row: list[str] = next(filter(None, rows), [])
        if len(row) > 1 and as_in_training(tuple(row), usual) is not None:
            return usual.delimiter
    own = DELIMITERS[suffix][0]
    first = _widths(lines, own)
    if _are_even(first):
        return own
    others = {d: _widths(lines, d) for d in DELIMITERS[suffix] if d != own}
    even = [d for d, widths in others.items() if _are_even(widths)]
    if even:
        return max(even, key=lambda d: others[d][0])
    if first[:1] == [1]:  # the first line is one field: another one may divide it
        others[own] = first
        return max(DELIMITERS[suffix], key=lambda d: others[d][:1] or [0])
    return own


def _widths(lines: Lines, delimiter: str) -> list[int]:
    """Returns the numbers of fields of the first rows; quotes count if they close."""
    for quoted in (True, False):
        try:
            rows = filter(None, _reader(lines(), delimiter, quoted))
            return [len(row) for row in itertools.islice(rows, SAMPLE)]
        except csv.Error:
            continue
    return []


def _are_even(widths: Sequence[int]) -> bool:
    return len(set(widths)) == 1 and widths[0] > 1


def _quoting(lines: Lines, place: str, delimiter: str) -> _Quoting:
    r"""Tells whether quotation marks around a field are no part of it, and the escape.

    They are doubled within a field, or follow a backslash, as MySQL and Spark
    write them. Half of the world writes TSV without any quoting, where a text may
    begin with a quotation mark that means itself: so there they count only if all of
    them are well-formed, and none makes one row of lines that are rows by themselves.

    Raises:
      DataError: If a quoted field does not end; no row behind it can be told.
    """
    found = _look_at(lines, delimiter, None)
    escape = None
    if found.broken is not None:
        escape = QUOTES if any(map(ESCAPES_OTHERS.search, lines())) else ALL
        again = _look_at(lines, delimiter, escape)
        if again.broken is not None:
            if delimiter == TAB:
                return _Quoting(False, None)
            raise DataError(f"{place}, line {found.broken:,}: {QUOTING}")
        found = again
    if found.long is None or not _is_row_a_line(lines, delimiter):
        return _Quoting(True, escape)
    if delimiter == TAB:
        return _Quoting(False, None)
    note = (
        f"{place}: the row in line {found.long:,} goes on in the next line, by its "
        f"quotation marks, but each line could be a row; if it is one, double them."
    )
    return _Quoting(True, escape, (note,))


@dataclass(frozen=True, slots=True)
class _Quoting:
    """What quotation marks mean in a file, as in `Dialect`."""

    quoted: bool
    escape: str | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    """Lines, from 1: where a quoted field does not end well, where a row has two."""

    broken: int | None = None
    long: int | None = None


def _look_at(lines: Lines, delimiter: str, escape: str | None) -> _Found:
    """Looks for the first row that is broken, and the first of several lines."""
    reader = _reader(lines(), delimiter, True, escape)
    before, long = 0, None
    try:
        for _ in reader:
            if long is None and reader.line_num > before + 1:
                long = before + 1
            before = reader.line_num
    except csv.Error:
        return _Found(before + 1, long)
    return _Found(None, long)


def _is_row_a_line(lines: Lines, delimiter: str) -> bool:
    """Tells whether each line has as many fields, two at least, quotes aside."""
    widths = {len(row) for row in _reader(lines(), delimiter, False) if row}
    return len(widths) == 1 and min(widths) > 1


def read_delimited(content: pa.Buffer, place: str, suffix: str, known: Known) -> Part:
    """Reads CSV or TSV, as `suffix` says, every column as string.

    Raises:
      DataError: If a row has too few or too many fields, or it cannot be told how
        they are separated.
    """

    def lines() -> Iterator[str]:
        with io.TextIOWrapper(pa.BufferReader(content), "utf-8", newline="") as stream:
            yield from stream

    dialect = find_dialect(lines, place, suffix, known)
    width = len(dialect.names)
    schema = pa.schema([(name, pa.string()) for name in dialect.names])
    starts, blocks, uneven = array("q"), [], []
    rows = rows_of(lines(), place, dialect)
    while block := list(itertools.islice(rows, BLOCK_ROWS)):
        uneven += [row for row in block if len(row[1]) != width]
        starts.extend(line for line, _, _ in block)
        if not uneven:
            columns = zip(*(fields for _, fields, _ in block), strict=True)
            blocks.append(pa.record_batch(list(map(pa.array, columns)), schema=schema))
    if uneven:
        line, fields, _ = uneven[0]
        row = dialect.delimiter.join(fields)
        raise DataError(
            f"{place}, row {line:,}: expected {width} fields, as in the first line, "
            f"got {len(fields)}: {row[:60]!r}. Rows like it: {len(uneven):,}."
        )
    return Part(
        place,
        pa.Table.from_batches(blocks, schema),
        row=starts.__getitem__,
        notes=dialect.notes,
        reading=Reading(
            delimiter=dialect.delimiter,
            header=dialect.has_header,
            columns=None if dialect.has_header else ",".join(dialect.names),
        ),
    )

"""Text files as streams of records, a row at a time: they need not fit in memory.

The rules are those of `seqclf.data.files`, which reads a file whole: what it reads
comes out here as the same rows, and what it refuses has a problem here or is refused.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from seqclf.data.files import decode_text
from seqclf.data.formats.contents import unpacked
from seqclf.data.formats.delimited import Dialect, find_dialect, rows_of
from seqclf.data.formats.encodings import START, decoded, encoding_of, is_whole
from seqclf.data.formats.json_files import are_lines, document_in, json_row
from seqclf.errors import DataError
from seqclf.records.reading import Known
from seqclf.wording import counted

MARK = "\ufeff"
REPLACEMENT = "\ufffd"
LONE_SURROGATES = re.compile("[\ud800-\udfff]")
NOT_DECODED = "has bytes that are not {}"


class Record(NamedTuple):
    """One row of a text file.

    Attributes:
      file: The file it is in.
      at: Where, such as `row 17`.
      values: Its fields, in the order of the columns or by column; None if they
        cannot be told apart.
      raw: The row as it is in the file, if `values` is None.
      problem: Why it cannot be classified, "" if it can.
      refused: The encoding that its bytes are not of, if that is the problem.
    """

    file: str
    at: str
    values: Any
    raw: str = ""
    problem: str = ""
    refused: str = ""


def encoding_in(file: Path, known: Known) -> str:
    """Returns the character encoding that a file is read in."""
    with unpacked(file) as stream:
        return encoding_of(stream.read(START), known)


def refuse_encoding(file: Path, encoding: str) -> None:
    """Raises for a file that is not of an encoding; those in which it is are named.

    Raises:
      DataError: Always, if it is not.
    """
    with unpacked(file) as stream:
        decoded(pa.py_buffer(stream.read()), str(file), encoding)


def dialect_of(file: Path, suffix: str, known: Known) -> Dialect:
    """Finds out how a CSV or TSV file is written.

    Raises:
      DataError: If that cannot be told, or its first line is of another encoding.
    """
    encoding = encoding_in(file, known)

    def lines() -> Iterator[str]:
        with _lines(file, encoding, newline="") as found:
            yield from found

    if not is_whole(next(lines(), "")):
        refuse_encoding(file, encoding)
    return find_dialect(lines, str(file), suffix, known)


def is_document(file: Path, known: Known) -> bool:
    """Tells whether a JSON file is one document, and not a row a line."""
    encoding = encoding_in(file, known)
    with _lines(file, encoding, newline="\n") as lines:
        there = (line for line in lines if line.strip())
        if are_lines(next(there, ""), next(there, "") != ""):
            return False
    with unpacked(file) as stream:
        content = decoded(pa.py_buffer(stream.read()), str(file), encoding)
    return document_in(content) is not None


def delimited(file: Path, dialect: Dialect, known: Known) -> Iterator[Record]:
    """Yields the rows of a CSV or TSV file, without its header.

    A row with too few or too many fields has a problem, and its raw line in the place
    of its values; one with bytes of another encoding has U+FFFD in their place.

    Raises:
      DataError: If a quoted field does not end; no row behind it can be told.
    """
    place, encoding = str(file), encoding_in(file, known)
    with _lines(file, encoding, newline="") as lines:
        for line, fields, raw in rows_of(lines, place, dialect):
            yield _delimited(place, line, len(dialect.names), fields, raw, encoding)


def _delimited(
    place: str, line: int, width: int, fields: list[str], raw: str, code: str
) -> Record:
    at = f"row {line:,}"
    if len(fields) != width:
        problem = f"has {counted(len(fields), 'field')}, the first line {width:,}"
        return Record(place, at, None, mended(raw.rstrip("\r\n")), problem)
    if is_whole(raw):
        return Record(place, at, fields)
    return _refused(Record(place, at, list(map(mended, fields))), code)


def _refused(record: Record, encoding: str) -> Record:
    return record._replace(problem=NOT_DECODED.format(encoding), refused=encoding)


def json_lines(file: Path, known: Known) -> Iterator[Record]:
    """Yields the rows of a JSON Lines file; blank lines are none.

    A line that is no JSON object has a problem, and is in `raw` as it is.
    """
    place, encoding = str(file), encoding_in(file, known)
    with _lines(file, encoding, newline="\n") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield _json(place, f"line {number:,}", line, encoding)


def _json(place: str, at: str, line: str, encoding: str) -> Record:
    if not is_whole(line):
        return _refused(Record(place, at, None, mended(line.rstrip("\r\n"))), encoding)
    row, problem = json_row(line)
    if problem:
        return Record(place, at, None, line.rstrip("\r\n"), problem)
    return Record(place, at, row)


def text_lines(file: Path, known: Known) -> Iterator[Record]:
    """Yields the lines of a plain text file, each a text, blank ones too."""
    place, encoding = str(file), encoding_in(file, known)
    with _lines(file, encoding, newline="") as lines:
        for number, line in enumerate(lines, start=1):
            text = line.rstrip("\r\n")
            record = Record(place, f"line {number:,}", [mended(text)])
            yield record if is_whole(text) else _refused(record, encoding)


def whole_text(file: Path, known: Known) -> Record:
    """Returns a file of plain text as one row: its name and its text."""
    name = mended(str(file))
    with unpacked(file) as stream:
        content = stream.read()
    try:
        return Record(name, "", [name, decode_text(content, name, known)])
    except DataError:
        encoding = encoding_of(content[:START], known)
        return _refused(Record(name, "", [name, None]), encoding)


def mended(text: str) -> str:
    """Returns the text with U+FFFD for every byte that could not be decoded."""
    return LONE_SURROGATES.sub(REPLACEMENT, text)


@contextlib.contextmanager
def _lines(file: Path, encoding: str, newline: str) -> Iterator[Iterator[str]]:
    """Opens a text file; bytes of another encoding come as lone surrogates."""
    with (
        unpacked(file) as binary,
        io.TextIOWrapper(binary, encoding, "surrogateescape", newline) as stream,
    ):
        yield _without_mark(stream, file, encoding)


def _without_mark(stream: io.TextIOWrapper, file: Path, encoding: str) -> Iterator[str]:
    try:
        first = stream.readline().removeprefix(MARK)
        if first:
            yield first
            yield from stream
    except UnicodeError as error:
        refuse_encoding(file, encoding)
        raise DataError(f"{file} is not {encoding}: {error}.") from error

"""Text files as streams of records, a row at a time: they need not fit in memory.

The rules are those of `seqclf.data.files`, which reads a file whole: what it reads
comes out here as the same rows, and what it refuses has a problem here or is refused.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from seqclf.data.files import (
    GZIP,
    QUOTING,
    decode_text,
    json_row,
    refuse_other_delimiter,
)
from seqclf.errors import DataError

MARK = "\ufeff"
REPLACEMENT = "\ufffd"
LONE_SURROGATES = re.compile("[\ud800-\udfff]")
NOT_DECODED = "has bytes that are not {}"


class Record(NamedTuple):
    """One row of a text file.

    Attributes:
      file: The file it stands in.
      at: Where, such as `row 17`.
      values: Its fields, in the order of the columns or by column; None if they
        cannot be told apart.
      raw: The row as it stands, if `values` is None.
      problem: Why it cannot be classified, "" if it can.
    """

    file: str
    at: str
    values: Any
    raw: str = ""
    problem: str = ""


def header_of(file: Path, encoding: str, delimiter: str, *, quoted: bool) -> list[str]:
    """Returns the names of the columns of a CSV or TSV file.

    Raises:
      DataError: If there are none, or their line is of another encoding.
    """
    with _lines(file, encoding, newline="") as lines:
        for names in _parsed(lines, file, delimiter, quoted=quoted):
            if not names:
                continue
            if not _is_decoded("".join(names)):
                raise DataError(
                    f"{file}: the first line {NOT_DECODED.format(encoding)}; name the "
                    f"encoding it was saved in, for example --encoding cp1252."
                )
            refuse_other_delimiter(names, file)
            return names
    raise DataError(f"{file} is empty.")


def is_quoted(file: Path, encoding: str, delimiter: str) -> bool:
    """Tells whether every quotation mark that begins a field has its other half.

    In TSV, which half of the world writes without quoting, quotes count only then.
    """
    with _lines(file, encoding, newline="") as lines:
        try:
            for _ in _parsed(lines, file, delimiter, quoted=True):
                pass
        except DataError:
            return False
    return True


def delimited(
    file: Path, encoding: str, delimiter: str, *, quoted: bool
) -> Iterator[Record]:
    """Yields the rows of a CSV or TSV file, without its first line.

    A row with too few or too many fields has a problem, and its raw line in the place
    of its values; one with bytes of another encoding has U+FFFD in their place.

    Args:
      file: A file, perhaps gzipped.
      encoding: Its character encoding.
      delimiter: What separates its fields.
      quoted: Whether quotation marks around a field are no part of it.

    Raises:
      DataError: If a quoted field does not end; no row behind it can be told.
    """
    place = str(file)
    with _lines(file, encoding, newline="") as lines:
        taken: list[str] = []
        rows = _parsed(_noted(lines, taken), file, delimiter, quoted=quoted)
        names = next(filter(None, rows), [])
        taken.clear()
        number = 0
        for fields in rows:
            # A blank line is no row, unless a row has nothing but its text.
            if fields or len(names) == 1:
                number += 1
                values, raw = fields or [""], "".join(taken)
                yield _delimited(place, number, names, values, raw, encoding)
            taken.clear()


def _delimited(
    place: str, number: int, names: list[str], fields: list[str], raw: str, code: str
) -> Record:
    at = f"row {number:,}"
    if len(fields) != len(names):
        problem = f"has {len(fields):,} fields, the first line {len(names):,}"
        return Record(place, at, None, mended(raw.rstrip("\r\n")), problem)
    if _is_decoded(raw):
        return Record(place, at, fields)
    problem = NOT_DECODED.format(code)
    return Record(place, at, list(map(mended, fields)), problem=problem)


def json_lines(file: Path, encoding: str) -> Iterator[Record]:
    """Yields the rows of a JSON Lines file; blank lines are none.

    A line that is no JSON object has a problem, and stands as it is in `raw`.
    """
    place = str(file)
    with _lines(file, encoding, newline="\n") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield _json(place, f"line {number:,}", line, encoding)


def _json(place: str, at: str, line: str, encoding: str) -> Record:
    if not _is_decoded(line):
        raw, problem = mended(line.rstrip("\r\n")), NOT_DECODED.format(encoding)
        return Record(place, at, None, raw, problem)
    row, problem = json_row(line)
    if not problem and not all(_is_finite(value) for value in row.values()):
        problem = "has a number that is too large"
    if problem:
        return Record(place, at, None, line.rstrip("\r\n"), problem)
    return Record(place, at, row)


def whole_text(file: Path, encoding: str) -> Record:
    """Returns a file of plain text as one row: its name and its text."""
    name = mended(str(file))
    try:
        text = decode_text(file.read_bytes(), name, encoding)
    except DataError:
        return Record(name, "", [name, None], problem=NOT_DECODED.format(encoding))
    return Record(name, "", [name, text])


def mended(text: str) -> str:
    """Returns the text with U+FFFD for every byte that could not be decoded."""
    return LONE_SURROGATES.sub(REPLACEMENT, text)


def _is_decoded(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_finite(value: object) -> bool:
    return not isinstance(value, float) or value - value == 0


@contextlib.contextmanager
def _lines(file: Path, encoding: str, newline: str) -> Iterator[Iterator[str]]:
    """Opens a text file; bytes of another encoding come as lone surrogates."""
    is_gzip = file.suffix.lower() == GZIP
    with (
        gzip.open(file) if is_gzip else file.open("rb") as binary,
        io.TextIOWrapper(binary, encoding, "surrogateescape", newline) as stream,
    ):
        yield _without_mark(stream, file, encoding)


def _without_mark(stream: io.TextIOWrapper, file: Path, encoding: str) -> Iterator[str]:
    try:
        first = stream.readline().removeprefix(MARK)
        if first:
            yield first
            yield from stream
    except UnicodeDecodeError as error:
        raise DataError(
            f"{file} is not {encoding}: {error.reason}. Name the encoding it was saved "
            f"in, for example --encoding utf-8."
        ) from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{file} could not be read: {error}; is it whole?") from error


def _noted(lines: Iterator[str], taken: list[str]) -> Iterator[str]:
    for line in lines:
        taken.append(line)
        yield line


def _parsed(
    lines: Iterator[str], file: Path, delimiter: str, *, quoted: bool
) -> Iterator[list[str]]:
    csv.field_size_limit(sys.maxsize)  # a text may be as long as it is
    quotes: dict[str, Any] = {} if quoted else {"quoting": csv.QUOTE_NONE}
    reader = csv.reader(lines, delimiter=delimiter, strict=True, **quotes)
    while True:
        before = reader.line_num
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(f"{file}, line {before + 1:,}: {QUOTING}") from error
        yield fields

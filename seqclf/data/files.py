"""Reads one file of texts: CSV, TSV, JSON Lines or Parquet.

A new file format is one function and one entry in `READERS`. A reader keeps every row
and every character, or raises an error that names the place.
"""

from __future__ import annotations

import codecs
import gzip
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from seqclf.data.dataset import Part
from seqclf.errors import ConfigError, DataError, unknown

GZIP = ".gz"
UTF_8 = "utf-8"
BLOCK = 1 << 20  # bytes decoded at a time
# How a file of JSON Lines must not begin, nor a line of it. Arrow skips the three bytes
# of a byte-order mark one by one.
NULL_FIRST = re.compile(rb"[\s\xef\xbb\xbf]*null")
NULL_LINE = re.compile(rb"\n[\s\xef\xbb\xbf]*null")
# Bytes parsed at a time, more only where a single row is longer than that.
ROW_BYTES = (1 << 24, 1 << 27, 1 << 30)


def read_file(file: Path, encoding: str) -> Part:
    """Reads one file, whatever columns it has.

    Args:
      file: An existing file; its suffix tells the format, `.gz` may follow.
      encoding: Character encoding of a text file.

    Returns:
      Its rows; columns of CSV and TSV are all string.

    Raises:
      DataError: If it cannot be read whole; file, row or byte are named.
      ConfigError: If an encoding is given for a format that has its own.
    """
    suffix = format_of(file)
    if suffix not in READERS:
        raise DataError(unknown(f"format of {file}:", suffix or file.name, READERS))
    if suffix in OWN_ENCODING and is_other(encoding):
        raise ConfigError(f"encoding does nothing with {file}, which has its own.")
    if not file.stat().st_size:
        raise DataError(f"{file} is empty.")
    try:
        table = READERS[suffix](file, encoding)
    except PermissionError as error:
        raise DataError(
            f"{file} may not be read: permission denied. Ask its owner, or copy it."
        ) from error
    except (pa.ArrowException, OSError, EOFError) as error:
        hint = (
            "; is it whole?" if isinstance(error, (pa.ArrowInvalid, EOFError)) else ""
        )
        raise DataError(f"{file} could not be read: {error}{hint}") from error
    if not table.num_rows:
        raise DataError(f"{file} has no rows.")
    return Part(str(file), table)


def format_of(file: Path) -> str:
    """Returns the suffix that tells the format, in lower case, without `.gz`."""
    inner = file.with_suffix("") if file.suffix.lower() == GZIP else file
    return inner.suffix.lower()


def stem_of(file: Path) -> str:
    """Returns the file's name without the suffixes that tell the format."""
    inner = file.with_suffix("") if file.suffix.lower() == GZIP else file
    return inner.stem


def read_json_lines(content: bytes, place: str) -> pa.Table:
    """Reads JSON Lines that are in memory, UTF-8.

    Raises:
      DataError: Names the line that is broken or unlike those before it.
    """
    return _parse_json_lines(_decoded(content, place, UTF_8), place)


def decode_text(content: bytes, place: str, encoding: str) -> str:
    """Returns a text file's characters, without a byte order mark.

    Raises:
      DataError: Names the byte that is not of the encoding.
    """
    return "".join(_decode(pa.py_buffer(content), place, encoding)).removeprefix(
        "\ufeff"
    )


def is_other(encoding: str) -> bool:
    """Tells whether an encoding is another one than UTF-8."""
    return codecs.lookup(encoding).name != UTF_8


def _content(file: Path, encoding: str) -> pa.Buffer:
    """Returns what a text file holds, as valid UTF-8 without a byte order mark."""
    if file.suffix.lower() == GZIP:
        with gzip.open(file) as stream:
            content = pa.py_buffer(stream.read())
    elif file.stat().st_size:
        content = pa.memory_map(str(file)).read_buffer()
    else:
        content = pa.py_buffer(b"")
    return _decoded(content, str(file), encoding)


def _decoded(content: Any, place: str, encoding: str) -> pa.Buffer:
    content = pa.py_buffer(content)
    if not content.size:
        raise DataError(f"{place} is empty.")
    if is_other(encoding):
        decoded = "".join(_decode(content, place, encoding)).removeprefix("\ufeff")
        return pa.py_buffer(decoded.encode())
    for _ in _decode(content, place, encoding):
        pass  # only to find what is not UTF-8
    mark = len(codecs.BOM_UTF8)
    return content[mark:] if content[:mark].to_pybytes() == codecs.BOM_UTF8 else content


def _decode(content: pa.Buffer, place: str, encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    view = memoryview(content).cast("B")
    for start in range(0, len(view), BLOCK):
        block = view[start : start + BLOCK]
        before = start - len(decoder.getstate()[0])
        try:
            yield decoder.decode(block, final=start + BLOCK >= len(view))
        except UnicodeDecodeError as error:
            at = before + error.start
            raise DataError(
                f"{place}, line {_line(content, at)}: byte {at:,} (0x{view[at]:02x}) "
                f"is not {encoding}. Name the encoding it was saved in, for example "
                f"--encoding {_likely_encoding(view, encoding)}."
            ) from error


def _likely_encoding(view: memoryview, encoding: str) -> str:
    if bytes(view[:2]) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    return "cp1252" if encoding == UTF_8 else UTF_8


def _grown(parse: Callable[[int], pa.Table]) -> pa.Table:
    """Parses in blocks of bytes, in larger ones if a row does not fit."""
    for size in ROW_BYTES[:-1]:
        try:
            return parse(size)
        except pa.ArrowInvalid as error:
            if "straddl" not in str(error):
                raise
    return parse(ROW_BYTES[-1])


def _read_csv(file: Path, encoding: str) -> pa.Table:
    content = _content(file, encoding)
    wrong = _wrong_quote(content, b",")
    if wrong is not None:
        raise DataError(f"{file}, line {_line(content, wrong)}: {QUOTING}")
    return _parse_csv(content, file, ",", quoted=True)


def _read_tsv(file: Path, encoding: str) -> pa.Table:
    """Reads tab-separated values; quotes count only if all of them are well-formed.

    Half of the world writes TSV without any quoting, where a text may begin with a
    quotation mark that means itself.
    """
    content = _content(file, encoding)
    quoted = _wrong_quote(content, b"\t") is None
    return _parse_csv(content, file, "\t", quoted=quoted)


QUOTING = (
    "a quoted field does not end where it should. In CSV a text that begins with a "
    'quotation mark is put in quotation marks, and those within it are doubled: "".'
)


def _wrong_quote(content: pa.Buffer, delimiter: bytes) -> int | None:
    """Returns where a quoted field begins that is never closed, or closed too early."""
    view = memoryview(content).cast("B")
    field = re.compile(
        rb"(?:\A|(?<=[\r\n" + delimiter + rb']))"[^"]*(?:""[^"]*)*("?)', re.DOTALL
    )
    behind = (delimiter[0], *b"\r\n")
    for found in field.finditer(view):
        is_last = found.end() == len(view)
        if not found[1] or not (is_last or view[found.end()] in behind):
            return found.start()
    return None


def _line(content: pa.Buffer, at: int) -> str:
    lines = bytes(memoryview(content)[:at]).count(b"\n")
    return f"{lines + 1:,}"


def _parse_csv(
    content: pa.Buffer, file: Path, delimiter: str, *, quoted: bool
) -> pa.Table:
    from pyarrow import csv

    invalid: list[Any] = []

    def keep_note(row: Any) -> str:
        invalid.append(row)
        return "skip"

    parsing = csv.ParseOptions(
        delimiter=delimiter,
        quote_char='"' if quoted else False,
        newlines_in_values=quoted,
        invalid_row_handler=keep_note,
    )

    def parse(size: int) -> pa.Table:
        # One thread: only then are the rows counted that have too few fields.
        reading = csv.ReadOptions(block_size=size, use_threads=False)
        source = pa.BufferReader(content)
        names = csv.open_csv(source, reading, parsing).schema.names
        # A blank line is no row, unless a row has nothing but its text.
        parsing.ignore_empty_lines = len(names) > 1
        invalid.clear()
        # Everything is read as text: a review that says NA or 007 stays that review.
        converting = csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        )
        return csv.read_csv(pa.BufferReader(content), reading, parsing, converting)

    table = _grown(parse)
    if invalid:
        first = invalid[0]
        raise DataError(
            f"{file}, row {first.number - 1:,}: expected {first.expected_columns} "
            f"fields, as in the first line, got {first.actual_columns}: "
            f"{first.text[:60]!r}. Rows like it: {len(invalid):,}."
        )
    refuse_other_delimiter(table.column_names, file)
    return table


def refuse_other_delimiter(names: Sequence[str], file: Path) -> None:
    """Refuses a file whose one column seems to be several, set apart in another way.

    Raises:
      DataError: Names the delimiter and what to save it as.
    """
    for delimiter in ";\t|":
        if len(names) == 1 and delimiter in names[0]:
            raise DataError(
                f"{file}: the first line is {names[0]!r}; its fields seem to be "
                f"separated by {delimiter!r}. Save it with commas as .csv, or with "
                f"tabs as .tsv."
            )


def _read_json_lines(file: Path, encoding: str) -> pa.Table:
    return _parse_json_lines(_content(file, encoding), str(file))


def _parse_json_lines(content: pa.Buffer, place: str) -> pa.Table:
    from pyarrow import json as arrow_json

    def parse(schema: pa.Schema | None) -> pa.Table:
        parsing = arrow_json.ParseOptions(explicit_schema=schema)
        return _grown(
            lambda size: arrow_json.read_json(
                pa.BufferReader(content),
                arrow_json.ReadOptions(block_size=size, use_threads=False),
                parsing,
            )
        )

    try:
        _refuse_null_line(content)
        table = parse(None)
        # Arrow takes texts for times if all of them look like times.
        times = [f for f in table.schema if pa.types.is_temporal(f.type)]
        if times:
            table = parse(pa.schema([(f.name, pa.string()) for f in times]))
    except pa.ArrowInvalid as error:
        raise DataError(_json_complaint(content, place, error)) from error
    return table


def _refuse_null_line(content: pa.Buffer) -> None:
    """Raises ArrowInvalid where a line begins with null.

    Arrow 26 crashes on a block of lines whose first value is null and no object.
    """
    if NULL_FIRST.match(content) or NULL_LINE.search(content):
        raise pa.ArrowInvalid("a line is null")


def _json_complaint(content: pa.Buffer, place: str, error: Exception) -> str:
    """Says which line is at fault; Arrow counts within blocks."""
    first: dict[str, tuple[str, int]] = {}  # kind of each key, and the line it is from
    for number, line in enumerate(memoryview(content).tobytes().split(b"\n"), start=1):
        if not line.strip():
            continue
        where = f"{place}, line {number:,}"
        row, complaint = json_row(line)
        if complaint:
            return f"{where} {complaint}."
        for key, value in row.items():
            kind = _json_kind(value)
            known, before = first.setdefault(key, (kind, number)) if kind else ("", 0)
            if kind and kind != known:
                return (
                    f"{where}: {key!r} is a {kind} here and a {known} in line "
                    f"{before:,}; use one kind."
                )
    return f"{place} could not be read: {error}"


def json_row(line: bytes | str) -> tuple[dict[str, Any], str]:
    """Returns the object in a line, and what is wrong with it, "" if nothing is."""
    try:
        row = json.loads(
            line, parse_constant=_refuse_constant, object_pairs_hook=_unique
        )
    except (ValueError, RecursionError) as reason:
        return {}, f"is broken JSON: {reason}"
    if not isinstance(row, dict):
        return {}, 'is no JSON object, such as {"text": "fine", "label": "good"}'
    if _has_half_a_character(row):
        return {}, "has half a character (a lone surrogate)"
    return row, ""


def _has_half_a_character(row: object) -> bool:
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("a key stands in it twice")
    return row


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _json_kind(value: object) -> str | None:
    names = {str: "string", bool: "boolean", int: "number", float: "number"}
    if value is None:
        return None
    return names.get(type(value), type(value).__name__)


def _read_parquet(file: Path, encoding: str) -> pa.Table:
    from pyarrow import parquet

    # A chunk for each row group, not one for all: so a large table can be divided
    # without being in memory twice.
    opened = parquet.ParquetFile(file)
    groups = [opened.read_row_group(i) for i in range(opened.num_row_groups)]
    return pa.concat_tables(groups) if groups else opened.read()


READERS: dict[str, Callable[[Path, str], pa.Table]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".jsonl": _read_json_lines,
    ".parquet": _read_parquet,
}
OWN_ENCODING = frozenset((".parquet",))

"""JSON: a row a line, or one document that holds the rows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from seqclf.data import names
from seqclf.errors import DataError

# How a file of JSON Lines must not begin, nor a line of it. Arrow skips the three bytes
# of a byte-order mark one by one.
NULL_FIRST = re.compile(rb"[\s\xef\xbb\xbf]*null")
NULL_LINE = re.compile(rb"\n[\s\xef\xbb\xbf]*null")
# Bytes parsed at a time, more only where a single row is longer than that.
ROW_BYTES = (1 << 24, 1 << 27, 1 << 30)
Row = dict[str, Any]


def read_json(content: pa.Buffer, place: str) -> tuple[pa.Table, tuple[str, ...]]:
    """Reads JSON, whichever way it holds its rows.

    A row a line; a list of rows; such a list under one key; rows by their id; or
    columns, as pandas writes them.

    Args:
      content: UTF-8 without a byte order mark.
      place: What messages call it.

    Returns:
      The rows, where objects in them are taken apart by one level (`data.text`); and
      what a person should know.

    Raises:
      DataError: Names the line that is broken or unlike those before it.
    """
    document = _document(content)
    if document is None:
        return _flat(_read_lines(content, place)), ()
    rows, about = _rows_in(document)
    if not rows:
        raise DataError(f"{place} has no rows.")
    return _flat(_table(rows, place)), ((f"{place}: {about}.",) if about else ())


def are_lines(first: str | bytes, has_more: bool) -> bool:
    """Tells whether JSON has a row a line, and is not one document.

    Args:
      first: Its first line that is not blank.
      has_more: Whether there are others.
    """
    try:
        row = json.loads(first)
    except (ValueError, RecursionError):
        return first.strip()[:1] not in ("[", "{", b"[", b"{")
    if not isinstance(row, dict):
        return False
    return has_more or not _holds_rows(row)


def is_document(content: pa.Buffer) -> bool:
    """Tells whether JSON is one document that holds rows."""
    return _document(content) is not None


def _document(content: pa.Buffer) -> Any:
    """Returns what a document holds, None of JSON Lines or of something broken."""
    text = memoryview(content).tobytes()
    first, _, rest = text.lstrip().partition(b"\n")
    if are_lines(first, bool(rest.strip())):
        return None
    values = _all_values(text)
    return values[0] if len(values) == 1 else values or None


def _all_values(text: bytes) -> list[Any]:
    """Returns the values in a text one after the other; none if it is broken."""
    decoder = json.JSONDecoder(
        parse_constant=_refuse_constant, object_pairs_hook=_unique
    )
    whole, at, values = text.decode().rstrip(), 0, []
    try:
        while at < len(whole):
            at = len(whole) - len(whole[at:].lstrip())
            value, at = decoder.raw_decode(whole, at)
            values.append(value)
            if not isinstance(value, dict | list):
                return []
    except (ValueError, RecursionError):
        return []
    return values


def _holds_rows(value: Row) -> bool:
    return bool(value) and (
        all(isinstance(one, dict) for one in value.values())
        or any(_are_rows(one) for one in value.values())
        or (len(value) > 1 and all(isinstance(one, list) for one in value.values()))
    )


def _are_rows(value: object) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, dict) for one in value)
    )


def _rows_in(document: Any) -> tuple[list[Row], str]:
    """Returns the rows of a document, and where they were found in it."""
    if isinstance(document, list):
        return (document, "") if _are_rows(document) else ([], "")
    columns, data = document.get("columns"), document.get("data")
    if isinstance(columns, list) and isinstance(data, list) and not _are_rows(data):
        return [dict(zip(map(str, columns), row, strict=True)) for row in data], ""
    lists = [key for key, value in document.items() if _are_rows(value)]
    if lists:
        key = "data" if "data" in lists else max(lists, key=lambda k: len(document[k]))
        return document[key], f"the rows are those under {key!r}"
    if all(isinstance(value, dict) for value in document.values()):
        return _keyed(document)
    if len({len(value) for value in document.values() if isinstance(value, list)}) == 1:
        return _from_columns(document), "it holds columns"
    return [document], ""


def _keyed(document: Row) -> tuple[list[Row], str]:
    """Returns the rows of objects by their key: a row each, or a column each."""
    inner = next(iter(document.values()))
    if names.known_kinds(list(document)) and not names.known_kinds(list(inner)):
        columns = {name: list(values.values()) for name, values in document.items()}
        return _from_columns(columns), "it holds columns"
    rows = [{"key": key, **row} for key, row in document.items()]
    return rows, "a row is what stands under each key"


def _from_columns(columns: Row) -> list[Row]:
    return [
        dict(zip(columns, row, strict=True))
        for row in zip(*columns.values(), strict=True)
    ]


def _table(rows: Sequence[Row], place: str) -> pa.Table:
    complaint = _complaint((f"record {i:,}", r) for i, r in enumerate(rows, start=1))
    if complaint:
        raise DataError(f"{place}, {complaint}")
    columns = dict.fromkeys(name for row in rows for name in row)
    try:
        return pa.table({name: [row.get(name) for row in rows] for name in columns})
    except (pa.ArrowException, OverflowError, UnicodeEncodeError) as error:
        raise DataError(f"{place} could not be read: {error}") from error


def _flat(table: pa.Table) -> pa.Table:
    """Takes objects apart by one level; not those that give each label a number."""
    columns: dict[str, pa.ChunkedArray] = {}
    for field in table.schema:
        column = table[field.name]
        if pa.types.is_struct(field.type) and not is_scores(field.type):
            flat = column.flatten()
            columns |= {
                f"{field.name}.{inner.name}": part
                for inner, part in zip(field.type, flat, strict=True)
            }
        else:
            columns[field.name] = column
    return pa.table(columns)


def is_scores(kind: pa.DataType) -> bool:
    """Tells whether values are objects of numbers alone, as spaCy's `cats` are."""
    return (
        pa.types.is_struct(kind)
        and kind.num_fields > 1
        and all(
            pa.types.is_integer(f.type)
            or pa.types.is_floating(f.type)
            or pa.types.is_boolean(f.type)
            for f in kind
        )
    )


def grown(parse: Callable[[int], pa.Table]) -> pa.Table:
    """Parses in blocks of bytes, in larger ones if a row does not fit."""
    for size in ROW_BYTES[:-1]:
        try:
            return parse(size)
        except pa.ArrowInvalid as error:
            if "straddl" not in str(error):
                raise
    return parse(ROW_BYTES[-1])


def _read_lines(content: pa.Buffer, place: str) -> pa.Table:
    from pyarrow import json as arrow_json

    def parse(schema: pa.Schema | None) -> pa.Table:
        parsing = arrow_json.ParseOptions(explicit_schema=schema)
        return grown(
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
        raise DataError(_lines_complaint(content, place, error)) from error
    return table


def _refuse_null_line(content: pa.Buffer) -> None:
    """Raises ArrowInvalid where a line begins with null.

    Arrow 26 crashes on a block of lines whose first value is null and no object.
    """
    if NULL_FIRST.match(content) or NULL_LINE.search(content):
        raise pa.ArrowInvalid("a line is null")


def _lines_complaint(content: pa.Buffer, place: str, error: Exception) -> str:
    """Says which line is at fault; Arrow counts within blocks."""
    rows = []
    for number, line in enumerate(memoryview(content).tobytes().split(b"\n"), start=1):
        if not line.strip():
            continue
        row, complaint = json_row(line)
        if complaint:
            return f"{place}, line {number:,} {complaint}."
        rows.append((f"line {number:,}", row))
    found = _complaint(rows)
    return f"{place}, {found}" if found else f"{place} could not be read: {error}"


def _complaint(rows: Any) -> str:
    """Names the first value of another kind than those of its column before it."""
    first: dict[str, tuple[str, str]] = {}  # kind of each key, and where it was seen
    for where, row in rows:
        for key, value in row.items():
            kind = _kind(value)
            known, before = first.setdefault(key, (kind, where)) if kind else ("", "")
            if kind and kind != known:
                return (
                    f"{where}: {key!r} is a {kind} here and a {known} in {before}; use "
                    f"one kind."
                )
    return ""


def json_row(line: bytes | str) -> tuple[Row, str]:
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


def _unique(pairs: list[tuple[str, Any]]) -> Row:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("a key stands in it twice")
    return row


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _kind(value: object) -> str | None:
    kinds = {str: "string", bool: "boolean", int: "number", float: "number"}
    if value is None:
        return None
    return kinds.get(type(value), type(value).__name__)

"""JSON: a row a line, or one document that holds the rows."""

from __future__ import annotations

import io
import itertools
import json
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from seqclf.data import names
from seqclf.data.dataset import SPLIT_NAMES, Part
from seqclf.data.formats.encodings import is_whole
from seqclf.errors import DataError
from seqclf.storage import STRICT_JSON
from seqclf.wording import listed

BLOCK_ROWS = 1000  # rows that are Python objects at a time
Row = dict[str, Any]


def read_json(content: pa.Buffer, place: str) -> Part:
    """Reads JSON, whichever way it holds its rows.

    A row a line; a list of rows; such a list under one key; rows by their id; or
    columns, as pandas writes them. Objects in rows are taken apart by one level
    (`data.text`).

    Raises:
      DataError: Names the line that is broken or unlike those before it.
    """
    document = document_in(content)
    if document is None:
        _refuse_broken(content, place)
        starts = array("q")
        table = _flat(_table(_lines(content, place, starts), place))
        return Part(place, table, row=starts.__getitem__)
    rows, about = _rows_in(document, place)
    numbered = ((f"record {i:,}", row) for i, row in enumerate(rows, start=1))
    notes = (f"{place}: {about}.",) if about else ()
    return Part(place, _flat(_table(numbered, place)), notes=notes)


def are_lines(first: str, has_more: bool) -> bool:
    """Tells whether JSON has a row a line, and is not one document.

    `first` is its first line that is not blank; `has_more` says if there are others.
    """
    try:
        row = json.loads(first)
    except (ValueError, RecursionError):
        return first.strip()[:1] not in ("[", "{")
    return isinstance(row, dict) and (has_more or not _holds_rows(row))


def document_in(content: pa.Buffer) -> Any:
    """Returns what a document holds, None of JSON Lines or of something broken."""
    text = memoryview(content).tobytes().decode()
    first, _, rest = text.lstrip().partition("\n")
    if are_lines(first, bool(rest.strip())):
        return None
    values = _all_values(text)
    return values[0] if len(values) == 1 else values or None


def _refuse_broken(content: pa.Buffer, place: str) -> None:
    """Raises a DataError for a document that is broken, with its line."""
    text = memoryview(content).tobytes().decode()
    first, _, rest = text.lstrip().partition("\n")
    if _parses(first) or first[:1] not in ("[", "{"):
        return  # a row a line
    second = rest.lstrip().partition("\n")[0]
    if not second or (first[0] == second[0] == "{" and _parses(second)):
        return  # a row a line, the first of them broken, as their reader says
    try:
        json.loads(text.rstrip(), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        said = error.msg[:1].lower() + error.msg[1:]
        raise DataError(
            f"{place}, line {error.lineno:,}: its JSON is broken: {said}."
        ) from None
    except ValueError as error:
        raise DataError(
            f"{place} has {error}, which is no JSON; null is a missing value."
        ) from None


def _parses(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _all_values(text: str) -> list[Any]:
    """Returns the values in a text one after the other; none if it is broken."""
    whole, at, values = text.rstrip(), 0, []
    try:
        while at < len(whole):
            while whole[at].isspace():
                at += 1
            value, at = STRICT_JSON.raw_decode(whole, at)
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
    are = isinstance(value, list) and all(isinstance(one, dict) for one in value)
    return are and bool(value)


def _rows_in(document: Any, place: str) -> tuple[list[Row], str]:
    """Returns the rows of a document, and where they were found in it.

    Raises:
      DataError: If it holds several splits, or a record that is no object or has
        another length.
    """
    if isinstance(document, list):
        return _objects(document, place), ""
    columns, data = document.get("columns"), document.get("data")
    if isinstance(columns, list) and isinstance(data, list) and not _are_rows(data):
        return _split_rows(columns, data, place), ""
    lists = [key for key, value in document.items() if _are_rows(value)]
    if lists:
        return _rows_under(document, lists, place)
    if document and all(isinstance(value, dict) for value in document.values()):
        return _keyed(document)
    whole = {key: value for key, value in document.items() if isinstance(value, list)}
    if len(whole) > 1 or (whole and len(document) == 1):
        return _from_columns(whole, place), "it holds columns"
    return [document] if document else [], ""


def _objects(values: list[Any], place: str) -> list[Row]:
    for number, value in enumerate(values, start=1):
        if not isinstance(value, dict):
            said = json.dumps(value, ensure_ascii=False)
            raise DataError(
                f"{place}, record {number:,} is no object, such as "
                f'{{"text": "fine", "label": "good"}}: {said[:60]}.'
            )
    return values


def _split_rows(columns: list[Any], data: list[Any], place: str) -> list[Row]:
    """Returns rows as pandas writes them with orient="split"."""
    rows = []
    for number, row in enumerate(data, start=1):
        if not isinstance(row, list) or len(row) != len(columns):
            raise DataError(
                f"{place}, record {number:,}: expected {len(columns)} values, as in "
                f"'columns', got {len(row) if isinstance(row, list) else row!r}."
            )
        rows.append(dict(zip(map(str, columns), row, strict=True)))
    return rows


def _rows_under(
    document: Row, lists: Sequence[str], place: str
) -> tuple[list[Row], str]:
    """Returns the rows of the one key that has them, the longest of several."""
    splits = [key for key in lists if key.lower() in SPLIT_NAMES]
    if len(splits) > 1:
        raise DataError(
            f"{place} holds several splits: {listed(splits)}. Write each to a file of "
            f"its own in one folder, {splits[0]}.json and so on, and name that folder."
        )
    key = "data" if "data" in lists else max(lists, key=lambda k: len(document[k]))
    others = [other for other in lists if other != key]
    aside = f"; left aside: {listed(others)}" if others else ""
    return document[key], f"the rows are those under {key!r}{aside}"


def _keyed(document: Row) -> tuple[list[Row], str]:
    """Returns the rows of objects by their key: a row each, or a column each."""
    inner = next(iter(document.values()))
    if names.known_kinds(list(document)) and not names.known_kinds(list(inner)):
        ids = dict.fromkeys(key for values in document.values() for key in values)
        rows = [{name: v.get(key) for name, v in document.items()} for key in ids]
        return rows, "it holds columns"
    rows = [{"key": key, **row} for key, row in document.items()]
    return rows, "a row is what is under each key"


def _from_columns(columns: Row, place: str) -> list[Row]:
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name!r} has {n:,}" for name, n in lengths.items())
        raise DataError(f"{place}: its columns have unequal lengths: {said}.")
    rows = zip(*columns.values(), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _table(rows: Iterable[tuple[str, Row]], place: str) -> pa.Table:
    """Makes a table of rows, each with where it is; a missing value is null."""
    blocks: list[pa.Table] = []
    rows = _of_one_kind(rows, place)
    try:
        while block := [row for _, row in itertools.islice(rows, BLOCK_ROWS)]:
            columns = dict.fromkeys(name for row in block for name in row)
            blocks.append(pa.table({name: _column(block, name) for name in columns}))
        if not blocks:
            raise DataError(f"{place} has no rows.")
        schemas = [block.schema for block in blocks]
        types = pa.unify_schemas(schemas, promote_options="permissive")
        blocks = [_widened(block, types) for block in blocks]
        return pa.concat_tables(blocks, promote_options="permissive")
    except (pa.ArrowException, OverflowError, UnicodeEncodeError) as error:
        raise DataError(f"{place} could not be read: {error}") from error


def _column(rows: Sequence[Row], name: str) -> pa.Array:
    """Returns a column; numbers are float64 if one has a point or is too large."""
    values = [row.get(name) for row in rows]
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, OverflowError):
        if {_kind(value) for value in values} - {None} != {"number"}:
            raise
        return pa.array([None if value is None else float(value) for value in values])


def _widened(table: pa.Table, types: pa.Schema) -> pa.Table:
    """Makes float64 of integers of any size in columns that elsewhere have a point."""
    for index, field in enumerate(table.schema):
        other = types.field(field.name).type
        if pa.types.is_integer(field.type) and pa.types.is_floating(other):
            wide = table.column(index).cast(other, safe=False)
            table = table.set_column(index, field.name, wide)
    return table


def _flat(table: pa.Table) -> pa.Table:
    """Takes objects apart by one level; not those that give each label a number."""
    columns: dict[str, pa.ChunkedArray] = {}
    for field in table.schema:
        column = table[field.name]
        if pa.types.is_struct(field.type) and not is_scores(field.type):
            for inner, part in zip(field.type, column.flatten(), strict=True):
                columns[f"{field.name}.{inner.name}"] = part
        else:
            columns[field.name] = column
    return pa.table(columns)


def is_scores(kind: pa.DataType) -> bool:
    """Tells whether values are objects of numbers alone, as spaCy's `cats` are."""
    if not pa.types.is_struct(kind) or kind.num_fields < 2:
        return False
    numeric = pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean
    return all(any(test(field.type) for test in numeric) for field in kind)


def _lines(
    content: pa.Buffer, place: str, starts: array[int]
) -> Iterator[tuple[str, Row]]:
    """Yields the objects of JSON Lines, each with its line, and notes its number."""
    lines = io.TextIOWrapper(pa.BufferReader(content), "utf-8", newline="\n")
    for number, line in enumerate(lines, start=1):
        if line.strip():
            row, complaint = json_row(line)
            if complaint:
                raise DataError(f"{place}, line {number:,} {complaint}.")
            starts.append(number)
            yield f"line {number:,}", row


def _of_one_kind(
    rows: Iterable[tuple[str, Row]], place: str
) -> Iterator[tuple[str, Row]]:
    """Yields the rows; refuses a value of another kind than those before it."""
    first: dict[str, tuple[str, str]] = {}  # kind of each key, and where it was seen
    for where, row in rows:
        for key, value in row.items():
            kind = _kind(value)
            known, before = first.setdefault(key, (kind, where)) if kind else ("", "")
            if kind and kind != known:
                raise DataError(
                    f"{place}, {where}: {key!r} is a {kind} here and a {known} in "
                    f"{before}; use one kind."
                )
        yield where, row


def json_row(line: str) -> tuple[Row, str]:
    """Returns the object in a line, and what is wrong with it, "" if nothing is."""
    try:
        row = STRICT_JSON.decode(line)
    except (ValueError, RecursionError) as reason:
        return {}, f"is broken JSON: {reason}"
    if not isinstance(row, dict):
        return {}, 'is no JSON object, such as {"text": "fine", "label": "good"}'
    if not is_whole(json.dumps(row, ensure_ascii=False)):
        return {}, "has half a character (a lone surrogate)"
    numbers = [value for value in row.values() if isinstance(value, (int, float))]
    if any(abs(number) > sys.float_info.max for number in numbers):
        return {}, "has a number that is too large"
    return row, ""


def _kind(value: object) -> str | None:
    kinds = {str: "string", bool: "boolean", int: "number", float: "number"}
    return None if value is None else kinds.get(type(value), type(value).__name__)

"""CSV, TSV, JSON Lines and plain text files as chunks of rows.

Each function looks through the files once and returns what reads them again: two
passes, and neither keeps anything in memory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from seqclf.bulk import chunks, streams
from seqclf.bulk.chunks import Chunk, Problem, Reading, Rows
from seqclf.bulk.kinds import Kinds, kind_of
from seqclf.bulk.sources import Source
from seqclf.bulk.streams import Record
from seqclf.errors import ConfigError, DataError

DELIMITERS = {".csv": ",", ".tsv": "\t"}


def delimited_rows(source: Source, reading: Reading) -> Rows:
    """Opens CSV or TSV files; every column is string."""
    delimiter, code = DELIMITERS[source.suffix], reading.encoding
    quoted = {file: _is_quoted(file, code, delimiter) for file in source.files}
    names: list[str] = []
    for file in source.files:
        found = streams.header_of(file, code, delimiter, quoted=quoted[file])
        names = names or found
        if found != names:
            raise chunks.differ(source.files[0], names, file, found)
    schema = pa.schema([(name, pa.string()) for name in names])
    raw_at = names.index(chunks.text_columns(source, schema, reading)[0])

    def records() -> Iterator[Record]:
        for file in source.files:
            yield from streams.delimited(file, code, delimiter, quoted=quoted[file])

    def fields(record: Record) -> Sequence[Any]:
        if record.values is not None:
            return record.values
        return [record.raw if i == raw_at else None for i in range(len(names))]

    num_rows = sum(1 for _ in _checked(records(), reading))
    return Rows(source, num_rows, schema, _reader(records, fields, schema, reading))


def _is_quoted(file: Path, encoding: str, delimiter: str) -> bool:
    return delimiter == "," or streams.is_quoted(file, encoding, delimiter)


def json_rows(source: Source, reading: Reading) -> Rows:
    """Opens JSON Lines files; a column has one kind of value in all of them."""

    def lines() -> Iterator[Record]:
        for file in source.files:
            yield from streams.json_lines(file, reading.encoding)

    kinds, num_rows = _survey(lines(), reading)
    if not kinds.names:
        raise DataError(f"{source.name} holds no JSON object.")
    named = pa.schema([(name, pa.string()) for name in kinds.names])
    texts = chunks.text_columns(source, named, reading)
    schema = kinds.schema(texts)
    chunks.text_columns(source, schema, reading)

    def records() -> Iterator[Record]:
        return (_with_text(record, texts) for record in lines())

    def fields(record: Record) -> Sequence[Any]:
        return [record.values.get(name) for name in kinds.names]

    for _ in _checked(records(), reading) if kinds.are_mixed(texts) else ():
        pass  # a text that is a number is told before anything is predicted
    return Rows(source, num_rows, schema, _reader(records, fields, schema, reading))


def _survey(lines: Iterable[Record], reading: Reading) -> tuple[Kinds, int]:
    kinds, num_rows = Kinds(), 0
    for record in _checked(lines, reading):
        num_rows += 1
        if not record.problem:
            kinds.add(record.values, f"{record.file}, {record.at}")
    return kinds, num_rows


def _with_text(record: Record, texts: Sequence[str]) -> Record:
    """Gives a broken line a place, and a text that is no string a problem."""
    if record.values is None:
        return record._replace(values={texts[0]: record.raw})
    others = {
        name: record.values[name]
        for name in texts
        if not isinstance(record.values.get(name), str | None)
    }
    if not others:
        return record
    name, value = next(iter(others.items()))
    written = {n: json.dumps(v, ensure_ascii=False) for n, v in others.items()}
    problem = f"has {kind_of(value)} for {name!r}, where a string should be"
    return record._replace(values=record.values | written, problem=problem)


def whole_texts(source: Source, reading: Reading) -> Rows:
    """Opens files of one text each; a row is the file's name.

    Raises:
      ConfigError: If a text column is named.
    """
    if reading.text_column is not None:
        raise ConfigError("--text-column does nothing with plain text files.")

    def records() -> Iterator[Record]:
        return (streams.whole_text(file, reading.encoding) for file in source.files)

    def read() -> Iterator[Chunk]:
        for group in _groups(records()):
            names, texts = zip(*(record.values for record in group), strict=True)
            table = pa.table([pa.array(names, pa.string())], schema=chunks.FILE_SCHEMA)
            yield _chunk(group, table, pa.array(texts, pa.string()), reading)

    for _ in _checked(records(), reading) if reading.on_error == chunks.FAIL else ():
        pass
    return Rows(source, len(source.files), chunks.FILE_SCHEMA, read)


def _checked(records: Iterable[Record], reading: Reading) -> Iterator[Record]:
    """Yields all records; raises at the first bad one, with `fail`."""
    for record in records:
        if record.problem:
            chunks.refuse(Problem(record.file, record.at, record.problem), reading)
        yield record


def _reader(
    records: Callable[[], Iterator[Record]],
    fields: Callable[[Record], Sequence[Any]],
    schema: pa.Schema,
    reading: Reading,
) -> Callable[[], Iterator[Chunk]]:
    def read() -> Iterator[Chunk]:
        for group in _groups(records()):
            columns = zip(*map(fields, group), strict=True)
            table = pa.table(
                [_array(v, f, group) for v, f in zip(columns, schema, strict=True)],
                schema=schema,
            )
            yield _chunk(group, table, chunks.texts_in(table, reading), reading)

    return read


def _array(values: Sequence[Any], field: pa.Field, group: Sequence[Record]) -> pa.Array:
    if pa.types.is_floating(field.type):  # integers of any size among them
        values = [None if value is None else float(value) for value in values]
    try:
        return pa.array(values, field.type)
    except (pa.ArrowException, OverflowError) as error:
        raise DataError(
            f"{group[0].file}, {group[0].at} or behind it, {field.name!r}: {error}."
        ) from error


def _chunk(
    group: Sequence[Record], table: pa.Table, texts: pa.Array, reading: Reading
) -> Chunk:
    problems = {
        row: Problem(record.file, record.at, record.problem)
        for row, record in enumerate(group)
        if record.problem
    }

    def at(row: int) -> tuple[str, str]:
        return group[row].file, group[row].at

    return chunks.make_chunk(table, texts, problems, at, reading)


def _groups(records: Iterable[Record]) -> Iterator[list[Record]]:
    group: list[Record] = []
    characters = 0
    for record in records:
        group.append(record)
        characters += _size(record)
        if len(group) >= chunks.CHUNK_ROWS or characters >= chunks.CHUNK_CHARACTERS:
            yield group
            group, characters = [], 0
    if group:
        yield group


def _size(record: Record) -> int:
    values = record.values or ()
    fields = values.values() if isinstance(values, dict) else values
    return len(record.raw) + sum(len(v) for v in fields if isinstance(v, str))

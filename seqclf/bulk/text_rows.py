"""CSV, TSV, JSON Lines and plain text files as chunks of rows.

Each function looks through the files once and returns what reads them again: two
passes, and neither keeps anything in memory.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from seqclf.bulk import chunks, streams
from seqclf.bulk.chunks import Chunk, Options, Problem, Rows, table_rows
from seqclf.bulk.kinds import Kinds, kind_of
from seqclf.bulk.sources import Source
from seqclf.bulk.streams import Record
from seqclf.data import names as column_names
from seqclf.data.columns import texts_or_nulls
from seqclf.data.dataset import Part
from seqclf.data.formats.delimited import DELIMITERS, Dialect
from seqclf.data.formats.json_files import Row
from seqclf.errors import ConfigError, DataError
from seqclf.records.reading import Known, Reading

HEAD = 1000  # rows from which the column of the texts is guessed
TEXT_SCHEMA = pa.schema([("text", pa.string())])


def delimited_rows(source: Source, options: Options) -> Rows:
    """Opens CSV or TSV files; every column is string."""
    dialects = _dialects(source, options)
    names = dialects[source.files[0]].names
    schema = pa.schema([(name, pa.string()) for name in names])

    def records() -> Iterator[Record]:
        for file, dialect in dialects.items():
            yield from streams.delimited(file, dialect, options)

    whole = (record.values for record in records() if record.values)
    head = list(map(list, zip(*itertools.islice(whole, HEAD), strict=True)))
    part = Part(source.name, pa.table(head or [[]] * len(names), schema=schema))
    column, said = chunks.text_column(part, options)
    raw_at = names.index(column_names.parts_of(column, names)[0])

    def in_order() -> Iterator[Record]:
        for record in records():
            raw = [record.raw if i == raw_at else None for i in range(len(names))]
            yield record._replace(values=record.values or raw)

    num_rows = _count(records(), options)
    notes = dict.fromkeys(note for d in dialects.values() for note in d.notes)
    read = _reader(in_order, schema, column, options)
    return Rows(source, num_rows, schema, read, (*notes, *said))


def _dialects(source: Source, options: Options) -> dict[Path, Dialect]:
    """Returns how each file is written; the others are written like the first."""
    dialects: dict[Path, Dialect] = {}
    known: Known = options
    suffix = source.suffix if source.suffix in DELIMITERS else ".csv"
    for file in source.files:
        dialect = dialects[file] = streams.dialect_of(file, suffix, known)
        if not dialect.has_header:
            like_it = Reading(header=False, columns=",".join(dialect.names))
            known = Known(options.given, like_it)
        first = dialects[source.files[0]]
        if dialect.names != first.names:
            raise chunks.differ(source.files[0], first.names, file, dialect.names)
    return dialects


def json_rows(source: Source, options: Options) -> Rows:
    """Opens JSON Lines files; a column has one kind of value in all of them.

    Documents, and lines whose texts are within objects, are read whole.
    """
    if any(streams.is_document(file, options) for file in source.files):
        return table_rows(source, options)

    records = _stream(streams.json_lines, source, options)
    kinds, num_rows, head = _survey(records(), options)
    if not kinds.names:
        raise DataError(f"{source.name} holds no JSON object.")
    column, said = chunks.text_column(_part_of(source, head), options)
    texts = column_names.parts_of(column, kinds.names)
    if not set(texts) <= set(kinds.names):
        return table_rows(source, options)
    schema = kinds.schema(texts)
    texts_or_nulls(Part(source.name, schema.empty_table()), column)  # or no text at all
    if kinds.are_mixed(texts):  # a text that is a number is refused first
        _count(_in_order(records(), schema, texts), options)
    read = _reader(lambda: _in_order(records(), schema, texts), schema, column, options)
    return Rows(source, num_rows, schema, read, said)


def _stream(
    lines: Callable[[Path, Known], Iterator[Record]], source: Source, options: Options
) -> Callable[[], Iterator[Record]]:
    return lambda: (record for file in source.files for record in lines(file, options))


def _in_order(
    records: Iterable[Record], schema: pa.Schema, texts: Sequence[str]
) -> Iterator[Record]:
    for record in records:
        row, problem = _with_text(record, texts)
        values = [row.get(name) for name in schema.names]
        yield record._replace(values=values, problem=problem)


def _part_of(source: Source, head: Sequence[Row]) -> Part:
    """Returns the strings of the first rows, for the choice of the column of texts."""
    rows = [_taken_apart(row) for row in head]
    names = dict.fromkeys(name for row in rows for name in row)
    columns = [pa.array([row.get(name) for row in rows], pa.string()) for name in names]
    return Part(source.name, pa.table(columns, names=list(names)))


def _taken_apart(row: Row) -> dict[str, str | None]:
    """Returns a row's strings, those within objects as `data.text`."""
    taken: dict[str, str | None] = {}
    for name, value in row.items():
        inner = value if isinstance(value, dict) else {}
        taken |= {f"{name}.{k}": v for k, v in inner.items() if isinstance(v, str)}
        if not inner:
            taken[name] = value if isinstance(value, str) else None
    return taken


def _survey(lines: Iterable[Record], options: Options) -> tuple[Kinds, int, list[Row]]:
    """Returns what kinds of values there are, how many rows, and the first of them."""
    kinds, num_rows = Kinds(), 0
    head: list[Row] = []
    for record in _checked(lines, options):
        num_rows += 1
        if not record.problem:
            kinds.add(record.values, f"{record.file}, {record.at}")
            if len(head) < HEAD:
                head.append(record.values)
    return kinds, num_rows, head


def _with_text(record: Record, texts: Sequence[str]) -> tuple[Row, str]:
    """Gives a broken line a place, and a text that is no string a problem."""
    if record.values is None:
        return {texts[0]: record.raw}, record.problem
    row: Row = record.values
    others = {n: row[n] for n in texts if not isinstance(row.get(n), str | None)}
    if not others:
        return row, record.problem
    name, value = next(iter(others.items()))
    written = {n: json.dumps(v, ensure_ascii=False) for n, v in others.items()}
    problem = f"has {kind_of(value)} for {name!r}, where a string should be"
    return row | written, problem


def text_rows(source: Source, options: Options) -> Rows:
    """Opens plain text files: a row is a file's name, or a line of it.

    Raises:
      ConfigError: If something was given that does nothing with plain text.
    """
    if options.given.text_column is not None:
        raise ConfigError("--text-column does nothing with plain text files.")
    return _lines_as_rows(source, options) if options.lines else _files(source, options)


def _lines_as_rows(source: Source, options: Options) -> Rows:
    records = _stream(streams.text_lines, source, options)
    read = _reader(records, TEXT_SCHEMA, "text", options)
    return Rows(source, _count(records(), options), TEXT_SCHEMA, read)


def _files(source: Source, options: Options) -> Rows:
    def records() -> Iterator[Record]:
        return (streams.whole_text(file, options) for file in source.files)

    both = pa.unify_schemas([chunks.FILE_SCHEMA, TEXT_SCHEMA])
    read_both = _reader(records, both, "text", options)

    def read() -> Iterator[Chunk]:
        for chunk in read_both():
            yield replace(chunk, table=chunk.table.select(chunks.FILE_SCHEMA.names))

    if options.on_error == chunks.FAIL:
        _count(records(), options)
    notes = _about_lines(source.files, options)
    return Rows(source, len(source.files), chunks.FILE_SCHEMA, read, notes)


def _about_lines(files: Sequence[Path], options: Options) -> tuple[str, ...]:
    """Says that a file is taken for one text, where it has several lines."""
    if len(files) > 1:
        return ()
    count = sum(1 for _ in streams.text_lines(files[0], options))
    said = f"{files[0]} is taken for one text of {count:,} lines; "
    return (f"{said}--lines takes each line for a text.",) if count > 1 else ()


def _checked(records: Iterable[Record], options: Options) -> Iterator[Record]:
    """Yields all records; raises at the first bad one, with `fail`."""
    for record in records:
        if record.refused and options.on_error == chunks.FAIL:
            _refuse_encoding(record)
        if record.problem:
            chunks.refuse(_problem(record), options)
        yield record


def _count(records: Iterable[Record], options: Options) -> int:
    return sum(1 for _ in _checked(records, options))


def _problem(record: Record) -> Problem:
    return Problem(record.file, record.at, record.problem)


def _refuse_encoding(record: Record) -> None:
    """Raises for a row of another encoding; says how it could be read."""
    try:
        streams.refuse_encoding(Path(record.file), record.refused)
    except DataError as error:
        raise DataError(
            f"{_problem(record)}. {error} Or --on-error keep leaves such rows without "
            f"a label."
        ) from error


def _reader(
    records: Callable[[], Iterator[Record]],
    schema: pa.Schema,
    column: str,
    options: Options,
) -> Callable[[], Iterator[Chunk]]:
    """Returns what reads records, whose values are in the order of the columns."""

    def read() -> Iterator[Chunk]:
        for group in _groups(records()):
            yield _chunk(group, schema, column, options)

    return read


def _chunk(
    group: Sequence[Record], schema: pa.Schema, column: str, options: Options
) -> Chunk:
    columns = zip(*(record.values for record in group), strict=True)
    arrays = [_array(v, f, group) for v, f in zip(columns, schema, strict=True)]
    table = pa.table(arrays, schema=schema)
    problems = {
        row: _problem(record) for row, record in enumerate(group) if record.problem
    }

    def at(row: int) -> tuple[str, str]:
        return group[row].file, group[row].at

    texts = chunks.texts_in(table, column)
    return chunks.make_chunk(table, texts, problems, at, options)


def _array(values: Sequence[Any], field: pa.Field, group: Sequence[Record]) -> pa.Array:
    if pa.types.is_floating(field.type):  # integers of any size among them
        values = [None if value is None else float(value) for value in values]
    try:
        return pa.array(values, field.type)
    except (pa.ArrowException, OverflowError) as error:
        raise DataError(
            f"{group[0].file}, {group[0].at} or behind it, {field.name!r}: {error}."
        ) from error


def _groups(records: Iterable[Record]) -> Iterator[list[Record]]:
    group: list[Record] = []
    characters = 0
    for record in records:
        group.append(record)
        characters += sum(len(v) for v in record.values if isinstance(v, str))
        if len(group) >= chunks.CHUNK_ROWS or characters >= chunks.CHUNK_CHARACTERS:
            yield group
            group, characters = [], 0
    if group:
        yield group

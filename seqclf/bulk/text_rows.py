"""CSV, TSV, JSON Lines and plain text files as chunks of rows.

Each function looks through the files once and returns what reads them again: two
passes, and neither keeps anything in memory.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from seqclf.bulk import chunks, streams
from seqclf.bulk.chunks import Chunk, Options, Problem, Rows
from seqclf.bulk.kinds import Kinds, kind_of
from seqclf.bulk.sources import Source
from seqclf.bulk.streams import NOT_DECODED, Record
from seqclf.bulk.table_rows import table_rows
from seqclf.data import names as column_names
from seqclf.data.columns import texts_or_nulls
from seqclf.data.dataset import Part
from seqclf.data.files import read_file
from seqclf.data.formats.dialect import DELIMITERS, Dialect
from seqclf.errors import ConfigError, DataError
from seqclf.records.reading import Known, Reading

HEAD = 1000  # rows that the column of the texts is told by


def delimited_rows(source: Source, options: Options) -> Rows:
    """Opens CSV or TSV files; every column is string."""
    codes = {file: streams.encoding_in(file, options) for file in source.files}
    dialects: dict[Path, Dialect] = {}
    known: Known = options
    for file in source.files:
        suffix = source.suffix if source.suffix in DELIMITERS else ".csv"
        dialect = streams.dialect_of(file, suffix, codes[file], known)
        dialects[file] = dialect
        if not dialect.has_header:  # the other files are written like the first
            like_it = Reading(header=False, columns=",".join(dialect.names))
            known = Known(options.given, like_it)
        first = dialects[source.files[0]]
        if dialect.names != first.names:
            raise chunks.differ(source.files[0], first.names, file, dialect.names)
    schema = pa.schema([(name, pa.string()) for name in first.names])

    def records() -> Iterator[Record]:
        for file in source.files:
            yield from streams.delimited(file, codes[file], dialects[file])

    whole = (r.values for r in records() if r.values is not None)
    head = list(itertools.islice(whole, HEAD))
    columns = zip(*head, strict=True) if head else [()] * len(schema)
    part = Part(source.name, pa.table(list(map(list, columns)), schema=schema))
    column, said = chunks.text_column(part, options)
    raw_at = first.names.index(column_names.parts_of(column, first.names)[0])

    def fields(record: Record) -> Sequence[Any]:
        if record.values is not None:
            return record.values
        return [record.raw if i == raw_at else None for i in range(len(schema))]

    num_rows = sum(1 for _ in _checked(records(), options))
    notes = dict.fromkeys(note for d in dialects.values() for note in d.notes)
    read = _reader(records, fields, schema, column, options)
    return Rows(source, num_rows, schema, read, (*notes, *said))


def json_rows(source: Source, options: Options) -> Rows:
    """Opens JSON Lines files; a column has one kind of value in all of them.

    Documents, and lines whose texts stand within objects, are read whole.
    """
    codes = {file: streams.encoding_in(file, options) for file in source.files}
    if any(streams.is_document(file, codes[file]) for file in source.files):
        return table_rows(source, options)

    def lines() -> Iterator[Record]:
        for file in source.files:
            yield from streams.json_lines(file, codes[file])

    kinds, num_rows, head = _survey(lines(), options)
    if not kinds.names:
        raise DataError(f"{source.name} holds no JSON object.")
    column, said = chunks.text_column(_part_of(source, head), options)
    texts = column_names.parts_of(column, kinds.names)
    if not set(texts) <= set(kinds.names):
        return table_rows(source, options)
    schema = kinds.schema(texts)
    texts_or_nulls(Part(source.name, schema.empty_table()), column)  # or no text at all
    if kinds.are_mixed(texts):  # a text that is a number is told before any answer
        for record in lines():
            _refuse_bad(_with_text(record, texts), options)
    read = _json_reader(lines, schema, texts, column, options)
    return Rows(source, num_rows, schema, read, said)


def _json_reader(
    lines: Callable[[], Iterator[Record]],
    schema: pa.Schema,
    texts: Sequence[str],
    column: str,
    options: Options,
) -> Callable[[], Iterator[Chunk]]:
    def records() -> Iterator[Record]:
        return (_with_text(record, texts) for record in lines())

    def fields(record: Record) -> Sequence[Any]:
        return [record.values.get(name) for name in schema.names]

    return _reader(records, fields, schema, column, options)


def _part_of(source: Source, head: Sequence[dict[str, Any]]) -> Part:
    """Returns the strings of the first rows, for the choice of the column of texts."""
    rows = [_taken_apart(row) for row in head]
    columns = dict.fromkeys(name for row in rows for name in row)
    strings = {
        name: pa.array([row.get(name) for row in rows], pa.string()) for name in columns
    }
    return Part(source.name, pa.table(strings))


def _taken_apart(row: dict[str, Any]) -> dict[str, str | None]:
    """Returns a row's strings, those within objects as `data.text`."""
    taken: dict[str, str | None] = {}
    for name, value in row.items():
        inner = value if isinstance(value, dict) else {}
        taken |= {f"{name}.{k}": v for k, v in inner.items() if isinstance(v, str)}
        if not inner:
            taken[name] = value if isinstance(value, str) else None
    return taken


def _survey(
    lines: Iterable[Record], options: Options
) -> tuple[Kinds, int, list[dict[str, Any]]]:
    """Returns what kinds of values there are, how many rows, and the first of them."""
    kinds, num_rows = Kinds(), 0
    head: list[dict[str, Any]] = []
    for record in _checked(lines, options):
        num_rows += 1
        if not record.problem:
            kinds.add(record.values, f"{record.file}, {record.at}")
            if len(head) < HEAD:
                head.append(record.values)
    return kinds, num_rows, head


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


def text_rows(source: Source, options: Options) -> Rows:
    """Opens plain text files: a row is a file's name, or a line of it.

    Raises:
      ConfigError: If something was given that does nothing with plain text.
    """
    if options.given.text_column is not None:
        raise ConfigError("--text-column does nothing with plain text files.")
    return _lines_as_rows(source, options) if options.lines else _files(source, options)


def has_labels(file: Path, options: Options) -> bool:
    """Tells whether the lines of a plain text file hold texts with their labels."""
    try:
        read_file(file, options)
    except DataError:
        return False
    return True


def _lines_as_rows(source: Source, options: Options) -> Rows:
    codes = {file: streams.encoding_in(file, options) for file in source.files}
    schema = pa.schema([("text", pa.string())])

    def records() -> Iterator[Record]:
        for file in source.files:
            yield from streams.text_lines(file, codes[file])

    num_rows = sum(1 for _ in _checked(records(), options))
    read = _reader(records, lambda record: record.values, schema, "text", options)
    return Rows(source, num_rows, schema, read)


def _files(source: Source, options: Options) -> Rows:
    codes = {file: streams.encoding_in(file, options) for file in source.files}

    def records() -> Iterator[Record]:
        return (streams.whole_text(file, codes[file]) for file in source.files)

    def read() -> Iterator[Chunk]:
        for group in _groups(records()):
            names, texts = zip(*(record.values for record in group), strict=True)
            table = pa.table([pa.array(names, pa.string())], schema=chunks.FILE_SCHEMA)
            yield _chunk(group, table, pa.array(texts, pa.string()), options)

    for _ in _checked(records(), options) if options.on_error == chunks.FAIL else ():
        pass
    rows = Rows(source, len(source.files), chunks.FILE_SCHEMA, read)
    return replace(rows, notes=_about_lines(source, codes))


def _about_lines(source: Source, codes: Mapping[Path, str]) -> tuple[str, ...]:
    """Says that a file is taken for one text, where it has several lines."""
    if len(source.files) > 1:
        return ()
    file = source.files[0]
    count = sum(1 for _ in streams.text_lines(file, codes[file]))
    if count < 2:
        return ()
    return (
        f"{file} is taken for one text of {count:,} lines; --lines takes each line for "
        f"a text.",
    )


def _checked(records: Iterable[Record], options: Options) -> Iterator[Record]:
    """Yields all records; raises at the first bad one, with `fail`."""
    for record in records:
        _refuse_bad(record, options)
        yield record


def _refuse_bad(record: Record, options: Options) -> None:
    if record.problem.startswith(NOT_DECODED.format("")):
        _refuse_encoding(record, options)
    if record.problem:
        chunks.refuse(Problem(record.file, record.at, record.problem), options)


def _refuse_encoding(record: Record, options: Options) -> None:
    """Raises for a row of another encoding, with `fail`; says how it could be read."""
    if options.on_error == chunks.KEEP:
        return
    try:
        streams.refuse_encoding(Path(record.file), record.problem.rpartition(" ")[2])
    except DataError as error:
        raise DataError(
            f"{Problem(record.file, record.at, record.problem)}. {error} Or --on-error "
            f"keep leaves such rows without a label."
        ) from error


def _reader(
    records: Callable[[], Iterator[Record]],
    fields: Callable[[Record], Sequence[Any]],
    schema: pa.Schema,
    column: str,
    options: Options,
) -> Callable[[], Iterator[Chunk]]:
    def read() -> Iterator[Chunk]:
        for group in _groups(records()):
            columns = zip(*map(fields, group), strict=True)
            table = pa.table(
                [_array(v, f, group) for v, f in zip(columns, schema, strict=True)],
                schema=schema,
            )
            yield _chunk(group, table, chunks.texts_in(table, column), options)

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
    group: Sequence[Record], table: pa.Table, texts: pa.Array, options: Options
) -> Chunk:
    problems = {
        row: Problem(record.file, record.at, record.problem)
        for row, record in enumerate(group)
        if record.problem
    }

    def at(row: int) -> tuple[str, str]:
        return group[row].file, group[row].at

    return chunks.make_chunk(table, texts, problems, at, options)


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

"""Parquet files as chunks of rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from seqclf.bulk import chunks
from seqclf.bulk.chunks import Chunk, Options, Problem, Rows
from seqclf.bulk.sources import Source
from seqclf.bulk.streams import NOT_DECODED
from seqclf.data import names
from seqclf.data.dataset import Part
from seqclf.data.formats.contents import damaged


def parquet_rows(source: Source, options: Options) -> Rows:
    """Opens Parquet files; with `fail`, looks through their strings for bad rows."""
    num_rows, schema = 0, pa.schema([])
    for file in source.files:
        with _open(file) as opened:
            num_rows += opened.metadata.num_rows
            schema = opened.schema_arrow if file == source.files[0] else schema
            _refuse_other(source.files[0], schema, file, opened.schema_arrow)
    column, said = chunks.text_column(_first_rows(source.files[0]), options)

    def read(columns: list[str] | None = None) -> Iterator[Chunk]:
        for file in source.files:
            yield from _read(file, columns, column, options)

    if options.on_error == chunks.FAIL:
        texts = names.parts_of(column, schema.names)
        strings = [field.name for field in schema if _is_string(field.type)]
        for _ in read([one for one in schema.names if one in {*texts, *strings}]):
            pass
    return Rows(source, num_rows, schema, read, said)


def _first_rows(file: Path) -> Part:
    """Returns the rows from which the column of the texts is guessed."""
    with _open(file) as opened:
        table = next(
            _whole_batches(opened, None, file), opened.schema_arrow.empty_table()
        )
        return Part(str(file), _decoded(table)[0])


def _open(file: Path) -> Any:
    from pyarrow import parquet

    try:
        # Without the buffer that Arrow would fill with the whole file.
        return parquet.ParquetFile(file, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise damaged(file, error) from error


def _refuse_other(first: Path, schema: pa.Schema, file: Path, other: pa.Schema) -> None:
    if not schema.equals(other):
        columns = [f"{f.name} ({f.type})" for f in schema]
        others = [f"{f.name} ({f.type})" for f in other]
        raise chunks.differ(first, columns, file, others)


def _read(
    file: Path, columns: list[str] | None, text_column: str, options: Options
) -> Iterator[Chunk]:
    before = 0
    with _open(file) as opened:
        for batch in _whole_batches(opened, columns, file):
            table, spoilt = _decoded(batch)

            def at(row: int, first: int = before + 1) -> tuple[str, str]:
                return str(file), f"row {first + row:,}"

            why = NOT_DECODED.format("utf-8")
            problems = {row: Problem(*at(row), why) for row in spoilt}
            texts = chunks.texts_in(table, text_column)
            yield chunks.make_chunk(table, texts, problems, at, options)
            before += table.num_rows


def _whole_batches(
    opened: Any, columns: list[str] | None, file: Path
) -> Iterator[pa.Table]:
    """Yields `CHUNK_ROWS` rows at a time; Parquet's batches end with its row groups."""
    size = chunks.CHUNK_ROWS
    waiting: list[pa.RecordBatch] = []
    try:
        for batch in opened.iter_batches(size, columns=columns):
            waiting.append(batch)
            if sum(one.num_rows for one in waiting) >= size:
                together = pa.Table.from_batches(waiting)
                yield together.slice(0, size)
                waiting = together.slice(size).to_batches()
    except (pa.ArrowException, OSError) as error:
        raise damaged(file, error) from error
    if waiting:
        yield pa.Table.from_batches(waiting)


def _decoded(table: pa.Table) -> tuple[pa.Table, list[int]]:
    """Puts U+FFFD for bytes that are no UTF-8; returns the rows that had some, too."""
    spoilt: set[int] = set()
    for index, field in enumerate(table.schema):
        if not _is_string(field.type):
            continue
        try:
            table.column(index).validate(full=True)
        except pa.ArrowInvalid:
            values, rows = _replaced(table.column(index))
            table = table.set_column(index, field, pa.array(values, field.type))
            spoilt |= rows
    return table, sorted(spoilt)


def _is_string(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _replaced(column: pa.ChunkedArray) -> tuple[list[str | None], set[int]]:
    values: list[str | None] = []
    rows = set()
    for row, raw in enumerate(column.cast(pa.large_binary()).to_pylist()):
        value = None if raw is None else raw.decode("utf-8", "replace")
        values.append(value)
        if value is not None and value.encode() != raw:
            rows.add(row)
    return values, rows

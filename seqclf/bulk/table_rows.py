"""Files that are read whole, as chunks of rows: spreadsheets, JSON documents, ..."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from seqclf.bulk import chunks
from seqclf.bulk.chunks import Chunk, Options, Rows
from seqclf.bulk.sources import Source
from seqclf.data.dataset import Part
from seqclf.data.files import read_file


def table_rows(source: Source, options: Options) -> Rows:
    """Opens files as the reader of data sets does, each whole in memory."""
    parts = [read_file(f, options) for f in source.files]
    first = parts[0]
    columns = first.table.column_names
    for file, part in zip(source.files, parts, strict=True):
        if part.table.column_names != columns:
            others = part.table.column_names
            raise chunks.differ(source.files[0], columns, file, others)
    column, said = chunks.text_column(first, options)

    def read() -> Iterator[Chunk]:
        for part in parts:
            yield from _chunks(part, column, options)

    for _ in read():
        pass  # a row without a text is refused before anything is predicted
    notes = dict.fromkeys(note for part in parts for note in part.notes)
    schema = pa.unify_schemas(
        [p.table.schema for p in parts], promote_options="default"
    )
    num_rows = sum(part.table.num_rows for part in parts)
    return Rows(source, num_rows, schema, read, (*notes, *said))


def _chunks(part: Part, column: str, options: Options) -> Iterator[Chunk]:
    for start in range(0, part.table.num_rows, chunks.CHUNK_ROWS):
        table = part.table.slice(start, chunks.CHUNK_ROWS)

        def at(row: int, start: int = start) -> tuple[str, str]:
            return part.place, f"row {part.row(start + row):,}"

        texts = chunks.texts_in(table, column)
        yield chunks.make_chunk(table, texts, {}, at, options)

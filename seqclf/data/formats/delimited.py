"""CSV and TSV from memory to a table."""

from __future__ import annotations

import io
import itertools
from array import array
from collections.abc import Iterator

import pyarrow as pa

from seqclf.data.dataset import Part
from seqclf.data.formats.dialect import find_dialect, rows_of
from seqclf.errors import DataError
from seqclf.records.reading import Known, Reading

BLOCK_ROWS = 1000  # rows that are Python strings at a time


def read_delimited(content: pa.Buffer, place: str, suffix: str, known: Known) -> Part:
    """Reads CSV or TSV, every column as string.

    Args:
      content: UTF-8 without a byte order mark.
      place: What messages call it.
      suffix: `.csv` or `.tsv`.
      known: What is known of it before it is opened.

    Raises:
      DataError: If a row has too few or too many fields, or it cannot be told how
        they are separated.
    """

    def lines() -> Iterator[str]:
        with io.TextIOWrapper(pa.BufferReader(content), "utf-8", newline="") as stream:
            yield from stream

    dialect = find_dialect(lines, place, suffix, known)
    width, schema = (
        len(dialect.names),
        pa.schema([(n, pa.string()) for n in dialect.names]),
    )
    starts, blocks, uneven = array("q"), [], []
    rows = rows_of(lines(), place, dialect)
    while block := list(itertools.islice(rows, BLOCK_ROWS)):
        uneven += [row for row in block if len(row[1]) != width]
        starts.extend(line for line, _, _ in block)
        if not uneven:
            columns = zip(*(fields for _, fields, _ in block), strict=True)
            blocks.append(pa.record_batch(list(map(pa.array, columns)), schema=schema))
    if uneven:
        line, fields, _ = uneven[0]
        row = dialect.delimiter.join(fields)
        raise DataError(
            f"{place}, row {line:,}: expected {width} fields, as in the first line, "
            f"got {len(fields)}: {row[:60]!r}. Rows like it: {len(uneven):,}."
        )
    return Part(
        place,
        pa.Table.from_batches(blocks, schema),
        row=starts.__getitem__,
        notes=dialect.notes,
        reading=Reading(
            delimiter=dialect.delimiter,
            header=dialect.has_header,
            columns=None if dialect.has_header else ",".join(dialect.names),
        ),
    )

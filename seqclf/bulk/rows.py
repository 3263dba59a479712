"""Opens files of rows to classify.

A new input format is one function and one entry in `READERS`.
"""

from __future__ import annotations

from collections.abc import Callable

from seqclf.bulk.chunks import Reading, Rows
from seqclf.bulk.parquet_rows import parquet_rows
from seqclf.bulk.sources import Source
from seqclf.bulk.text_rows import delimited_rows, json_rows, whole_texts
from seqclf.data.files import OWN_ENCODING, is_other
from seqclf.errors import ConfigError, DataError

READERS: dict[str, Callable[[Source, Reading], Rows]] = {
    ".csv": delimited_rows,
    ".tsv": delimited_rows,
    ".jsonl": json_rows,
    ".parquet": parquet_rows,
    ".txt": whole_texts,
}


def open_rows(source: Source, reading: Reading) -> Rows:
    """Looks through files once: their columns, how many rows there are, bad rows.

    So what cannot be read is said before anything is predicted.

    Raises:
      DataError: If a file cannot be read or differs in its columns, if there is no
        text column, or, with `fail`, at the first bad row.
      ConfigError: If an encoding is given for a format that has its own.
    """
    if source.suffix in OWN_ENCODING and is_other(reading.encoding):
        raise ConfigError(
            f"encoding does nothing with {source.name}, which has its own."
        )
    for file in source.files:
        if source.suffix != ".txt" and not file.stat().st_size:
            raise DataError(f"{file} is empty.")
    return READERS[source.suffix](source, reading)

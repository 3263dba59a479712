"""Opens files of rows to classify.

A new input format is one function and one entry in `READERS`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from seqclf.bulk.chunks import Options, Rows, table_rows
from seqclf.bulk.parquet_rows import parquet_rows
from seqclf.bulk.sources import Source
from seqclf.bulk.text_rows import delimited_rows, json_rows, text_rows
from seqclf.data.files import READERS as FORMATS
from seqclf.data.files import TEXT_SUFFIX, read_file, refuse_idle
from seqclf.errors import ConfigError, DataError

# Formats that are read a chunk at a time; others are read whole.
READERS: dict[str, Callable[[Source, Options], Rows]] = {
    ".csv": delimited_rows,
    ".tsv": delimited_rows,
    ".jsonl": json_rows,
    ".json": json_rows,
    ".parquet": parquet_rows,
    TEXT_SUFFIX: text_rows,
}


def open_rows(source: Source, options: Options) -> Rows:
    """Looks through files once: their columns, how many rows there are, bad rows.

    So what cannot be read is said before anything is predicted.

    Raises:
      DataError: If a file cannot be read or differs in its columns, if there is no
        text column, or, with `fail`, at the first bad row.
      ConfigError: If something was given that does nothing with the format.
    """
    if source.suffix in FORMATS:
        refuse_idle(source.name, source.suffix, options.given)
    if options.lines and source.suffix != TEXT_SUFFIX:
        raise ConfigError(f"--lines is for {TEXT_SUFFIX} files, not {source.name}.")
    for file in source.files:
        if source.suffix != TEXT_SUFFIX and not file.stat().st_size:
            raise DataError(f"{file} is empty.")
    return _reader(source, options)(source, options)


def _reader(source: Source, options: Options) -> Callable[[Source, Options], Rows]:
    """Returns what reads files; plain text is taken for what it looks like."""
    given = options.given
    if source.suffix == TEXT_SUFFIX and not options.lines:
        if any((given.delimiter, given.header is not None, given.columns)):
            return delimited_rows
        if len(source.files) == 1:
            with contextlib.suppress(DataError):  # lines that hold texts and labels
                read_file(source.files[0], options)
                return table_rows
    return READERS.get(source.suffix, table_rows)

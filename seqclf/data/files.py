"""Reads one file of texts, whichever way it is written.

A new file format is one function and one entry in `READERS`. A reader keeps every row
and every character, or raises an error that names the place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from seqclf.data.dataset import Part
from seqclf.data.formats.contents import SHEETS, damaged, kind_of, packing_of, unpacked
from seqclf.data.formats.delimited import DELIMITERS, read_delimited
from seqclf.data.formats.encodings import START, blocks, decoded, encoding_of, is_utf_8
from seqclf.data.formats.json_files import read_json
from seqclf.data.formats.labelled_lines import is_table, read_lines
from seqclf.data.formats.sheets import read_sheet
from seqclf.errors import ConfigError, DataError
from seqclf.records.reading import NOTHING_KNOWN, Known, Reading

TEXT_SUFFIX = ".txt"

OF_TABLES = ("delimiter", "header", "columns")  # say how tables are written

Reader = Callable[[Path, Known], Part]


def read_file(file: Path, known: Known = NOTHING_KNOWN) -> Part:
    """Reads one file, whatever columns it has.

    Args:
      file: An existing file. Its first bytes or its suffix tell the format; it may be
        packed (.gz, .bz2, .xz, .zst, or .zip with one file in it).
      known: What is known of how it is written.

    Returns:
      Its rows; columns of delimited files and spreadsheets are all string.

    Raises:
      DataError: If it cannot be read whole; file, row or byte are named.
      ConfigError: If something was given that does nothing with its format.
    """
    try:
        if not file.stat().st_size:
            raise DataError(f"{file} is empty.")
        part = _reader(file, known.given)(file, known)
    except PermissionError as error:
        raise DataError(
            f"{file} may not be read: permission denied. Ask its owner, or copy it."
        ) from error
    except (pa.ArrowException, OSError, EOFError) as error:
        if isinstance(error, pa.ArrowInvalid | EOFError):
            raise damaged(file, error) from error
        raise DataError(f"{file} could not be read: {error}") from error
    if not part.table.num_rows:
        raise DataError(f"{file} has no rows.")
    return part


def _reader(file: Path, given: Reading) -> Reader:
    kind = kind_of(file)
    if kind in READERS:
        refuse_idle(str(file), kind, given)
        return READERS[kind]
    if any(getattr(given, field) is not None for field in OF_TABLES):
        return _read_delimited
    if kind != TEXT_SUFFIX and not _is_text(file):
        raise _unknown_format(file)
    return _read_lines


def _unknown_format(file: Path) -> DataError:
    suffix = kind_of(file) or file.name
    if suffix in CONVERTED:
        to = file.with_suffix(".parquet")
        turn = CONVERTED[suffix].format(file=repr(str(file)), to=repr(str(to)))
        return DataError(
            f"{file} is no format of seqclf's. To turn it into one that is: "
            f'python -c "{turn}" and name {str(to)!r} instead.'
        )
    known = ", ".join([*READERS, TEXT_SUFFIX])  # none is near another: no guess
    return DataError(f"unknown format of {file}: {suffix!r}; choices: {known}.")


def _is_text(file: Path) -> bool:
    with unpacked(file) as stream:
        return b"\0" not in stream.read(START)


def refuse_idle(place: str, kind: str, given: Reading) -> None:
    """Raises a ConfigError for what was given and does nothing with a file's format."""
    if kind in OWN_ENCODING and given.encoding and not is_utf_8(given.encoding):
        raise ConfigError(f"encoding does nothing with {place}, which has its own.")
    if kind not in DELIMITERS:
        idle = ("delimiter",) if kind in SHEETS else OF_TABLES
        refuse(given, idle, f"{place}, which has its own")


def refuse(given: Reading, fields: Iterable[str], what: str) -> None:
    """Raises a ConfigError for a field that was given and does nothing with `what`."""
    for field in fields:
        if getattr(given, field) is not None:
            raise ConfigError(f"{field} does nothing with {what}.")


def read_bytes(content: bytes, place: str, known: Known) -> Part:
    """Reads rows that are in memory: JSON Lines, JSON, CSV or TSV, told by content.

    Raises:
      DataError: Names the line that is broken or unlike those before it.
    """
    if not content:
        raise DataError(f"{place} is empty.")
    text = decoded(content, place, encoding_of(content[:START], known))
    start = text[:START].to_pybytes()
    if start.lstrip()[:1] in (b"{", b"["):
        refuse_idle(place, ".jsonl", known.given)
        return read_json(text, place)
    suffix = ".tsv" if b"\t" in start.partition(b"\n")[0] else ".csv"
    return read_delimited(text, place, suffix, known)


def decode_text(content: bytes, place: str, known: Known) -> str:
    """Returns a text file's characters, without a byte order mark.

    Raises:
      DataError: Names the byte that is not of the encoding.
    """
    encoding = encoding_of(content[:START], known)
    text = "".join(blocks(pa.py_buffer(content), place, encoding))
    return text.removeprefix("\ufeff")


def _text_reader(parse: Callable[[pa.Buffer, Path, Known], Part]) -> Reader:
    """Returns what reads a text file: its characters, of which `parse` makes rows."""

    def read(file: Path, known: Known) -> Part:
        if packing_of(file) is None:
            content = pa.memory_map(str(file)).read_buffer()
        else:
            with unpacked(file) as stream:
                content = pa.py_buffer(stream.read())
        if not content.size:
            raise DataError(f"{file} is empty.")
        encoding = encoding_of(content[:START].to_pybytes(), known)
        part = parse(decoded(content, str(file), encoding), file, known)
        # Only an encoding that somebody named is kept; what files tell is their own.
        named = (known.given.encoding, known.usual.encoding)
        kept = encoding if encoding in named else None
        reading = replace(part.reading, encoding=kept)
        notes = part.notes
        if known.given.encoding is None and not is_utf_8(encoding):
            how = ", as in training" if encoding == known.usual.encoding else ""
            said = f"{file} is read as {encoding}{how}; --encoding names another."
            notes = (said, *notes)
        return replace(part, notes=notes, reading=reading)

    return read


def _parse_delimited(content: pa.Buffer, file: Path, known: Known) -> Part:
    kind = kind_of(file)
    suffix = kind if kind in DELIMITERS else ".csv"
    return read_delimited(content, str(file), suffix, known)


def _parse_lines(content: pa.Buffer, file: Path, known: Known) -> Part:
    if is_table(content):
        return read_delimited(content, str(file), ".tsv", known)
    if (part := read_lines(content, str(file))) is not None:
        return part
    if kind_of(file) != TEXT_SUFFIX:
        raise _unknown_format(file)
    raise DataError(
        f"{file}: its lines hold no labels. Expected '__label__good a text', 'a "
        f"text;good' or 'good<tab>a text'; or a folder a label with a text a file: "
        f"pos/1.txt, neg/2.txt. To label it: seqclf predict --lines --input '{file}'."
    )


def _read_parquet(file: Path, known: Known) -> Part:
    from pyarrow import parquet

    # A chunk for each row group, not one for all: so a large table can be divided
    # without being in memory twice.
    opened = parquet.ParquetFile(file)
    groups = [opened.read_row_group(i) for i in range(opened.num_row_groups)]
    return Part(str(file), pa.concat_tables(groups) if groups else opened.read())


def _read_arrow(file: Path, known: Known) -> Part:
    from pyarrow import feather

    try:
        return Part(str(file), feather.read_table(file))
    except pa.ArrowInvalid:  # as `datasets` writes it: a stream, without an index
        with pa.memory_map(str(file)) as source:
            return Part(str(file), pa.ipc.open_stream(source).read_all())


def _read_orc(file: Path, known: Known) -> Part:
    from pyarrow import orc

    return Part(str(file), orc.read_table(file))


_read_delimited = _text_reader(_parse_delimited)
_read_json = _text_reader(lambda content, file, known: read_json(content, str(file)))
_read_lines = _text_reader(_parse_lines)

READERS: dict[str, Reader] = {
    ".csv": _read_delimited,
    ".tsv": _read_delimited,
    ".jsonl": _read_json,
    ".json": _read_json,
    ".parquet": _read_parquet,
    ".arrow": _read_arrow,
    ".orc": _read_orc,
    **dict.fromkeys(SHEETS, read_sheet),
}
# What turns other formats into Parquet, in Python. Opening a pickle runs its code: that
# is left to whoever knows where it is from.
PICKLE = "import pandas; pandas.read_pickle({file}).to_parquet({to})"
CONVERTED = {
    ".pkl": PICKLE,
    ".pickle": PICKLE,
    ".dta": "import pandas; pandas.read_stata({file}).to_parquet({to})",
    ".xml": "import pandas; pandas.read_xml({file}, parser='etree').to_parquet({to})",
    ".avro": "import polars; polars.read_avro({file}).write_parquet({to})",
}
OWN_ENCODING = frozenset((".parquet", ".arrow", ".orc", *SHEETS))

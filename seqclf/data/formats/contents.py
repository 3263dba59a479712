"""What a file holds, whatever it is called: its bytes, unpacked, and their format."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath
from typing import IO, Any

import pyarrow as pa

from seqclf.errors import DataError
from seqclf.wording import listed

ZIP = ".zip"
# How packed files begin, by the suffix they usually have.
PACKED = {
    ".gz": b"\x1f\x8b", ".bz2": b"BZh", ".xz": b"\xfd7zXZ\x00",
    ".zst": b"\x28\xb5\x2f\xfd", ZIP: b"PK\x03\x04",
}  # fmt: skip
SHEETS = (".xlsx", ".xls", ".ods")
# How files of a format of their own begin; a name that says otherwise is wrong.
PARQUET = b"PAR1"
OWN_FORMATS = {
    PARQUET: ".parquet", b"ARROW1": ".arrow", b"\xd0\xcf\x11\xe0": ".xls",
}  # fmt: skip
# Other suffixes of the same formats.
SAME = {
    ".ndjson": ".jsonl", ".tab": ".tsv", ".pq": ".parquet", ".feather": ".arrow",
    ".ipc": ".arrow", ".xlsm": ".xlsx",
}  # fmt: skip
LONGEST_MARK = 10  # bytes that tell what a file is
BZIP2_BLOCK = b"1AY&SY"

UnpackErrors = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)


def damaged(file: Path, error: Exception) -> DataError:
    """Returns the error of a file whose content is not what its format asks for."""
    return DataError(f"{file} could not be read: {error}; is it whole?")


def format_of(file: PurePath) -> str:
    """Returns the suffix that tells the format, in lower case, without `.gz` and co."""
    suffix = _inner(file).suffix.lower()
    return SAME.get(suffix, suffix)


def stem_of(file: PurePath) -> str:
    """Returns the file's name without the suffixes that tell the format."""
    return _inner(file).stem


def _inner(file: PurePath) -> PurePath:
    return file.with_suffix("") if file.suffix.lower() in PACKED else file


def kind_of(file: Path) -> str:
    """Returns the format of a file: by its first bytes if they tell, else by its name.

    Raises:
      DataError: If it is an archive of several files.
    """
    with file.open("rb") as stream:
        start = stream.read(LONGEST_MARK)
    if start.startswith(PACKED[ZIP]):
        return _kind_of_zip(file)
    for mark, suffix in OWN_FORMATS.items():
        if start.startswith(mark) and not (mark == PARQUET and not _ends_so(file)):
            return suffix
    return format_of(file)


def _ends_so(file: Path) -> bool:
    """Tells whether a file ends as Parquet does, too; a text may begin so."""
    with file.open("rb") as stream:
        stream.seek(max(file.stat().st_size - len(PARQUET), 0))
        return stream.read() == PARQUET


def packing_of(file: Path) -> str | None:
    """Returns the suffix that a packed file usually has, None of one that is not."""
    with file.open("rb") as stream:
        start = stream.read(LONGEST_MARK)
    packing = next((s for s, mark in PACKED.items() if start.startswith(mark)), None)
    # A text may begin with BZh; bzip2 continues with its size and the digits of pi.
    return None if packing == ".bz2" and start[4:] != BZIP2_BLOCK else packing


@contextlib.contextmanager
def unpacked(file: Path) -> Iterator[IO[bytes]]:
    """Opens a file's bytes, unpacked where it is packed.

    Raises:
      DataError: If it is an archive of several files, or ends too early.
    """
    packing = packing_of(file)
    try:
        with contextlib.ExitStack() as stack:
            yield _opened(file, packing, stack)
    except (*UnpackErrors, OSError) as error:
        if isinstance(error, PermissionError):
            raise
        raise damaged(file, error) from error


def _opened(file: Path, packing: str | None, stack: contextlib.ExitStack) -> IO[bytes]:
    if packing == ZIP:
        archive = stack.enter_context(zipfile.ZipFile(file))
        member = _only_member(file, archive)
        try:
            return stack.enter_context(archive.open(member))
        except RuntimeError as error:  # a password, or a way to pack that Python lacks
            raise DataError(
                f"{file} cannot be unpacked here: {error}. Unpack it, and name what "
                f"was in it."
            ) from None
    stream: IO[bytes] = stack.enter_context(OPENERS[packing](file))
    return stream


OPENERS: dict[str | None, Callable[[Path], Any]] = {
    None: lambda file: file.open("rb"),
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".zst": lambda file: pa.input_stream(str(file), compression="zstd"),
}


def _kind_of_zip(file: Path) -> str:
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
            if "xl/workbook.xml" in names or "xl/workbook.bin" in names:
                return ".xlsx"
            if "content.xml" in names and "mimetype" in names:
                return ".ods"
            return format_of(PurePath(_only_member(file, archive)))
    except UnpackErrors as error:
        raise damaged(file, error) from error


def _only_member(file: Path, archive: zipfile.ZipFile) -> str:
    """Returns the one file in an archive; what systems leave in it does not count."""
    names = [one.filename for one in archive.infolist() if not one.is_dir()]
    names = [n for n in names if not PurePath(n).name.startswith(".")]
    names = [name for name in names if not name.startswith("__MACOSX/")]
    if len(names) == 1:
        return names[0]
    folder = file.with_suffix("")
    raise DataError(
        f"{file} is an archive of {len(names):,} files ({listed(names) or 'nothing'}). "
        f"Unpack it with python -m zipfile -e '{file}' '{folder}', and name that "
        f"folder: '{folder}'."
    )

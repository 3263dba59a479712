"""Spreadsheets: the first sheet, every value as a spreadsheet would save it to CSV."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from seqclf.data.dataset import Part
from seqclf.data.formats.contents import damaged
from seqclf.data.formats.header import columns_of
from seqclf.errors import DataError
from seqclf.installed import install_line
from seqclf.records.reading import Known, Reading


def read_sheet(file: Path, known: Known) -> Part:
    """Reads the first sheet of an Excel file (.xlsx, .xls) or OpenDocument.

    Returns:
      Its rows, every column as string, without blank rows around them.

    Raises:
      DataError: If the reader is not installed, or the file is damaged or empty.
    """
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ImportError as error:
        raise DataError(
            f"{file} is a spreadsheet. {install_line('excel')} reads it; or save it "
            f"in the spreadsheet program as 'CSV UTF-8', and name that file."
        ) from error
    try:
        book = CalamineWorkbook.from_path(str(file))
        opened = book.get_sheet_by_index(0)
        sheet = opened.to_python()
        first = opened.start[0] if opened.start else 0  # blank rows above it
    except (CalamineError, OSError) as error:
        raise damaged(file, error) from error
    if not sheet:
        raise DataError(f"{file} has no rows.")
    rows = [[_told(value) for value in row] for row in sheet]
    columns, has_header, notes = columns_of(rows, str(file), known)
    if (count := len(book.sheet_names)) > 1:
        name = book.sheet_names[0]
        notes = (f"{file}: taken is the first of {count} sheets, {name!r}.", *notes)
    values = list(map(list, zip(*rows[has_header:], strict=True)))
    schema = pa.schema([(column, pa.string()) for column in columns])
    said = None if has_header else ",".join(columns)
    return Part(
        str(file),
        pa.table(values or [[]] * len(columns), schema=schema),
        row=lambda index: first + index + 1 + has_header,
        notes=notes,
        reading=Reading(header=has_header, columns=said),
    )


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    return str(value)

"""Spreadsheets: the first sheet, every value as a spreadsheet would save it to CSV."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from seqclf.data.formats.contents import damaged
from seqclf.errors import DataError

INSTALL = "pip install 'seqclf[excel]'"


def read_sheet(file: Path) -> tuple[list[list[str]], tuple[str, ...]]:
    """Reads the first sheet of an Excel file (.xlsx, .xls) or OpenDocument.

    Returns:
      Its rows, without blank ones around them; and what the user should know.

    Raises:
      DataError: If the reader is not installed, or the file is damaged.
    """
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ImportError as error:
        raise DataError(
            f"{file} is a spreadsheet. {INSTALL} reads it; or save it in the "
            f"spreadsheet program as 'CSV UTF-8', and name that file."
        ) from error
    try:
        book = CalamineWorkbook.from_path(str(file))
        sheet = book.get_sheet_by_index(0).to_python()
    except (CalamineError, OSError) as error:
        raise damaged(file, error) from error
    said = ""
    if len(book.sheet_names) > 1:
        said = (
            f"{file}: taken is the first of {len(book.sheet_names)} sheets, "
            f"{book.sheet_names[0]!r}."
        )
    rows = [[_told(value) for value in row] for row in sheet]
    return rows, ((said,) if said else ())


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    return str(value)

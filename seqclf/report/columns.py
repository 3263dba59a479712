"""Columns: what shows a value of a row, and the table that they make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from seqclf.report.table import Table
from seqclf.wording import MISSING

T = TypeVar("T")
V = TypeVar("V")
Column = tuple[str, Callable[[T], str]]  # its header, and what shows a row's value

MARK = "*"  # at an interval that decides nothing, though it may look so
MEDIAN = "†"  # at the median of a cell of which trainings failed


def if_known(value: V | None, show: Callable[[V], str]) -> str:
    """Returns what shows a value, or a dash where there is none."""
    return MISSING if value is None else show(value)


def table_of(
    title: str,
    columns: Sequence[Column[T]],
    rows: Sequence[T],
    faint: tuple[int, ...] = (),
    note: str = "",
) -> Table:
    """Returns the table of some columns, a line a row; see `Table` for the others."""
    return Table(
        title=title,
        header=tuple(header for header, _ in columns),
        rows=tuple(tuple(show(row) for _, show in columns) for row in rows),
        note=note,
        faint=faint,
    )

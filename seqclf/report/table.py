"""A table of texts, drawn three ways: on a terminal, as Markdown, on a page.

The page draws it in `page/parts.html`, by the properties of the model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rich import table as terminal
from rich.markup import escape

NUMBER = re.compile(r"[<≥≤~+−-]?\s?[.\d]")
# A star that could begin or end an emphasis; one between spaces could not.
STAR = re.compile(r"(?<=\S)\*|\*(?=\S)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table, not yet drawn.

    Attributes:
      header: Names of the columns, with their units; a terminal keeps line breaks.
      rows: Lines of text, as wide as the header.
      title: What it answers; empty for nothing.
      note: What stands below it; empty for nothing.
      numbers: Columns of numbers, from 0, which are set to the right; None takes all
        but the first, and on a page those that look so.
      faint: Rows that stand back on a terminal, from 0.
      groups: By which a page filters the rows, one a row; empty for no filter.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    note: str = ""
    numbers: tuple[int, ...] | None = None
    faint: tuple[int, ...] = ()
    groups: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The header, each name on one line."""
        return [" ".join(name.split()) for name in self.header]

    @property
    def words(self) -> list[int]:
        """The columns of a page that hold no numbers; they are set to the left."""
        columns = range(1, len(self.header))
        if self.numbers is not None:
            return [column for column in columns if column not in self.numbers]
        return [
            column
            for column in columns
            if not any(NUMBER.match(row[column]) for row in self.rows)
        ]


def to_terminal(table: Table) -> terminal.Table:
    """Returns a table as rich prints it."""
    drawn = terminal.Table(
        title=escape(table.title) or None, title_justify="left", title_style="bold"
    )
    if table.note:
        drawn.caption, drawn.caption_justify = escape(table.note), "left"
    for column, name in enumerate(table.header):
        is_number = _is_number(table, column)
        drawn.add_column(escape(name), justify="right" if is_number else "left")
    for place, row in enumerate(table.rows):
        style = "dim" if place in table.faint else None
        drawn.add_row(*map(escape, row), style=style)
    return drawn


def to_markdown(table: Table) -> str:
    """Returns a table as Markdown, without title and note."""
    columns = range(len(table.header))
    rule = ["---:" if _is_number(table, column) else "---" for column in columns]
    lines = [[in_markdown(text) for text in row] for row in (table.names, *table.rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], rule, *lines[1:]))


def in_markdown(text: str) -> str:
    """Returns a text of which Markdown makes no column and no emphasis."""
    text = text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")
    return STAR.sub(r"\\*", text)


def _is_number(table: Table, column: int) -> bool:
    return column > 0 if table.numbers is None else column in table.numbers

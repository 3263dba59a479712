"""A table of texts, drawn three ways: on a terminal, as Markdown, on a page.

The page draws it in `page/parts.html`, by the properties of the model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rich import box
from rich import table as terminal
from rich.markup import escape

NUMBER = re.compile(r"[<≥≤~+−-]?\s?[.\d]")
# A star that could begin or end an emphasis; one between spaces could not.
STAR = re.compile(r"(?<=\S)\*|\*(?=\S)")
GAP = 2  # characters between two columns of a table without a frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table, not yet drawn.

    Attributes:
      header: Names of the columns, with their units; a terminal keeps line breaks.
      rows: Lines of text, as wide as the header.
      title: What it answers; may be empty.
      note: A line below it; may be empty.
      numbers: Columns of numbers, from 0, aligned to the right; None means all but the
        first, and on a page those that look like numbers.
      faint: Rows that a terminal prints dimmed, from 0.
      groups: The group of each row, by which a page filters; empty for no filter.
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


def to_terminal(table: Table, width: int | None = None) -> terminal.Table:
    """Returns a table as rich prints it.

    With a width, characters in a line, it may be too wide: it has no frame, and lines
    break between words. None draws a frame and leaves breaks to rich.
    """
    drawn = terminal.Table(
        title=escape(table.title) or None, title_justify="left", title_style="bold"
    )
    if width is not None:
        drawn.box, drawn.show_edge, drawn.pad_edge = box.SIMPLE_HEAD, False, False
        drawn.collapse_padding = True
    if table.note:
        drawn.caption, drawn.caption_justify = escape(table.note), "left"
    widths = width and column_widths(table, width)
    for column, name in enumerate(table.header):
        drawn.add_column(
            escape(name),
            justify="right" if _is_number(table, column) else "left",
            width=widths[column] if widths else None,
            overflow="fold" if width else "ellipsis",
        )
    for place, row in enumerate(table.rows):
        style = "dim" if place in table.faint else None
        drawn.add_row(*map(escape, row), style=style)
    return drawn


def column_widths(table: Table, room: int) -> list[int] | None:
    """Divides `room` characters among columns so that texts break between words only.

    Returns:
      Characters by column, `GAP` apart, at least the longest word and at most the
      longest text; None where the longest words do not fit side by side.
    """
    columns = list(zip(table.header, *table.rows, strict=True))
    widths = [max(len(w) for text in texts for w in text.split()) for texts in columns]
    full = [max(map(len, texts)) for texts in columns]
    spare = room - sum(widths) - GAP * (len(widths) - 1)
    if spare < 0:
        return None
    while spare and widths != full:
        narrow = [i for i, width in enumerate(widths) if width < full[i]]
        for index in narrow[:spare]:
            widths[index] += 1
        spare -= len(narrow[:spare])
    return widths


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

"""An answer as a person reads it: on a terminal, as Markdown, as part of a page."""

from __future__ import annotations

from typing import Any

from seqclf.report import table as report_table
from seqclf.report.page.sections import Section
from seqclf.studies.question import Answer, Table

GAP = 2  # characters between two columns of a terminal's table


def markdown(answer: Answer[Any]) -> str:
    """Returns title, sentence, table and notes as Markdown."""
    parts = [f"### {answer.title}", answer.sentence, markdown_table(answer.table)]
    return "\n\n".join([*parts, *answer.notes])


def markdown_table(table: Table, numbers: bool = True) -> str:
    """Returns a table as Markdown; `numbers` stand at the right of their columns."""
    header, *rows = (
        "| " + " | ".join(_cell(text) for text in line) + " |"
        for line in (table.header, *table.rows)
    )
    align = "---:" if numbers else "---"
    rule = "| " + " | ".join(["---", *[align] * (len(table.header) - 1)]) + " |"
    return "\n".join([header, rule, *rows])


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def to_terminal(answer: Answer[Any], console: Any) -> None:
    """Prints an answer on a rich console."""
    from rich import box
    from rich import table as rich_table
    from rich.markup import escape

    table = rich_table.Table(
        title=escape(answer.title), title_justify="left", title_style="bold",
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True,
    )  # fmt: skip
    widths = column_widths(answer.table, console.width)
    for index, name in enumerate(answer.table.header):
        table.add_column(
            escape(name),
            justify="right" if index else "left",
            width=widths[index] if widths else None,
            overflow="fold",
        )
    for row in answer.table.rows:
        table.add_row(*map(escape, row))
    console.print(table)
    console.print(answer.sentence, markup=False)
    for line in answer.notes:
        console.print(line, markup=False, style="dim")


def column_widths(table: Table, room: int) -> list[int] | None:
    """Divides the width of a screen so that lines break between words alone.

    Args:
      table: What is shown.
      room: Characters in a line of the screen, `GAP` between two columns.

    Returns:
      Characters by column, at least the longest word and at most the longest text;
      None where that is too much, and words have to be broken.
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


def section(answer: Answer[Any], svg: str) -> Section:
    """Returns what a page shows of an answer."""
    return Section(
        title=answer.title,
        claim=answer.about.claim,
        sentence=answer.sentence,
        notes=answer.notes,
        svg=svg,
        alt=f"{answer.title}. {answer.sentence}",
        table=report_table.Table(header=answer.table.header, rows=answer.table.rows),
        command=answer.about.command,
    )

"""An answer as a person reads it: on a terminal, as Markdown, as part of a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seqclf.studies.question import Answer


def markdown(answer: Answer) -> str:
    """Returns title, sentence, table and notes as Markdown."""
    header, *rows = (
        "| " + " | ".join(_cell(text) for text in line) + " |"
        for line in (answer.table.header, *answer.table.rows)
    )
    rule = "| " + " | ".join(["---", *["---:"] * (len(answer.table.header) - 1)]) + " |"
    parts = [f"### {answer.title}", answer.sentence, "\n".join([header, rule, *rows])]
    return "\n\n".join([*parts, *answer.notes])


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def to_terminal(answer: Answer, console: Any) -> None:
    """Prints an answer on a rich console."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(answer.title), title_justify="left", title_style="bold")
    for index, name in enumerate(answer.table.header):
        table.add_column(escape(name), justify="right" if index else "left")
    for row in answer.table.rows:
        table.add_row(*map(escape, row))
    console.print(table)
    console.print(answer.sentence, markup=False)
    for line in answer.notes:
        console.print(line, markup=False, style="dim")


def section(answer: Answer, svg: str, command: str = "") -> dict[str, Any]:
    """Returns what the page shows of an answer, see `report.page`."""
    rows: Sequence[Sequence[str]] = answer.table.rows
    return {
        "title": answer.title,
        "sentence": answer.sentence,
        "svg": svg,
        "alt": answer.sentence,
        "table": {"header": list(answer.table.header), "rows": [list(r) for r in rows]},
        "notes": list(answer.notes),
        "command": command,
    }

"""An answer as people read it: on a terminal, as Markdown, as a section of a page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from seqclf.report import table
from seqclf.report.page.sections import Section
from seqclf.studies.question import Answer

if TYPE_CHECKING:
    from rich.console import Console


def markdown(answer: Answer[Any]) -> str:
    """Returns title, sentence, table and notes as Markdown."""
    parts = [f"### {answer.title}", answer.sentence, table.to_markdown(answer.table)]
    return "\n\n".join([*parts, *answer.notes])


def to_terminal(answer: Answer[Any], console: Console) -> None:
    """Prints an answer on a rich console."""
    titled = replace(answer.table, title=answer.title)
    console.print(table.to_terminal(titled, console.width))
    console.print(answer.sentence, markup=False)
    for line in answer.notes:
        console.print(line, markup=False, style="dim")


def section(answer: Answer[Any], svg: str) -> Section:
    """Returns an answer with its figure as a section of a page."""
    return Section(
        title=answer.title,
        claim=answer.about.claim,
        sentence=answer.sentence,
        notes=answer.notes,
        svg=svg,
        alt=f"{answer.title}. {answer.sentence}",
        table=answer.table,
        command=answer.about.command,
    )

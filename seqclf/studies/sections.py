"""An answer as people read it: on a terminal, as Markdown, as a section of a page."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqclf.comparison.saved import REPORT_FILE, read_details
from seqclf.errors import RunError
from seqclf.export.microscope import MICROSCOPE_FILE
from seqclf.records.comparison import ComparisonResult
from seqclf.report import table
from seqclf.report.page import page
from seqclf.report.page.sections import Section
from seqclf.steps import Listener, optional, shortly
from seqclf.storage import write_text
from seqclf.studies import saved
from seqclf.studies.question import Answer
from seqclf.studies.table import STUDIES, Study

if TYPE_CHECKING:
    from rich.console import Console


def write_page(
    folder: Path, result: ComparisonResult, models: Path, listener: Listener
) -> None:
    """Writes the page of a comparison, with the studies of the same data.

    They are in `models`, the folder of the runs; the listener hears what is left out.
    A microscope beside it is linked to.
    """
    found: list[Section] = []
    with optional(listener.insist, "The page is written without studies"):
        fingerprint = result.card.dataset.fingerprint
        found = sections_on(fingerprint, models, listener)
    with optional(listener.insist, f"No {folder / REPORT_FILE} could be written"):
        link = MICROSCOPE_FILE if (folder / MICROSCOPE_FILE).exists() else None
        html = page(result, read_details(folder), found, link)
        write_text(folder / REPORT_FILE, html)


def sections_on(fingerprint: str, models: Path, listener: Listener) -> list[Section]:
    """Returns a section for each answer on that data, without the damaged ones."""
    sections = []
    for path in saved.answered(models, fingerprint):
        what = f"{path / saved.ANSWER_FILE} is left out of the page"
        with optional(listener.insist, what):
            answer = saved.read(path)
            if answer.study in STUDIES:
                sections.append(section_of(STUDIES[answer.study], answer, path))
    return sections


def section_of(study: Study, answer: Answer[Any], path: Path) -> Section:
    """Returns an answer as a section of a page, with its figure drawn again.

    Raises:
      RunError: If it cannot be drawn or shown, such as one of another version.
    """
    try:
        return section(answer, study.figure(answer))
    except Exception as error:
        raise RunError(
            f"it could not be used ({shortly(error)}); {saved.remedy(path)}."
        ) from error


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


def link_to(name: str, path: Path, folder: Path) -> str:
    """Returns the address of the interactive page of an answer; empty without one.

    Args:
      name: Of the study.
      path: The directory of the answer.
      folder: That of the page with the link.
    """
    file = path / page_file(name)
    if not file.exists():
        return ""
    return Path(os.path.relpath(file, folder)).as_posix()


def page_file(name: str) -> str:
    """Returns the name of the file with the interactive page of a study."""
    return f"{name}.html"


def section(answer: Answer[Any], svg: str) -> Section:
    """Returns an answer with its figure as a section of a page."""
    return Section(
        title=answer.title, claim=answer.about.claim, sentence=answer.sentence,
        notes=answer.notes, svg=svg, alt=f"{answer.title}. {answer.sentence}",
        table=answer.table, command=answer.about.command,
    )  # fmt: skip

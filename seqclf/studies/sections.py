"""What studies found on the data of a comparison, as sections of its page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seqclf.comparison.saved import REPORT_FILE, read_details
from seqclf.errors import RunError
from seqclf.records.comparison import ComparisonResult
from seqclf.report.page import page
from seqclf.report.page.sections import Section
from seqclf.steps import Listener, optional, shortly
from seqclf.storage import write_text
from seqclf.studies import saved, shown
from seqclf.studies.question import Answer
from seqclf.studies.table import STUDIES, Study


def write_page(
    folder: Path, result: ComparisonResult, models: Path, listener: Listener
) -> None:
    """Writes the page of a comparison, with the studies of the same data.

    Args:
      folder: Of the comparison.
      result: Its result.
      models: Folder of the runs.
      listener: Hears what had to be left out of it.
    """
    found: list[Section] = []
    with optional(listener.insist, "The page is written without studies"):
        fingerprint = result.card.dataset.fingerprint
        found = sections_on(fingerprint, models, listener)
    with optional(listener.insist, f"No {folder / REPORT_FILE} could be written"):
        write_text(folder / REPORT_FILE, page(result, read_details(folder), found))


def sections_on(fingerprint: str, models: Path, listener: Listener) -> list[Section]:
    """Returns a section for each answer on data of that fingerprint.

    Args:
      fingerprint: Of the data.
      models: Folder of the runs.
      listener: Receives which answer could not be used; it is left out.
    """
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
        return shown.section(answer, study.figure(answer))
    except Exception as error:
        raise RunError(
            f"it could not be used ({shortly(error)}); {saved.remedy(path)}."
        ) from error

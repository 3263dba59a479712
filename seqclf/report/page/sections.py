"""What a study found, as sections: after a comparison, or on a separate page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from seqclf.report.page.render import render, trusted
from seqclf.report.svg import with_ids_of
from seqclf.report.table import Table

NO_TABLE = Table(header=(), rows=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What a page shows of a study; what is empty is left out.

    Everything but `svg` is data and will be escaped.

    Attributes:
      title: What it looked at.
      claim: What is said of the cells elsewhere.
      sentence: What the numbers say of it.
      notes: What was held fixed or left out, a sentence each.
      svg: A drawing of `report.figures`.
      alt: What the drawing shows, in words.
      table: The numbers.
      command: What to type to do it again.
      id: Of the element; `prepared` gives it.
    """

    title: str
    claim: str = ""
    sentence: str = ""
    notes: tuple[str, ...] = ()
    svg: str = ""
    alt: str = ""
    table: Table = NO_TABLE
    command: str = ""
    id: str = ""


def sections_page(title: str, sections: Sequence[Section], note: str = "") -> str:
    """Returns the HTML of a page of sections.

    Style, script and policy are those of a comparison's page.

    Args:
      title: At the top and in the tab.
      sections: Its sections.
      note: A paragraph below the title, such as on what data and how often; empty
        for none.
    """
    studies = prepared(sections)
    return render(
        "sections.html",
        title=title,
        note=note,
        sections=contents(studies),
        studies=studies,
    )


def prepared(sections: Sequence[Section]) -> list[Section]:
    """Returns sections as the templates take them, with unique ids.

    Returns:
      The sections with an id, a title of the table, and svg trusted.

    Raises:
      ValueError: If a drawing has no text alternative.
    """
    return [_prepared(f"study-{n}", one) for n, one in enumerate(sections, 1)]


def contents(studies: Sequence[Section]) -> list[tuple[str, str]]:
    """Returns id and name of each section, for the page's contents."""
    return [(one.id, one.title) for one in studies]


def _prepared(id_: str, one: Section) -> Section:
    if one.svg and not one.alt:
        raise ValueError(f"the figure of {one.title!r} has no text alternative")
    return replace(
        one,
        id=id_,
        svg=trusted(with_ids_of(one.svg, id_)) if one.svg else "",
        table=replace(one.table, title=f"Numbers: {one.title}"),
    )

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

    Everything but `svg`, a drawing of `report.figures`, is data and will be escaped.
    The claim is what is said of the cells elsewhere, the sentence what the numbers say
    of it, and notes what was held fixed or left out, a sentence each. `alt` says in
    words what the drawing shows, the command repeats the study, `link` is the address
    of its interactive page, relative to the page of the section, and `prepared` gives
    the id.
    """

    title: str
    claim: str = ""
    sentence: str = ""
    notes: tuple[str, ...] = ()
    svg: str = ""
    alt: str = ""
    table: Table = NO_TABLE
    command: str = ""
    link: str = ""
    id: str = ""


def sections_page(title: str, sections: Sequence[Section], note: str = "") -> str:
    """Returns the HTML of a page of sections.

    Style, script and policy are those of a comparison's page. The title is at the top
    and in the tab; the note is a paragraph below, such as on what data and how often.
    """
    studies = prepared(sections)
    words = {"title": title, "note": note, "sections": contents(studies)}
    return render("sections.html", studies=studies, **words)


def prepared(sections: Sequence[Section]) -> list[Section]:
    """Returns sections as templates take them: unique ids, tables titled, svg trusted.

    Raises:
      ValueError: If a drawing has no text alternative.
    """
    found = []
    for number, one in enumerate(sections, 1):
        if one.svg and not one.alt:
            raise ValueError(f"the figure of {one.title!r} has no text alternative")
        id_ = f"study-{number}"
        svg = trusted(with_ids_of(one.svg, id_)) if one.svg else ""
        table = replace(one.table, title=f"Numbers: {one.title}")
        found.append(replace(one, id=id_, svg=svg, table=table))
    return found


def contents(studies: Sequence[Section]) -> list[tuple[str, str]]:
    """Returns id and name of each section, for the page's contents."""
    return [(one.id, one.title) for one in studies]

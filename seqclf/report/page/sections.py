"""What a study found, as sections: behind a comparison, or on a page of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seqclf.report.page.render import Record, render, table, trusted
from seqclf.report.svg import with_ids_of

Section = Mapping[str, Any]
FIELDS = ("title", "claim", "sentence", "notes", "alt", "command")


def sections_page(title: str, sections: Sequence[Section], note: str = "") -> str:
    """Returns the HTML of a page that holds nothing but sections.

    Style, script and policy are those of a comparison's page.

    Args:
      title: Stands at the top and in the tab.
      sections: Records, see `prepared`.
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


def prepared(sections: Sequence[Section]) -> list[Record]:
    """Returns sections as the templates take them, each with ids of its own.

    Everything but `svg` is data and will be escaped. What is empty is left out.

    Args:
      sections: Records of title; claim, what is said of the cells elsewhere; sentence,
        what the numbers say of it; notes, what was held fixed or left out, a sentence
        each; svg, a drawing of `report.figures`, and alt, what
        it shows in words; table, with header and rows, texts; command, what to type to
        do it again.

    Returns:
      The records with an id, table ready, and svg trusted.

    Raises:
      ValueError: If a drawing has no text alternative.
    """
    return [_prepared(f"study-{n}", one) for n, one in enumerate(sections, 1)]


def contents(studies: Sequence[Record]) -> list[tuple[str, str]]:
    """Returns id and name of each section, for the page's contents."""
    return [(one["id"], one["title"]) for one in studies]


def _prepared(id_: str, one: Section) -> Record:
    if one["svg"] and not one["alt"]:
        raise ValueError(f"the figure of {one['title']!r} has no text alternative")
    numbers, caption = one["table"], f"Numbers: {one['title']}"
    return {
        "id": id_,
        **{key: one[key] for key in FIELDS},
        "svg": trusted(with_ids_of(one["svg"], id_)) if one["svg"] else "",
        "table": table(caption, numbers["header"], numbers["rows"]),
    }

"""A comparison in the cell of a notebook, as a part of its page."""

from __future__ import annotations

from seqclf.records.comparison import ComparisonResult
from seqclf.report import figures
from seqclf.report.page.render import fragment, trusted
from seqclf.report.tables import tables_of


def notebook_html(result: ComparisonResult) -> str:
    """Returns verdict, scores and their figure; the other tables are folded."""
    first, *others = tables_of(result).values()
    return fragment(
        "notebook.html",
        verdict=result.verdict,
        missing=result.missing,
        first=first,
        others=others,
        svg=trusted(figures.accuracies(result.rows)),
    )

"""A comparison in the cell of a notebook, as a part of its page."""

from __future__ import annotations

import hashlib

from seqclf.records.comparison import ComparisonResult
from seqclf.report import figures
from seqclf.report.page.render import fragment, trusted
from seqclf.report.svg import with_ids_of
from seqclf.report.tables import tables_of


def notebook_html(result: ComparisonResult) -> str:
    """Returns verdict, scores and their figure; the other tables are folded."""
    first, *others = tables_of(result).values()
    # A notebook may show several comparisons, whose ids must differ.
    said = f"{result.verdict}{result.date}{result.rows}"
    name = f"seqclf-{hashlib.sha256(said.encode()).hexdigest()[:8]}"
    return fragment(
        "notebook.html",
        name=name,
        verdict=result.verdict,
        missing=result.missing,
        first=first,
        others=others,
        svg=trusted(with_ids_of(figures.accuracies(result.rows), name)),
    )

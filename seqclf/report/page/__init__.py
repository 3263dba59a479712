"""Pages in HTML: one file each, no network, from saved files only."""

from seqclf.report.page.comparison_page import drawings, of_rows, page, word_order_said
from seqclf.report.page.notebook import notebook_html
from seqclf.report.page.sections import sections_page

__all__ = [
    "drawings",
    "notebook_html",
    "of_rows",
    "page",
    "sections_page",
    "word_order_said",
]

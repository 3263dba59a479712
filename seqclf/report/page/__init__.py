"""Pages in HTML: one file each, no network, from saved files only."""

from seqclf.report.page.comparison_page import page, word_order_said
from seqclf.report.page.sections import sections_page

__all__ = ["page", "sections_page", "word_order_said"]

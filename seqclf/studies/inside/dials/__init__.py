"""The bench of `flow` as an offline page: dials move the curves, computed in it."""

from seqclf.studies.inside.dials.page import PAGE_FILE, dials_page

__all__ = ["PAGE_FILE", "dials_page"]

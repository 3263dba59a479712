"""What tutorials and papers claim about these cells, each claim with its judge.

A claim names a study and a function that judges the study's findings. One training of
each cell is enough for what is measured inside a model; claims about the cells'
accuracy need several.
"""

from seqclf.studies.claims.ruling import (
    CONTRADICTED,
    DEPENDS,
    EQUAL,
    SUPPORTED,
    UNDECIDED,
    Ruling,
    all_of,
    by_interval,
)
from seqclf.studies.claims.table import CLAIMS, Claim

__all__ = [
    "CLAIMS",
    "CONTRADICTED",
    "DEPENDS",
    "EQUAL",
    "SUPPORTED",
    "UNDECIDED",
    "Claim",
    "Ruling",
    "all_of",
    "by_interval",
]

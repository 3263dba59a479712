"""What tutorials and papers claim about these cells, each claim with its judge.

A claim names a study and a function that judges the study's findings. One training of
each cell is enough for what is measured inside a model; claims about the cells'
accuracy need several.
"""

from seqclf.studies.claims.ruling import (
    CONTRADICTED,
    EQUAL,
    NOT_JUDGED,
    NOT_RUN,
    SUPPORTED,
    UNDECIDED,
    Ruling,
    agreed,
    all_of,
    by_interval,
    by_ratio,
    depends_on,
)
from seqclf.studies.claims.table import CLAIMS, Claim

__all__ = [
    "CLAIMS",
    "CONTRADICTED",
    "EQUAL",
    "NOT_JUDGED",
    "NOT_RUN",
    "SUPPORTED",
    "UNDECIDED",
    "Claim",
    "Ruling",
    "agreed",
    "all_of",
    "by_interval",
    "by_ratio",
    "depends_on",
]

"""How sure a difference is: of two models on the same texts, or of two cells.

Two questions, never mixed. *These two trained models*: which is better on such texts
(`models`). *These cells*: which is better on such texts, trained again and again
(`cells`; `settling` tells what would decide it). Better is to be right more often, or
what else is the mean of a value of each text. Only the second may
say that one cell is better than another; docs/statistics.md argues and calibrates it.
`folds` knows of cross-validation.
`ranks` compares trainings by these and adjusts p-values, `data_sets` goes beyond one.
Where seeds are added until all is decided, `looks` says what each look may spend, and
`allocation` which cell gets the next seed.
"""

from seqclf.statistics.allocation import (
    OpenPair,
    Sampled,
    next_seeds,
    round_size,
    steadied,
)
from seqclf.statistics.cells import cells_difference, crossed_mean, variances
from seqclf.statistics.data_sets import Overall, overall
from seqclf.statistics.estimate import CONFIDENCE, Estimate
from seqclf.statistics.folds import over_folds
from seqclf.statistics.looks import adjusted, share_of_look
from seqclf.statistics.models import (
    RESAMPLES,
    mcnemar_mid_p,
    paired_bootstrap,
    texts_mean,
)
from seqclf.statistics.ranks import (
    GREATER,
    LESS,
    TWO_SIDED,
    holm,
    over_texts,
    rank_test,
    sign_test,
)
from seqclf.statistics.settling import is_within_reach, ranks_to_settle, to_settle

__all__ = [
    "CONFIDENCE",
    "GREATER",
    "LESS",
    "RESAMPLES",
    "Estimate",
    "OpenPair",
    "Overall",
    "TWO_SIDED",
    "Sampled",
    "adjusted",
    "cells_difference",
    "crossed_mean",
    "holm",
    "is_within_reach",
    "mcnemar_mid_p",
    "next_seeds",
    "over_texts",
    "over_folds",
    "overall",
    "paired_bootstrap",
    "rank_test",
    "ranks_to_settle",
    "round_size",
    "share_of_look",
    "sign_test",
    "steadied",
    "texts_mean",
    "to_settle",
    "variances",
]

"""Which trainings failed: the one definition of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqclf.data.dataset import VALIDATION
from seqclf.runs import Run

LEAST_OF_LEAD = 0.5  # of the median of the cell's seeds


def failed_seeds(group: Sequence[Run]) -> tuple[int, ...]:
    """Returns the seeds of one cell whose training failed, as validation shows.

    It failed if it is not above always guessing the commonest label of validation, or
    less than half as far above that as the median of the cell's seeds. To be below
    another cell is a result, and no failure.
    """
    seeds = [run.config.training.seed for run in group]
    scores = [run.metrics[VALIDATION] for run in group]
    # Of each its own, for each may hold out other texts.
    chance = [max(label.support for label in one.per_label) / one.n for one in scores]
    leads = np.array([one.accuracy for one in scores]) - np.array(chance)
    has_failed = (leads <= 0) | (leads < LEAST_OF_LEAD * np.median(leads))
    return tuple(np.array(seeds)[has_failed].tolist())

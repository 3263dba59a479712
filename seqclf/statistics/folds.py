"""Cross-validation: a mean over folds, whose training sets overlap."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from seqclf.statistics.estimate import Estimate


def over_folds(values: Sequence[float], folds: int) -> Estimate:
    """Estimates a mean over other texts to learn from and to test on.

    Folds share most of what they learn from, so their values hang together, and their
    variance alone is too small for that of their mean. To 1 / J, for J values, the
    share of tested to trained texts is added, 1 / (K - 1) for K folds (Nadeau & Bengio
    2003, Machine Learning 52:239; of repeated cross-validation Bouckaert & Frank 2004).
    More repetitions of the same folds take that part no further.

    Args:
      values: One of each fold and repetition: a score, or the difference of two models
        on the same texts.
      folds: K, two at least.

    Returns:
      The estimate, with J - 1 degrees of freedom.

    Raises:
      ValueError: If there are fewer than two values, or folds.
    """
    count = len(values)
    if min(count, folds) < 2:
        raise ValueError(f"needs two values and two folds, got {count} and {folds}")
    variance = float(np.var(values, ddof=1)) * (1 / count + 1 / (folds - 1))
    return Estimate(
        float(np.mean(values)), math.sqrt(variance), 1.0, count - 1, count - 1
    )

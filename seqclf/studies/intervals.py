"""Accuracies and their differences with intervals, of one seed or of several."""

from __future__ import annotations

import numpy as np

from seqclf import statistics
from seqclf.comparison.pairs import Right, accuracy_interval, compare_models
from seqclf.metrics import wilson
from seqclf.studies.question import Record


def accuracy(right: Right) -> Record:
    """Returns a cell's mean accuracy with its 95 % interval.

    Args:
      right: bool [texts] by seed.

    Returns:
      accuracy, and low and high: over seeds and texts; of one seed, over texts.
    """
    values = np.array(list(right.values()))
    if len(values) > 1:
        low, high = accuracy_interval(right)
    else:
        low, high = wilson(int(values.sum()), values.size)
    return {"accuracy": float(values.mean()), "low": low, "high": high}


def difference(first: Right, second: Right) -> Record:
    """Returns by how much the first is right more often, paired on the same texts.

    Args:
      first: bool [texts] by seed.
      second: The same seeds and texts.

    Returns:
      difference, and its 95 % interval low, high: over seeds and texts; of one seed,
      over texts.
    """
    seeds = sorted(first)
    if len(seeds) == 1:
        model = compare_models(first[seeds[0]], second[seeds[0]])
        return {key: model[key] for key in ("difference", "low", "high")}
    values = np.array([first[s].astype(np.int8) - second[s] for s in seeds])
    low, high = statistics.crossed_mean(values).interval()
    mean = float(values.mean(dtype=np.float64))
    return {"difference": mean, "low": max(low, -1.0), "high": min(high, 1.0)}

"""Accuracies and their differences with intervals, of one seed or of several."""

from __future__ import annotations

import numpy as np

from seqclf import statistics
from seqclf.comparison.pairs import Right, accuracy_interval, compare_models
from seqclf.metrics import wilson
from seqclf.records.details import Reach
from seqclf.records.sweeps import Difference

CELLS, MODELS = "cells", "models"  # what a difference is said of


def accuracy(right: Right) -> Reach:
    """Returns a cell's mean accuracy with its 95 % interval.

    Args:
      right: bool [texts] by seed.

    Returns:
      The interval is over seeds and texts; of one seed, over texts.
    """
    values = np.array(list(right.values()))
    if len(values) > 1:
        low, high = accuracy_interval(right)
    else:
        low, high = wilson(int(values.sum()), values.size)
    return Reach(accuracy=float(values.mean()), low=low, high=high)


def p_of_guessing(right: Right, chance: float) -> float:
    """Returns the p, one-sided, of being right so often by guessing.

    Args:
      right: bool [texts] by seed; guessers are right on texts of their own each.
      chance: Accuracy of a guess, in (0, 1).
    """
    from scipy.stats import binomtest

    values = np.array(list(right.values()))
    test = binomtest(int(values.sum()), values.size, chance, alternative="greater")
    return float(test.pvalue)


def difference(a: Right, b: Right) -> Difference:
    """Compares two groups of trained models on the same texts.

    Args:
      a: Which test texts the first has right, by seed.
      b: The same of the second, of the same seeds.

    Returns:
      That of a over b; p is not adjusted. It is of CELLS, over seeds and texts, see
      `crossed_mean`; or of MODELS, where there is one seed: the bootstrap and McNemar's
      test of two models, which tell nothing of another training.
    """
    seeds = sorted(a)
    if len(seeds) == 1:
        one = compare_models(a[seeds[0]], b[seeds[0]])
        return Difference(
            difference=one.difference,
            low=one.low,
            high=one.high,
            p=one.mcnemar_p,
            of=MODELS,
        )
    values = np.array([a[seed].astype(np.int8) - b[seed] for seed in seeds])
    estimate = statistics.crossed_mean(values)
    low, high = estimate.interval()
    return Difference(
        difference=estimate.mean,
        low=max(low, -1.0),
        high=min(high, 1.0),
        p=estimate.p,
        of=CELLS,
    )

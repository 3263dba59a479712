"""Estimates with their intervals: accuracies, differences, means over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from seqclf import statistics
from seqclf.comparison.pairs import Right, accuracy_interval, compare_models
from seqclf.metrics import wilson
from seqclf.records.details import Reach
from seqclf.records.estimates import Difference, Mean
from seqclf.records.sweeps import Correlation, SpreadPair, Variant

Tested = TypeVar("Tested", Difference, Variant, SpreadPair, Correlation)
CELLS, MODELS = "cells", "models"  # what a difference is about


def accuracy(right: Right) -> Reach:
    """Returns a cell's mean accuracy with its 95 % interval, from bool [texts] by seed.

    The interval is over seeds and texts; of one seed, over texts.
    """
    values = np.array(list(right.values()))
    if len(values) > 1:
        low, high = accuracy_interval(right)
    else:
        low, high = wilson(int(values.sum()), values.size)
    return Reach(accuracy=float(values.mean()), low=low, high=high)


def p_of_guessing(right: Right, chance: float) -> float:
    """Returns the one-sided p of being right so often by independent guesses."""
    from scipy.stats import binomtest

    values = np.array(list(right.values()))
    test = binomtest(int(values.sum()), values.size, chance, alternative="greater")
    return float(test.pvalue)


def difference(a: Right, b: Right, among: Sequence[Right] = ()) -> Difference:
    """Returns the difference in accuracy of a less b, two trainings, on the same texts.

    Args:
      a: Which test texts the first has right, bool [texts] by seed.
      b: The same of the second.
      among: All groups of the study that are judged together, see `cells_difference`.

    Returns:
      Of CELLS, over seeds and texts, see `cells_difference` and, where nothing varies
      in few texts, `Estimate.at_least`; with one seed of MODELS:
      the bootstrap and McNemar's test of two models, which say nothing about another
      training. p is not adjusted.
    """
    if min(len(a), len(b)) == 1:
        return _of_models(a, b)
    right_a, right_b, *others = (np.array(list(r.values())) for r in (a, b, *among))
    found = statistics.cells_difference(right_a, right_b, others)
    return _of_cells(found.at_least(right_a.shape[1]))


def own_difference(a: Right, b: Right) -> Difference:
    """Returns the difference of the same models' answers to two forms of the texts.

    As `difference`, but the seeds are those of the same trainings: see `crossed_mean`.
    """
    if len(a) == 1:
        return _of_models(a, b)
    values = np.array([a[seed].astype(np.int8) - b[seed] for seed in sorted(a)])
    return _of_cells(statistics.crossed_mean(values).at_least(values.shape[1]))


def _of_models(a: Right, b: Right) -> Difference:
    seed = min(a)
    one = compare_models(a[seed], b[seed])
    return Difference(
        difference=one.difference, low=one.low, high=one.high, p=one.own_p,
        of=MODELS,
    )  # fmt: skip


def _of_cells(estimate: statistics.Estimate) -> Difference:
    low, high = estimate.interval()
    return Difference(
        difference=estimate.mean, low=max(low, -1.0), high=min(high, 1.0), p=estimate.p,
        of=CELLS,
    )  # fmt: skip


def adjusted(records: Sequence[Tested]) -> list[Tested]:
    """Returns records with their p-values, where they have one, adjusted by Holm."""
    p_values = [one.p for one in records if one.p is not None]
    by_holm = iter(statistics.holm(p_values))
    return [one if one.p is None else replace(one, p=next(by_holm)) for one in records]


def student_mean(values: Sequence[float]) -> Mean:
    """Returns the mean of independent values with Student's interval.

    A single value has no interval.
    """
    from scipy.stats import t

    mean = float(np.mean(values))
    if len(values) < 2:
        return Mean(mean=mean)
    error = float(np.std(values, ddof=1)) / len(values) ** 0.5
    reach = float(t.isf((1 - statistics.CONFIDENCE) / 2, len(values) - 1)) * error
    return Mean(mean=mean, low=mean - reach, high=mean + reach)


def welch_difference(a: Sequence[float], b: Sequence[float]) -> Mean:
    """Returns the mean of a less that of b, independent values, with Welch's interval.

    Welch 1947, Biometrika 34:28. Of a single value on one side there is no interval.
    """
    from scipy.stats import t

    mean = float(np.mean(a) - np.mean(b))
    if min(len(a), len(b)) < 2:
        return Mean(mean=mean)
    parts = [(float(np.var(one, ddof=1)) / len(one), len(one) - 1) for one in (a, b)]
    variance = sum(part for part, _ in parts)
    if not variance:  # no value varies
        return Mean(mean=mean, low=mean, high=mean)
    freedom = variance**2 / sum(part**2 / own for part, own in parts)
    quantile = float(t.isf((1 - statistics.CONFIDENCE) / 2, freedom))
    reach = quantile * variance**0.5
    return Mean(mean=mean, low=mean - reach, high=mean + reach)


def middle(drawn: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """Returns the bounds of the middle 95 % of resampled values."""
    tail = (1 - statistics.CONFIDENCE) / 2
    low, high = np.quantile(np.asarray(drawn, np.float64), [tail, 1 - tail])
    return float(low), float(high)

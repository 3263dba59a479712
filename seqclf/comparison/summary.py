"""A score of a row: the mean over its seeds, and how far it reaches."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from seqclf import statistics
from seqclf.comparison.metric import ACCURACY, EXAMPLE_F1, Metric, Values
from seqclf.comparison.pairs import accuracy_interval
from seqclf.metrics import wilson
from seqclf.records.comparison import AccuracySummary
from seqclf.records.scores import Scores

# Test texts of a label: with five, intervals of macro F1 and log loss hold in 84 to
# 91 % instead of 95, with fifteen in 91 to 98: docs/statistics.md has the simulations.
FEWEST_OF_LABEL = 10


def summary(
    test: Sequence[Scores],
    metric: Metric,
    values: Values,
    failing: Collection[int],
    folds: int | None = None,
) -> AccuracySummary:
    """Returns the scores of all seeds in a metric, with their interval.

    Args:
      test: Of the trainings of a row.
      metric: What is told of them.
      values: By seed, see `Metric.gains`, in the same order.
      failing: Seeds of which the training failed.
      folds: How many there are, where each seed tested on one of them.
    """
    each = [float(getattr(scores, metric.field)) for scores in test]
    lasting = [
        one for one, seed in zip(each, values, strict=True) if seed not in failing
    ]
    low, high = (None, None) if failing else _interval(test, values, metric, folds)
    return AccuracySummary(
        mean=float(np.mean(each)),
        low=low,
        high=high,
        least=min(each),
        most=max(each),
        median=float(np.median(each)) if failing else None,
        of_others=float(np.mean(lasting)) if failing and lasting else None,
    )


def _interval(
    test: Sequence[Scores], values: Values, metric: Metric, folds: int | None
) -> tuple[float | None, float | None]:
    """Returns the 95 % interval of a row's score, see `AccuracySummary`."""
    by_folds = folds is not None and len(values) > 1
    if metric not in (ACCURACY, EXAMPLE_F1):
        tested = test if by_folds else test[:1]
        support = np.sum([[o.support for o in one.per_label] for one in tested], axis=0)
        if support[support > 0].min() < FEWEST_OF_LABEL:
            return None, None
    if folds is not None and by_folds:
        each = [float(one.mean()) for one in values.values()]
        return _ends(statistics.over_folds(each, folds), metric)
    by_seed = np.array(list(values.values()))
    seeds, texts = by_seed.shape
    if metric is ACCURACY:
        several = min(seeds, texts) > 1
        counts = round(float(by_seed.mean(axis=1).mean()) * texts), texts
        return accuracy_interval(values) if several else wilson(*counts)
    if texts < 2:
        return None, None
    mean = statistics.crossed_mean(by_seed) if seeds > 1 else None
    estimate = mean or statistics.texts_mean(by_seed[0])
    return _ends(estimate, metric)


def _ends(
    estimate: statistics.Estimate, metric: Metric
) -> tuple[float | None, float | None]:
    """Returns the interval of an estimate, None where nothing varies."""
    if not estimate.standard_error:
        return None, None
    low, high = sorted(metric.sign * end for end in estimate.interval())
    return max(low, 0.0), min(high, metric.most)

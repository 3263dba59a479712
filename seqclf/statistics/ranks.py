"""Tests of trainings by their ranks, and of several questions at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

RANK_RESAMPLES = 20_000


def rank_test(a: Sequence[float], b: Sequence[float]) -> float:
    """Returns the exact two-sided p of Mann & Whitney's rank test of two samples.

    Ties are allowed for: the distribution is that of all ways to divide the values, or
    of 20,000 of them where there are more.
    """
    from scipy.stats import PermutationMethod, mannwhitneyu

    ways = PermutationMethod(n_resamples=RANK_RESAMPLES, rng=np.random.default_rng(0))
    return float(min(mannwhitneyu(a, b, method=ways).pvalue, 1.0))


def sign_test(values: Sequence[float], fixed: float) -> float:
    """Returns the exact two-sided p of values that lie above and below a fixed one."""
    from scipy.stats import binomtest

    above = sum(value > fixed for value in values)
    apart = above + sum(value < fixed for value in values)
    return float(binomtest(above, apart).pvalue) if apart else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusts p-values for their number (Holm 1979, Scand. J. Stat. 6:65)."""
    adjusted, largest = [0.0] * len(p_values), 0.0
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    for rank, index in enumerate(order):
        largest = max(largest, min((len(p_values) - rank) * p_values[index], 1.0))
        adjusted[index] = largest
    return adjusted

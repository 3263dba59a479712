"""Tests of trainings by their ranks, and of several questions at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

RANK_RESAMPLES = 20_000
# Two-sided p-values, or those of "a is greater", or less.
TWO_SIDED, GREATER, LESS = "two-sided", "greater", "less"
# Shifts, in standard errors: a tenth apart, as far as a normal variable goes. None is
# 0, where trainings of two cells may tie.
SHIFTS = np.linspace(-4, 4, 80)


def rank_test(a: Sequence[float], b: Sequence[float], side: str = TWO_SIDED) -> float:
    """Returns the exact p of Mann & Whitney's rank test of two samples.

    `side` says of what: that they differ, or that a is `greater` or `less`. Where a
    value of one is that of the other, ties are allowed for: the distribution is that of
    all ways to divide the values, or of 20,000 of them where there are more.
    """
    from scipy.stats import PermutationMethod, mannwhitneyu

    method: PermutationMethod | str = "exact"  # without ties, and quick
    if {*a} & {*b}:
        rng = np.random.default_rng(0)
        method = PermutationMethod(n_resamples=RANK_RESAMPLES, rng=rng)
    return float(min(mannwhitneyu(a, b, alternative=side, method=method).pvalue, 1.0))


def over_texts(test: Callable[[float, str], float], error: float) -> float:
    """Averages p over what other test texts would make of a difference.

    Ranks of trainings know these test texts alone: of many trainings of equal cells
    they tell apart what suits these texts a little better. So the p-value of each side
    is averaged, as a predictive one is (Meng 1994, Ann. Stat. 22:1142), over shifts of
    a that are normal; p is twice the smaller.

    Args:
      test: From a shift of a, and a side, to p.
      error: Standard error of the difference over texts, 0 or more.

    Returns:
      p in (0, 1].
    """
    if not error:
        return test(0.0, TWO_SIDED)
    weights = np.exp(-(SHIFTS**2) / 2)
    shifts = (error * SHIFTS).tolist()
    of_side = [
        float(np.average([test(shift, side) for shift in shifts], weights=weights))
        for side in (GREATER, LESS)
    ]
    return min(2 * min(of_side), 1.0)


def sign_test(values: Sequence[float], fixed: float, side: str = TWO_SIDED) -> float:
    """Returns the exact p of values that lie above and below a fixed one.

    `side` is as in `rank_test`: that they are `greater` than it, or `less`.
    """
    from scipy.stats import binomtest

    above = sum(value > fixed for value in values)
    apart = above + sum(value < fixed for value in values)
    return float(binomtest(above, apart, alternative=side).pvalue) if apart else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusts p-values for their number (Holm 1979, Scand. J. Stat. 6:65)."""
    adjusted, largest = [0.0] * len(p_values), 0.0
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    for rank, index in enumerate(order):
        largest = max(largest, min((len(p_values) - rank) * p_values[index], 1.0))
        adjusted[index] = largest
    return adjusted

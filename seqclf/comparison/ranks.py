"""Two rows by the ranks of their trainings: how many beat how many, and their p."""

from __future__ import annotations

from collections.abc import Sequence

from seqclf import statistics
from seqclf.comparison.metric import Values
from seqclf.records.comparison import Superiority

TURNED = {statistics.GREATER: statistics.LESS, statistics.LESS: statistics.GREATER}


def superiority(values_a: Values, values_b: Values) -> Superiority:
    """Counts how many trainings of a beat how many of b, each with each, with p."""
    a, b = trainings(values_a), trainings(values_b)
    return Superiority(ahead=ahead_of(a, b), pairs=len(a) * len(b), p=p_of_ranks(a, b))


def ahead_of(a: Sequence[float], b: Sequence[float]) -> float:
    """Counts in how many pairs a is ahead of b, equal ones half."""
    return sum((x > y) + (x == y) / 2 for x in a for y in b)


def p_of_ranks(
    a: Sequence[float], b: Sequence[float], side: str = statistics.TWO_SIDED
) -> float:
    """Returns p of all trainings of two rows, of which one may be fitted once."""
    if len(a) == 1:  # a is greater where b is less
        return statistics.sign_test(b, a[0], TURNED.get(side, side))
    if len(b) == 1:
        return statistics.sign_test(a, b[0], side)
    return statistics.rank_test(a, b, side)


def trainings(values: Values) -> list[float]:
    """Returns the scores; that of a baseline, the same under every seed, once.

    To twelve digits, for sums in another order are not quite the same.
    """
    once = {id(one): one for one in values.values()}
    return [round(float(one.mean()), 12) for one in once.values()]

"""How many more seeds or texts would decide a difference."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from seqclf.statistics.cells import cells_difference, variances
from seqclf.statistics.estimate import Estimate

MOST_SEEDS, MOST_ROWS = 100, 10_000_000  # beyond, nothing would settle it


def to_settle(
    a: np.ndarray,
    b: np.ndarray,
    level: float,
    margin: float | None = None,
    is_share: bool = True,
) -> tuple[int | None, int | None]:
    """Returns how many seeds of each cell, or texts, would decide the difference.

    That is if it stays as it is, and the other number too.

    Args:
      a: See `cells_difference`.
      b: Likewise.
      level: Which p must be below, of no difference or of one as large as the margin.
      margin: See `Estimate.p_within`; None asks of no difference alone.
      is_share: Whether values are shares of texts, see `Estimate.at_least`.

    Returns:
      Seeds in all, None if no number up to 100 would; and texts in all, rounded up to
      two digits, None if ten million would not.
    """
    seeds, rows = max(len(a), len(b)), a.shape[1]
    expected = _expectation(a, b, is_share)
    enough = (
        more
        for more in range(seeds, MOST_SEEDS + 1)
        if _decides(expected(more, rows), level, margin)
    )
    texts = (
        more
        for more in np.geomspace(rows, MOST_ROWS, 200).astype(int).tolist()
        if _decides(expected(seeds, more), level, margin)
    )
    found = next(texts, None)
    return next(enough, None), None if found is None else _rounded_up(found)


def is_within_reach(  # noqa: PLR0913 -- those of `to_settle`, and how many
    a: np.ndarray,
    b: np.ndarray,
    level: float,
    margin: float,
    most: float,
    is_share: bool = True,
) -> bool:
    """Tells whether so many seeds of each cell could decide a difference.

    They could if they would wherever the difference may be that many seeds would show,
    within two standard errors of the seeds: one that stays as it is, which `to_settle`
    asks of, is too much to ask of three trainings.

    Args:
      a: See `to_settle`; likewise the others.
      b: Likewise.
      level: Likewise.
      margin: Likewise.
      most: Seeds; infinitely many leave what the texts alone are unsure of.
      is_share: See `to_settle`.
    """
    found, rows = variances(a, b), a.shape[1]
    of_seeds = found.of_seeds + found.of_rest / rows
    unsure = 2 * math.sqrt(of_seeds / min(len(a), len(b)))
    expected = _expectation(a, b, is_share)(most, rows)
    mean = abs(expected.mean)
    return any(
        _decides(replace(expected, mean=size), level, margin)
        for size in (mean + unsure, max(mean - unsure, 0.0))
    )


def _rounded_up(number: int) -> int:
    """Rounds up to two digits."""
    digit = 10 ** max(len(str(number)) - 2, 0)
    return math.ceil(number / digit) * digit


def _expectation(
    a: np.ndarray, b: np.ndarray, is_share: bool
) -> Callable[[float, int], Estimate]:
    """Returns what to expect of so many seeds of each cell, and so many texts."""
    seen, found = cells_difference(a, b), variances(a, b)
    freedom = seen.freedom_of_seeds / (max(len(a), len(b)) - 1)

    def expected(seeds: float, rows: int) -> Estimate:
        of_seeds = found.of_seeds / seeds + found.of_rest / (seeds * rows)
        variance = of_seeds + found.of_rows / rows
        estimate = Estimate(
            seen.mean,
            math.sqrt(variance),
            of_seeds / variance if variance else 0.0,
            freedom * (seeds - 1),
            rows - 1,
            seen.weight,
        )
        return estimate.at_least(rows) if is_share else estimate

    return expected


def _decides(estimate: Estimate, level: float, margin: float | None) -> bool:
    """Tells whether `p` or `p_within` would be below a level."""
    size = abs(estimate.mean)
    if size > estimate.reach(level / 2):
        return True
    return margin is not None and margin - size > estimate.reach(level)


def ranks_to_settle(level: float) -> int:
    """Returns how many seeds of each cell the rank test needs to reach a level at all.

    Of n and n values that do not overlap, its p is 2 / (2n over n).
    """
    seeds = 2
    while 2 / math.comb(2 * seeds, seeds) >= level:
        seeds += 1
    return seeds

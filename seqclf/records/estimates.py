"""Estimates with their intervals, as the findings of studies have them.

`low` and `high` are the ends of a 95 % interval, None where a single training or too
few values give none; accuracies and differences are fractions, `p` tests that there is
no difference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanShare:
    """A mean share, such as an accuracy, with its interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """A mean over seeds, or a ratio of them, with its interval."""

    mean: float
    low: float | None = None
    high: float | None = None

    def mapped(self, function: Callable[[float], float]) -> Mean:
        """Returns the mean and its ends through an increasing function."""
        low = None if self.low is None else function(self.low)
        high = None if self.high is None else function(self.high)
        return Mean(mean=function(self.mean), low=low, high=high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A difference of two accuracies, the first less the second.

    `of` is `intervals.CELLS`, over seeds and texts, or `intervals.MODELS`, over texts.
    """

    difference: float
    low: float
    high: float
    p: float
    of: str

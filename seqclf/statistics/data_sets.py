"""Differences on several data sets, put together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqclf.statistics.estimate import CONFIDENCE


@dataclass(frozen=True, slots=True)
class Overall:
    """The mean of differences of a random sample of data sets.

    Attributes:
      mean: Weighted by how sure each is.
      standard_error: Its standard error.
      freedom: Degrees of freedom of Student's t.
      spread: Standard deviation of the true differences between data sets.
    """

    mean: float
    standard_error: float
    freedom: int
    spread: float

    def interval(self, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """Returns the bounds that hold the mean over all data sets."""
        from scipy.stats import t

        reach = float(t.isf((1 - confidence) / 2, self.freedom)) * self.standard_error
        return self.mean - reach, self.mean + reach

    def p_beyond(self, bound: float) -> float:
        """The one-sided p-value of a true mean at a bound, or on its other side."""
        from scipy.stats import t

        return float(t.sf(abs(self.mean - bound) / self.standard_error, self.freedom))

    def p_within(self, margin: float) -> float:
        """As `Estimate.p_within`."""
        beyond = self.p_beyond(math.copysign(margin, self.mean))
        return beyond if abs(self.mean) < margin else 1.0 - beyond


def overall(differences: Sequence[float], errors: Sequence[float]) -> Overall:
    """Puts the differences of several data sets together: random effects.

    Each varies by its standard error, and their true values between data sets, by as
    much as Paule & Mandel (1982, J. Res. NBS 87:377) estimate. The variance of the mean
    is Hartung & Knapp's (2001, Stat. Med. 20:3875), never taken to be smaller than
    without their factor (Roever, Knapp & Friede 2015, BMC Med. Res. Methodol. 15:99).

    Args:
      differences: Of two data sets, at least.
      errors: Their standard errors, above 0.
    """
    from scipy.optimize import brentq

    values, squares = np.array(differences, float), np.array(errors, float) ** 2
    freedom = len(values) - 1

    def excess(variance: float) -> float:
        return _scatter(values, 1 / (squares + variance)) - freedom

    most = float(values.var()) * len(values) + 1e-12
    between = brentq(excess, 0.0, most) if excess(0.0) > 0 else 0.0
    weights = 1 / (squares + between)
    factor = max(_scatter(values, weights) / freedom, 1.0)
    return Overall(
        float((weights * values).sum() / weights.sum()),
        math.sqrt(factor / weights.sum()),
        freedom,
        math.sqrt(between),
    )


def _scatter(values: np.ndarray, weights: np.ndarray) -> float:
    """Returns the weighted sum of squares about the weighted mean (Cochran's Q)."""
    mean = (weights * values).sum() / weights.sum()
    return float((weights * (values - mean) ** 2).sum())

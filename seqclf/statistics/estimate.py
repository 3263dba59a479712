"""A mean over seeds and texts, and how far it may be off."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

CONFIDENCE = 0.95
LEAST_TAIL = 1e-15  # smaller p-values are given as 0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean, or a difference of two, and how far it may be off.

    Attributes:
      mean: The mean, or the difference.
      standard_error: Its standard error, 0 if nothing varies.
      share_of_seeds: How much of the variance is that of the seeds, in [0, 1].
      freedom_of_seeds: Degrees of freedom with which that part was estimated.
      freedom_of_rows: The same of the texts' part.
      weight: How far its quantile is Satterthwaite's, in [0, 1]; the rest is Cochran's.
    """

    mean: float
    standard_error: float
    share_of_seeds: float
    freedom_of_seeds: float
    freedom_of_rows: int
    weight: float = 0.0

    def at_least(self, texts: int) -> Estimate:
        """Returns it with the error that a difference on so many texts has at least.

        What does not vary in a few texts may still vary in others: the error is that of
        two models with the same texts right, half a text added to each of the four
        counts (Agresti & Min 2005, Statistics in Medicine 24:729).
        """
        least = 1 / (texts + 2)
        return replace(self, standard_error=max(self.standard_error, least))

    def interval(self, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """Returns the bounds that hold the true mean with that confidence."""
        reach = self.reach((1 - confidence) / 2)
        return self.mean - reach, self.mean + reach

    def reach(self, tail: float) -> float:
        """Returns how far off it is to either side with that probability at most."""
        return self._quantile(tail) * self.standard_error

    @property
    def p(self) -> float:
        """The two-sided p-value of a true mean of 0, in [0, 1]."""
        return min(2 * self.tail(0.0), 1.0)

    def p_within(self, margin: float) -> float:
        """The p-value of a true mean that is off 0 by the margin or more.

        The larger of two one-sided tests (Schuirmann 1987, J. Pharmacokinet. Biopharm.
        15:657), at least 0.5 where the mean itself is.
        """
        bound = math.copysign(margin, self.mean)
        beyond = self.tail(bound)
        return beyond if abs(self.mean) < margin else 1.0 - beyond

    def tail(self, bound: float) -> float:
        """Returns the one-sided p-value of a true mean at, or beyond, a bound.

        It is the probability of so large a distance from it; in [0, 0.5].
        """
        from scipy.optimize import brentq

        if not self.standard_error:
            return 0.5 if self.mean == bound else 0.0
        seen = abs(self.mean - bound) / self.standard_error
        if self._quantile(LEAST_TAIL) < seen:
            return 0.0
        log_tail = brentq(
            lambda x: self._quantile(math.exp(x)) - seen,
            math.log(LEAST_TAIL),
            math.log(0.5),
        )
        return float(math.exp(log_tail))

    def _quantile(self, tail: float) -> float:
        """Returns how many standard errors leave a tail of that probability."""
        from scipy.special import stdtrit  # `t.isf` takes fifty times as long

        share = self.share_of_seeds
        of_seeds = -stdtrit(self.freedom_of_seeds, tail)
        of_rows = -stdtrit(self.freedom_of_rows, tail)
        cochran = share * of_seeds + (1 - share) * of_rows
        if not self.weight:
            return float(cochran)
        pooled = share**2 / self.freedom_of_seeds
        pooled += (1 - share) ** 2 / self.freedom_of_rows
        satterthwaite = -stdtrit(1 / pooled, tail)
        return float(self.weight * satterthwaite + (1 - self.weight) * cochran)

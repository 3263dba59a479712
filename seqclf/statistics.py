"""How sure a difference is: two models on the same texts, or two cells.

Two questions, never mixed. *These two trained models*: which is right more often on
such texts (`mcnemar_mid_p`, `paired_bootstrap`). *These cells*: which is right more
often on such texts, trained again and again (`crossed_mean` of their differences). Only
the second may say that one cell is better than another; docs/statistics.md argues and
calibrates it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 10_000
LEAST_TAIL = 1e-15  # smaller p-values are given as 0
MOST_SEEDS, MOST_ROWS = 100, 10_000_000  # beyond, nothing would settle it


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over seeds and texts, and how far it may be off.

    Attributes:
      mean: The mean.
      standard_error: Its standard error, 0 if nothing varies.
      share_of_seeds: How much of the variance is that of the seeds, in [0, 1].
      seeds: Seeds it rests on.
      rows: Texts it rests on.
    """

    mean: float
    standard_error: float
    share_of_seeds: float
    seeds: int
    rows: int

    def interval(self, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """Returns the bounds that hold the true mean with that confidence."""
        reach = self._quantile((1 - confidence) / 2) * self.standard_error
        return self.mean - reach, self.mean + reach

    @property
    def p(self) -> float:
        """The two-sided p-value of a true mean of 0, in [0, 1]."""
        from scipy.optimize import brentq

        if not self.standard_error:
            return 1.0 if not self.mean else 0.0
        seen = abs(self.mean) / self.standard_error
        if self._quantile(LEAST_TAIL) < seen:
            return 0.0
        log_tail = brentq(
            lambda x: self._quantile(math.exp(x)) - seen,
            math.log(LEAST_TAIL),
            math.log(0.5),
        )
        return float(min(2 * math.exp(log_tail), 1.0))

    def _quantile(self, tail: float) -> float:
        """Returns how many standard errors leave a tail of that probability."""
        return _cochran(tail, self.share_of_seeds, self.seeds, self.rows)


@dataclass(frozen=True, slots=True)
class Variances:
    """What values over seeds x texts vary with; each at least 0.

    Attributes:
      of_seeds: Variance between seeds.
      of_rows: Variance between texts.
      of_rest: Variance of the rest, of one seed on one text.
    """

    of_seeds: float
    of_rows: float
    of_rest: float


def crossed_mean(values: np.ndarray) -> Estimate:
    """Estimates the mean over the seeds and the texts that these are a sample of.

    Seeds and texts are crossed random effects: value = mean + seed + text + rest. The
    variance of the mean is estimated by (MS_seeds + MS_texts - MS_rest) / (seeds x
    texts), see Searle, Casella & McCulloch (1992), ch. 4; it is never taken to be
    smaller than either part alone. The quantile is that of Cochran & Cox (1957,
    Experimental Designs, 4.14): Student's quantiles for the seeds and for the texts,
    weighted by their parts of the variance. The usual one, Satterthwaite's, tells equal
    cells apart too often with three seeds.

    Args:
      values: [seeds, texts], at least 2 x 2. For the difference of two cells, 1 where
        only the first is right, -1 where only the second is, else 0.

    Returns:
      The estimate.

    Raises:
      ValueError: If there are fewer than two seeds or texts.
    """
    seeds, rows = values.shape
    if seeds < 2 or rows < 2:
        raise ValueError(f"needs two seeds and two texts, got {seeds} and {rows}")
    mean, squares = _mean_squares(values)
    of_seeds, of_rows, rest = (square / (seeds * rows) for square in squares)
    variance = max(of_seeds + of_rows - rest, of_seeds, of_rows)
    share = of_seeds / variance if variance else 0.0
    return Estimate(mean, math.sqrt(variance), share, seeds, rows)


def variances(values: np.ndarray) -> Variances:
    """Splits the variance of values [seeds, texts] as `crossed_mean` sees it."""
    seeds, rows = values.shape
    _, (of_seeds, of_rows, rest) = _mean_squares(values)
    return Variances(
        max(of_seeds - rest, 0.0) / rows, max(of_rows - rest, 0.0) / seeds, rest
    )


def _mean_squares(values: np.ndarray) -> tuple[float, tuple[float, float, float]]:
    """Returns the mean, and the mean squares of seeds, of texts and of the rest."""
    seeds, rows = values.shape
    by_seed = values.mean(axis=1, dtype=np.float64)
    by_row = values.mean(axis=0, dtype=np.float64)
    mean = float(by_seed.mean())
    of_seeds = rows * float(((by_seed - mean) ** 2).sum())
    of_rows = seeds * float(((by_row - mean) ** 2).sum())
    total = float((values.astype(np.float64) ** 2).sum()) - seeds * rows * mean**2
    rest = max(total - of_seeds - of_rows, 0.0)
    return mean, (
        of_seeds / (seeds - 1),
        of_rows / (rows - 1),
        rest / ((seeds - 1) * (rows - 1)),
    )


def mcnemar_mid_p(only_first: int, only_second: int) -> float:
    """Tests whether two models are right equally often on the same texts.

    The mid-p version of the exact test (Fagerland, Lydersen & Laake 2013, BMC Med.
    Res. Methodol. 13:91): the two-sided binomial p-value less half the probability of
    what was seen.

    Args:
      only_first: Texts that only the first model has right.
      only_second: Texts that only the second has right.

    Returns:
      The p-value in (0, 1].
    """
    from scipy.stats import binom

    discordant = only_first + only_second
    if not discordant:
        return 1.0
    fewer = min(only_first, only_second)
    tail = 2 * binom.cdf(fewer, discordant, 0.5) - binom.pmf(fewer, discordant, 0.5)
    return float(min(tail, 1.0))


def paired_bootstrap(
    only_first: int,
    only_second: int,
    rows: int,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> tuple[float, float]:
    """Returns the percentile bootstrap interval of a difference of two accuracies.

    Texts are drawn again with replacement, both models on the same ones (Efron &
    Tibshirani 1993, ch. 13). Only the counts matter, so they are drawn at once.

    Args:
      only_first: Texts that only the first model has right.
      only_second: Texts that only the second has right.
      rows: All texts.
      confidence: In (0, 1).
      seed: Seed of the draw.

    Returns:
      low and high, fractions; positive where the first model is better.
    """
    shares = np.array([only_first, only_second, rows - only_first - only_second]) / rows
    drawn = np.random.default_rng(seed).multinomial(rows, shares, RESAMPLES)
    differences = (drawn[:, 0] - drawn[:, 1]) / rows
    low, high = np.quantile(differences, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusts p-values for their number (Holm 1979, Scand. J. Stat. 6:65)."""
    adjusted, largest = [0.0] * len(p_values), 0.0
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    for rank, index in enumerate(order):
        largest = max(largest, min((len(p_values) - rank) * p_values[index], 1.0))
        adjusted[index] = largest
    return adjusted


def seeds_to_settle(values: np.ndarray, confidence: float = CONFIDENCE) -> int | None:
    """Returns how many seeds would tell the mean from 0, if it stays what it is.

    Args:
      values: [seeds, texts], see `crossed_mean`.
      confidence: Of the interval that shall leave 0 out.

    Returns:
      Seeds in all; None if no number up to 100 would.
    """
    seeds, rows = values.shape
    return _fewest(values, confidence, range(seeds, MOST_SEEDS + 1), rows_of=[rows])


def rows_to_settle(values: np.ndarray, confidence: float = CONFIDENCE) -> int | None:
    """Returns how many texts would tell the mean from 0, if it stays what it is.

    Returns:
      Texts in all, rounded up to two digits; None if ten million would not.
    """
    seeds, rows = values.shape
    steps = np.geomspace(rows, MOST_ROWS, 200).astype(int)
    found = _fewest(values, confidence, [seeds], rows_of=steps.tolist())
    if found is None:
        return None
    digit = 10 ** max(len(str(found)) - 2, 0)
    return math.ceil(found / digit) * digit


def _fewest(
    values: np.ndarray,
    confidence: float,
    seeds_of: Sequence[int],
    rows_of: Sequence[int],
) -> int | None:
    """Returns the first of the numbers under which the interval would leave 0 out."""
    found, mean = variances(values), abs(float(values.mean(dtype=np.float64)))
    for seeds in seeds_of:
        for rows in rows_of:
            by_seed = found.of_seeds / seeds + found.of_rest / (seeds * rows)
            variance = by_seed + found.of_rows / rows
            share = by_seed / variance if variance else 0.0
            quantile = _cochran((1 - confidence) / 2, share, seeds, rows)
            if mean > quantile * math.sqrt(variance):
                return rows if len(rows_of) > 1 else seeds
    return None


def _cochran(tail: float, share_of_seeds: float, seeds: int, rows: int) -> float:
    """Returns Student's upper quantiles of seeds and texts, weighted."""
    from scipy.stats import t

    of_seeds, of_rows = t.isf(tail, [seeds - 1, rows - 1])
    return float(share_of_seeds * of_seeds + (1 - share_of_seeds) * of_rows)

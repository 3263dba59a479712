"""How sure a difference is: two models on the same texts, or two cells.

Two questions, never mixed. *These two trained models*: which is right more often on
such texts (`mcnemar_mid_p`, `paired_bootstrap`). *These cells*: which is right more
often on such texts, trained again and again (`cells_difference`). Only the
second may say that one cell is better than another; docs/statistics.md argues and
calibrates it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 10_000
RANK_RESAMPLES = 20_000
LEAST_TAIL = 1e-15  # smaller p-values are given as 0
MOST_SEEDS, MOST_ROWS = 100, 10_000_000  # beyond, nothing would settle it


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
        from scipy.stats import t

        share = self.share_of_seeds
        of_seeds, of_rows = t.isf(tail, [self.freedom_of_seeds, self.freedom_of_rows])
        cochran = share * of_seeds + (1 - share) * of_rows
        if not self.weight:
            return float(cochran)
        pooled = share**2 / self.freedom_of_seeds
        pooled += (1 - share) ** 2 / self.freedom_of_rows
        satterthwaite = t.isf(tail, 1 / pooled)
        return float(self.weight * satterthwaite + (1 - self.weight) * cochran)


@dataclass(frozen=True, slots=True)
class Variances:
    """What a difference over seeds x texts varies with; each at least 0.

    Attributes:
      of_seeds: Variance between seeds, summed over the two cells.
      of_rows: Variance between texts.
      of_rest: Variance of the rest, of one seed on one text, summed likewise.
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
    weighted by their parts of the variance.

    Args:
      values: [seeds, texts], at least 2 x 2: of one cell, or of the difference of two
        answers of one and the same model.

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
    return Estimate(mean, math.sqrt(variance), share, seeds - 1, rows - 1)


def cells_difference(a: np.ndarray, b: np.ndarray) -> Estimate:
    """Estimates how much more often cell a is right than cell b, over seeds and texts.

    Two cells have no more in common with one seed than with two, so the seeds of each
    vary by themselves (Welch 1947, Biometrika 34:28), and the texts, which all models
    read, in the difference of the cells' means. The quantile lies between
    Satterthwaite's (1946, Biometrics Bulletin 2:110), for cells whose seeds vary alike,
    and Cochran's, as in `crossed_mean`, where one cell's seeds alone vary:
    docs/statistics.md has the simulations.

    Args:
      a: bool [seeds, texts], which texts each training has right, two texts at least.
      b: The same of the other cell; as many texts, perhaps other seeds. Of what is
        fitted once, such as a baseline, the same row again and again.

    Raises:
      ValueError: If one has fewer than two seeds, or there are fewer than two texts.
    """
    rows = a.shape[1]
    if min(len(a), len(b), rows) < 2:
        raise ValueError(
            f"needs two seeds and two texts, got {len(a)} and {len(b)} seeds and "
            f"{rows} texts"
        )
    parts = [_seed_part(one) for one in (a, b)]
    by_row = a.mean(axis=0, dtype=np.float64) - b.mean(axis=0, dtype=np.float64)
    of_rows = float(by_row.var(ddof=1)) / rows
    of_seeds = sum(part.variance for part in parts)
    rest = sum(part.rest for part in parts)
    variance = max(of_seeds + of_rows - rest, of_seeds, of_rows)
    freedom, weight = _freedom(parts)
    return Estimate(
        float(by_row.mean()),
        math.sqrt(variance),
        of_seeds / variance if variance else 0.0,
        freedom,
        rows - 1,
        weight,
    )


@dataclass(frozen=True, slots=True)
class _SeedPart:
    """What the seeds of one cell add to the variance of its mean accuracy.

    `rest` is how much of it that of the texts contains too; `freedom` are its degrees.
    """

    variance: float
    rest: float
    freedom: int


def _seed_part(values: np.ndarray) -> _SeedPart:
    seeds, rows = values.shape
    _, (of_seeds, _, rest) = _mean_squares(values)
    return _SeedPart(of_seeds / (seeds * rows), rest / (seeds * rows), seeds - 1)


def _freedom(parts: Sequence[_SeedPart]) -> tuple[float, float]:
    """Returns Welch's degrees of freedom of the seeds, and `Estimate.weight`.

    The weight is where they stand between those of one cell and those of both.
    """
    least, most = (f(part.freedom for part in parts) for f in (min, sum))
    squares = sum(part.variance**2 / part.freedom for part in parts)
    if not squares:  # no seed varies, and nothing hangs on it
        return most, 1.0
    freedom = sum(part.variance for part in parts) ** 2 / squares
    return freedom, (freedom - least) / (most - least)


def variances(a: np.ndarray, b: np.ndarray) -> Variances:
    """Splits the variance of a difference as `cells_difference` sees it."""
    parts, rows = [(one, _seed_part(one)) for one in (a, b)], a.shape[1]
    by_row = a.mean(axis=0, dtype=np.float64) - b.mean(axis=0, dtype=np.float64)
    rest = sum(part.rest for _, part in parts)
    return Variances(
        sum(max(part.variance - part.rest, 0.0) * len(one) for one, part in parts),
        max(float(by_row.var(ddof=1)) - rest * rows, 0.0),
        sum(part.rest * len(one) * rows for one, part in parts),
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


def ranks_to_settle(level: float) -> int:
    """Returns how many seeds of each cell the rank test needs to reach a level at all.

    Of n and n values that do not overlap, its p is 2 / (2n over n).
    """
    seeds = 2
    while 2 / math.comb(2 * seeds, seeds) >= level:
        seeds += 1
    return seeds


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusts p-values for their number (Holm 1979, Scand. J. Stat. 6:65)."""
    adjusted, largest = [0.0] * len(p_values), 0.0
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    for rank, index in enumerate(order):
        largest = max(largest, min((len(p_values) - rank) * p_values[index], 1.0))
        adjusted[index] = largest
    return adjusted


def to_settle(
    a: np.ndarray, b: np.ndarray, level: float, margin: float | None = None
) -> tuple[int | None, int | None]:
    """Returns how many seeds of each cell, or texts, would decide the difference.

    That is if it stays as it is, and the other number too.

    Args:
      a: See `cells_difference`.
      b: Likewise.
      level: Which p must be below, of no difference or of one as large as the margin.
      margin: See `Estimate.p_within`; None asks of no difference alone.

    Returns:
      Seeds in all, None if no number up to 100 would; and texts in all, rounded up to
      two digits, None if ten million would not.
    """
    seeds, rows = max(len(a), len(b)), a.shape[1]
    expected = _expectation(a, b)
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


def _rounded_up(number: int) -> int:
    """Rounds up to two digits."""
    digit = 10 ** max(len(str(number)) - 2, 0)
    return math.ceil(number / digit) * digit


def _expectation(a: np.ndarray, b: np.ndarray) -> Callable[[int, int], Estimate]:
    """Returns what to expect of so many seeds of each cell, and so many texts."""
    seen, found = cells_difference(a, b), variances(a, b)
    freedom = seen.freedom_of_seeds / (max(len(a), len(b)) - 1)

    def expected(seeds: int, rows: int) -> Estimate:
        of_seeds = found.of_seeds / seeds + found.of_rest / (seeds * rows)
        variance = of_seeds + found.of_rows / rows
        return Estimate(
            seen.mean,
            math.sqrt(variance),
            of_seeds / variance if variance else 0.0,
            freedom * (seeds - 1),
            rows - 1,
            seen.weight,
        )

    return expected


def _decides(estimate: Estimate, level: float, margin: float | None) -> bool:
    """Tells whether `p` or `p_within` would be below a level."""
    size = abs(estimate.mean)
    if size > estimate.reach(level / 2):
        return True
    return margin is not None and margin - size > estimate.reach(level)

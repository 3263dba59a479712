"""These two trained models: which is better on such texts."""

from __future__ import annotations

import math

import numpy as np

from seqclf.statistics.estimate import CONFIDENCE, Estimate

RESAMPLES = 10_000


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


def texts_mean(values: np.ndarray) -> Estimate:
    """Estimates the mean over the texts that these are a sample of, by Student's t.

    Args:
      values: float [texts], two at least: of one model, or what two models differ by on
        each text.

    Raises:
      ValueError: If there are fewer than two texts.
    """
    rows = len(values)
    if rows < 2:
        raise ValueError(f"needs two texts, got {rows}")
    error = float(values.std(ddof=1)) / math.sqrt(rows)
    # No seed varies here; 1 stands for degrees of freedom that nothing hangs on.
    return Estimate(float(values.mean()), error, 0.0, 1, rows - 1)

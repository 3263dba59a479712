"""What random trials of the settings show: expected best, spread, correlations."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from seqclf.comparison.pairs import SIGNIFICANCE
from seqclf.records.sweeps import Correlation, Deviation, Spread, SpreadPair
from seqclf.statistics import CONFIDENCE, RESAMPLES
from seqclf.studies.intervals import student_mean
from seqclf.studies.sweeps.sweep import adjusted

FEWEST_DRAWS = 6  # fewer are too few for an interval of a spread
QUARTILES = (0.25, 0.5, 0.75)


def expected_best(values: Sequence[float]) -> list[float]:
    """Returns the expected best of k = 1 ... n trials; the first is the mean.

    k trials are drawn with replacement from the n values; their maximum has the
    distribution F(v)^k (Dodge et al. 2019, arXiv:1909.03004).
    """
    ordered = np.sort(np.asarray(values, np.float64))
    n = len(ordered)
    ranks = np.arange(n + 1) / n  # of equal values together they sum to the same
    return [float(ordered @ np.diff(ranks**k)) for k in range(1, n + 1)]


def spreads(
    by_cell: Mapping[str, Sequence[float]],
) -> tuple[list[Spread], list[SpreadPair]]:
    """Returns how far the trials of each cell scatter, and each two cells compared.

    Two cells are compared by the mean distance from their medians (Brown & Forsythe
    1974, JASA 69:364), trial by trial, because both have the same trials; standard
    deviations of a few skewed values have no reliable interval.

    Args:
      by_cell: Accuracy of each trial, by cell, in the same order of trials.

    Returns:
      One a cell: the interval of quartile_range is by the bootstrap, that of the mean
      distance Student's. One a pair, with the p of Student's test. Intervals and p are
      None with fewer than six trials.
    """
    far = {cell: _distances(values) for cell, values in by_cell.items()}
    own = [_spread(cell, values, far[cell]) for cell, values in by_cell.items()]
    pairs = [
        SpreadPair(
            a=a, b=b, **asdict(_deviation(far[a] - far[b])), p=_p(far[a] - far[b])
        )
        for a, b in itertools.combinations(by_cell, 2)
    ]
    return own, adjusted(pairs)


def _spread(cell: str, values: Sequence[float], far: np.ndarray) -> Spread:
    first, middle, last = np.quantile(values, QUARTILES).tolist()
    low, high = _quartile_range(np.asarray(values, np.float64))
    return Spread(
        cell=cell,
        n=len(values),
        best=max(values),
        sd=float(np.std(values, ddof=1)),
        quartiles=(first, middle, last),
        quartile_range=last - first,
        quartile_range_low=low,
        quartile_range_high=high,
        **asdict(_deviation(far)),
    )


def _p(differences: np.ndarray) -> float | None:
    """Returns the p of Student's test that these are 0 on average; 1 if all are."""
    from scipy.stats import ttest_1samp

    if len(differences) < FEWEST_DRAWS:
        return None
    return float(ttest_1samp(differences, 0).pvalue) if differences.any() else 1.0


def _distances(values: Sequence[float]) -> np.ndarray:
    """Returns each value's distance from the median times n / (n - 1).

    The factor corrects for the median being taken of these very values.
    """
    n = len(values)
    return np.abs(np.asarray(values, np.float64) - np.median(values)) * n / (n - 1)


def _deviation(distances: np.ndarray) -> Deviation:
    found = student_mean(distances.tolist())
    if len(distances) < FEWEST_DRAWS:
        return Deviation(deviation=found.mean)
    return Deviation(
        deviation=found.mean, deviation_low=found.low, deviation_high=found.high
    )


def _quartile_range(values: np.ndarray) -> tuple[float, float] | tuple[None, None]:
    """Returns the percentile interval of the distance of the quartiles."""
    n = len(values)
    if n < FEWEST_DRAWS:
        return None, None
    drawn = values[np.random.default_rng(0).integers(n, size=(RESAMPLES, n))]
    first, last = np.quantile(drawn, [QUARTILES[0], QUARTILES[-1]], axis=1)
    tails = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    low, high = np.quantile(last - first, tails).tolist()
    return low, high


def correlations(
    settings: Mapping[str, Sequence[float]], values: Sequence[float]
) -> list[Correlation]:
    """Ranks settings by their correlation with accuracy, the strongest first.

    rho is None where nothing varies or with fewer than three trials, p with fewer than
    six.

    Args:
      settings: By name, the setting of each trial.
      values: Accuracy of each trial.
    """
    found = [_spearman(name, setting, values) for name, setting in settings.items()]
    return sorted(adjusted(found), key=lambda one: -abs(one.rho or 0.0))


def _spearman(
    name: str, setting: Sequence[float], values: Sequence[float]
) -> Correlation:
    from scipy.stats import spearmanr

    n = len(values)
    if n < 3 or len(set(setting)) == 1 or len(set(values)) == 1:
        return Correlation(setting=name, n=n)
    rho, p = spearmanr(setting, values)
    known = float(p) if n >= FEWEST_DRAWS else None
    return Correlation(setting=name, rho=float(rho), n=n, p=known)


def explaining(found: Sequence[Correlation]) -> Correlation | None:
    """Returns the strongest correlation, if it is significant."""
    first = found[0]
    return first if first.p is not None and first.p < SIGNIFICANCE else None

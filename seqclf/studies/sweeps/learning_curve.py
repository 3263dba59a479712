"""Learning curves: how the test error falls with the size of the training set.

With enough training examples to beat guessing, errors of neural networks fall as a
power of their number down to a floor (Hestness et al. 2017, arXiv:1712.00409):
error(n) = a n^-b + c.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqclf.records.sweeps import Crossing
from seqclf.statistics import CONFIDENCE
from seqclf.studies.intervals import middle

RESAMPLES = 500
FEWEST_SIZES, FEWEST_FOR_FLOOR = 3, 5  # below, the floor c is taken to be 0
STEEPEST = 5.0
# Of the resamples that must cross for a crossing to be reported; 1 less this is the
# most that may for it to be ruled out.
MOST_SHARE = 0.95
CROSSING, NO_CROSSING, UNDECIDED = "crossing", "none", "not decided"
_GRID = 512


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """The curve error(n) = a n^-b + c.

    Attributes:
      a: Error above the floor at one training text, > 0.
      b: The exponent, at least 0.
      c: The floor, a fraction; 0 where it was not fitted.
    """

    a: float
    b: float
    c: float

    def at(self, sizes: np.ndarray) -> np.ndarray:
        """Returns the error at so many training texts, float64 [sizes]."""
        found: np.ndarray = self.a * np.asarray(sizes, np.float64) ** -self.b + self.c
        return found


def fit(sizes: np.ndarray, errors: np.ndarray) -> PowerLaw | None:
    """Fits a power law by least squares of the error, all sizes weighted equally.

    Errors are fractions at each of the sizes: training texts, ascending, float [sizes].
    The curve has a floor from five sizes on; None with fewer than three, or if the fit
    does not converge.
    """
    from scipy.optimize import OptimizeWarning, curve_fit

    if len(sizes) < FEWEST_SIZES:
        return None
    middle = float(np.exp(np.log(sizes).mean()))  # makes a and b nearly independent
    x = np.asarray(sizes, np.float64) / middle
    start = [max(float(np.mean(errors)), 1e-6), 0.5]
    bounds: tuple[list[float], list[float]] = ([0.0, 0.0], [np.inf, STEEPEST])
    if len(sizes) >= FEWEST_FOR_FLOOR:
        start, bounds = [*start, 0.0], ([0.0, 0.0, 0.0], [np.inf, STEEPEST, 1.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OptimizeWarning)  # of the covariance, not used
        try:
            found, _ = curve_fit(_error, x, errors, start, bounds=bounds, jac=_slopes)
        except RuntimeError:  # no convergence
            return None
    a, b, *c = found.tolist()
    return PowerLaw(a * middle**b, b, c[0] if c else 0.0)


def _error(x: np.ndarray, a: float, b: float, c: float = 0.0) -> np.ndarray:
    return a * x**-b + c


def _slopes(x: np.ndarray, a: float, b: float, c: float | None = None) -> np.ndarray:
    """Returns the derivatives of `_error` by its parameters, [sizes, parameters]."""
    power = x**-b
    columns = [power, -a * np.log(x) * power]
    return np.stack([*columns, np.ones_like(x)] if c is not None else columns, axis=1)


def resampled_errors(
    wrong: np.ndarray, resamples: int = RESAMPLES, seed: int = 0
) -> np.ndarray:
    """Resamples training seeds and test texts, the same for all cells and sizes.

    Of s > 1 seeds, s - 1 are drawn with replacement, which makes the variance unbiased
    (Rao & Wu 1988, JASA 83:231). Percentiles of few draws are still too narrow, so the
    deviations of the drawn seeds are stretched by Student's quantile over the normal
    one. A single seed is not resampled.

    Args:
      wrong: bool [cells, sizes, seeds, texts].
      resamples: Number of resamples.
      seed: Seed of the draws.

    Returns:
      Errors, float64 [resamples, cells, sizes].
    """
    cells, sizes, seeds, texts = wrong.shape
    flat = wrong.reshape(-1, texts).astype(np.float32)
    generator = np.random.default_rng(seed)
    found = np.empty((resamples, cells, sizes))
    stretch = _stretch(seeds)
    for index in range(resamples):
        rows = np.bincount(generator.integers(texts, size=texts), minlength=texts)
        by_seed = (flat @ rows.astype(np.float32) / texts).reshape(cells, sizes, seeds)
        drawn = generator.integers(seeds, size=max(seeds - 1, 1))
        middle = by_seed.mean(axis=2)
        found[index] = middle + stretch * (by_seed[:, :, drawn].mean(axis=2) - middle)
    return np.clip(found, 0.0, 1.0)


def _stretch(seeds: int) -> float:
    """Returns Student's quantile over the normal one; 1 of a single seed."""
    from scipy.stats import norm, t

    if seeds == 1:
        return 1.0
    tail = (1 - CONFIDENCE) / 2
    return float(t.isf(tail, seeds - 1) / norm.isf(tail))


def crossing(
    first: PowerLaw, second: PowerLaw, least: float, most: float
) -> tuple[float, bool] | None:
    """Returns where two curves cross between two sizes, the last time if there are two.

    Beside the size, whether the first has the smaller error beyond it; None if they do
    not cross.
    """
    logs = np.linspace(np.log(least), np.log(most), _GRID)
    gaps = first.at(np.exp(logs)) - second.at(np.exp(logs))
    changes = np.flatnonzero(np.signbit(gaps[1:]) != np.signbit(gaps[:-1]))
    if not len(changes):
        return None
    place = int(changes[-1])
    left, right = gaps[place], gaps[place + 1]
    share = left / (left - right)
    log = logs[place] + share * (logs[place + 1] - logs[place])
    return float(np.exp(log)), bool(right < 0)


def crossing_of(
    laws: tuple[PowerLaw | None, PowerLaw | None],
    resampled: Sequence[tuple[PowerLaw | None, PowerLaw | None]],
    least: float,
    most: float,
) -> Crossing:
    """Judges whether two fitted curves cross between the `least` and the `most` texts.

    CROSSING if at least 95 % of the resamples cross in the same direction as the
    curves, NO_CROSSING if the curves do not and at most 5 % of the resamples do, else
    UNDECIDED.
    """
    if laws[0] is None or laws[1] is None or least >= most:
        return Crossing()
    here = crossing(laws[0], laws[1], least, most)
    drawn = [crossing(a, b, least, most) for a, b in resampled if a and b]
    alike = [d[0] for d in drawn if d and (here is None or d[1] == here[1])]
    share = len(alike) / max(len(drawn), 1)
    if here is None or share < MOST_SHARE:
        never = here is None and share <= 1 - MOST_SHARE
        return Crossing(status=NO_CROSSING if never else UNDECIDED, share=share)
    low, high = middle(alike)
    return Crossing(
        status=CROSSING, share=share, size=here[0], low=low, high=high,
        first_is_better_beyond=here[1],
    )  # fmt: skip

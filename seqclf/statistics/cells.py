"""These cells: which is better on such texts, trained again and again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seqclf.statistics.estimate import Estimate

FEWEST_POOLED = 3  # seeds: with two, a variance ten times as large looks like another
UNLIKELY = 0.25  # so rarely is one of several equal variances larger
OUTLYING = 0.01  # so rarely is the largest of them


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
    mean, squares = mean_squares(values)
    of_seeds, of_rows, rest = (square / (seeds * rows) for square in squares)
    variance = max(of_seeds + of_rows - rest, of_seeds, of_rows)
    share = of_seeds / variance if variance else 0.0
    return Estimate(mean, math.sqrt(variance), share, seeds - 1, rows - 1)


def cells_difference(
    a: np.ndarray, b: np.ndarray, among: Sequence[np.ndarray] = ()
) -> Estimate:
    """Estimates how much better cell a is than cell b, over seeds and texts.

    Two cells have no more in common with one seed than with two, so the seeds of each
    vary by themselves (Welch 1947, Biometrika 34:28), and the texts, which all models
    read, in the difference of the cells' means. The quantile lies between
    Satterthwaite's (1946, Biometrics Bulletin 2:110), for cells whose seeds vary alike,
    and Cochran's, as in `crossed_mean`, where one cell's seeds alone vary:
    docs/statistics.md has the simulations.

    Args:
      a: [seeds, texts], two texts at least: bool, which texts each training has right,
        or other values of which a score is the mean, the more the better.
      b: The same of the other cell; as many texts, perhaps other seeds. Of what is
        fitted once, such as a baseline, the same row again and again.
      among: All groups of the same study, these two included: from three seeds on they
        also tell how far seeds vary, unless these two vary more than they do.

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
    pooled = _pooled(parts, [_seed_part(one) for one in among])
    parts, freedom, weight = pooled or (parts, *_freedom(parts))
    by_row = a.mean(axis=0, dtype=np.float64) - b.mean(axis=0, dtype=np.float64)
    of_rows = float(by_row.var(ddof=1)) / rows
    of_seeds = sum(part.variance for part in parts)
    rest = sum(part.rest for part in parts)
    variance = max(of_seeds + of_rows - rest, of_seeds, of_rows)
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
    _, (of_seeds, _, rest) = mean_squares(values)
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


def _pooled(
    parts: Sequence[_SeedPart], among: Sequence[_SeedPart]
) -> tuple[list[_SeedPart], float, float] | None:
    """Returns two groups with a variance that they share with all others, or None.

    Beside them its degrees of freedom and `Estimate.weight`. Neither group is taken to
    vary less than the others do on average, and one that varies more than chance makes
    likely is left to itself, with its pair: pooling alone tells equal groups apart in
    up to 40 % of the studies in which one varies ten times as much. docs/statistics.md
    has the simulations.
    """
    from scipy.stats import f

    seeds = {part.freedom + 1 for part in (*parts, *among)}
    if len(among) <= len(parts) or len(seeds) > 1 or min(seeds) < FEWEST_POOLED:
        return None
    own = parts[0].freedom
    alike = _without_outliers([part.variance for part in among], own)
    common, freedom = sum(alike) / len(alike), own * len(alike)
    most = common * float(f.isf(UNLIKELY, own, freedom))
    if any(part.variance > most for part in parts):
        return None
    shared = [replace(p, variance=max(p.variance, common)) for p in parts]
    return shared, freedom, 1.0


def _without_outliers(variances: Sequence[float], freedom: int) -> list[float]:
    """Returns variances without those that are too large to be another's equal.

    One after the other the largest is dropped while it is larger than chance makes the
    largest of so many, beside the mean of the rest (Cochran 1941, Annals of Eugenics
    11:47); half of them stay. A single training that failed would else hide all else.
    """
    from scipy.stats import f

    kept = sorted(variances)
    while len(kept) > max(len(variances) / 2, 2):
        *rest, largest = kept
        bound = f.isf(OUTLYING / len(kept), freedom, freedom * len(rest))
        if largest <= float(bound) * sum(rest) / len(rest):
            break
        kept = rest
    return kept


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


def mean_squares(values: np.ndarray) -> tuple[float, tuple[float, float, float]]:
    """Returns the mean, and the mean squares of seeds, of texts and of the rest."""
    seeds, rows = values.shape
    by_seed = values.mean(axis=1, dtype=np.float64)
    by_row = values.mean(axis=0, dtype=np.float64)
    mean = float(by_seed.mean())
    of_seeds = rows * float(((by_seed - mean) ** 2).sum())
    of_rows = seeds * float(((by_row - mean) ** 2).sum())
    if values.dtype == bool:  # of right answers the squares are the answers
        squares = float(np.count_nonzero(values))
    else:
        squares = float((values.astype(np.float64) ** 2).sum())
    total = squares - seeds * rows * mean**2
    rest = max(total - of_seeds - of_rows, 0.0)
    return mean, (
        of_seeds / (seeds - 1),
        of_rows / (rows - 1),
        rest / ((seeds - 1) * (rows - 1)),
    )

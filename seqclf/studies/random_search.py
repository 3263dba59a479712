"""What random trials of the settings tell of a cell: best so far, spread, and why."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from seqclf.comparison.verdict import SIGNIFICANCE
from seqclf.statistics import CONFIDENCE, RESAMPLES, holm

FEWEST_DRAWS = 6  # fewer tell too little of a spread for an interval
QUARTILES = (0.25, 0.5, 0.75)


def expected_best(values: Sequence[float]) -> list[float]:
    """Returns the best value that 1, 2, ... n trials may be expected to find.

    The trials are drawn with replacement from the n that were made, of which the
    maximum has the distribution F(v)^k (Dodge et al. 2019, arXiv:1909.03004).

    Args:
      values: What each trial reached, more is better.

    Returns:
      The exact expectation for k = 1 ... n; the first is the mean.
    """
    ordered = np.sort(np.asarray(values, np.float64))
    n = len(ordered)
    ranks = np.arange(n + 1) / n  # of equal values together they sum to the same
    return [float(ordered @ np.diff(ranks**k)) for k in range(1, n + 1)]


def sd(values: np.ndarray) -> np.ndarray:
    """Returns the standard deviation of values [..., trials]."""
    return np.std(values, axis=-1, ddof=1)


def quartile_range(values: np.ndarray) -> np.ndarray:
    """Returns the distance of the quartiles of values [..., trials]."""
    low, high = np.quantile(values, [QUARTILES[0], QUARTILES[2]], axis=-1)
    found: np.ndarray = high - low
    return found


SPREADS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sd": sd, "quartile_range": quartile_range
}  # fmt: skip


def spreads(by_cell: Mapping[str, Sequence[float]]) -> tuple[list[dict[str, Any]], ...]:
    """Returns how far the trials of each cell lie apart, and of two cells compared.

    Intervals are percentiles of bootstrap draws of the trials, the same for all cells,
    as all cells have made the same trials.

    Args:
      by_cell: What each trial reached, by cell, in the same order of trials.

    Returns:
      A record a cell: cell, n, quartiles, best, and sd and quartile_range with their
      intervals (sd_low, sd_high, ...); and a record a pair: a, b, and the differences
      of sd and quartile_range, a - b, with their intervals. Intervals are None with
      fewer than six trials.
    """
    cells = list(by_cell)
    values = np.array([by_cell[cell] for cell in cells], np.float64)
    n = values.shape[1]
    drawn = np.random.default_rng(0).integers(n, size=(RESAMPLES, n))
    measured = {k: (f(values), f(values[:, drawn])) for k, f in SPREADS.items()}
    own = [
        {
            "cell": cell,
            "n": n,
            "quartiles": np.quantile(values[i], QUARTILES).tolist(),
            "best": float(values[i].max()),
        }
        | _bounded({k: (v[i], d[i]) for k, (v, d) in measured.items()}, n)
        for i, cell in enumerate(cells)
    ]
    apart = [
        {"a": cells[i], "b": cells[j]}
        | _bounded({k: (v[i] - v[j], d[i] - d[j]) for k, (v, d) in measured.items()}, n)
        for i, j in itertools.combinations(range(len(cells)), 2)
    ]
    return own, apart


def _bounded(found: Mapping[str, tuple[Any, np.ndarray]], n: int) -> dict[str, Any]:
    """Returns values with low and high, the percentiles of their resamples."""
    record: dict[str, Any] = {}
    tail = (1 - CONFIDENCE) / 2
    for key, (value, drawn) in found.items():
        low, high = np.quantile(drawn, [tail, 1 - tail]).tolist()
        enough = n >= FEWEST_DRAWS
        record |= {
            key: float(value),
            f"{key}_low": low if enough else None,
            f"{key}_high": high if enough else None,
        }
    return record


def correlations(
    settings: Mapping[str, Sequence[float]], values: Sequence[float]
) -> list[dict[str, Any]]:
    """Ranks the settings of trials by how well they order what the trials reached.

    Args:
      settings: By name, the setting of each trial.
      values: What each trial reached.

    Returns:
      Records with setting, rho (Spearman's rank correlation), n and p, Holm's over the
      settings; the strongest first. rho is None where nothing varies or with fewer
      than three trials, p with fewer than six.
    """
    records = [{"setting": k, **_spearman(v, values)} for k, v in settings.items()]
    known = [one for one in records if one["p"] is not None]
    adjusted = holm([one["p"] for one in known])
    for one, p in zip(known, adjusted, strict=True):
        one["p"] = p
    return sorted(records, key=lambda one: -abs(one["rho"] or 0.0))


def _spearman(setting: Sequence[float], values: Sequence[float]) -> dict[str, Any]:
    from scipy.stats import spearmanr

    n = len(values)
    if n < 3 or len(set(setting)) == 1 or len(set(values)) == 1:
        return {"rho": None, "n": n, "p": None}
    rho, p = spearmanr(setting, values)
    return {"rho": float(rho), "n": n, "p": float(p) if n >= FEWEST_DRAWS else None}


def explaining(found: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Returns the setting with the strongest correlation, if chance would not do."""
    first = found[0]
    return first if first["p"] is not None and first["p"] < SIGNIFICANCE else None
